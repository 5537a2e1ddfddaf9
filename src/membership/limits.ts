import { createHash } from "node:crypto";
import type { Removal, RoomPlan } from "./plan.ts";
import type { Policy, RemovalLimit } from "./policy.ts";
import type { HeldReason } from "./record.ts";

/** A room's plan after the limits: what goes ahead, and what waits for approval. */
export interface CheckedRoom extends RoomPlan {
  readonly held: readonly (Removal & { readonly reason: HeldReason })[];
}

/** The plan of a whole run, ready to be shown or applied. */
export interface CheckedPlan {
  readonly rooms: readonly CheckedRoom[];
  /** Names everything that is held; null when nothing is. */
  readonly digest: string | null;
}

/**
 * Holds the removals that a limit forbids: all of a room's or none, never an arbitrary part. Additions go on.
 * A limit is the larger of its count and its share; the run's limit looks at every planned removal. Shares are of
 * the members that the rooms have once the additions are made: that is when removals begin, and a room that only
 * waits for approval must not pass its limit on the next run because this run has added people.
 */
export function checkLimits(rooms: readonly RoomPlan[], policy: Policy): CheckedPlan {
  const { removalsPerRoom, removalsPerRun, emptyGroup } = policy.limits;
  const planned = rooms.reduce((sum, room) => sum + room.removals.length, 0);
  const members = rooms.reduce((sum, room) => sum + countMembers(room), 0);
  const isRunOver = isAbove(planned, removalsPerRun, members);

  function findReason(room: RoomPlan): HeldReason | null {
    if (room.removals.length === 0) return null;
    if (room.feed.room.generalOfTeamId !== null) return "team-general-space";
    if (room.hasEmptyGroup && emptyGroup === "hold") return "empty-group";
    if (room.stayingCount + room.additions.length === 0) return "empties-room";
    if (isAbove(room.removals.length, removalsPerRoom, countMembers(room))) return "removals-per-room";
    return isRunOver ? "removals-per-run" : null;
  }

  const checked = rooms.map((room): CheckedRoom => {
    const reason = findReason(room);
    if (reason === null) return { ...room, held: [] };
    return { ...room, removals: [], held: room.removals.map((removal) => ({ ...removal, reason })) };
  });
  return { rooms: checked, digest: digestHeld(checked) };
}

/** Exactly at the limit is not above it, also where a share has no exact binary form: 0.29 * 100 is less than 29. */
function isAbove(removals: number, { count, share }: RemovalLimit, members: number): boolean {
  return removals > Math.max(count, share * members + 1e-6);
}

function countMembers(room: RoomPlan): number {
  return (room.before ?? 0) + room.additions.length;
}

/** Releases the held removals when the approval names exactly them; otherwise nothing that is held is released. */
export function approve(plan: CheckedPlan, approved: string): CheckedPlan {
  if (plan.digest !== approved) return plan;
  const rooms = plan.rooms.map((room) => ({
    ...room,
    removals: [...room.removals, ...room.held.map(({ reason: _, ...removal }) => removal)],
    held: [],
  }));
  return { rooms, digest: null };
}

/** 12 hex characters over the sorted room and person ids of all that is held; null when nothing is. */
function digestHeld(rooms: readonly CheckedRoom[]): string | null {
  const held = rooms.flatMap((room) => room.held.map((removal) => `${room.feed.room.key} ${removal.key}`));
  if (held.length === 0) return null;
  return createHash("sha256").update(held.sort().join("\n")).digest("hex").slice(0, 12);
}
