import { setTimeout as delay } from "node:timers/promises";
import { type Context, exitCodeOf, type Options, textOption } from "../cli/context.ts";
import { type Actions, readActions } from "../config/actions.ts";
import { type Config, readConfig } from "../config/settings.ts";
import { applyPlans, type HostOutcome, preview } from "../delegation/apply.ts";
import type { DelegationReader, SiteUser } from "../delegation/backend.ts";
import { updateExpirations } from "../delegation/expiring.ts";
import { observeDelegation } from "../delegation/observe.ts";
import { planDelegation } from "../delegation/plan.ts";
import { type BackendName, buildDelegationRecord, type DelegationFacts } from "../delegation/record.ts";
import { type DelegationRequest, parseRequest } from "../delegation/request.ts";
import { createRunner, type Runner } from "../github/runner.ts";
import { toDateString } from "../lib/date.ts";
import { compareStrings, errorMessage } from "../lib/text.ts";
import { defaultPolicy } from "../membership/policy.ts";
import { type OpenBackend, openBackend, requireSite } from "../run/delegation-backend.ts";
import { type Inputs, logReportsElsewhere, readDelegationInputs } from "../run/inputs.ts";
import type { DelegationPublication } from "../run/publish-delegation.ts";
import { findReportTarget, openSession, type Session } from "../run/session.ts";

/** How long Webex gets to show a change before a list is looked at a second time. */
const settleMs = 2_000;

/** What a run came to know and did; all of it may be missing when it was stopped early. */
interface Findings {
  readonly outcomes: readonly HostOutcome[];
  readonly problems: readonly string[];
  readonly users: readonly SiteUser[] | null;
  /** True when the request could not be carried out as a whole: nothing was written, unless the run ended midway. */
  readonly hasFailed: boolean;
}

/** Shows or changes who may schedule meetings for whom. Returns the exit code. */
export async function runDelegate(options: Options, context: Context): Promise<number> {
  const startedAt = context.now();
  const actions = readActions(context.env);
  const runner = await createRunner(actions);
  const backend: BackendName = textOption(options, "backend") === "xml" ? "xml" : "rest";
  const isDryRun = options["dry-run"] === true;

  const log = async (
    { outcomes, ...findings }: Findings,
    known: Pick<DelegationFacts, "mode" | "until" | "notices" | "token">,
    told: Omit<DelegationPublication, "record" | "isDryRun">,
  ): Promise<number> => {
    const times = { startedAt, finishedAt: context.now() };
    const facts = { command: "delegate", backend, actor: actions.actor, ...times } as const;
    const record = buildDelegationRecord({ ...facts, ...findings, ...known }, outcomes);
    // Loaded when there is something to tell: until then every millisecond would delay the first request.
    const { publishDelegation } = await import("../run/publish-delegation.ts");
    const publication = { record, isDryRun, ...told };
    const { status } = await publishDelegation(publication, options, context, actions, runner);
    return exitCodeOf(status, isDryRun);
  };

  const setUp = await setUpRun(options, context, actions, runner).catch((error: unknown) => ({ error }));
  if ("error" in setUp) {
    const known = { mode: namedMode(options), until: null, notices: [], token: null };
    const { tokenWarningDays } = defaultPolicy.report;
    const told = { siteUrl: null, reportTarget: null, edit: noEdit, tokenWarningDays };
    return await log(failWith(setUp.error), known, told);
  }
  const { request, inputs, config, session } = setUp;
  let findings: Findings;
  try {
    const open = await openBackend(backend, config, session, runner);
    findings = await run(request, open, session, isDryRun);
  } catch (error) {
    findings = failWith(error);
  }
  const finished = findings.hasFailed
    ? { edit: noEdit, notices: [] }
    : updateExpirations(request, findings.outcomes, inputs.grants, describeAsker(actions));
  const { lostAccess, token } = session;
  if (lostAccess !== null) {
    const problems = [...findings.problems, `the run was ended: ${lostAccess.message}`];
    findings = { ...findings, problems, hasFailed: true };
  }
  const { mode, until } = request;
  return await log(
    findings,
    { mode, until, notices: finished.notices, token },
    {
      siteUrl: config.siteUrl,
      reportTarget: isDryRun || mode === "show" ? null : config.reportTarget,
      edit: isDryRun ? noEdit : finished.edit,
      tokenWarningDays: inputs.policy.report.tokenWarningDays,
    },
  );
}

