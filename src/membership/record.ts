import type { RoomOutcome } from "./apply.ts";
import type { CheckedPlan, CheckedRoom } from "./limits.ts";
import type { Mode } from "./mapping.ts";

/** How a run ended, worst first where several apply: failed, partial, held, changed, converged. */
export type RunStatus = "converged" | "changed" | "held" | "partial" | "failed";

/** Why a removal waits for approval; where several apply, the first in this order is named. */
export type HeldReason =
  | "team-general-space"
  | "empty-group"
  | "empties-room"
  | "removals-per-room"
  | "removals-per-run";

/** Why somebody who is in no feeding group stays in the room. */
export type KeptReason =
  | "self"
  | "last-moderator"
  | "moderator"
  | "bot"
  | "external"
  | "listed"
  | "add-only"
  | "audit";

/** Something a person has to put right; `line` and `column` point into rooms.csv where they are known. */
export interface Problem {
  readonly line: number | null;
  readonly column: string | null;
  readonly message: string;
}

/** A person as Webex described them at the time of the run; all texts are data from outside. */
export interface RecordedPerson {
  readonly personId: string;
  readonly displayName: string;
  /** Null when Webex has not told the address: a group's member list does not hold it. */
  readonly email: string | null;
}

/** One failed change, with Webex's tracking id where it gave one. */
export interface FailedChange extends RecordedPerson {
  readonly action: "add" | "remove";
  readonly error: string;
  readonly trackingId: string | null;
}

/** What one run saw and did in one room. */
export interface RoomRecord {
  readonly roomId: string;
  readonly title: string;
  readonly groups: readonly string[];
  readonly mode: Mode;
  /** The lines of rooms.csv that feed this room. */
  readonly lines: readonly number[];
  /** Members before and after the run; null when the room's member list could not be read. */
  readonly before: number | null;
  readonly after: number | null;
  readonly added: readonly RecordedPerson[];
  readonly removed: readonly (RecordedPerson & { readonly wasModerator: boolean })[];
  readonly held: readonly (RecordedPerson & { readonly reason: HeldReason })[];
  readonly failed: readonly FailedChange[];
  readonly kept: readonly (RecordedPerson & { readonly reason: KeptReason })[];
  /** In `audit` rooms: people of the groups who are not in the room. */
  readonly missing: readonly RecordedPerson[];
  /** Present only when the room, or its removals, were left alone: why. `problems` tells what to do. */
  readonly frozen?: string;
}

/** What the run did with the credential; never the credential itself. */
export interface TokenRecord {
  readonly refreshed: boolean;
  readonly rotated: boolean;
  /** When the stored refresh token expires, as the server stated it (UTC, ISO 8601); null when it did not. */
  readonly refreshTokenExpiresAt: string | null;
}

/** The record of one run: what `--json` writes, what the report is rendered from, what `restore` undoes. */
export interface RunRecord {
  readonly version: 1;
  readonly command: "sync" | "plan" | "restore";
  readonly status: RunStatus;
  /** UTC, ISO 8601, whole seconds. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Names all removals that are held, for `--approve`; null when none is. */
  readonly digest: string | null;
  readonly totals: {
    readonly rooms: number;
    readonly added: number;
    readonly removed: number;
    readonly held: number;
    readonly failed: number;
    readonly kept: number;
  };
  readonly rooms: readonly RoomRecord[];
  readonly problems: readonly Problem[];
  /** Things worth knowing that need no repair, e.g. that an approval named another digest. */
  readonly notices: readonly string[];
  readonly token: TokenRecord | null;
}

/** What a record is made from, beside the plan itself. */
export interface RunFacts {
  readonly command: RunRecord["command"];
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  readonly token: TokenRecord | null;
}

/**
 * The record of a run that came as far as a plan. Without outcomes it tells what would be done, and `status` what
 * the run would end with.
 */
