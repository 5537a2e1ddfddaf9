import { suggestNearest } from "../lib/did-you-mean.ts";
import { foldAddress } from "../lib/email.ts";
import type { Listing } from "../lib/listing.ts";
import { createNameIndex, type NameIndex } from "../lib/name-index.ts";
import type { Problem } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";
import { isUuid, readReference } from "../lib/webex-id.ts";
import type { Group, Owner, Room } from "./directory.ts";
import { isRow, type Mapping, type Mode } from "./mapping.ts";
import { isSameThing, type NameMemory, type RememberedName } from "./names.ts";
import { type AddressBook, isAddress, type PersonRow } from "./person-rows.ts";

export interface DesiredRoom {
  readonly room: Room;
  readonly mode: Mode;
  readonly groups: readonly Group[];
  /** The rows that name one person each. */
  readonly people: readonly PersonRow[];
  readonly lines: readonly number[];
  /** Null when nothing stands in the way. */
  readonly obstacle: string | null;
}

export interface Resolution {
  readonly desired: readonly DesiredRoom[];
  /** The first line that feeds a room with the group, by the group's key. */
  readonly groupLines: ReadonlyMap<string, number>;
  /** Their room was not found, so they may mean any; comments named like a group count as well. */
  readonly unmatchedRows: readonly { readonly group: Group; readonly line: number }[];
  /** Such rows that name a person. */
  readonly unmatchedPeople: readonly PersonRow[];
  readonly problems: readonly Problem[];
  /** Where the names in the cells lead, those left out that led elsewhere before. */
  readonly names: readonly RememberedName[];
}

export interface Beholder {
  readonly owner: Owner;
  readonly memory: NameMemory;
  /** Absent where nobody asked whom the addresses in the cells lead to. */
  readonly addresses?: AddressBook;
}

interface Found<T> {
  readonly found: T;
  readonly isByName: boolean;
  /** Present where the name led to another thing before; `former` is that thing, if it still exists. */
  readonly moved?: { readonly former: T | undefined; readonly message: string };
}

type Resolved<T> = Found<T> | { readonly failure: string };

/**
 * Finds groups and rooms by id, link or exact name, and people by address; a row that does not resolve, or has moved,
 * freezes its room.
 */
