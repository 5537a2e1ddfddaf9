import { type Context, exitCodeOf } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import type { Actions } from "../config/actions.ts";
import type { SiteConfig } from "../config/settings.ts";
import { applyPlans, type HostOutcome, preview } from "../delegation/apply.ts";
import type { DelegationReader, SiteUser } from "../delegation/backend.ts";
import { updateExpirations } from "../delegation/expiring.ts";
import { observeDelegation } from "../delegation/observe.ts";
import { planDelegation } from "../delegation/plan.ts";
import { buildDelegationRecord } from "../delegation/record.ts";
import { type DelegationRequest, parseRequest } from "../delegation/request.ts";
import { toDateString } from "../lib/date.ts";
import { compareStrings, errorMessage } from "../lib/text.ts";
import { defaultPolicy } from "../membership/policy.ts";
import { type OpenBackend, openBackend } from "../run/delegation-backend.ts";
import { type Inputs, logReportsElsewhere, readDelegationInputs } from "../run/inputs.ts";
import { openNewestFiles } from "../run/newest-files.ts";
import { findReportTarget, openSession, runInSession, type Session } from "../run/session.ts";

/** What a run came to know and did; all of it may be missing when it was stopped early. */
interface Findings {
  readonly outcomes: readonly HostOutcome[];
  readonly problems: readonly string[];
  readonly users: readonly SiteUser[] | null;
  /** True when the request could not be carried out as a whole: nothing was written, unless the run ended midway. */
  readonly hasFailed: boolean;
}

/** Shows or changes who may schedule meetings for whom. Returns the exit code. */
export async function runDelegate(options: OptionsOf<"delegate">, context: Context): Promise<number> {
  const { actions, runner } = context;
  const { backend = "rest", mode = "show" } = options;
  const isDryRun = options["dry-run"] === true;
  const startedAt = context.now();
  const ending = await runInSession(
    () => setUp(options, context),
    async ({ request, config, session }) => {
      const opened = await openBackend(backend, config, session, runner.mask);
      return await run(request, opened, session, isDryRun);
    },
  );
  const { opened } = ending;
  const reached = "found" in ending ? ending.found : failWith(ending.error);
  const { edit, notices } =
    opened === null || reached.hasFailed
      ? { edit: noEdit, notices: [] }
      : updateExpirations(opened.request, reached.outcomes, opened.inputs.grants, describeAsker(actions));
  const { outcomes, ...found } = endInFailure(reached, opened?.session.lostAccess ?? null);
  const times = { startedAt, finishedAt: context.now() };
  const record = buildDelegationRecord(
    {
      command: "delegate",
      mode,
      backend,
      actor: actions.actor,
      ...times,
      ...found,
      until: opened?.request.until ?? null,
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
    reportTarget: opened === null || isDryRun || mode === "show" ? null : opened.config.reportTarget,
    edit: isDryRun ? noEdit : edit,
    tokenWarningDays: (opened?.inputs.policy ?? defaultPolicy).report.tokenWarningDays,
  };
  const { status } = await publishDelegation(publication, context);
  return exitCodeOf(status, isDryRun);
}

const noEdit = { set: [], takeOut: [] } as const;

interface SetUp {
  readonly request: DelegationRequest;
  readonly inputs: Omit<Inputs, "mappings">;
  /** Which of the files this checkout holds otherwise. */
  readonly newest: readonly string[];
  readonly config: SiteConfig;
  readonly session: Session;
}

/** Everything that can be wrong before Webex is looked at; whatever is, stops the run with nothing changed. */
async function setUp(options: OptionsOf<"delegate">, context: Context): Promise<SetUp> {
  const { mode = null, host: hosts = null, delegate: delegates = null, until = null } = options;
  const today = toDateString(context.now());
  const { request, faults } = parseRequest({ mode, hosts, delegates, until }, today);
  if (request === null) throw new Error(faults.join("; "));
  const files = await openNewestFiles(context);
  const inputs = await readDelegationInputs(context.paths, files.read);
  const found = context.settings.readSiteConfig();
  logReportsElsewhere(found.reportTarget, context);
  const leavesReport = request.mode !== "show" && options["dry-run"] !== true;
  const reportTarget = leavesReport ? await findReportTarget(found.reportTarget) : found.reportTarget;
  const config = { ...found, reportTarget };
  const { refName } = context.actions;
  if (until !== null && reportTarget.kind === "branch" && reportTarget.branch !== refName) {
    throw new Error(
      `--until was refused, and nothing was changed: the last day is kept in delegations.csv by the report's commit, which goes to ${reportTarget.branch}, but sync reads that file from ${refName ?? "another branch"}. Let reports go to the same branch (REPORT_BRANCH), or add the row through a pull request`,
    );
  }
  return { request, inputs, newest: files.describe(), config, session: await openSession(config, context) };
}

/** Webex no longer accepted the access token midway: what was done is told, and the run has failed. */
function endInFailure(found: Findings, lostAccess: Error | null): Findings {
  if (lostAccess === null) return found;
  const problems = [...found.problems, `the run was ended: ${lostAccess.message}`];
  return { ...found, problems, hasFailed: true };
}

/** Proves, reads everything, plans, and only then writes; `show` and `--dry-run` never make a writer. */
async function run(
  request: DelegationRequest,
  { reader, createWriter }: OpenBackend,
  { stop, waitForConsistency }: Session,
  isDryRun: boolean,
): Promise<Findings> {
  await reader.proveAccess(request.mode !== "show");
  if (request.mode === "show" && request.hosts.length === 0) return await listUsers(reader);
  const observation = await observeDelegation(reader, request);
  const plan = planDelegation(request, observation);
  const found = { problems: plan.problems, users: null };
  if (plan.problems.length > 0) {
    const outcomes = plan.hosts.map((host) => preview({ ...host, change: null }));
    return { ...found, outcomes, hasFailed: true };
  }
  if (request.mode === "show" || isDryRun) {
    return { ...found, outcomes: plan.hosts.map(preview), hasFailed: false };
  }
  const outcomes = await applyPlans(plan.hosts, { reader, writer: createWriter(), stop, waitForConsistency });
  return { ...found, outcomes, hasFailed: false };
}

async function listUsers(reader: DelegationReader): Promise<Findings> {
  const listing = await reader.listUsers();
  const users = listing.items
    .filter((user) => user.isActive)
    .sort((a, b) => compareStrings(a.address, b.address));
  const problems = listing.complete
    ? []
    : [`the list of the site's users is not complete: ${listing.reason}`];
  return { outcomes: [], problems, users, hasFailed: false };
}

function failWith(error: unknown): Findings {
  return { outcomes: [], problems: [errorMessage(error)], users: null, hasFailed: true };
}

/** The note of a row that this run adds to delegations.csv. */
function describeAsker({ actor, runId }: Actions): string {
  const parts = [
    ...(actor === null ? [] : [`asked for by ${actor}`]),
    ...(runId === null ? [] : [`run ${runId}`]),
  ];
  return parts.join(" in ");
}