export function buildRecord(
  facts: RunFacts,
  plan: CheckedPlan,
  outcomes: ReadonlyMap<string, RoomOutcome> | null,
): RunRecord {
  const rooms = plan.rooms.map((room) => recordRoom(room, outcomes?.get(room.feed.room.key)));
  const sum = (count: (room: RoomRecord) => number) => rooms.reduce((total, room) => total + count(room), 0);
  const totals = {
    rooms: rooms.length,
    added: sum((room) => room.added.length),
    removed: sum((room) => room.removed.length),
    held: sum((room) => room.held.length),
    failed: sum((room) => room.failed.length),
    kept: sum((room) => room.kept.length),
  };
  const problems = [...facts.problems, ...(outcomes ? findOutcomeProblems(plan, outcomes) : [])];
  return {
    version: 1,
    command: facts.command,
    status: decideStatus(totals, problems.length),
    ...formatTimes(facts),
    digest: plan.digest,
    totals,
    rooms,
    problems,
    notices: facts.notices,
    token: facts.token,
  };
}

/** The record of a run that an error stopped before there was a plan: nothing was changed. */
export function buildFailedRecord(facts: RunFacts): RunRecord {
  return {
    version: 1,
    command: facts.command,
    status: "failed",
    ...formatTimes(facts),
    digest: null,
    totals: { rooms: 0, added: 0, removed: 0, held: 0, failed: 0, kept: 0 },
    rooms: [],
    problems: facts.problems,
    notices: facts.notices,
    token: facts.token,
  };
}

function decideStatus(totals: RunRecord["totals"], problemCount: number): RunStatus {
  if (totals.failed + problemCount > 0) return "partial";
  if (totals.held > 0) return "held";
  return totals.added + totals.removed > 0 ? "changed" : "converged";
}

function recordRoom(room: CheckedRoom, outcome: RoomOutcome | undefined): RoomRecord {
  const planned = {
    added: room.additions.map(pickPerson),
    removed: room.removals.map((removal) => ({ ...pickPerson(removal), wasModerator: removal.wasModerator })),
    failed: [],
    after: room.before === null ? null : room.before + room.additions.length - room.removals.length,
  };
  const { added, removed, failed, after } = outcome ?? planned;
  return {
    roomId: room.feed.room.id,
    title: room.feed.room.title,
    groups: room.feed.groups.map((group) => group.displayName),
    mode: room.feed.mode,
    lines: room.feed.lines,
    before: room.before,
    after,
    added,
    removed,
    held: room.held.map((removal) => ({ ...pickPerson(removal), reason: removal.reason })),
    failed,
    kept: room.kept,
    missing: room.missing,
    ...(room.frozen === null ? {} : { frozen: room.frozen }),
  };
}

/** What applying left unsaid by the changes themselves: whatever was not begun, and whatever could not be verified. */
function findOutcomeProblems(plan: CheckedPlan, outcomes: ReadonlyMap<string, RoomOutcome>): Problem[] {
  return plan.rooms.flatMap(({ feed }) => {
    const outcome = outcomes.get(feed.room.key);
    const tell = (message: string): Problem => ({ line: feed.lines[0] ?? null, column: "room", message });
    const problems: Problem[] = [];
    if (outcome && outcome.notBegun > 0) {
      problems.push(
        tell(
          `${outcome.notBegun} changes in room "${feed.room.title}" were not begun, because the run was stopped; the next run makes them`,
        ),
      );
    }
    if (outcome?.unverified) {
      problems.push(
        tell(`the changes in room "${feed.room.title}" could not be verified: ${outcome.unverified}`),
      );
    }
    return problems;
  });
}

/** The part of a person that a record holds. */
export function pickPerson({ personId, displayName, email }: RecordedPerson): RecordedPerson {
  return { personId, displayName, email };
}

function formatTimes({ startedAt, finishedAt }: RunFacts): { startedAt: string; finishedAt: string } {
  const format = (date: Date) => date.toISOString().replace(/\.\d+Z$/, "Z");
  return { startedAt: format(startedAt), finishedAt: format(finishedAt) };
}