export function resolveMappings(
  mappings: readonly Mapping[],
  groups: Listing<Group>,
  rooms: Listing<Room>,
  beholder: Beholder,
): Resolution {
  const { memory } = beholder;
  const groupNames = createNameIndex(dropRepeated(groups.items), (group) => group.displayName);
  const findGroup = createFinder({
    listing: groups,
    names: groupNames,
    column: "group",
    memory,
    named: "named",
    nameOf: (group) => group.displayName,
    hint: "the token's owner must be allowed to see it",
  });
  const findRoom = createRoomFinder(rooms, beholder);

  const problems: Problem[] = [];
  const rows = new Map<string, RoomRows>();
  const groupLines = new Map<string, number>();
  const unmatchedRows: { group: Group; line: number }[] = [];
  const unmatchedPeople: PersonRow[] = [];
  const names = new Map<string, RememberedName>();
  const learn = (column: RememberedName["column"], name: string, one: Resolved<Group | Room>) => {
    if ("found" in one && one.isByName && !one.moved)
      names.set(`${column} ${name}`, { column, name, id: one.found.id });
  };
  const enter = (mapping: Mapping, room: Room): RoomRows => {
    const row = rows.get(room.key) ?? new RoomRows(room);
    rows.set(room.key, row);
    const [first] = row.mappings;
    row.mappings.push(mapping);
    if (first && first.mode !== mapping.mode) {
      row.obstacle ??= `its rows disagree on the mode`;
      const message = `line ${first.line} maps the same space with mode "${first.mode}", this line with "${mapping.mode}"; give both the same mode`;
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
    const roomFault = findFault(room);
    learn("room", mapping.room, room);
    // A row that has ended brings nobody, whatever its group is now: it only keeps its room managed.
    if (kind === "ended") {
      if ("failure" in room) continue;
      const row = enter(mapping, room.found);
      if (roomFault === null) continue;
      problems.push({ line, column: "room", message: roomFault });
      row.obstacle ??= explainMoved(line, "room");
      continue;
    }
    const found = findGroup(mapping.group);
    const isGroupName = groupNames.find(mapping.group).length > 0;
    // What is no group of a list that is not whole may be one nevertheless: the group's failure says so.
    const person = isGroupName || groups.complete ? findPersonRow(mapping, isGroupName, beholder) : null;
    const group = person === null || person.isGroupName ? found : null;
    const groupFault = group && findFault(group);
    if (group) learn("group", mapping.group, group);
    if (roomFault !== null) problems.push({ line, column: "room", message: roomFault });
    if (groupFault !== null) problems.push({ line, column: "group", message: groupFault });
    if (roomFault !== null) {
      unmatchedRows.push(...(group ? listMeant(group) : []).map((one) => ({ group: one, line })));
      if (person) unmatchedPeople.push(person);
    }
    if ("failure" in room) continue;
    const row = enter(mapping, room.found);
    if (roomFault !== null) row.obstacle ??= explainMoved(line, "room");
    if (person) row.people.push(person);
    if (group === null) continue;
    if ("failure" in group) row.obstacle ??= `line ${line} names no single group`;
    else if (groupFault !== null) row.obstacle ??= explainMoved(line, "group");
    else {
      row.groups.set(group.found.key, group.found);
      groupLines.set(group.found.key, groupLines.get(group.found.key) ?? line);
    }
  }
  const desired = [...rows.values()].map(({ room, mappings, groups, people, obstacle }) => ({
    room,
    mode: mappings[0]?.mode ?? "audit",
    groups: [...groups.values()],
    people,
    lines: mappings.map((mapping) => mapping.line),
    obstacle,
  }));
  return { desired, groupLines, unmatchedRows, unmatchedPeople, problems, names: [...names.values()] };
}

/** The row as one that names a person; null where its cell is no address. */
function findPersonRow(
  { group: address, line }: Mapping,
  isGroupName: boolean,
  { memory, addresses }: Beholder,
): PersonRow | null {
  if (!isAddress(address)) return null;
  const unclear = (reason: string) => ({ kind: "unclear", reason, keys: null }) as const;
  const wasGroup = !isGroupName && memory.recall("group", address) !== null;
  const finding = wasGroup
    ? unclear("led to a group on earlier runs, which is gone or has another name now; write the group's id")
    : (addresses?.get(foldAddress(address)) ?? unclear("was not looked up"));
  return { line, address, finding, person: null, isGroupName };
}

/** The keys of the rooms that rows name for certain, whatever else is wrong with the mappings. */
export function findMappedRooms(
  mappings: readonly Mapping[],
  rooms: Listing<Room>,
  beholder: Beholder,
): ReadonlySet<string> {
  const findRoom = createRoomFinder(rooms, beholder);
  const found = mappings.filter(isRow).map((mapping) => findRoom(mapping.room));
  return new Set(found.flatMap((room) => ("found" in room && !room.moved ? [room.found.key] : [])));
}

/** The one room that a title, an id or a link leads to, or why it leads to none. */
export function findRoom(
  cell: string,
  rooms: Listing<Room>,
  beholder: Beholder,
): { readonly found: Room } | { readonly failure: string } {
  return createRoomFinder(rooms, beholder)(cell);
}

function createRoomFinder(rooms: Listing<Room>, { owner, memory }: Beholder) {
  return createFinder({
    listing: rooms,
    names: createNameIndex(dropRepeated(rooms.items), (room) => room.title),
    column: "room",
    memory,
    named: "titled",
    nameOf: (room) => room.title,
    hint: `${owner.email ?? owner.displayName} must be in it`,
  });
}

function findFault<T>(resolved: Resolved<T>): string | null {
  return "failure" in resolved ? resolved.failure : (resolved.moved?.message ?? null);
}

/** All that a cell may mean: of a name that has moved, what it named before as well. */
function listMeant<T>(resolved: Resolved<T>): readonly T[] {
  if ("failure" in resolved) return [];
  return [resolved.found, ...(resolved.moved?.former === undefined ? [] : [resolved.moved.former])];
}

function explainMoved(line: number, column: RememberedName["column"]): string {
  return `the ${column === "room" ? "title" : "name of the group"} on line ${line} led to another ${things[column]} on earlier runs`;
}

class RoomRows {
  readonly mappings: Mapping[] = [];
  readonly groups = new Map<string, Group>();
  readonly people: PersonRow[] = [];
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

const things = { group: "group", room: "space" } as const;

interface Findable<T> {
  readonly listing: Listing<T>;
  readonly names: NameIndex<T>;
  readonly column: RememberedName["column"];
  readonly memory: NameMemory;
  readonly named: string;
  nameOf(thing: T): string;
  readonly hint: string;
}

/** Nobody reads more suggestions, and each costs time. */
const maxSuggestions = 200;

/** Finds by id, then by name; a name counts only when the whole list is known and has it once. */
function createFinder<T extends { key: string; id: string }>({
  listing,
  names,
  column,
  memory,
  named,
  nameOf,
  hint,
}: Findable<T>): (cell: string) => Resolved<T> {
  const thing = things[column];
  const type = column.toUpperCase();
  const byKey = indexKeys(listing.items);
  // An id that cannot be taken apart equals only itself.
  const byId = new Map(listing.items.map((item) => [item.id, item]));
  const partial = listing.complete ? "" : `; the list of ${thing}s is incomplete: ${listing.reason}`;
  const known = new Map<string, Resolved<T>>();
  let suggestions = 0;

  function resolve(cell: string): Resolved<T> {
    const reference = readReference(cell);
    const isOther = reference?.type?.endsWith(type) === false;
    const found = reference ? byKey.get(reference.key) : byId.get(cell);
    if (found && !isOther) return { found, isByName: false };
    const namesakes = names.find(cell);
    if (reference && !(isUuid(cell) && namesakes.length > 0)) {
      if (isOther) return { failure: `this is the id of ${nameType(reference.type)}, not of a ${thing}` };
      return { failure: `no ${thing} with this id is visible; ${hint}${partial}` };
    }
    if (namesakes.length > 1) {
      const ids = namesakes.map((item) => item.id).sort();
      return {
        failure: `${namesakes.length} ${thing}s are ${named} ${quoteText(cell)}; write the id of the one you mean: ${ids.join(", ")}`,
      };
    }
    const [only] = namesakes;
    if (!listing.complete) return { failure: `${quoteText(cell)} cannot be looked up by name${partial}` };
    if (only) return compareWithMemory(cell, only);
    const failure = `no ${thing} is ${named} ${quoteText(cell)}`;
    if (/^[a-z]+:\/\//i.test(cell)) return { failure: `${failure}; this link holds no id of a space` };
    const former = recall(cell)?.former;
    if (former) {
      return {
        failure: `${failure}; on earlier runs it led to the ${thing} now ${named} ${quoteText(nameOf(former))}, whose id is ${former.id}`,
      };
    }
    suggestions += 1;
    if (suggestions > maxSuggestions) {
      return {
        failure: `${failure}; so many match nothing that the nearest was looked for ${maxSuggestions} times only`,
      };
    }
    return { failure: failure + suggestNearest(cell, names.names, `; ${hint}`) };
  }

  /** Where a name led on earlier runs: the id, and what has it now; null for a new name. */
  function recall(cell: string): { readonly id: string; readonly former: T | undefined } | null {
    const id = memory.recall(column, cell);
    return id === null ? null : { id, former: byKey.get(readReference(id)?.key ?? "") ?? byId.get(id) };
  }

  /** A name is not an identity: what led to one thing on an earlier run must not lead to another on this one. */
  function compareWithMemory(cell: string, found: T): Found<T> {
    const recalled = recall(cell);
    if (recalled === null || isSameThing(column, recalled.id, found.id)) return { found, isByName: true };
    const { id, former } = recalled;
    const whatNow = former === undefined ? "" : ` (now ${named} ${quoteText(nameOf(former))})`;
    const message = `${quoteText(cell)} led to another ${thing} on earlier runs, so this row changes nothing until its cell holds the id of the one you mean: earlier ${id}${whatNow}, now ${found.id}`;
    return { found, isByName: true, moved: { former, message } };
  }

  return (cell) => {
    const resolved = known.get(cell) ?? resolve(cell);
    known.set(cell, resolved);
    return resolved;
  };
}

function nameType(type: string): string {
  const known = new Map([
    ["ROOM", things.room],
    ["PEOPLE", "person"],
  ]);
  const name = known.get(type) ?? type.toLowerCase().replaceAll("_", " ");
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
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
