import { createMatcher } from "../lib/email.ts";
import {
  type Accepted,
  type Answer,
  attempt,
  type DelegateChange,
  type DelegationReader,
  type DelegationWriter,
} from "./backend.ts";
import { type HostPlan, planHost } from "./plan.ts";

/** What happened to one host. `before` and `after` are null when the list could not be read. */
export interface HostOutcome {
  readonly host: string;
  readonly before: readonly string[] | null;
  readonly after: readonly string[] | null;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Why the host's delegates are not as requested; null when they are. */
  readonly error: string | null;
  readonly notices: readonly string[];
}

/** What `applyPlans` needs besides the plans. */
export interface ApplyCollaborators {
  readonly reader: Pick<DelegationReader, "readDelegates">;
  readonly writer: DelegationWriter;
  /** Aborted when no new change may start. */
  readonly stop: AbortSignal;
  /** Looks once more, right before the write, which of the named delegates are still meant. Throws when it cannot. */
  readonly confirm?: (request: HostPlan["request"]) => Promise<readonly string[]>;
  /** Waits until Webex has had time to show a change, before the list is read a second time. */
  readonly waitForConsistency: () => Promise<unknown>;
}

/**
 * Applies each host's plan on its own: a failure is recorded and does not stop the others. The order for each host:
 * read the list again right before the write, which may have changed since the plan, write, read back. The read-back decides the outcome, whatever Webex answered to the write.
 */
export function applyPlans(
  plans: readonly HostPlan[],
  collaborators: ApplyCollaborators,
): Promise<readonly HostOutcome[]> {
  return Promise.all(plans.map((plan) => applyPlan(plan, collaborators)));
}

/** Returns the outcome that a plan would have, without applying it. */
export function preview(plan: HostPlan): HostOutcome {
  return {
    host: plan.request.host,
    before: plan.before,
    after: plan.change?.after ?? plan.before,
    added: plan.change?.add ?? [],
    removed: plan.change?.remove ?? [],
    error: plan.refusal,
    notices: plan.notices,
  };
}

/** What two changes of one host, one after the other, come to. Pure. */
export function mergeOutcomes(first: HostOutcome | undefined, next: HostOutcome): HostOutcome {
  if (first === undefined) return next;
  const errors = [first.error, next.error].flatMap((error) => error ?? []);
  return {
    host: next.host,
    before: first.before,
    after: next.after,
    added: [...first.added, ...next.added],
    removed: [...first.removed, ...next.removed],
    error: errors.length === 0 ? null : errors.join("; "),
    notices: [...first.notices, ...next.notices],
  };
}

async function applyPlan(plan: HostPlan, collaborators: ApplyCollaborators): Promise<HostOutcome> {
  const { reader, writer, stop } = collaborators;
  if (plan.change === null) return preview(plan);
  const leave = (error: string): HostOutcome => ({ ...preview({ ...plan, change: null }), error });

  const first = plan.change.before;
  const latest = writer.readsFirst
    ? { value: first }
    : await attempt(() => reader.readDelegates(plan.request.host));
  if ("error" in latest) {
    return leave(`nothing was written, because the list could not be read right before: ${latest.error}`);
  }
  const { confirm = async ({ delegates }) => delegates } = collaborators;
  const meant = await attempt(() => confirm(plan.request));
  if ("error" in meant) return leave(meant.error);
  const fresh = planHost({ ...plan.request, delegates: meant.value }, latest.value);
  if (fresh.change === null) {
    return { ...preview(fresh), notices: [...fresh.notices, ...describeMeddling(first, latest.value)] };
  }
  if (stop.aborted) return leave("not begun, because the run was stopped; nothing was written");

  const planned = fresh.change;
  const parts: Accepted[] = [];
  const written = await attempt(() => writer.changeDelegates(planned, (part) => parts.push(part)));
  const change = "value" in written ? written.value : planned;
  const refusal = "error" in written ? written.error : null;
  const look = await readBack(change, refusal, collaborators);
  const outcome = conclude(change, plan.request.mode === "replace", { refusal, parts }, look);
  // What an error says already is not said twice.
  const isQuiet = outcome.error === null && "value" in look;
  const since = isQuiet ? describeMeddling(change.after, look.value) : [];
  return { ...outcome, notices: [...fresh.notices, ...describeMeddling(first, change.before), ...since] };
}

