import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import type { Group, GroupListing, GroupMember, KnownPerson, Owner, Room, RoomMember } from "./directory.ts";
import { findPeople, mayMean, type PersonRow, type RowFault } from "./person-rows.ts";
import type { DesiredRoom, Resolution } from "./resolve.ts";

export interface RoomDiff {
  readonly feed: DesiredRoom;
  /** Null when the list may not be whole. */
  readonly before: number | null;
  readonly absent: readonly GroupMember[];
  /** Nobody of these may be removed while `uncertainties` has an entry. */
  readonly surplus: readonly RoomMember[];
  /** Without the token's owner. */
  readonly presentCount: number;
  readonly moderatorCount: number;
  /** Whether Webex would let the token's owner change who is in the room. */
  readonly isOpenToOwner: boolean;
  /** The names of its groups that have no members. */
  readonly emptyGroups: readonly string[];
  /** Null when nothing stands in the way. */
  readonly obstacle: string | null;
  /** Rows without a room whose people are in this one; these people stay, and are in no list here. */
  readonly exempt: readonly UnmatchedRow[];
  readonly uncertainties: readonly string[];
  readonly isUnsteady: boolean;
  /** Rows that lead to no one person, with the addresses of the members, one of whom may be meant. */
  readonly faults: readonly RowFault[];
  readonly addresses: readonly string[];
}

/** A row that leads to no room. */
export interface UnmatchedRow {
  readonly line: number;
  readonly source: Group | PersonRow;
  /** The group's name, or the person's address. */
  readonly name: string;
  /** Null when those whom it means are known for certain. */
  readonly doubt: { readonly reason: string; readonly isUnsteady: boolean } | null;
  means(member: RoomMember): boolean;
}

export interface Standpoint {
  readonly owner: Owner;
  readonly unmatchedRows?: readonly UnmatchedRow[];
}

/** Compares rooms, in any order, with what one set of mappings wants; `conclude` puts the differences in row order. */
export function createComparison(
  resolution: Resolution,
  readings: ReadonlyMap<string, GroupReading>,
  owner: Owner,
): {
  add(room: Room, members: Listing<RoomMember>): void;
  conclude(): {
    readonly differences: readonly RoomDiff[];
    readonly problems: readonly Problem[];
    readonly standpoint: Required<Standpoint>;
  };
} {
  const desired = new Map(resolution.desired.map((feed) => [feed.room.key, feed]));
  const unmatchedRows = [
    ...resolution.unmatchedRows.flatMap(({ group, line }) => {
      const reading = readings.get(group.key);
      return reading ? [describeGroupRow(line, reading)] : [];
    }),
    ...resolution.unmatchedPeople.map(describePersonRow),
  ];
  const standpoint = { owner, unmatchedRows };
  const found = new Map<string, RoomDiff>();
  return {
    add({ key }, members) {
      const feed = desired.get(key);
      if (feed === undefined) return;
      const feeding = feed.groups.flatMap((group) => readings.get(group.key) ?? []);
      found.set(key, diffRoom(feed, feeding, members, standpoint));
    },
    conclude() {
      const differences = [...desired.keys()].flatMap((key) => found.get(key) ?? []);
      const problems = [
        ...resolution.problems,
        ...findGroupProblems(resolution, readings),
        ...findUnmatchedRowProblems(differences, unmatchedRows),
      ];
      return { differences, problems, standpoint };
    },
  };
}

/** A row of a group that leads to no room. */
export function describeGroupRow(line: number, reading: GroupReading): UnmatchedRow {
  return {
    line,
    source: reading.group,
    name: reading.group.displayName,
    doubt: reading.complete ? null : reading,
    means: ({ key }) => reading.members.has(key),
  };
}

/** A row of one person that leads to no room. */
export function describePersonRow(row: PersonRow): UnmatchedRow {
  const { line, address: name, finding } = row;
  const isOpen = finding.kind === "unclear" && finding.keys === null;
  const doubt = isOpen ? { reason: finding.reason, isUnsteady: false } : null;
  return { line, source: row, name, doubt, means: (member) => mayMean(row, member) };
}

function listDesired(
  { people }: DesiredRoom,
  readings: readonly GroupReading[],
): ReadonlyMap<string, GroupMember> {
  const [only, ...others] = readings;
  // No copy for the usual room: there may be thousands, of thousands of people.
  if (only && others.length + people.length === 0) return only.members;
  return new Map([
    ...people.flatMap(({ person }) => (person === null ? [] : [[person.key, person] as const])),
    ...readings.flatMap((reading) => [...reading.members]),
  ]);
}

