import type { CheckedRoom } from "./limits.ts";
import type { KeptMember, Removal, RoomPlan } from "./plan.ts";
import { labelOf, pickPerson, type RecordedPerson } from "./record.ts";

export interface Confirmation {
  /** Who is to go by both looks, as the second one shows them. */
  readonly removals: readonly Removal[];
  readonly kept: readonly KeptMember[];
  /** Nobody but the token's owner and bots would be left, although the plan said otherwise. */
  readonly wouldEmpty: boolean;
  readonly problems: readonly string[];
}

/** Keeps removals that both looks agree on, never a new moderator's; `accepted` are keys of people added just now. */
export function confirmRemovals(
  room: CheckedRoom,
  again: RoomPlan,
  accepted: ReadonlySet<string>,
): Confirmation {
  const { title } = room.feed.room;
  const emptied =
    again.emptyGroups.length > 0 && room.emptyGroups.length === 0
      ? "a group of it has no members any more"
      : null;
  const doubt = again.frozen ?? emptied;
  const shown = new Map(again.removals.map((removal) => [removal.key, removal]));
  const removals = room.removals.flatMap((planned) => {
    const seen = shown.get(planned.key);
    if (doubt !== null || seen === undefined || (seen.wasModerator && !planned.wasModerator)) return [];
    return [{ ...planned, membershipId: seen.membershipId, wasModerator: seen.wasModerator }];
  });
  const going = new Set(removals.map(({ key }) => key));
  const told = new Set(room.kept.map(({ personId }) => personId));
  const left: readonly RecordedPerson[] = [
    ...again.removals.filter(({ key }) => !going.has(key)),
    ...again.kept.filter(({ personId, reason }) => reason === "unknown" && !told.has(personId)),
  ];
  const arriving = again.additions.filter(({ key }) => accepted.has(key)).length;
  return {
    removals,
    kept: room.removals
      .filter(({ key }) => !going.has(key))
      .map((planned) => ({ ...pickPerson(planned), reason: "changed" })),
    wouldEmpty:
      removals.length > 0 &&
      again.stayingCount + arriving === 0 &&
      room.stayingCount + room.additions.length > 0,
    problems: explain(title, doubt, left),
  };
}

function explain(title: string, doubt: string | null, left: readonly RecordedPerson[]): readonly string[] {
  if (doubt !== null)
    return [
      `nobody was removed from space "${title}", because a second look was in doubt (${doubt}); the next run looks again`,
    ];
  if (left.length === 0) return [];
  const names = left.map(labelOf).sort().join(", ");
  return [
    `after this run space "${title}" has members whom a second look shows in none of its groups: ${names}; the next run looks again`,
  ];
}
