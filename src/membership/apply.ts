import { createSemaphore } from "../lib/semaphore.ts";
import { errorMessage } from "../lib/text.ts";
import type { MembershipReader, Room } from "./directory.ts";
import type { CheckedPlan, CheckedRoom } from "./limits.ts";
import type { Addition, Removal } from "./plan.ts";
import { type FailedChange, pickPerson, type RecordedPerson } from "./record.ts";

/** The port by which Webex is changed. Each call throws when the change did not happen. */
export interface MembershipWriter {
  /** Adds a person; one who is in the room already counts as added. Returns them as Webex describes them. */
  addMember(room: Room, person: Addition): Promise<RecordedPerson>;
  /** Ends a membership; one that is gone already counts as removed. */
  removeMember(room: Room, member: Removal): Promise<void>;
}

/** What became of one room's planned changes. */
export interface RoomOutcome {
  readonly added: readonly RecordedPerson[];
  readonly removed: readonly (RecordedPerson & { readonly wasModerator: boolean })[];
  readonly failed: readonly FailedChange[];
  /** Members afterwards; null when nobody could look. */
  readonly after: number | null;
  /** Changes that were not begun because the run was stopped. */
  readonly notBegun: number;
  /** Why the result could not be verified; null when it was. */
  readonly unverified: string | null;
}

/** What `applyPlan` needs beside the plan. */
export interface ApplyCollaborators {
  readonly writer: MembershipWriter;
  readonly reader: Pick<MembershipReader, "listRoomMembers">;
  /** The token's owner, who must be seen in a room for its list to count. */
  readonly ownerKey: string;
  /** Aborted when no new change may begin. */
  readonly stop: AbortSignal;
  /** Waits until Webex has had time to show a change: a second look is taken only after that. */
  readonly waitForConsistency: () => Promise<unknown>;
}

/**
 * Applies a plan: rooms side by side, in each first all additions, then all removals, side by side too. A change that
 * fails is recorded and stops nothing else. Every changed room is read again, and what does not hold counts as
 * failed. Returns the outcomes by room key, of the rooms that had something to change.
 */
export async function applyPlan(
  plan: CheckedPlan,
  collaborators: ApplyCollaborators,
): Promise<ReadonlyMap<string, RoomOutcome>> {
  const changing = plan.rooms.filter((room) => room.additions.length + room.removals.length > 0);
  const semaphore = createSemaphore(roomsAtOnce);
  const outcomes = changing.map((room) =>
    semaphore.run(async () => [room.feed.room.key, await applyRoom(room, collaborators)] as const),
  );
  return new Map(await Promise.all(outcomes));
}

/** Rooms changed at once: enough for all requests that may be under way, even where each room has one change. */
const roomsAtOnce = 64;

/** Changes of one room that wait for their turn at once: a big room leaves places in the queue to the others. */
const changesAtOnce = 64;

/** One change that was sent: `error` is what Webex answered instead of doing it. */
type Attempt = { readonly person: RecordedPerson; readonly error: unknown } & (
  | { readonly action: "add"; readonly change: Addition }
  | { readonly action: "remove"; readonly change: Removal }
);

async function applyRoom(room: CheckedRoom, collaborators: ApplyCollaborators): Promise<RoomOutcome> {
  const { writer, stop } = collaborators;
  const attempts: Attempt[] = [];
  const additions = await sendSideBySide(room.additions, stop, (change) =>
    attempt(change, () => writer.addMember(room.feed.room, change)),
  );
  for (const sent of additions) attempts.push({ action: "add", ...sent });
  const arrived = attempts.filter(({ error }) => error === null).length;
  // The limits counted on the additions; where they failed, removing could leave nobody in the room.
  const wouldEmpty = room.stayingCount + arrived === 0 && room.additions.length > 0;
  const removals = await sendSideBySide(room.removals, stop, (change) =>
    attempt(change, () =>
      wouldEmpty
        ? Promise.reject(new Error("not tried: the additions failed, so nobody would be left in the room"))
        : writer.removeMember(room.feed.room, change).then(() => change),
    ),
  );
  for (const sent of removals) attempts.push({ action: "remove", ...sent });
  const notBegun = room.additions.length + room.removals.length - attempts.length;
  if (attempts.length === 0)
    return { ...concludeRoom([], null), after: room.before, notBegun, unverified: null };
  const look = await readBack(room.feed.room, attempts, collaborators);
  const present = "present" in look ? look.present : null;
  const outcome = concludeRoom(attempts, present);
  return {
    ...outcome,
    after: present?.size ?? null,
    notBegun,
    unverified: "unverified" in look ? look.unverified : null,
  };
}