/** What somebody else did to the list between two readings, by address; none when nobody did anything. */
function describeMeddling(earlier: readonly string[], later: readonly string[]): string[] {
  const parts = describeDifference(earlier, later);
  return parts.length === 0
    ? []
    : [`somebody else changed the list during this run, which was left so: ${parts.join("; ")}`];
}

function describeDifference(earlier: readonly string[], later: readonly string[]): string[] {
  const appeared = later.filter((delegate) => !createMatcher(earlier)(delegate));
  const gone = earlier.filter((delegate) => !createMatcher(later)(delegate));
  return [
    ...(appeared.length > 0 ? [`${appeared.join(", ")} appeared`] : []),
    ...(gone.length > 0 ? [`${gone.join(", ")} disappeared`] : []),
  ];
}

/** Reads the list up to twice, because a change may take seconds to show. */
async function readBack(
  change: DelegateChange,
  refusal: string | null,
  { reader, waitForConsistency }: ApplyCollaborators,
): Promise<Answer<readonly string[]>> {
  const look = await attempt(() => reader.readDelegates(change.host));
  if (refusal !== null || ("value" in look && holds(change, look.value))) return look;
  await waitForConsistency();
  return await attempt(() => reader.readDelegates(change.host));
}

function conclude(
  change: DelegateChange,
  mustBeExact: boolean,
  { refusal, parts }: { readonly refusal: string | null; readonly parts: readonly Accepted[] },
  look: Answer<readonly string[]>,
): Omit<HostOutcome, "notices"> {
  const { host, before } = change;
  if ("error" in look) {
    const error = `the outcome could not be verified: ${look.error}`;
    // Without a read-back, Webex's answer to the write is all there is.
    return refusal === null
      ? { host, before, after: null, added: change.add, removed: change.remove, error }
      : { host, before, after: null, ...sumUp(parts), error: `${refusal}; and ${error}` };
  }
  const after = look.value;
  const isPresent = createMatcher(after);
  return {
    host,
    before,
    after,
    added: change.add.filter(isPresent),
    removed: change.remove.filter((delegate) => !isPresent(delegate)),
    error: describeMiss(change, mustBeExact, refusal, after),
  };
}

/** What accepted parts come to: somebody who was taken out and put back is in neither list. */
function sumUp(parts: readonly Accepted[]): Pick<HostOutcome, "added" | "removed"> {
  const added = parts.flatMap(({ add = [] }) => add);
  const removed = parts.flatMap(({ remove = [] }) => remove);
  return {
    added: added.filter((delegate) => !removed.includes(delegate)),
    removed: removed.filter((delegate) => !added.includes(delegate)),
  };
}

function describeMiss(
  change: DelegateChange,
  mustBeExact: boolean,
  refusal: string | null,
  after: readonly string[],
): string | null {
  const isHeld = holds(change, after);
  if (isHeld && !(mustBeExact && !isSame(change.after, after))) return null;
  if (refusal !== null) return refusal;
  const isPresent = createMatcher(after);
  const isOurs = createMatcher([...change.add, ...change.remove]);
  const isOthers = (delegate: string) => !isOurs(delegate);
  const others = describeDifference(change.after.filter(isOthers), after.filter(isOthers));
  const missing = change.add.filter((delegate) => !isPresent(delegate));
  const staying = change.remove.filter(isPresent);
  if (others.length > 0) {
    const parts = [
      ...others,
      ...(missing.length > 0 ? [`${missing.join(", ")}, whom this run added, disappeared`] : []),
      ...(staying.length > 0 ? [`${staying.join(", ")}, whom this run removed, appeared again`] : []),
    ];
    return `lost update: somebody else wrote this list at the same time (${parts.join("; ")}); look at it and run again`;
  }
  return [
    "Webex accepted the change, but",
    ...(missing.length > 0 ? [`${missing.join(", ")} did not become a delegate`] : []),
    ...(missing.length > 0 && staying.length > 0 ? ["and"] : []),
    ...(staying.length > 0 ? [`${staying.join(", ")} still is a delegate`] : []),
  ].join(" ");
}

function holds({ add, remove }: DelegateChange, list: readonly string[]): boolean {
  const isPresent = createMatcher(list);
  return add.every(isPresent) && !remove.some(isPresent);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.every(createMatcher(other)) && other.every(createMatcher(one));
}
