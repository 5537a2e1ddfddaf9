import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import type { Group, GroupListing, GroupMember, KnownPerson, Owner, Room, RoomMember } from "./directory.ts";
import type { DesiredRoom, Resolution } from "./resolve.ts";

/** Where a room differs from its groups, and how far that can be trusted. */
export interface RoomDiff {
  readonly feed: DesiredRoom;
  /** Members now; null when the list is not surely whole. */
  readonly before: number | null;
  /** In a feeding group, not in the room. */
  readonly absent: readonly GroupMember[];
  /** In the room, in no feeding group. Nobody may be removed while `uncertainties` holds anything. */
  readonly surplus: readonly RoomMember[];
  /** People of the groups, and of strays, who are in the room, without the token's owner. */
  readonly presentCount: number;
  readonly moderatorCount: number;
  /** Whether Webex would let the token's owner change who is in the room. */
  readonly isOpenToOwner: boolean;
  readonly hasEmptyGroup: boolean;
  /** Why nothing may be changed in this room; null when nothing stands in the way. */
  readonly obstacle: string | null;
  /** The strays whose people are in the room; they stay, and are in no list here. */
  readonly exempt: readonly UnmatchedRow[];
  /** Why nobody may be removed: the groups that are not surely known. */
  readonly uncertainties: readonly string[];
  /** One of these groups was read more than once, and changed or contradicted itself each time. */
  readonly isUnsteady: boolean;
}

/** A group that a row of the mappings names for a room that cannot be found: it may be this one. */
export interface UnmatchedRow {
  readonly line: number;
  readonly reading: GroupReading;
}

/** What rooms are compared with: the token's owner, and the rows that lead to no room. */
export interface Standpoint {
  readonly owner: Owner;
  readonly unmatchedRows?: readonly UnmatchedRow[];
}

/**
 * Compares rooms, in whatever order they come, with what one set of mappings wants of them. `conclude` gives the
 * differences in the order of the rows, and what is wrong with these.
 */