const noEdit = { set: [], takeOut: [] } as const;

interface SetUp {
  readonly request: DelegationRequest;
  readonly inputs: Omit<Inputs, "mappings">;
  readonly config: Config & { readonly siteUrl: string };
  readonly session: Session;
}

/** Everything that can be wrong before Webex is looked at; whatever is, stops the run with nothing changed. */
async function setUpRun(
  options: Options,
  context: Context,
  actions: Actions,
  runner: Runner,
): Promise<SetUp> {
  const today = toDateString(context.now());
  const { request, faults } = parseRequest(
    {
      mode: textOption(options, "mode"),
      hosts: textOption(options, "host"),
      delegates: textOption(options, "delegate"),
      until: textOption(options, "until"),
    },
    today,
  );
  if (request === null) throw new Error(faults.join("; "));
  const inputs = await readDelegationInputs(options);
  const found = requireSite(readConfig(context.env, true));
  found.secrets.forEach(runner.mask);
  logReportsElsewhere(found.reportTarget, options, context.log);
  const leavesReport = request.mode !== "show" && options["dry-run"] !== true;
  const reportTarget = leavesReport ? await findReportTarget(found.reportTarget) : found.reportTarget;
  const config = { ...found, reportTarget };
  if (request.until !== null && reportTarget.kind === "branch" && reportTarget.branch !== actions.refName) {
    throw new Error(
      `--until was refused, and nothing was changed: the last day is kept in delegations.csv by the report's commit, which goes to ${reportTarget.branch}, but sync reads that file from ${actions.refName ?? "another branch"}. Let reports go to the same branch (REPORT_BRANCH), or add the row through a pull request`,
    );
  }
  return { request, inputs, config, session: await openSession(config, runner, context) };
}

/** Proves, reads everything, plans, and only then writes; `show` and `--dry-run` never make a writer. */
async function run(
  request: DelegationRequest,
  { reader, createWriter }: OpenBackend,
  { stop }: Session,
  isDryRun: boolean,
): Promise<Findings> {
  await reader.proveAccess(request.mode !== "show");
  if (request.mode === "show" && request.hosts.length === 0) return await listUsers(reader);
  const observation = await observeDelegation(reader, request);
  const plan = planDelegation(request, observation);
  const said = { problems: plan.problems, users: null };
  if (plan.problems.length > 0) {
    const outcomes = plan.hosts.map((host) => preview({ ...host, change: null }));
    return { ...said, outcomes, hasFailed: true };
  }
  if (request.mode === "show" || isDryRun) {
    return { ...said, outcomes: plan.hosts.map(preview), hasFailed: false };
  }
  const waitForConsistency = () => delay(settleMs);
  const outcomes = await applyPlans(plan.hosts, { reader, writer: createWriter(), stop, waitForConsistency });
  return { ...said, outcomes, hasFailed: false };
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
  const message = errorMessage(error);
  return { outcomes: [], problems: [message], users: null, hasFailed: true };
}

function namedMode(options: Options): DelegationRequest["mode"] {
  const mode = textOption(options, "mode");
  return mode === "add" || mode === "remove" || mode === "replace" ? mode : "show";
}

/** The note of a row that this run adds to delegations.csv. */
function describeAsker({ actor, runId }: Actions): string {
  const parts = [
    ...(actor === null ? [] : [`asked for by ${actor}`]),
    ...(runId === null ? [] : [`run ${runId}`]),
  ];
  return parts.join(" in ");
}
