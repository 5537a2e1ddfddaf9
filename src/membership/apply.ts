import type { Listing } from "../lib/listing.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { errorMessage } from "../lib/text.ts";
import type { MembershipReader, Room, RoomMember } from "./directory.ts";
import type { CheckedPlan, CheckedRoom } from "./limits.ts";
import { mapRooms } from "./map-rooms.ts";
import type { Addition, KeptMember, PlanAgain, Removal } from "./plan.ts";
import { type FailedChange, labelOf, pickPerson, type RecordedPerson } from "./record.ts";
import { confirmRemovals } from "./second-look.ts";

/** The port by which Webex is changed; every call throws when the change did not happen. */
export interface MembershipWriter {
  /** Adds a person and returns them as Webex describes them; null when somebody else had added them before. */
  addMember(room: Room, person: Addition): Promise<RecordedPerson | null>;
  /** Ends a membership; false when somebody else had ended it before. */
  removeMember(room: Room, member: Removal): Promise<boolean>;
}

export interface RoomOutcome {
  readonly added: readonly RecordedPerson[];
  readonly removed: readonly (RecordedPerson & { readonly wasModerator: boolean })[];
  readonly failed: readonly FailedChange[];
  readonly kept: readonly KeptMember[];
  /** Null when the list could not be read. */
  readonly after: number | null;
  /** Changes that were not begun because the run was stopped. */
  readonly notBegun: number;
  /** Null when the result was verified. */
  readonly unverified: string | null;
  readonly problems: readonly string[];
}

export interface ApplyCollaborators {
  readonly writer: MembershipWriter;
  readonly reader: Pick<MembershipReader, "listRoomMembers">;
  readonly planAgain: PlanAgain;
  /** The token's owner must be seen in a room for its list to count. */
  readonly ownerKey: string;
  readonly stop: AbortSignal;
  readonly waitForConsistency: () => Promise<unknown>;
}

/**
 * Applies a plan and returns the outcomes by room key, of the rooms that had something to change.
 * In each room: additions, a second look, the removals that both looks confirm, a check. A failure stops nothing else.
 */
export async function applyPlan(
  plan: CheckedPlan,
  collaborators: ApplyCollaborators,
): Promise<ReadonlyMap<string, RoomOutcome>> {
  const changing = plan.rooms.filter((room) => room.additions.length + room.removals.length > 0);
  const outcomes = await mapRooms(
    changing,
    ({ before }) => before ?? 0,
    async (room) => [room.feed.room.key, await applyRoom(room, collaborators)] as const,
  );
  return new Map(outcomes);
}

/** Changes of one room that wait for their turn at once: a big room leaves places in the queue to the others. */
const changesAtOnce = 64;

type Attempt = {
  /** Null when Webex did it, or had done it before. */
  readonly error: unknown;
  /** Null when somebody else had made the change before. */
  readonly person: RecordedPerson | null;
} & (
  | { readonly action: "add"; readonly change: Addition }
  | { readonly action: "remove"; readonly change: Removal }
);

async function applyRoom(room: CheckedRoom, collaborators: ApplyCollaborators): Promise<RoomOutcome> {
  const { writer, reader, planAgain, stop } = collaborators;
  const { feed } = room;
  const additions = await tryAll(room.additions, stop, async (change) => {
    const tried = await attempt(change, () => writer.addMember(feed.room, change));
    return { action: "add", change, ...tried } as const;
  });
  const look = room.removals.length > 0 && !stop.aborted ? await reader.listRoomMembers(feed.room) : null;
  // The groups are read after that list has ended: their evidence has to be the younger one.
  const again = look && (await planAgain(feed, look));
  const accepted = new Set(additions.filter(({ error }) => error === null).map(({ change }) => change.key));
  const confirmed = again && !stop.aborted ? confirmRemovals(room, again, accepted) : null;
  const removals = await tryAll(confirmed?.removals ?? [], stop, async (change) => {
    const tried = confirmed?.wouldEmpty
      ? { person: null, error: explainEmptying(room, accepted) }
      : await attempt(change, async () => ((await writer.removeMember(feed.room, change)) ? change : null));
    return { action: "remove", change, ...tried } as const;
  });

  const attempts: readonly Attempt[] = [...additions, ...removals];
  const kept = confirmed?.kept ?? [];
  const notBegun = room.additions.length + room.removals.length - attempts.length - kept.length;
  const isUntouched = removals.length === 0 || confirmed?.wouldEmpty;
  const known = isUntouched && look?.complete ? look : null;
  const seen =
    attempts.length > 0
      ? await readBack(feed.room, attempts, known, collaborators)
      : { present: null, unverified: null, count: known?.items.length ?? room.before };
  const { unshown, ...outcome } = concludeRoom(attempts, seen.present);
  return {
    ...outcome,
    kept,
    after: seen.count,
    notBegun,
    unverified: seen.unverified,
    problems: [...(confirmed?.problems ?? []), ...explainUnshown(feed.room, unshown)],
  };
}