type Tried = { readonly person: RecordedPerson; readonly error: unknown };

/** Sends changes of one kind side by side, and returns those that were begun, in their order. */
async function sendSideBySide<C>(
  changes: readonly C[],
  stop: AbortSignal,
  send: (change: C) => Promise<Tried>,
): Promise<(Tried & { readonly change: C })[]> {
  const semaphore = createSemaphore(changesAtOnce);
  const sent = changes.map((change) =>
    semaphore.run(async () => {
      if (stop.aborted) return [];
      const tried = await send(change);
      return isUnsent(tried.error) ? [] : [{ change, ...tried }];
    }),
  );
  return (await Promise.all(sent)).flat();
}

async function attempt(change: RecordedPerson, send: () => Promise<RecordedPerson>): Promise<Tried> {
  try {
    return { person: await send(), error: null };
  } catch (error) {
    return { person: change, error };
  }
}

/** The stop came between the decision to send a change and its sending: it was never begun. */
function isUnsent(error: unknown): boolean {
  return error instanceof Error && "attempts" in error && error.attempts === 0;
}

type Look = { readonly present: ReadonlySet<string> } | { readonly unverified: string };

/** Looks at the room again; what does not hold is looked at once more, as changes may take seconds to show. */
async function readBack(
  room: Room,
  attempts: readonly Attempt[],
  { reader, ownerKey, stop, waitForConsistency }: ApplyCollaborators,
): Promise<Look> {
  for (let look = 1; ; look += 1) {
    if (stop.aborted) return { unverified: "the run was stopped" };
    const listing = await reader.listRoomMembers(room);
    if (!listing.complete) return { unverified: listing.reason };
    const present = new Set(listing.items.map((member) => member.key));
    // Whoever is not in the room may be shown a part of it only, and absence would prove nothing.
    if (!present.has(ownerKey)) return { unverified: "the token's owner is not in its member list any more" };
    const isConsistent = attempts.every((one) => one.error !== null || holds(one, present));
    if (isConsistent || look === 2) return { present };
    await waitForConsistency();
  }
}

function holds({ action, change }: Attempt, present: ReadonlySet<string>): boolean {
  return present.has(change.key) === (action === "add");
}

/** Sorts the attempts by what the room shows, which is the truth; unseen, by what Webex answered. */
function concludeRoom(
  attempts: readonly Attempt[],
  present: ReadonlySet<string> | null,
): Pick<RoomOutcome, "added" | "removed" | "failed"> {
  const isDone = (one: Attempt) => (present ? holds(one, present) : one.error === null);
  const succeeded = attempts.filter(isDone);
  return {
    added: succeeded.flatMap(({ action, person }) => (action === "add" ? [pickPerson(person)] : [])),
    removed: succeeded.flatMap((one) =>
      one.action === "remove" ? [{ ...pickPerson(one.change), wasModerator: one.change.wasModerator }] : [],
    ),
    failed: attempts
      .filter((one) => !isDone(one))
      .map(({ action, person, error }) =>
        recordFailure(person, action, error ?? new Error(contradiction[action])),
      ),
  };
}

const contradiction = {
  add: "Webex accepted the addition, but the person is not in the room",
  remove: "Webex accepted the removal, but the person is still in the room",
};

function recordFailure(person: RecordedPerson, action: "add" | "remove", error: unknown): FailedChange {
  const trackingId = error instanceof Error && "trackingId" in error ? error.trackingId : null;
  return {
    ...pickPerson(person),
    action,
    error: errorMessage(error),
    trackingId: typeof trackingId === "string" ? trackingId : null,
  };
}
