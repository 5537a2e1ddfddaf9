import { formatTimestamp } from "../lib/date.ts";
import type { Problem } from "../lib/problem.ts";
import type { TokenRecord } from "../token/store.ts";
import type { RoomOutcome } from "./apply.ts";
import type { CheckedPlan, CheckedRoom } from "./limits.ts";
import { pickPerson, type RoomRecord, type RunRecord, type RunStatus } from "./record.ts";

export interface RunFacts {
  readonly command: RunRecord["command"];
  readonly organisation?: string;
  readonly undoes?: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  readonly token: TokenRecord | null;
}

/** The record of a run that reached a plan; without outcomes it says what would be done and how that would end. */
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
    ...(facts.organisation === undefined ? {} : { organisation: facts.organisation }),
    ...(facts.undoes === undefined ? {} : { undoes: facts.undoes }),
    status: decideStatus(totals, problems.length),
    startedAt: formatTimestamp(facts.startedAt),
    finishedAt: formatTimestamp(facts.finishedAt),
    digest: plan.digest,
    totals,
    rooms,
    problems,
    notices: facts.notices,
    token: facts.token,
  };
}

/** The record of a run that an error stopped before it had a plan: nothing was changed. */
export function buildFailedRecord(facts: RunFacts): RunRecord {
  return { ...buildRecord(facts, { rooms: [], digest: null }, null), status: "failed" };
}

/** Adds to the record what else the run did, besides the rooms; it counts for the status. */
export function extendRecord(
  record: RunRecord,
  also: {
    readonly problems: readonly string[];
    readonly notices: readonly string[];
    /** One sentence for each change. */
    readonly changes: readonly string[];
    readonly hasChanged: boolean;
    readonly delegations: NonNullable<RunRecord["delegations"]> | null;
  },
): RunRecord {
  const problems = also.problems.map((message) => ({ line: null, column: null, message }));
  const held = also.delegations?.hosts.reduce((sum, host) => sum + host.held.length, 0) ?? 0;
  const isCalm = record.status === "converged" || record.status === "changed";
  const changed = also.hasChanged && record.status === "converged" ? "changed" : record.status;
  const waiting = held > 0 && isCalm ? "held" : changed;
  return {
    ...record,
    status: problems.length > 0 && record.status !== "failed" ? "partial" : waiting,
    totals: { ...record.totals, held: record.totals.held + held },
    ...(also.delegations === null ? {} : { delegations: also.delegations }),
    problems: [...record.problems, ...problems],
    notices: [...record.notices, ...also.changes, ...also.notices],
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
    ...namePeople(room.feed),
    mode: room.feed.mode,
    lines: room.feed.lines,
    before: room.before,
    after,
    added,
    removed,
    held: room.held.map((one) => ({
      ...pickPerson(one),
      ...(one.action === undefined ? {} : { action: one.action }),
      reason: one.reason,
    })),
    ...(room.holds.length === 0 ? {} : { holds: room.holds }),
    failed,
    kept: [...room.kept, ...(outcome?.kept ?? [])],
    missing: room.missing,
    ...(room.frozen === null ? {} : { frozen: room.frozen }),
  };
}

function namePeople({ people }: CheckedRoom["feed"]): Pick<RoomRecord, "people"> {
  const addresses = new Set(people.flatMap(({ address, person }) => (person === null ? [] : [address])));
  return addresses.size === 0 ? {} : { people: [...addresses] };
}

function findOutcomeProblems(plan: CheckedPlan, outcomes: ReadonlyMap<string, RoomOutcome>): Problem[] {
  return plan.rooms.flatMap(({ feed }) => {
    const outcome = outcomes.get(feed.room.key);
    const log = (message: string): Problem => ({ line: feed.lines[0] ?? null, column: "room", message });
    const problems: Problem[] = [];
    if (outcome && outcome.notBegun > 0) {
      problems.push(
        log(
          `${outcome.notBegun} changes in space "${feed.room.title}" were not made because the run was stopped; the next run makes them`,
        ),
      );
    }
    problems.push(...(outcome?.problems ?? []).map(log));
    if (outcome?.unverified) {
      problems.push(
        log(`the changes in space "${feed.room.title}" could not be verified: ${outcome.unverified}`),
      );
    }
    return problems;
  });
}