async function tryAll<Change, Tried extends { readonly error: unknown }>(
  changes: readonly Change[],
  stop: AbortSignal,
  tryOne: (change: Change) => Promise<Tried>,
): Promise<readonly Tried[]> {
  const semaphore = createSemaphore(changesAtOnce);
  const tried = changes.map((change) =>
    semaphore.run(async () => {
      if (stop.aborted) return [];
      const one = await tryOne(change);
      return isUnsent(one.error) ? [] : [one];
    }),
  );
  return (await Promise.all(tried)).flat();
}

async function attempt(
  change: RecordedPerson,
  send: () => Promise<RecordedPerson | null>,
): Promise<Pick<Attempt, "person" | "error">> {
  try {
    return { person: await send(), error: null };
  } catch (error) {
    return { person: change, error };
  }
}

function isUnsent(error: unknown): boolean {
  return error instanceof Error && "attempts" in error && error.attempts === 0;
}

class NotTried extends Error {
  readonly mayHaveWorked = false;
}

function explainEmptying(room: CheckedRoom, accepted: ReadonlySet<string>): NotTried {
  const why = room.additions.length > 0 && accepted.size === 0 ? "the additions failed, so " : "";
  return new NotTried(`not tried: ${why}nobody would be left in the space`);
}

interface Look {
  /** Null when nobody could look. */
  readonly present: ReadonlySet<string> | null;
  readonly count: number | null;
  readonly unverified: string | null;
}

/** Looks once more at what is missing, as changes may take seconds to show. */
async function readBack(
  room: Room,
  attempts: readonly Attempt[],
  known: Listing<RoomMember> | null,
  { reader, ownerKey, stop, waitForConsistency }: ApplyCollaborators,
): Promise<Look> {
  const blind = (unverified: string): Look => ({ present: null, count: null, unverified });
  for (let look = 1; ; look += 1) {
    if (stop.aborted) return blind("the run was stopped");
    const listing = look === 1 && known ? known : await reader.listRoomMembers(room);
    if (!listing.complete) return blind(listing.reason);
    const present = new Set(listing.items.map((member) => member.key));
    // An outsider may be shown a part of the room only, and absence would prove nothing.
    if (!present.has(ownerKey)) return blind("the token's owner is not in its member list any more");
    const isConsistent = attempts.every((one) => one.error !== null || holds(one, present));
    if (isConsistent || look === 2) return { present, count: present.size, unverified: null };
    await waitForConsistency();
  }
}

function holds({ action, change }: Attempt, present: ReadonlySet<string>): boolean {
  return present.has(change.key) === (action === "add");
}

/** What Webex accepted is made, shown or not; what it did not clearly refuse is made only when the room shows it. */
function concludeRoom(
  attempts: readonly Attempt[],
  present: ReadonlySet<string> | null,
): Pick<RoomOutcome, "added" | "removed" | "failed"> & { readonly unshown: readonly Attempt[] } {
  const isShown = (one: Attempt) => present !== null && holds(one, present);
  const isMissed = (one: Attempt) => present !== null && !holds(one, present);
  const isMade = (one: Attempt) =>
    one.error === null ? one.person !== null : isShown(one) && !isRefusal(one.error);
  const made = attempts.filter(isMade);
  return {
    added: made.flatMap(({ action, person, change }) =>
      action === "add" ? [pickPerson(person ?? change)] : [],
    ),
    removed: made.flatMap((one) =>
      one.action === "remove" ? [{ ...pickPerson(one.change), wasModerator: one.change.wasModerator }] : [],
    ),
    failed: attempts
      .filter((one) => !isMade(one) && (one.error === null ? isMissed(one) : !isShown(one)))
      .map((one) => recordFailure(one, present === null)),
    unshown: made.filter(isMissed),
  };
}

const contradiction = {
  add: "Webex says that the person is in the space already, but does not show them there",
  remove: "Webex says that the person is not in the space any more, but shows them there",
};

/** Said of a change that got no clear answer, where nobody could look afterwards. */
const uncertainty = {
  add: "it is not known whether the person was added",
  remove: "it is not known whether the person was removed",
};

function explainUnshown({ title }: Room, unshown: readonly Attempt[]): readonly string[] {
  return (["add", "remove"] as const).flatMap((action) => {
    const names = unshown.flatMap((one) => (one.action === action ? labelOf(one.person ?? one.change) : []));
    if (names.length === 0) return [];
    const [made, shown] = action === "add" ? ["added to", "does not show"] : ["removed from", "still shows"];
    return [
      `Webex accepted that these people were ${made} space "${title}", but ${shown} them there: ${names.sort().join(", ")}; the next run looks again`,
    ];
  });
}

/** True only when nothing can have been changed. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "mayHaveWorked" in error && error.mayHaveWorked === false;
}

function recordFailure({ action, change, error }: Attempt, isUnseen: boolean): FailedChange {
  const trackingId = error instanceof Error && "trackingId" in error ? error.trackingId : null;
  const reason = error === null ? contradiction[action] : errorMessage(error);
  const doubt = isUnseen && !isRefusal(error) ? `; ${uncertainty[action]}` : "";
  return {
    ...pickPerson(change),
    action,
    error: reason + doubt,
    trackingId: typeof trackingId === "string" ? trackingId : null,
  };
}
