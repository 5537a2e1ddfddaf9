import type { Listing } from "../lib/listing.ts";
import type { Group, GroupMember, Owner, RoomMember } from "./directory.ts";
import type { DesiredRoom } from "./resolve.ts";

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
  readonly hasEmptyGroup: boolean;
  /** Why nothing may be changed in this room; null when nothing stands in the way. */
  readonly obstacle: string | null;
  /** The strays whose people are in the room; they stay, and are in no list here. */
  readonly exempt: readonly UnmatchedRow[];
  /** Why nobody may be removed: the groups that are not surely known. */
  readonly uncertainties: readonly string[];
}

/** A group that a row of the mappings names for a room that cannot be found: it may be this one. */
export interface UnmatchedRow {
  readonly line: number;
  readonly reading: GroupReading;
}

/**
 * Compares a room's members with the union of its groups, person by person, by decoded id. A room counts only when
 * its list is whole and the token's owner is in it: an outsider may be shown the moderators only.
 */
export function diffRoom(
  feed: DesiredRoom,
  readings: readonly GroupReading[],
  listing: Listing<RoomMember>,
  owner: Owner,
  unmatchedRows: readonly UnmatchedRow[] = [],
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
  return {
    feed,
    before: blindness === null ? members.size : null,
    absent: isTrusted ? [...desired.values()].filter((person) => !members.has(person.key)) : [],
    surplus: others.filter((member) => !exempt.includes(member)),
    exempt: [...new Set(exempt.map(unmatchedRowOf))].flatMap((unmatchedRow) => unmatchedRow ?? []),
    presentCount: present.filter(({ key }) => desired.has(key) && key !== owner.key).length + exempt.length,
    moderatorCount: present.filter((member) => member.isModerator).length,
    hasEmptyGroup: readings.some((reading) => reading.complete && reading.members.size === 0),
    obstacle: blindness ?? feed.obstacle,
    uncertainties: readings.flatMap((reading) => (reading.complete ? [] : [reading.group.displayName])),
  };
}

/** The members of one group, by key, and whether they are surely all. */
export type GroupReading = { readonly group: Group; readonly members: ReadonlyMap<string, GroupMember> } & (
  | { readonly complete: true }
  | { readonly complete: false; readonly reason: string }
);

/**
 * A group's list counts as complete only when every page arrived, every member is a user, and there are exactly as
 * many distinct members as Webex says. Small pages have been seen to leave members out, and a nested group would
 * hide its people.
 */
export function judgeGroup(
  group: Group,
  memberSize: number | null,
  listing: Listing<GroupMember>,
): GroupReading {
  const users = listing.items.filter((member) => member.type === "user");
  const members = new Map(users.map((member) => [member.key, member]));
  const others = listing.items.find((member) => member.type !== "user");
  const reason = !listing.complete
    ? listing.reason
    : others?.type === "group"
      ? `it holds the group "${others.displayName}", and nested groups are not expanded`
      : others
        ? `it holds a member of type "${others.type}" ("${others.displayName}")`
        : memberSize === null
          ? "Webex does not say how many members it has"
          : members.size !== memberSize
            ? `${members.size} of ${memberSize} members arrived`
            : null;
  return reason === null ? { group, members, complete: true } : { group, members, complete: false, reason };
}
