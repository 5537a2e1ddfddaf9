import type { Context } from "../cli/context.ts";
import type { Config, SiteConfig } from "../config/settings.ts";
import {
  type ApplyCollaborators,
  applyPlans,
  type HostOutcome,
  mergeOutcomes,
  preview,
} from "../delegation/apply.ts";
import { type Answer, attempt, type DelegationReader, type DelegationWriter } from "../delegation/backend.ts";
import {
  describeEnding,
  findExpired,
  type ListedDelegation,
  pairOf,
  parseDelegations,
} from "../delegation/expiring.ts";
import {
  describeReturn,
  type Ending,
  findEndings,
  heldKeyOf,
  type KeptGrant,
  type KeptUpdate,
  splitByPresence,
  stillEnded,
} from "../delegation/kept.ts";
import { observeLists, observeUsers } from "../delegation/observe.ts";
import { checkDelegate, type HostPlan, planList, planObserved } from "../delegation/plan.ts";
import { type BackendName, buildDelegationRecord } from "../delegation/record.ts";
import { formatTimestamp, toDateString } from "../lib/date.ts";
import { createMatcher } from "../lib/email.ts";
import { errorMessage } from "../lib/text.ts";
import { explainRevocations } from "../membership/explain-hold.ts";
import { isAbove } from "../membership/limits.ts";
import type { Policy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import type { Scheduling } from "../report/scheduling.ts";
import { createChangeLog } from "./change-log.ts";
import type { OpenBackend } from "./delegation-backend.ts";
import type { Memory } from "./memory.ts";
import { readFromDisk } from "./newest-files.ts";
import type { DraftFiles } from "./publish.ts";
import type { Session } from "./session.ts";

/** What became of the grants that delegations.csv keeps. */
export interface DelegationsOutcome {
  readonly problems: readonly string[];
  readonly notices: readonly string[];
  /** One sentence for each grant and revocation. */
  readonly changes: readonly string[];
  readonly hasChanged: boolean;
  /** The hosts of which something is asked; null when nothing is. */
  readonly delegations: NonNullable<RunRecord["delegations"]> | null;
  /** The page, the record and the shortened delegations.csv, for the report's commit; null when there is none. */
  readonly draftFiles: DraftFiles | null;
  /** Who may schedule for whom now; null where nobody looked. */
  readonly scheduling: Scheduling | null;
  /** What state.json is to keep; null when it stays as it is. */
  readonly kept: KeptUpdate | null;
}

/** The grants of one run: what could be done at once is done, the rest waits for approval. */
export interface KeptDelegations {
  /** How the held revocations are named in the digest. */
  readonly heldKeys: readonly string[];
  /** Makes the held revocations, or says what it would do. */
  release(): Promise<void>;
  conclude(): DelegationsOutcome;
}

/** What delegations.csv lists, and what earlier runs have kept. */
export interface DelegationsSource {
  readonly grants: readonly ListedDelegation[];
  recall(): Promise<Memory>;
  /** Reads the file a second time. @throws when it is not there or has a fault: nobody knows what it keeps then. */
  readAgain(): Promise<readonly ListedDelegation[]>;
}

/** The run that the grants are part of; with `mayWrite` false it only tells. */
export interface DelegationsContext {
  readonly config: Config;
  readonly session: Session;
  readonly policy: Policy;
  readonly mayWrite: boolean;
  open(backend: BackendName, site: SiteConfig): Promise<OpenBackend>;
}

/**
 * Makes Webex as delegations.csv says: revokes what has ended, within the limit, and grants what is missing. Never
 * throws: whatever goes wrong here leaves the rooms to go on, and the rows in the file. Null when there is nothing to
 * keep.
 */
export async function keepDelegations(
  source: DelegationsSource,
  around: DelegationsContext,
  context: Context,
): Promise<KeptDelegations | null> {
  const { grants, recall } = source;
  const { delegations: file } = context.paths.disk;
  const notices = [...describeEnding(grants, toDateString(context.now()))];
  const quit = (problem: string): KeptDelegations => {
    const outcome = {
      changes: [],
      hasChanged: false,
      delegations: null,
      draftFiles: null,
      scheduling: null,
      kept: null,
    };
    return {
      heldKeys: [],
      release: async () => undefined,
      conclude: () => ({ ...outcome, problems: [problem], notices }),
    };
  };
  try {
    const { delegations: memory } = await recall();
    if (memory.damage !== null) {
      notices.push(
        `state.json could not be read (${memory.damage}), so Rollcall does not know which rows of ${file} were deleted since the last run, and revokes none of them`,
      );
    }
    const kept = memory.kept.filter((grant) => grant.file === file);
    if (grants.length + kept.length === 0 && memory.damage === null) return null;
    const { siteUrl } = around.config;
    if (siteUrl === null) {
      return quit(
        `${file} lists delegations, but WEBEX_SITE_URL is not set, so none of them is granted or revoked; set it to the Webex Meetings site, such as acme.webex.com`,
      );
    }
    const endings = findEndings(grants, kept, toDateString(context.now()));
    // A file that is gone altogether has no deleted rows: it may be missing by mistake.
    if (endings.some(({ row }) => row === null)) await source.readAgain();
    const site = { ...around, config: { ...around.config, siteUrl } };
    return await keep({ source, kept, endings, notices }, site, context);
  } catch (error) {
    return quit(`the delegations in ${file} were left as they are: ${errorMessage(error)}`);
  }
}

interface Asked {
  readonly source: DelegationsSource;
  readonly kept: readonly KeptGrant[];
  readonly endings: readonly Ending[];
  readonly notices: string[];
}

type Site = DelegationsContext & { readonly config: SiteConfig };

async function keep(asked: Asked, site: Site, context: Context): Promise<KeptDelegations> {
  const { source, kept, endings, notices } = asked;
  const { grants } = source;
  const { config, session, policy, mayWrite } = site;
  const startedAt = context.now();
  const now = formatTimestamp(startedAt);
  const { backend } = policy.delegation;
  const { reader, createWriter } = await site.open(backend, config);
  await reader.proveAccess(mayWrite);
  const hosts = [...new Set([...grants, ...endings].map(({ host }) => host))];
  const { lists, unreadable } = await readLists(
    hosts,
    countHosts(reader, context.count("Read the delegates of # hosts", hosts.length)),
    notices,
  );
  const changes: string[] = [];
  const outcomes = new Map<string, HostOutcome>();
  const add = (more: readonly HostOutcome[]) => {
    for (const one of more) {
      outcomes.set(one.host, mergeOutcomes(outcomes.get(one.host), one));
      if (one.after !== null) lists.set(one.host, one.after);
      else lists.delete(one.host);
    }
  };
  const { present: toRevoke } = splitByPresence(endings, lists);
  const ended = new Set(findExpired(grants, toDateString(startedAt)).map(pairOf));
  const limit = policy.limits.revocationsPerRun;
  const isHeld = isAbove(toRevoke.length, limit, grants.length);
  const why = explainRevocations({ planned: toRevoke.length, limit, members: grants.length });
  const writer = mayWrite ? createWriter() : null;
  add(
    [...unreadable].map(([host, error]) => failHost(host, null, `the delegates could not be read: ${error}`)),
  );

  // Who cannot be a delegate is known before anything is sent.
  const { absent } = splitByPresence(grants, lists);
  const missing = absent.filter((grant) => !ended.has(pairOf(grant)));
  const observation = await observeMissing(missing, reader);
  const faults = findFaults(missing, observation);

  const revoke = async (which: readonly Ending[]): Promise<void> => {
    const named = new Set(which.map(({ host }) => host));
    const plans = [...named].map((host) => {
      const delegates = which.filter((ending) => ending.host === host).map(({ delegate }) => delegate);
      return planList({ host, mode: "remove", delegates }, answersOf(lists));
    });
    const confirm = async ({ host, delegates }: HostPlan["request"]): Promise<readonly string[]> => {
      const isNamed = createMatcher(delegates);
      const due = which.filter((ending) => ending.host === host && isNamed(ending.delegate));
      const still = stillEnded(due, await source.readAgain());
      for (const { delegate } of due.filter((ending) => !still.includes(ending)))
        notices.push(`${delegate} was left a delegate of ${host}: the row was changed during this run`);
      return still.map(({ delegate }) => delegate);
    };
    add(await apply(plans, { reader, writer, session, confirm }, context));
    changes.push(...which.flatMap((ending) => describeRevoked(ending, outcomes.get(ending.host), mayWrite)));
  };

  if (!isHeld) await revoke(toRevoke);
  const granting = missing.filter((grant) => !faults.has(pairOf(grant)));
  const plans = planGrants(granting, observation, lists);
  add(await apply(plans, { reader, writer, session }, context));
  add([...faults.values()].map(({ host, fault }) => failHost(host, lists.get(host) ?? null, fault)));
  changes.push(...granting.flatMap((grant) => describeGranted(grant, outcomes.get(grant.host), mayWrite)));
  const before = new Map(kept.map((grant) => [pairOf(grant), grant]));
  const returned = granting.flatMap((grant) => {
    const isBack = createMatcher(outcomes.get(grant.host)?.added ?? [])(grant.delegate);
    return isBack ? (before.get(pairOf(grant)) ?? []) : [];
  });
  notices.push(...returned.map((grant) => describeReturn(grant, now)));

  let held = isHeld ? toRevoke : [];
  const schedule = (finished: readonly ListedDelegation[]): Scheduling => {
    const left = grants.filter((grant) => !finished.includes(grant));
    const named = hosts.filter((host) => [...left, ...held].some((one) => one.host === host));
    return {
      grants: left,
      hosts: named.map((host) => ({
        host,
        delegates: lists.get(host) ?? null,
        held: held.filter((ending) => ending.host === host).map(({ delegate }) => delegate),
        error: outcomes.get(host)?.error ?? null,
      })),
    };
  };
  return {
    heldKeys: held.map(heldKeyOf),
    async release() {
      const released = held;
      held = [];
      await revoke(released);
    },
    conclude() {
      const { delegations: file } = context.paths.disk;
      const all = [...outcomes.values()];
      const { absent: gone } = splitByPresence(endings, lists);
      const told = {
        problems: all.flatMap(({ host, error }) =>
          error === null ? [] : [`the delegates of ${host} are not as ${file} says: ${error}`],
        ),
        notices: [...notices, ...all.flatMap((one) => one.notices.map((notice) => `${one.host}: ${notice}`))],
        changes,
        hasChanged: all.some(({ added, removed }) => added.length + removed.length > 0),
        delegations: recordDelegations(backend, all, { endings: held, why }, lists),
      };
      if (!mayWrite) return { ...told, draftFiles: null, scheduling: null, kept: null };
      const nameFile = ({ host, delegate }: Pick<Ending, "host" | "delegate">) => ({ file, host, delegate });
      const finished = gone.flatMap(({ row }) => (row === null ? [] : [row]));
      return {
        ...told,
        draftFiles: draftReport({ startedAt, outcomes: all, finished }, site, context),
        scheduling: schedule(finished),
        kept: {
          listed: grants.map(nameFile),
          ended: gone.map(nameFile),
          returned: returned.map((grant) => ({ ...nameFile(grant), returned: [now] })),
        },
      };
    },
  };
}

function countHosts(reader: DelegationReader, step: () => void): DelegationReader {
  return { ...reader, readDelegates: (host) => reader.readDelegates(host).finally(step) };
}

/** Reads every host's list. Who is no longer on the site has no delegates, whatever was kept. */
async function readLists(
  hosts: readonly string[],
  reader: DelegationReader,
  notices: string[],
): Promise<{ readonly lists: Map<string, readonly string[]>; readonly unreadable: Map<string, string> }> {
  const lists = new Map<string, readonly string[]>();
  const unreadable = new Map<string, string>();
  for (const [host, answer] of await observeLists(reader, hosts)) {
    if ("value" in answer) {
      lists.set(host, answer.value);
      continue;
    }
    const user = await attempt(() => reader.findUser(host));
    if ("value" in user && user.value === null) {
      lists.set(host, []);
      notices.push(`${host} is not on the site any more, and so has no delegates`);
    } else unreadable.set(host, answer.error);
  }
  return { lists, unreadable };
}

type SiteUsers = Awaited<ReturnType<typeof observeUsers>>;

/** Looks up everybody whom a missing grant names. */
async function observeMissing(
  missing: readonly ListedDelegation[],
  reader: DelegationReader,
): Promise<SiteUsers> {
  return await observeUsers(
    reader,
    missing.flatMap(({ host, delegate }) => [host, delegate]),
  );
}

interface Fault {
  readonly host: string;
  readonly fault: string;
}

/** A delegate who cannot be one is a fault of that row alone; more than a host may have are one of the host, later. */
function findFaults(missing: readonly ListedDelegation[], users: SiteUsers): ReadonlyMap<string, Fault> {
  return new Map(
    missing.flatMap((grant) => {
      const [fault] = checkDelegate(grant.delegate, users);
      return fault === undefined ? [] : [[pairOf(grant), { host: grant.host, fault }] as const];
    }),
  );
}

function planGrants(
  granting: readonly ListedDelegation[],
  users: SiteUsers,
  lists: ReadonlyMap<string, readonly string[]>,
): readonly HostPlan[] {
  const observation = { ...users, delegates: answersOf(lists) };
  const hosts = [...new Set(granting.map(({ host }) => host))];
  return hosts.map((host) => {
    const delegates = granting.filter((grant) => grant.host === host).map(({ delegate }) => delegate);
    return planObserved({ host, mode: "add", delegates }, observation);
  });
}

function answersOf(
  lists: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, Answer<readonly string[]>> {
  return new Map([...lists].map(([host, value]) => [host, { value }]));
}

/** What making a change takes; without a writer it is only told. */
interface Applying {
  readonly reader: DelegationReader;
  readonly writer: DelegationWriter | null;
  readonly session: Session;
  readonly confirm?: ApplyCollaborators["confirm"];
}

async function apply(
  plans: readonly HostPlan[],
  { reader, writer, session, confirm }: Applying,
  context: Context,
): Promise<readonly HostOutcome[]> {
  if (writer === null) return plans.map(preview);
  const { stop, waitForConsistency } = session;
  const changeLog = createChangeLog(context);
  const watched = changeLog.watchDelegates(writer);
  const collaborators = { reader, writer: watched, stop, waitForConsistency, ...(confirm && { confirm }) };
  return await applyPlans(plans, collaborators).finally(changeLog.end);
}

/**
 * Reads the file a second time, where it is kept: on GitHub at the head of the run's branch.
 * @throws when it is not there or has a fault: then nobody knows what it keeps.
 */
export async function readRowsAgain({
  actions,
  settings,
  paths,
}: Context): Promise<readonly ListedDelegation[]> {
  const { delegations: file } = paths.disk;
  const unsure = (why: string) => new Error(`${file} was looked at again, and ${why}; nothing is revoked`);
  const bytes = (await readOnBranch(paths.repository.delegations, actions, settings)) ?? null;
  // Away from a runner the file on disk is the one that counts where the branch has none.
  const found = bytes ?? (actions.isRunner ? null : await readFromDisk(file));
  if (found === null) throw unsure("is not there");
  const { grants, problems } = parseDelegations(found);
  if (problems.length > 0) throw unsure(`has a fault: ${problems.map(({ message }) => message).join("; ")}`);
  return grants;
}

async function readOnBranch(
  path: string,
  { refName: name, isBranch }: Context["actions"],
  { repository: access }: Context["settings"],
): Promise<Buffer | null> {
  if (access === null) return null;
  const { readRunBranch } = await import("../github/branch-files.ts");
  const contents = await (await readRunBranch(access, { name, isBranch })).read(path);
  if (contents.kind === "missing") return null;
  if (contents.kind !== "file") throw new Error(`GitHub does not show ${path} (${contents.kind})`);
  return contents.bytes;
}

function recordDelegations(
  backend: BackendName,
  outcomes: readonly HostOutcome[],
  held: { readonly endings: readonly Ending[]; readonly why: string },
  lists: ReadonlyMap<string, readonly string[]>,
): DelegationsOutcome["delegations"] {
  const hosts = new Set([...outcomes.filter(isEventful), ...held.endings].map(({ host }) => host));
  if (hosts.size === 0) return null;
  const byHost = new Map(outcomes.map((outcome) => [outcome.host, outcome]));
  const reason = "revocations-per-run" as const;
  const recordHost = (host: string) => {
    const list = lists.get(host) ?? null;
    const { error, notices: _, ...lasting } = byHost.get(host) ?? failHost(host, list, null);
    const waiting = held.endings.filter((ending) => ending.host === host);
    return {
      ...lasting,
      held: waiting.map(({ delegate }) => ({ delegate, reason })),
      ...(error === null ? {} : { error }),
    };
  };
  const holds = held.endings.length === 0 ? {} : { holds: [{ reason, message: held.why }] };
  return { backend, ...holds, hosts: [...hosts].sort().map(recordHost) };
}

function isEventful({ added, removed, error }: HostOutcome): boolean {
  return added.length + removed.length > 0 || error !== null;
}

/** A host that stays as it is; an error says why, null that nothing was to be done. */
function failHost(host: string, list: readonly string[] | null, error: string | null): HostOutcome {
  return { host, before: list, after: list, added: [], removed: [], error, notices: [] };
}

const facts = {
  command: "sync",
  mode: "keep",
  until: null,
  users: null,
  kept: [],
  problems: [],
  notices: [],
  hasFailed: false,
} as const;

/** The page, the record and the file without the finished rows; null where there is no news. */
function draftReport(
  { startedAt, outcomes, finished }: Findings,
  { config, session, policy }: Site,
  context: Context,
): DraftFiles | null {
  const { actor, refName, runUrl } = context.actions;
  const { siteUrl, reportTarget } = config;
  const eventful = outcomes.filter(isEventful);
  // A report on another branch cannot change the file that is read here: without news it would be the same each time.
  const isElsewhere = reportTarget.kind === "branch" && reportTarget.branch !== refName;
  const hasChanged = eventful.some(({ added, removed }) => added.length + removed.length > 0);
  if (!hasChanged && (finished.length === 0 || isElsewhere)) return null;
  const { backend } = policy.delegation;
  const times = { startedAt, finishedAt: context.now() };
  const record = buildDelegationRecord(
    { ...facts, backend, actor, token: session.token, ...times },
    eventful,
  );
  const { tokenWarningDays } = policy.report;
  const input = { record, isDryRun: false, siteUrl, runUrl, tokenWarningDays };
  // Loaded only when there is something to report: the rooms wait for this.
  return async (read) => {
    const { reportDelegation } = await import("./publish.ts");
    return await reportDelegation(input, finished, reportTarget, context).draft(read);
  };
}

interface Findings {
  readonly startedAt: Date;
  readonly outcomes: readonly HostOutcome[];
  readonly finished: readonly ListedDelegation[];
}

function describeRevoked(
  { host, delegate, row }: Ending,
  outcome: HostOutcome | undefined,
  mayWrite: boolean,
): string[] {
  if (!createMatcher(outcome?.removed ?? [])(delegate)) return [];
  const why = row === null ? "the row was deleted" : `ended ${row.until}`;
  return [
    `${delegate} ${mayWrite ? "may no longer" : "would no longer"} schedule meetings for ${host}: ${why}`,
  ];
}

function describeGranted(
  { host, delegate, until }: ListedDelegation,
  outcome: HostOutcome | undefined,
  mayWrite: boolean,
): string[] {
  if (!createMatcher(outcome?.added ?? [])(delegate)) return [];
  const end = until === null ? "without end" : `until ${until}`;
  return [`${delegate} ${mayWrite ? "may now" : "would now"} schedule meetings for ${host}, ${end}`];
}
