import { type Context, exitCodeOf } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import type { Actions } from "../config/actions.ts";
import type { SiteConfig } from "../config/settings.ts";
import { applyPlans, type HostOutcome, preview } from "../delegation/apply.ts";
import { attempt, type DelegationReader, type SiteUser } from "../delegation/backend.ts";
import { findRemovedRows, formatRows, type ListedDelegation, listRows } from "../delegation/expiring.ts";
import { observeDelegation } from "../delegation/observe.ts";
import { planDelegation } from "../delegation/plan.ts";
import { type BackendName, buildDelegationRecord } from "../delegation/record.ts";
import { type DelegationMode, type DelegationRequest, parseRequest } from "../delegation/request.ts";
import { proveFile } from "../disk/write-atomic.ts";
import { toDateString } from "../lib/date.ts";
import { createMatcher } from "../lib/email.ts";
import { compareStrings, errorMessage } from "../lib/text.ts";
import { defaultPolicy } from "../membership/policy.ts";
import { type ChangeLog, createChangeLog } from "../run/change-log.ts";
import { type OpenBackend, openBackend } from "../run/delegation-backend.ts";
import { proveDestinations } from "../run/destinations.ts";
import { type Inputs, readDelegationInputs } from "../run/inputs.ts";
import { openNewestFiles } from "../run/newest-files.ts";
import { openSession, runInSession, type Session } from "../run/session.ts";

interface Findings {
  readonly outcomes: readonly HostOutcome[];
  readonly problems: readonly string[];
  readonly users: readonly SiteUser[] | null;
  /** True when the request could not be carried out as a whole: nothing was written, unless the run ended midway. */
  readonly hasFailed: boolean;
  /** What became of the rows that the request adds to delegations.csv, which go before the grants. */
  readonly newRows: "none" | "stored" | "refused";
  /** The rows of delegations.csv as the request leaves them; null where it leaves them as they were. */
  readonly grants: readonly ListedDelegation[] | null;
  readonly notices: readonly string[];
}

const nothing = {
  outcomes: [],
  problems: [],
  users: null,
  hasFailed: false,
  newRows: "none",
  grants: null,
  notices: [],
} as const;

/** Shows or changes who may schedule meetings for whom. Returns the exit code. */
export async function runDelegate(options: OptionsOf<"delegate">, context: Context): Promise<number> {
  const { actions, runner } = context;
  const { mode = "show" } = options;
  const isDryRun = options["dry-run"] === true;
  const startedAt = context.now();
  const ending = await runInSession(
    () => setUp(options, context),
    async (opened) => {
      const site = await openBackend(opened.backend, opened.config, opened.session, runner.mask);
      return await run(opened, site, isDryRun ? null : createChangeLog(context), context);
    },
  );
  const { opened } = ending;
  const reached = "found" in ending ? ending.found : failWith(ending.error);
  const { outcomes, newRows, grants, notices, ...found } = endInFailure(
    reached,
    opened?.session.lostAccess ?? null,
  );
  const surplus =
    opened === null || isDryRun || reached.hasFailed
      ? []
      : findRemovedRows(opened.request, outcomes, opened.inputs.grants);
  const isElsewhere = opened !== null && reportsElsewhere(opened.config, actions);
  const takeOut = isElsewhere ? [] : surplus;
  const problems = [...found.problems, ...(isElsewhere && surplus.length > 0 ? [askToDelete(surplus)] : [])];
  const times = { startedAt, finishedAt: context.now() };
  const record = buildDelegationRecord(
    {
      command: "delegate",
      mode,
      backend: opened?.backend ?? options.backend ?? "rest",
      actor: actions.actor,
      ...times,
      ...found,
      problems,
      until: opened?.request.until ?? null,
      kept: opened === null ? [] : findKept(mode, outcomes, grants ?? opened.inputs.grants),
      notices: [...(opened?.newest ?? []), ...notices],
      token: opened?.session.token ?? null,
    },
    outcomes,
  );
  // Loaded when there is something to publish: until then every millisecond would delay the first request.
  const { publishDelegation } = await import("../run/publish.ts");
  const publication = {
    record,
    isDryRun,
    siteUrl: opened?.config.siteUrl ?? null,
    // Where the rows could not be stored, the report cannot be either.
    reportTarget:
      opened === null || isDryRun || mode === "show" || newRows === "refused"
        ? null
        : opened.config.reportTarget,
    hasNewRows: newRows === "stored",
    takeOut,
    tokenWarningDays: (opened?.inputs.policy ?? defaultPolicy).report.tokenWarningDays,
  };
  const { status } = await publishDelegation(publication, context);
  return exitCodeOf(status, isDryRun);
}

interface SetUp {
  readonly request: DelegationRequest;
  readonly inputs: Omit<Inputs, "mappings">;
  /** The files that differ from those of this checkout. */
  readonly newest: readonly string[];
  readonly config: SiteConfig;
  readonly backend: BackendName;
  readonly session: Session;
}