/** Compares members with groups by decoded id; a list without the owner may hold only moderators: an obstacle. */
export function diffRoom(
  given: DesiredRoom,
  readings: readonly GroupReading[],
  listing: Listing<RoomMember>,
  { owner, unmatchedRows = [] }: Standpoint,
): RoomDiff {
  const members = new Map<string, RoomMember>();
  for (const member of listing.items) members.set(member.key, member);
  const present = [...members.values()];
  const { feed, faults } = resolvePeople(given, present);
  const desired = listDesired(feed, readings);
  const blindness = !listing.complete
    ? `its member list is incomplete: ${listing.reason}`
    : !members.has(owner.key)
      ? `the token's owner, ${owner.email ?? owner.displayName}, is not in its member list; add them to the space`
      : null;
  const isTrusted = blindness === null && feed.obstacle === null;
  const others = isTrusted ? present.filter((member) => !desired.has(member.key)) : [];
  // People in the group of a row without a room may be here because of that very row.
  const exempt = new Map<RoomMember, UnmatchedRow>();
  for (const member of feed.mode === "sync" ? others : []) {
    const row = member.key === owner.key ? undefined : unmatchedRows.find(({ means }) => means(member));
    if (row) exempt.set(member, row);
  }
  const surplus = others.filter((member) => !exempt.has(member));
  // Of a row without a room even the people may be unknown: then anybody in the room may be one of them.
  const mayBeMeant = feed.mode === "sync" && surplus.some(({ key }) => key !== owner.key);
  const unsure = [
    ...readings.flatMap((reading) =>
      reading.complete ? [] : [{ name: reading.group.displayName, isUnsteady: reading.isUnsteady }],
    ),
    ...(mayBeMeant ? unmatchedRows : []).flatMap(({ name, doubt }) =>
      doubt === null ? [] : [{ name, isUnsteady: doubt.isUnsteady }],
    ),
  ];
  return {
    feed,
    before: blindness === null ? members.size : null,
    absent: isTrusted ? [...desired.values()].filter((person) => !members.has(person.key)) : [],
    surplus,
    exempt: [...new Set(exempt.values())],
    presentCount:
      present.filter((member) => desired.has(member.key) && member.key !== owner.key && !isMachine(member))
        .length + exempt.size,
    moderatorCount: present.filter((member) => member.isModerator).length,
    isOpenToOwner: !feed.room.isModerated || members.get(owner.key)?.isModerator === true,
    emptyGroups: readings.flatMap((reading) =>
      reading.complete && reading.members.size === 0 ? [reading.group.displayName] : [],
    ),
    obstacle: blindness ?? feed.obstacle,
    uncertainties: [...new Set(unsure.map(({ name }) => name))],
    isUnsteady: unsure.some(({ isUnsteady }) => isUnsteady),
    // Without the members nobody knows who is among them: the room's own obstacle says that.
    faults: blindness === null ? faults : faults.filter(({ row }) => row.finding.kind === "unclear"),
    addresses: faults.length === 0 ? [] : present.flatMap(({ email }) => email ?? []),
  };
}

/** Finds the people whom rows name; where one leads to nobody, or to several, the room is frozen. */
function resolvePeople(
  feed: DesiredRoom,
  members: readonly RoomMember[],
): { readonly feed: DesiredRoom; readonly faults: readonly RowFault[] } {
  if (feed.people.length === 0) return { feed, faults: [] };
  const { rows, faults } = findPeople(feed.people, members);
  const [first] = faults;
  const obstacle = first === undefined ? null : `line ${first.row.line} names no one person`;
  return { feed: { ...feed, people: rows, obstacle: feed.obstacle ?? obstacle }, faults };
}

/** A member whose address is that of a machine, whatever a group's list calls it. */
export function isMachine({ suggestedKind }: RoomMember): boolean {
  return suggestedKind === "bot" || suggestedKind === "device" || suggestedKind === "other";
}

/** The members of one group by key; `complete` only when these are known to be all. */
export type GroupReading = { readonly group: Group; readonly members: ReadonlyMap<string, GroupMember> } & (
  | { readonly complete: true }
  | {
      readonly complete: false;
      readonly reason: string;
      /** It changed while it was read, or contradicts itself. */
      readonly isUnsteady: boolean;
    }
);

/**
 * Judges a group's list complete only when every page agrees and it has as many distinct users as Webex says.
 * Small pages leave members out, people who come and go shift others past the reader, a nested group hides its people.
 */
