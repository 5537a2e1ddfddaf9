import type { GroupMember, Listing, Owner, RoomMember } from "./directory.ts";
import type { GroupReading } from "./group-reading.ts";
import type { RoomFeed } from "./resolve.ts";

/** Where a room differs from its groups, and how far that can be trusted. */
export interface RoomDifference {
  readonly feed: RoomFeed;
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
  readonly spared: readonly Stray[];
  /** Why nobody may be removed: the groups that are not surely known. */
  readonly uncertainties: readonly string[];
}

/** A group that a row of the mappings names for a room that cannot be found: it may be this one. */
export interface Stray {
  readonly line: number;
  readonly reading: GroupReading;
}

/**
 * Compares a room's members with the union of its groups, person by person, by decoded id. A room counts only when
 * its list is whole and the token's owner is in it: an outsider may be shown the moderators only.
 */
export function compareRoom(
  feed: RoomFeed,
  readings: readonly GroupReading[],
  listing: Listing<RoomMember>,
  owner: Owner,
  strays: readonly Stray[] = [],
): RoomDifference {
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
  const strayOf = ({ key }: RoomMember) =>
    feed.mode === "sync" && key !== owner.key
      ? strays.find(({ reading }) => reading.members.has(key))
      : undefined;
  const spared = others.filter(strayOf);
  return {
    feed,
    before: blindness === null ? members.size : null,
    absent: isTrusted ? [...desired.values()].filter((person) => !members.has(person.key)) : [],
    surplus: others.filter((member) => !spared.includes(member)),
    spared: [...new Set(spared.map(strayOf))].flatMap((stray) => stray ?? []),
    presentCount: present.filter(({ key }) => desired.has(key) && key !== owner.key).length + spared.length,
    moderatorCount: present.filter((member) => member.isModerator).length,
    hasEmptyGroup: readings.some((reading) => reading.complete && reading.members.size === 0),
    obstacle: blindness ?? feed.obstacle,
    uncertainties: readings.flatMap((reading) => (reading.complete ? [] : [reading.group.displayName])),
  };
}