/** All of this is checked before Webex is read, so that a fault stops the run with nothing changed. */
async function setUp(options: OptionsOf<"delegate">, context: Context): Promise<SetUp> {
  const { mode = null, host: hosts = null, delegate: delegates = null, until = null } = options;
  const today = toDateString(context.now());
  const { request, faults } = parseRequest({ mode, hosts, delegates, until }, today);
  if (request === null) throw new Error(faults.join("; "));
  const files = await openNewestFiles(context);
  const inputs = await readDelegationInputs(context.paths, files.read);
  const found = context.settings.readSiteConfig();
  const leavesReport = request.mode !== "show" && options["dry-run"] !== true;
  const reportTarget = await proveDestinations(found.reportTarget, leavesReport, context);
  const config = { ...found, reportTarget };
  if (until !== null && leavesReport && reportTarget.kind === "folder")
    await proveFile(context.paths.disk.delegations);
  if (until !== null && reportTarget.kind === "branch" && reportsElsewhere(config, context.actions)) {
    throw new Error(
      `--until was refused, and nothing was changed: the last day is kept in delegations.csv by a commit, which goes to ${reportTarget.branch}, but sync reads that file from ${context.actions.refName ?? "another branch"}. Let reports go to the same branch (REPORT_BRANCH), or add the row through a pull request`,
    );
  }
  const backend = options.backend ?? inputs.policy.delegation.backend;
  const newest = files.describe();
  return { request, inputs, newest, config, backend, session: await openSession(config, context) };
}

function reportsElsewhere({ reportTarget }: SiteConfig, { refName }: Actions): boolean {
  return reportTarget.kind === "branch" && reportTarget.branch !== refName;
}

function askToDelete(rows: readonly ListedDelegation[]): string {
  return `reports go to another branch, so these rows are still in delegations.csv, and sync grants them again; delete them through a pull request: ${formatRows(rows)}`;
}

/** Webex no longer accepted the access token midway: the run reports what was done, and has failed. */
function endInFailure(found: Findings, lostAccess: Error | null): Findings {
  if (lostAccess === null) return found;
  const problems = [...found.problems, `the run was ended: ${lostAccess.message}`];
  return { ...found, problems, hasFailed: true };
}

/** Stores the rows of what has an end before it writes; `show` and a dry run make no writer. */
async function run(
  { request, inputs, config, session }: SetUp,
  { reader, createWriter }: OpenBackend,
  changeLog: ChangeLog | null,
  context: Context,
): Promise<Findings> {
  await reader.proveAccess(request.mode !== "show");
  if (request.mode === "show" && request.hosts.length === 0) return await listUsers(reader);
  const observation = await observeDelegation(reader, request);
  const plan = planDelegation(request, observation);
  const { problems } = plan;
  const leave = () => plan.hosts.map((host) => preview({ ...host, change: null }));
  if (problems.length > 0) return { ...nothing, problems, outcomes: leave(), hasFailed: true };
  const { rows, notices } = listRows(request, plan.hosts, inputs.grants, describeAsker(context.actions));
  const found = { ...nothing, problems, notices };
  if (request.mode === "show" || changeLog === null) return { ...found, outcomes: plan.hosts.map(preview) };
  const { stop, waitForConsistency } = session;
  let grants: Findings["grants"] = null;
  if (rows.length > 0) {
    if (stop.aborted) throw new Error("the run was stopped before it changed anything");
    // The row first: a grant without one would never end, a row without its grant is granted by the next sync.
    const { storeRows } = await import("../run/publish.ts");
    const stored = await attempt(() => storeRows(rows, config.reportTarget, context));
    if ("value" in stored) grants = stored.value;
    if ("error" in stored) {
      const problem = `nothing was granted, because delegations.csv could not be written: ${stored.error}. Add the rows through a pull request, and sync grants them: ${formatRows(rows)}`;
      return { ...nothing, problems: [problem], outcomes: leave(), hasFailed: true, newRows: "refused" };
    }
  }
  const writer = changeLog.watchDelegates(createWriter());
  const collaborators = { reader, writer, stop, waitForConsistency };
  const outcomes = await applyPlans(plan.hosts, collaborators).finally(changeLog.end);
  const hasRow = new Set(request.until === null ? [] : request.hosts);
  return {
    ...found,
    outcomes: outcomes.map((outcome, at) => {
      const isKept = hasRow.has(outcome.host) && plan.hosts[at]?.refusal === null;
      if (outcome.error === null || !isKept) return outcome;
      return {
        ...outcome,
        error: `${outcome.error}; the row in delegations.csv stands, and sync will grant it`,
      };
    }),
    newRows: rows.length > 0 ? "stored" : "none",
    grants,
  };
}

/** The rows of those who may schedule now; after a removal the lines of the others may be other ones. */
function findKept(
  mode: DelegationMode,
  outcomes: readonly HostOutcome[],
  grants: readonly ListedDelegation[],
): readonly ListedDelegation[] {
  if (mode !== "show" && mode !== "add") return [];
  return grants.filter(({ host, delegate }) =>
    outcomes.some((one) => one.host === host && createMatcher(one.after ?? [])(delegate)),
  );
}

async function listUsers(reader: DelegationReader): Promise<Findings> {
  const listing = await reader.listUsers();
  const users = listing.items
    .filter((user) => user.isActive)
    .sort((a, b) => compareStrings(a.address, b.address));
  const problems = listing.complete
    ? []
    : [`the list of the site's users is not complete: ${listing.reason}`];
  return { ...nothing, problems, users };
}

function failWith(error: unknown): Findings {
  return { ...nothing, problems: [errorMessage(error)], hasFailed: true };
}

function describeAsker({ actor, runId }: Actions): string {
  const parts = [
    ...(actor === null ? [] : [`asked for by ${actor}`]),
    ...(runId === null ? [] : [`run ${runId}`]),
  ];
  return parts.join(" in ");
}