export function judgeGroup(group: Group, { heads, members: listing }: GroupListing): GroupReading {
  const stranger = heads.find(
    ({ key, displayName }) =>
      (key !== null && groupOf(key) !== groupOf(group.key)) ||
      (displayName !== null && displayName !== group.displayName),
  );
  if (stranger) {
    const reason = `Webex answered with the group "${stranger.displayName ?? stranger.key}"`;
    return { group, members: new Map(), complete: false, reason, isUnsteady: true };
  }
  const users = listing.items.filter((member) => member.type === "user");
  const members = new Map(users.map((member) => [member.key, member]));
  const others = listing.items.find((member) => member.type !== "user");
  const [memberSize = null] = heads.map((head) => head.memberSize);
  const hasChanged = heads.some(
    (head) => head.memberSize !== memberSize || head.lastModified !== heads[0]?.lastModified,
  );
  const obstacle = !listing.complete
    ? listing.reason
    : others?.type === "group"
      ? `it holds the group "${others.displayName}", and nested groups are not expanded`
      : others
        ? `it holds a member of type "${others.type}" ("${others.displayName}")`
        : memberSize === null && !hasChanged
          ? "Webex does not say how many members it has"
          : null;
  const contradiction = hasChanged
    ? "it changed while it was read"
    : members.size !== memberSize
      ? `${members.size} of ${memberSize} members arrived`
      : null;
  const reason = obstacle ?? contradiction;
  return reason === null
    ? { group, members, complete: true }
    : { group, members, complete: false, reason, isUnsteady: obstacle === null };
}

/** A group's key may or may not end with that of its organisation. */
function groupOf(key: string): string | undefined {
  return key.split(":")[0];
}

export interface Undescribed {
  readonly leavers: readonly string[];
  readonly newcomers: readonly string[];
}

/** Lists whom to describe; newcomers stay apart, as one whom Webex cannot describe must not hide the others. */
export function listUndescribed(
  differences: readonly RoomDiff[],
  seen: ReadonlyMap<string, KnownPerson>,
  owner: Owner,
): Undescribed {
  const leavers = new Set<string>();
  const newcomers = new Set<string>();
  for (const { feed, surplus, absent, uncertainties } of differences) {
    for (const { key, personId } of absent) if (!seen.has(key)) newcomers.add(personId);
    if (feed.mode !== "sync" || uncertainties.length > 0) continue;
    for (const { key, personId } of surplus) if (key !== owner.key) leavers.add(personId);
  }
  return { leavers: [...leavers].sort(), newcomers: [...newcomers].sort() };
}

function findGroupProblems(
  { desired, groupLines }: Resolution,
  readings: ReadonlyMap<string, GroupReading>,
): Problem[] {
  return [...readings.values()].flatMap((reading) => {
    const line = groupLines.get(reading.group.key);
    // Without a line it is the other mappings that name the group.
    if (reading.complete || line === undefined) return [];
    const fed = desired.filter((feed) => feed.groups.some((group) => group.key === reading.group.key));
    const titles = fed.map((feed) => `"${feed.room.title}"`).join(", ");
    const message = `the members of group "${reading.group.displayName}" are not known for certain: ${reading.reason}; nobody is removed from ${titles}`;
    return [{ line, column: "group", message }];
  });
}

function findUnmatchedRowProblems(
  differences: readonly RoomDiff[],
  unmatchedRows: readonly UnmatchedRow[],
): Problem[] {
  return unmatchedRows.flatMap((unmatchedRow) => {
    const { line, name, doubt, source } = unmatchedRow;
    const isPerson = "address" in source;
    const sparing = differences.filter(
      ({ exempt, uncertainties }) =>
        exempt.includes(unmatchedRow) || (doubt !== null && uncertainties.includes(name)),
    );
    if (sparing.length === 0) return [];
    const titles = sparing.map(({ feed }) => `"${feed.room.title}"`).join(", ");
    const people = isPerson ? `"${name}" may be among the people` : `people of its group "${name}" are`;
    const unknown = isPerson
      ? `it is not known who "${name}" is, which`
      : `the members of its group "${name}" are not known for certain:`;
    const message =
      doubt === null
        ? `this row leads to no space, but ${people} in ${titles}; they stay there until the row is right`
        : `this row leads to no space, and ${unknown} ${doubt.reason}; nobody is removed from ${titles} until the row is right`;
    return [{ line, column: "room", message }];
  });
}
