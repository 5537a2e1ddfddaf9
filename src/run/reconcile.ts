import type { Context } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import type { ListedDelegation } from "../delegation/expiring.ts";
import type { Problem } from "../lib/problem.ts";
import { applyPlan, type MembershipWriter, type RoomOutcome } from "../membership/apply.ts";
import { describeFailed } from "../membership/describe-failed.ts";
import type { MembershipReader } from "../membership/directory.ts";
import { approve, type CheckedPlan, checkLimits } from "../membership/limits.ts";
import type { Mapping } from "../membership/mapping.ts";
import type { RememberedName } from "../membership/names.ts";
import type { PlanAgain, RoomPlan } from "../membership/plan.ts";
import type { Policy } from "../membership/policy.ts";
import type { AddressReader } from "../membership/protection.ts";
import type { RunRecord } from "../membership/record.ts";
import { createWebexReader, createWebexWriter } from "../webex/directory.ts";
import { createChangeLog } from "./change-log.ts";
import type { DelegationsOutcome, DelegationsSource, KeptDelegations } from "./keep-delegations.ts";
import type { Memory } from "./memory.ts";
import type { Session } from "./session.ts";

/** What tells one membership command from another; all else is the same for all of them. */
export interface MembershipTask {
  /** As what the run is recorded; a `plan` is given no writer. */
  readonly command: RunRecord["command"];
  /** Present where a run is undone: the file of its record. */
  readonly undoes?: string;
  /** The digest of the held removals that are to be applied; null when none was named. */
  readonly approval: string | null;
  /** Tells a plan where it was asked for; what it throws makes the run fail. */
  note?(record: RunRecord): Promise<void>;
  /** Reads what people wrote; what it throws stops the run before Webex is asked anything. */
  load(): Promise<LoadedTask>;
}

/** What a command has read before Webex is asked anything, and how it decides. */
export interface LoadedTask {
  readonly policy: Policy;
  /** The rows of rooms.csv as they were typed; none where a command does not go by them. */
  readonly rows: readonly Mapping[];
  /** The grants to keep; null where a command leaves them alone. */
  readonly delegations: LoadedDelegations | null;
  /** `target` is where reports are kept, and so what earlier runs have kept for this one. */
  decide(reader: MembershipReader & AddressReader, target: ReportTarget): Promise<Decision>;
}

/** The grants that a command is to keep, and those that it plans beside them to tell what makes the difference. */
export interface LoadedDelegations {
  readonly grants: readonly ListedDelegation[];
  /** What earlier runs have kept, where reports are. */
  recall(target: ReportTarget): Promise<Memory>;
  /** Absent where the file is read again where it is kept. */
  readonly readAgain?: DelegationsSource["readAgain"];
  readonly beside?: {
    readonly policy: Policy;
    readonly grants: readonly ListedDelegation[];
    readonly readAgain: DelegationsSource["readAgain"];
    /** Is told what would become of both. */
    compare(proposed: DelegationsOutcome | null, present: DelegationsOutcome | null): void;
  };
}

/** What a command wants of the rooms, before any limit is looked at. */
export interface Decision {
  /** The token's owner. */
  readonly ownerKey: string;
  readonly rooms: readonly RoomPlan[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  /** Where the names in the mappings lead, for the runs to come. */
  readonly names: readonly RememberedName[];
  readonly planAgain: PlanAgain;
}

/** What became of a decision. */
export interface Reconciliation {
  readonly plan: CheckedPlan;
  /** By room key; null when it was only a plan. */
  readonly outcomes: ReadonlyMap<string, RoomOutcome> | null;
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  readonly names: readonly RememberedName[];
}

/** A task that has been read, and the Webex in which it is to be done. */
export interface OpenedTask {
  readonly loaded: LoadedTask;
  readonly reportTarget: ReportTarget;
  readonly session: Session;
  /** The grants of this run; null where there are none to keep. */
  readonly delegations: KeptDelegations | null;
}

/**
 * Reads, plans, checks the limits and, unless it is only a plan, applies.
 * @throws when Webex cannot be read, the access token is lost or the run is stopped before anything was changed.
 */
export async function reconcile(
  { command, approval: named }: MembershipTask,
  { loaded: { policy, decide }, reportTarget, session, delegations }: OpenedTask,
  context: Context,
): Promise<Reconciliation> {
  const { client, stop, waitForConsistency } = session;
  const reader = createWebexReader(client);
  const decision = await decide(reader, reportTarget);
  const { rooms, problems, names, ownerKey, planAgain, notices: found } = decision;
  if (session.lostAccess !== null) throw session.lostAccess;
  if (stop.aborted) throw new Error("the run was stopped before it changed anything");
  const checked = checkLimits(rooms, policy, delegations?.heldKeys);
  const approval = named?.toLowerCase() ?? null;
  const plan = approval === null ? checked : approve(checked, approval);
  const isFitting = approval === null || approval === checked.digest;
  const notices = [...found, ...(isFitting ? [] : [explainApproval(approval, checked.digest)])];
  // What is held of the delegations has the same digest.
  if (approval !== null && approval === checked.digest) await delegations?.release();
  if (command === "plan") return { plan, outcomes: null, problems, notices, names };
  const changeLog = createChangeLog(context);
  const planned = plan.rooms.reduce((sum, room) => sum + room.additions.length + room.removals.length, 0);
  const step = context.count("Made # changes", planned);
  const writer = countChanges(changeLog.watchMemberships(createWebexWriter(client)), step);
  const collaborators = { reader, writer, planAgain, ownerKey, stop, waitForConsistency };
  const applied = await applyPlan(plan, collaborators).finally(changeLog.end);
  const outcomes = await describeFailed(applied, reader);
  return { plan, outcomes, problems, notices, names };
}

/** Counts a change when Webex has answered, whatever it said. */
function countChanges(writer: MembershipWriter, step: () => void): MembershipWriter {
  return {
    addMember: (room, person) => writer.addMember(room, person).finally(step),
    removeMember: (room, member) => writer.removeMember(room, member).finally(step),
  };
}

function explainApproval(approved: string, digest: string | null): string {
  return digest === null
    ? `nothing is held, so the approval of ${approved} had nothing to apply`
    : `the approval names ${approved}, but what is held now has the digest ${digest}; look at it again and approve that`;
}
