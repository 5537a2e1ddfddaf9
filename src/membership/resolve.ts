import { suggestNearest } from "../lib/did-you-mean.ts";
import type { Listing } from "../lib/listing.ts";
import { createNameIndex, type NameIndex } from "../lib/name-index.ts";
import type { Problem } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";
import { isUuid, readReference } from "../lib/webex-id.ts";
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
  /**
   * Rows whose group was found and whose room was not: they may mean a room that other rows name rightly. A comment
   * that is named like a group may be a row just as well.
   */
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
  const groupNames = createNameIndex(dropRepeated(groups.items), (group) => group.displayName);
  const findGroup = createFinder({
    listing: groups,
    names: groupNames,
    type: "GROUP",
    named: "named",
    noun: "group",
    hint: "the token's owner must be allowed to see it",
  });
  const findRoom = createFinder({
    listing: rooms,
    names: createNameIndex(dropRepeated(rooms.items), (room) => room.title),
    type: "ROOM",
    named: "titled",
    noun: "room",
    hint: `${owner.email ?? owner.displayName} must be in it`,
  });

  const problems: Problem[] = [];
  const rows = new Map<string, RoomRows>();
  const groupLines = new Map<string, number>();
  const unmatchedRows: { group: Group; line: number }[] = [];
  const enter = (mapping: Mapping, room: Room): RoomRows => {
    const row = rows.get(room.key) ?? new RoomRows(room);
    rows.set(room.key, row);
    const [first] = row.mappings;
    row.mappings.push(mapping);
    if (first && first.mode !== mapping.mode) {
      row.obstacle ??= `its rows disagree on the mode`;
      const message = `line ${first.line} maps the same room with mode "${first.mode}", this line with "${mapping.mode}"; give both the same mode`;
      problems.push({ line: mapping.line, column: "mode", message });
    }
    return row;
  };
  for (const mapping of mappings) {
    const { line, kind } = mapping;
    if (kind === "comment") {
      const namesakes = groupNames.find(mapping.group);
      unmatchedRows.push(...namesakes.map((group) => ({ group, line })));
      if (namesakes.length > 0)
        problems.push({ line, column: "group", message: describeComment(mapping.group) });
      continue;
    }
    const room = findRoom(mapping.room);
    // A row that has ended brings nobody, whatever its group is by now: it only keeps its room managed.
    if (kind === "ended") {
      if ("found" in room) enter(mapping, room.found);
      continue;
    }
    const group = findGroup(mapping.group);
    if ("failure" in room) problems.push({ line, column: "room", message: room.failure });
    if ("failure" in group) problems.push({ line, column: "group", message: group.failure });
    if ("failure" in room) {
      if ("found" in group) unmatchedRows.push({ group: group.found, line });
      continue;
    }
    const row = enter(mapping, room.found);
    if ("failure" in group) row.obstacle ??= `line ${line} names no single group`;
    else {
      row.groups.set(group.found.key, group.found);
      groupLines.set(group.found.key, groupLines.get(group.found.key) ?? line);
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

/** Pages may overlap: what is listed twice is one thing. */
function dropRepeated<T extends { readonly key: string }>(items: readonly T[]): Iterable<T> {
  return new Map(items.map((item) => [item.key, item])).values();
}

function describeComment(cell: string): string {
  return `this line is a comment, but it begins with the name of the group ${quoteText(cell)}, whose people nobody removes until that is clear; put the name in double quotes to make it a row, or begin the comment with other words`;
}

interface Findable<T> {
  readonly listing: Listing<T>;
  readonly names: NameIndex<T>;
  /** With what the type of an id must end. */
  readonly type: "GROUP" | "ROOM";
  readonly named: string;
  readonly noun: string;
  readonly hint: string;
}

/** For so many names of a kind that match nothing the nearest is looked for: nobody reads more, and each costs. */
const maxSuggestions = 200;

/**
 * Finds by id, then by name; a name counts only when the whole list is known and holds it once. What is written as
 * an id is never taken for a name, unless something bears just that as its name.
 */
function createFinder<T extends { key: string; id: string }>({
  listing,
  names,
  type,
  named,
  noun,
  hint,
}: Findable<T>): (cell: string) => Resolved<T> {
  const byKey = indexKeys(listing.items);
  // An id that cannot be taken apart equals only itself.
  const byId = new Map(listing.items.map((item) => [item.id, item]));
  const partial = listing.complete ? "" : `; the list of ${noun}s is incomplete: ${listing.reason}`;
  const known = new Map<string, Resolved<T>>();
  let suggestions = 0;

  function resolve(cell: string): Resolved<T> {
    const reference = readReference(cell);
    const isOther = reference?.type?.endsWith(type) === false;
    const found = reference ? byKey.get(reference.key) : byId.get(cell);
    if (found && !isOther) return { found };
    const namesakes = names.find(cell);
    if (reference && !(isUuid(cell) && namesakes.length > 0)) {
      if (isOther) return { failure: `this is the id of a ${nameType(reference.type)}, not of a ${noun}` };
      return { failure: `no ${noun} with this id is visible; ${hint}${partial}` };
    }
    if (namesakes.length > 1) {
      const ids = namesakes.map((item) => item.id).sort();
      return {
        failure: `${namesakes.length} ${noun}s are ${named} ${quoteText(cell)}; write the id of the one you mean: ${ids.join(", ")}`,
      };
    }
    const [only] = namesakes;
    if (!listing.complete) return { failure: `${quoteText(cell)} cannot be looked up by name${partial}` };
    if (only) return { found: only };
    const failure = `no ${noun} is ${named} ${quoteText(cell)}`;
    if (/^[a-z]+:\/\//i.test(cell)) return { failure: `${failure}; this link holds no id of a space` };
    suggestions += 1;
    if (suggestions > maxSuggestions) {
      return {
        failure: `${failure}; so many match nothing that the nearest was looked for ${maxSuggestions} times only`,
      };
    }
    return { failure: failure + suggestNearest(cell, names.names, `; ${hint}`) };
  }

  return (cell) => {
    const resolved = known.get(cell) ?? resolve(cell);
    known.set(cell, resolved);
    return resolved;
  };
}

function nameType(type: string | null): string {
  return type === "PEOPLE" ? "person" : (type ?? "thing").toLowerCase().replaceAll("_", " ");
}

/** Things by the key of their id; a group's also without its organisation. */
function indexKeys<T extends { key: string; id: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  const byKey = new Map<string, T>();
  for (const item of items) {
    const key = item.key.slice(item.key.lastIndexOf("/") + 1);
    byKey.set(key, item);
    const [bare = key] = key.split(":");
    byKey.set(bare, item);
  }
  return byKey;
}