export function createComparison(
  resolution: Resolution,
  readings: ReadonlyMap<string, GroupReading>,
  owner: Owner,
): {
  add(room: Room, members: Listing<RoomMember>): void;
  conclude(): {
    readonly differences: readonly RoomDiff[];
    readonly problems: readonly Problem[];
    readonly standpoint: Standpoint;
  };
} {
  const desired = new Map(resolution.desired.map((feed) => [feed.room.key, feed]));
  const unmatchedRows = resolution.unmatchedRows.flatMap(({ group, line }) => {
    const reading = readings.get(group.key);
    return reading ? [{ line, reading }] : [];
  });
  const standpoint = { owner, unmatchedRows };
  const found = new Map<string, RoomDiff>();
  return {
    add({ key }, members) {
      const feed = desired.get(key);
      const feeding = feed?.groups.flatMap((group) => readings.get(group.key) ?? []) ?? [];
      if (feed) found.set(key, diffRoom(feed, feeding, members, standpoint));
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

/**
 * Compares a room's members with the union of its groups, person by person, by decoded id. A room counts only when
 * its list is whole and the token's owner is in it: an outsider may be shown the moderators only.
 */
export function diffRoom(
  feed: DesiredRoom,
  readings: readonly GroupReading[],
  listing: Listing<RoomMember>,
  { owner, unmatchedRows = [] }: Standpoint,
): RoomDiff {
  const members = new Map(listing.items.map((member) => [member.key, member]));
  const desired = new Map(readings.flatMap((reading) => [...reading.members]));
  const blindness = !listing.complete
    ? `its member list is incomplete: ${listing.reason}`
    : !members.has(owner.key)
      ? `the token's owner, ${owner.email ?? owner.displayName}, is not in its member list; add them to the room`
      : null;
  const present = [...members.values()];
  const isTrusted = blindness === null && feed.obstacle === null;
  const others = isTrusted ? present.filter((member) => !desired.has(member.key)) : [];
  // Whoever is in the group of a stray may be here because of that very row.
  const unmatchedRowOf = ({ key }: RoomMember) =>
    feed.mode === "sync" && key !== owner.key
      ? unmatchedRows.find(({ reading }) => reading.members.has(key))
      : undefined;
  const exempt = others.filter(unmatchedRowOf);
  const surplus = others.filter((member) => !exempt.includes(member));
  // Of a row without a room even the people may be unknown: then anybody in the room may be one of them.
  const mayBeMeant = feed.mode === "sync" && surplus.some(({ key }) => key !== owner.key);
  const unsure = [...readings, ...(mayBeMeant ? unmatchedRows.map(({ reading }) => reading) : [])].flatMap(
    (reading) => (reading.complete ? [] : [reading]),
  );
  return {
    feed,
    before: blindness === null ? members.size : null,
    absent: isTrusted ? [...desired.values()].filter((person) => !members.has(person.key)) : [],
    surplus,
    exempt: [...new Set(exempt.map(unmatchedRowOf))].flatMap((unmatchedRow) => unmatchedRow ?? []),
    presentCount:
      present.filter((member) => desired.has(member.key) && member.key !== owner.key && !isMachine(member))
        .length + exempt.length,
    moderatorCount: present.filter((member) => member.isModerator).length,
    isOpenToOwner: !feed.room.isModerated || members.get(owner.key)?.isModerator === true,
    hasEmptyGroup: readings.some((reading) => reading.complete && reading.members.size === 0),
    obstacle: blindness ?? feed.obstacle,
    uncertainties: [...new Set(unsure.map(({ group }) => group.displayName))],
    isUnsteady: unsure.some((reading) => reading.isUnsteady),
  };
}

/** A member whose address is that of a machine, whatever a group's list calls it. */
export function isMachine({ suggestedKind }: RoomMember): boolean {
  return suggestedKind === "bot" || suggestedKind === "device" || suggestedKind === "other";
}

/** The members of one group, by key, and whether they are surely all. */
export type GroupReading = { readonly group: Group; readonly members: ReadonlyMap<string, GroupMember> } & (
  | { readonly complete: true }
  | {
      readonly complete: false;
      readonly reason: string;
      /** It changed while it was read, or contradicts itself: another reading may be better. */
      readonly isUnsteady: boolean;
    }
);

/**
 * A group's list counts as complete only when every page arrived, came from the group that was asked for and says the
 * same of it, every member is a user, and there are exactly as many distinct members as Webex says. Small pages have
 * been seen to leave members out, members who come and go between two pages shift others past the reader, and a
 * nested group would hide its people.
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

/** The ids of people who have to be described. */
export interface Undescribed {
  readonly leavers: readonly string[];
  readonly newcomers: readonly string[];
}

/**
 * Lists who has to be described: everybody who might be removed, because neither a group nor an address proves what
 * somebody is, and the newcomers nobody has described yet. They stay apart: a newcomer whom Webex cannot describe
 * must not keep it from describing the others.
 */
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

/** One problem for each group whose members are not surely known, at the first line that names it. */
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
    const message = `the members of group "${reading.group.displayName}" are not surely known: ${reading.reason}; nobody is removed from ${titles}`;
    return [{ line, column: "group", message }];
  });
}

/** One problem for each row without a room that keeps people in a room that would lose them. */
function findUnmatchedRowProblems(
  differences: readonly RoomDiff[],
  unmatchedRows: readonly UnmatchedRow[],
): Problem[] {
  return unmatchedRows.flatMap((unmatchedRow) => {
    const { line, reading } = unmatchedRow;
    const name = reading.group.displayName;
    const sparing = differences.filter(
      ({ exempt, uncertainties }) =>
        exempt.includes(unmatchedRow) || (!reading.complete && uncertainties.includes(name)),
    );
    if (sparing.length === 0) return [];
    const titles = sparing.map(({ feed }) => `"${feed.room.title}"`).join(", ");
    const message = reading.complete
      ? `this row leads to no room, but people of its group "${name}" are in ${titles}; they stay there until the row is right`
      : `this row leads to no room, and the members of its group "${name}" are not surely known: ${reading.reason}; nobody is removed from ${titles} until the row is right`;
    return [{ line, column: "room", message }];
  });
}
