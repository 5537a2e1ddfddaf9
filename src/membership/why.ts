import { compareStrings, normaliseText } from "../lib/text.ts";
import { identityOf } from "../lib/webex-id.ts";
import type { Room, RoomMember } from "./directory.ts";
import type { CheckedRoom } from "./limits.ts";
import { isRow, type Mapping } from "./mapping.ts";
import { isSameThing } from "./names.ts";
import type { HeldReason, KeptReason, RunRecord } from "./record.ts";

/** Whom a question is about; texts are as Webex has them. */
export interface AskedPerson {
  readonly personId: string;
  readonly displayName: string | null;
  readonly emails: readonly string[];
}

/** A row of rooms.csv that brings somebody into a room; `group` is the cell. */
export interface BringingRow {
  readonly line: number;
  readonly group: string;
}

/** The run in whose record somebody was added: its id, and its day. */
export interface Since {
  readonly run: string;
  readonly date: string;
}

/** What a sync would do about somebody in one room, and why. */
export interface PersonInRoom {
  readonly roomId: string;
  readonly title: string;
  readonly isMember: boolean;
  readonly isModerator: boolean;
  readonly rows: readonly BringingRow[];
  readonly decision: "stays" | "would-be-added" | "would-be-removed" | "held" | "frozen" | "unmanaged";
  readonly reason: KeptReason | HeldReason | null;
  readonly since: Since | null;
}

/** Where somebody was seen. */
export interface Sight {
  readonly key: string;
  /** As a member, by the room's key. */
  readonly memberships: ReadonlyMap<string, RoomMember>;
  /** The keys of the groups whose lists have them. */
  readonly groups: ReadonlySet<string>;
}

/** Says what a plan does about somebody in one of its rooms; null where they neither are nor belong. Pure. */
export function explainRoom(
  room: CheckedRoom,
  mappings: readonly Mapping[],
  sight: Sight,
): Omit<PersonInRoom, "since"> | null {
  const { id: roomId, title, key } = room.feed.room;
  const member = sight.memberships.get(key);
  const rows = findRows(room, mappings, sight);
  if (member === undefined && rows.length === 0) return null;
  const isModerator = member?.isModerator ?? false;
  return { roomId, title, isMember: member !== undefined, isModerator, rows, ...decide(room, sight.key) };
}

/** Somebody is in a room that no row names. */
export function explainUnmanaged(
  { id: roomId, title }: Room,
  { isModerator }: RoomMember,
): Omit<PersonInRoom, "since"> {
  return { roomId, title, isMember: true, isModerator, rows: [], decision: "unmanaged", reason: null };
}

function findRows(
  { feed }: CheckedRoom,
  mappings: readonly Mapping[],
  { key, groups }: Sight,
): readonly BringingRow[] {
  const bringing = feed.groups.filter((group) => groups.has(group.key));
  const named = new Set(feed.people.flatMap(({ line, person }) => (person?.key === key ? [line] : [])));
  return mappings.flatMap(({ line, group: cell, kind }) => {
    if (!feed.lines.includes(line) || kind !== undefined) return [];
    const isBrought =
      named.has(line) ||
      bringing.some((group) => isMeant(cell, group.id) || isNamed(cell, group.displayName));
    return isBrought ? [{ line, group: cell }] : [];
  });
}

function isMeant(cell: string, id: string): boolean {
  return isSameThing("group", cell, id);
}

function isNamed(cell: string, name: string): boolean {
  return normaliseText(cell) === normaliseText(name);
}

function decide(room: CheckedRoom, key: string): Pick<PersonInRoom, "decision" | "reason"> {
  const isThem = (one: { readonly personId: string }) => identityOf(one.personId, "PEOPLE") === key;
  if (room.additions.some(isThem)) return { decision: "would-be-added", reason: null };
  if (room.removals.some(isThem)) return { decision: "would-be-removed", reason: null };
  const held = room.held.find(isThem);
  if (held) return { decision: "held", reason: held.reason };
  const kept = room.kept.find(isThem);
  if (kept) return { decision: "stays", reason: kept.reason };
  // Nobody is added to an audited room.
  if (room.missing.some(isThem)) return { decision: "frozen", reason: "audit" };
  return { decision: room.frozen === null ? "stays" : "frozen", reason: null };
}

/** What one run did to somebody's membership in one room. */
export interface PastChange extends Since {
  /** The room's key. */
  readonly room: string;
  readonly action: "add" | "remove";
  /** When the run began, ISO 8601. */
  readonly at: string;
}

/** Finds what a record says of one person. Pure. */
export function findPastChanges(record: RunRecord, key: string, run: Since): readonly PastChange[] {
  const isThem = (one: { readonly personId: string }) => identityOf(one.personId, "PEOPLE") === key;
  return record.rooms.flatMap(({ roomId, added, removed }) => {
    const change = { ...run, room: identityOf(roomId, "ROOM"), at: record.startedAt };
    return [
      ...(added.some(isThem) ? [{ ...change, action: "add" } as const] : []),
      ...(removed.some(isThem) ? [{ ...change, action: "remove" } as const] : []),
    ];
  });
}

/** The latest run that added somebody to a room, unless a later one removed them again. Pure. */
export function findSince(changes: readonly PastChange[], roomKey: string): Since | null {
  const latest = changes
    .filter(({ room }) => room === roomKey)
    .sort((a, b) => compareStrings(a.at, b.at))
    .at(-1);
  return latest?.action === "add" ? { run: latest.run, date: latest.date } : null;
}

/** The rows of rooms.csv that name somebody by one of their addresses, whatever they lead to. Pure. */
export function findOwnRows(mappings: readonly Mapping[], isTheirs: (address: string) => boolean) {
  return mappings.filter((mapping) => isRow(mapping) && isTheirs(mapping.group));
}
