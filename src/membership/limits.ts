import { createHash } from "node:crypto";
import { explainHolds, maxOf } from "./explain-hold.ts";
import type { Addition, Removal, RoomPlan } from "./plan.ts";
import type { Policy, RemovalLimit } from "./policy.ts";
import type { HeldReason, Hold } from "./record.ts";

export interface CheckedRoom extends RoomPlan {
  readonly held: readonly HeldChange[];
  /** Why, for each reason there is. */
  readonly holds: readonly Hold[];
}

/** A change that waits; additions do so only where a run is restored. */
export type HeldChange = { readonly reason: HeldReason } & (
  | (Removal & { readonly action?: undefined })
  | (Addition & { readonly action: "add" })
);

export interface CheckedPlan {
  readonly rooms: readonly CheckedRoom[];
  /** Names everything that is held; null when nothing is. */
  readonly digest: string | null;
}

/**
 * Holds all of a room's removals where a limit forbids them; additions wait when in doubt or to make a moderator.
 * Shares are of the members after the additions: a waiting room must not pass its limit because people were added.
 * `otherKeys` name what is held besides, for the digest.
 */
export function checkLimits(
  rooms: readonly RoomPlan[],
  policy: Policy,
  otherKeys: readonly string[] = [],
): CheckedPlan {
  const { removalsPerRoom, removalsPerRun, emptyGroup } = policy.limits;
  const split = rooms.map(holdAdditions);
  const planned = rooms.reduce((sum, room) => sum + room.removals.length, 0);
  const members = split.reduce((sum, { room }) => sum + countMembers(room), 0);
  const isRunOver = isAbove(planned, removalsPerRun, members);

  function findReason(room: RoomPlan): HeldReason | null {
    if (room.doubt !== undefined) return room.doubt;
    if (room.feed.room.generalOfTeamId !== null) return "team-general-space";
    if (room.emptyGroups.length > 0 && emptyGroup === "hold") return "empty-group";
    if (room.stayingCount + room.additions.length === 0) return "empties-room";
    if (isAbove(room.removals.length, removalsPerRoom, countMembers(room))) return "removals-per-room";
    return isRunOver ? "removals-per-run" : null;
  }

  const checked = split.map(({ room, held }): CheckedRoom => {
    const reason = findReason(room);
    const isHeld = reason !== null;
    const waiting = isHeld ? [...held, ...room.removals.map((removal) => ({ ...removal, reason }))] : held;
    const measured = {
      room: { planned: room.removals.length, limit: removalsPerRoom, members: countMembers(room) },
      run: { planned, limit: removalsPerRun, members },
    };
    const holds = explainHolds(room, waiting, measured);
    return { ...room, ...(isHeld ? { removals: [] } : {}), held: waiting, holds };
  });
  return { rooms: checked, digest: digestHeld(checked, otherKeys) };
}

function holdAdditions(room: RoomPlan): { readonly room: RoomPlan; readonly held: readonly HeldChange[] } {
  const going: Addition[] = [];
  const held: HeldChange[] = [];
  for (const addition of room.additions) {
    const reason = room.doubt ?? (addition.asModerator ? "moderator-addition" : null);
    if (reason === null) going.push(addition);
    else held.push({ ...addition, action: "add", reason });
  }
  return { room: { ...room, additions: going }, held };
}

/** Exactly at the limit is not above it. */
export function isAbove(removals: number, limit: RemovalLimit, members: number): boolean {
  return removals > maxOf(limit, members);
}

function countMembers(room: RoomPlan): number {
  return (room.before ?? 0) + room.additions.length;
}

/** Releases what is held when the approval names exactly that; otherwise nothing is released. */
export function approve(plan: CheckedPlan, approved: string): CheckedPlan {
  if (plan.digest !== approved) return plan;
  const rooms = plan.rooms.map((room) => {
    const additions = [...room.additions];
    const removals = [...room.removals];
    for (const { reason: _, ...change } of room.held) {
      if (change.action === undefined) removals.push(change);
      else additions.push(withoutAction(change));
    }
    return { ...room, additions, removals, held: [], holds: [] };
  });
  return { rooms, digest: null };
}

function withoutAction({ action: _, ...addition }: Addition & { readonly action: "add" }): Addition {
  return addition;
}

/** 12 hex characters over the sorted ids of all that is held, and over what additions are; null when nothing is. */
function digestHeld(rooms: readonly CheckedRoom[], otherKeys: readonly string[]): string | null {
  const ofRooms = rooms.flatMap((room) =>
    room.held.map((change) => {
      const key = `${room.feed.room.key} ${change.key}`;
      if (change.action === undefined) return key;
      return `${key} add${change.asModerator ? " as moderator" : ""}`;
    }),
  );
  const held = [...ofRooms, ...otherKeys];
  if (held.length === 0) return null;
  return createHash("sha256").update(held.sort().join("\n")).digest("hex").slice(0, 12);
}
