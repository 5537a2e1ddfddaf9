import { normaliseCell } from "../lib/csv.ts";
import { suggestNearest } from "../lib/did-you-mean.ts";
import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";
import { decodeId, identityOf } from "../lib/webex-id.ts";
import type { Group, Owner, Room } from "./directory.ts";
import type { Mapping, Mode } from "./mapping.ts";

/** A room and the groups that the mappings name for it. */
export interface DesiredRoom {
  readonly room: Room;
  readonly mode: Mode;
  readonly groups: readonly Group[];
  readonly lines: readonly number[];
  /** Why nothing may be changed in this room; null when nothing stands in the way. */
  readonly obstacle: string | null;
}

/** What the mappings come down to. */
export interface Resolution {
  readonly desired: readonly DesiredRoom[];
  /** The first line that feeds a room with the group, by the group's key. */
  readonly groupLines: ReadonlyMap<string, number>;
  /** Rows whose group was found and whose room was not: they may mean a room that other rows name rightly. */
  readonly unmatchedRows: readonly { readonly group: Group; readonly line: number }[];
  readonly problems: readonly Problem[];
}

/** Either the one thing that a cell names, or why there is not exactly one. */
type Resolved<T> = { readonly found: T } | { readonly failure: string };

/**
 * Finds the groups and rooms that the mappings name, by id, by link or by exact name. A room with a row that does
 * not resolve is frozen; a row whose room does not resolve is only reported.
 */
export function resolveMappings(
  mappings: readonly Mapping[],
  groups: Listing<Group>,
  rooms: Listing<Room>,
  owner: Owner,
): Resolution {
  const findGroup = createFinder({
    listing: groups,
    nameOf: (group) => group.displayName,
    referTo: (cell) => (decodeId(cell)?.type.endsWith("GROUP") ? identityOf(cell, "SCIM_GROUP") : null),
    named: "named",
    noun: "group",
    hint: "the token's owner must be allowed to see it",
  });
  const findRoom = createFinder({
    listing: rooms,
    nameOf: (room) => room.title,
    referTo: readRoomReference,
    named: "titled",
    noun: "room",
    hint: `${owner.email ?? owner.displayName} must be in it`,
  });

  const problems: Problem[] = [];
  const rows = new Map<string, RoomRows>();
  const groupLines = new Map<string, number>();
  const unmatchedRows: { group: Group; line: number }[] = [];
  for (const mapping of mappings) {
    const room = findRoom(mapping.room);
    const group = findGroup(mapping.group);
    if ("failure" in room) problems.push({ line: mapping.line, column: "room", message: room.failure });
    if ("failure" in group) problems.push({ line: mapping.line, column: "group", message: group.failure });
    if ("failure" in room) {
      if ("found" in group) unmatchedRows.push({ group: group.found, line: mapping.line });
      continue;
    }
    const row = rows.get(room.found.key) ?? new RoomRows(room.found);
    rows.set(room.found.key, row);
    const first = row.mappings[0];
    row.mappings.push(mapping);
    if ("failure" in group) row.obstacle ??= `line ${mapping.line} names no single group`;
    else {
      row.groups.set(group.found.key, group.found);
      groupLines.set(group.found.key, groupLines.get(group.found.key) ?? mapping.line);
    }
    if (first && first.mode !== mapping.mode) {
      row.obstacle ??= `its rows disagree on the mode`;
      const message = `line ${first.line} maps the same room with mode "${first.mode}", this line with "${mapping.mode}"; give both the same mode`;
      problems.push({ line: mapping.line, column: "mode", message });
    }
  }
  const desired = [...rows.values()].map(({ room, mappings, groups, obstacle }) => ({
    room,
    mode: mappings[0]?.mode ?? "audit",
    groups: [...groups.values()],
    lines: mappings.map((mapping) => mapping.line),
    obstacle,
  }));
  return { desired, groupLines, unmatchedRows, problems };
}

/** What the rows of one room add up to. */
class RoomRows {
  readonly mappings: Mapping[] = [];
  readonly groups = new Map<string, Group>();
  obstacle: string | null = null;

  constructor(readonly room: Room) {}
}

/** The identity in a room's id or in a link copied from the app; null when the cell is a title. */
function readRoomReference(cell: string): string | null {
  if (decodeId(cell)?.type === "ROOM") return identityOf(cell, "ROOM");
  const uuid =
    /^(?:webexteams:\/\/im\?(?:.*&)?space=|https:\/\/web\.webex\.com\/spaces\/)([0-9a-f-]{36})\b/i.exec(
      cell,
    )?.[1];
  return uuid ? `ROOM/${uuid.toLowerCase()}` : null;
}

interface Findable<T> {
  readonly listing: Listing<T>;
  readonly nameOf: (item: T) => string;
  readonly referTo: (cell: string) => string | null;
  readonly named: string;
  readonly noun: string;
  readonly hint: string;
}

/** Finds by identity, then by exact name; a name counts only when the whole list is known and holds it once. */
function createFinder<T extends { key: string; id: string }>(
  findable: Findable<T>,
): (cell: string) => Resolved<T> {
  const { listing, nameOf, referTo, named, noun, hint } = findable;
  const byKey = new Map(listing.items.map((item) => [item.key, item]));
  const byName = new Map<string, T[]>();
  for (const item of byKey.values()) {
    const name = normaliseCell(nameOf(item));
    byName.set(name, [...(byName.get(name) ?? []), item]);
  }
  const names = [...byName.keys()];
  const partial = listing.complete ? "" : `; the list of ${noun}s is incomplete: ${listing.reason}`;
  return (cell) => {
    const found = byKey.get(referTo(cell) ?? cell);
    if (found) return { found };
    if (referTo(cell) !== null) return { failure: `no ${noun} with this id is visible; ${hint}${partial}` };
    const namesakes = byName.get(cell) ?? [];
    if (namesakes.length > 1) {
      const ids = namesakes.map((item) => item.id).sort();
      return {
        failure: `${namesakes.length} ${noun}s are ${named} ${quoteText(cell)}; write the id of the one you mean: ${ids.join(", ")}`,
      };
    }
    const [only] = namesakes;
    if (!listing.complete) return { failure: `${quoteText(cell)} cannot be looked up by name${partial}` };
    if (only) return { found: only };
    return {
      failure: `no ${noun} is ${named} ${quoteText(cell)}${suggestNearest(cell, names, `; ${hint}`)}`,
    };
  };
}
