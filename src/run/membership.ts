import type { Context } from "../cli/context.ts";
import type { Config } from "../config/settings.ts";
import type { FreshRun } from "../github/workflows.ts";
import { formatFileProblem, type Problem } from "../lib/problem.ts";
import { errorMessage } from "../lib/text.ts";
import type { RunFacts } from "../membership/build-record.ts";
import { defaultPolicy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import type { Told } from "../report/message.ts";
import { describeSecretsTokenEnd } from "../token/expiry.ts";
import { proveDestinations } from "./destinations.ts";
import { InputError } from "./inputs.ts";
import type { KeptDelegations } from "./keep-delegations.ts";
import type { Notification } from "./notify.ts";
import type { LoadedTask, MembershipTask } from "./reconcile.ts";
import { openSession, runInSession, type Session } from "./session.ts";

/**
 * Runs one membership command: set up, rotate the token, decide, check the limits, apply unless it is only a plan,
 * and publish. Returns the record as it was published: what goes wrong is in it, not thrown.
 */
export async function runMembership(task: MembershipTask, context: Context): Promise<RunRecord> {
  const { command, undoes } = task;
  const note = task.note?.bind(task) ?? null;
  const { mappings: mappingsFile, organisation } = context.paths;
  const startedAt = context.now();
  const collect = (session: Session | undefined): Omit<RunFacts, "problems" | "notices"> => ({
    command,
    ...(organisation === null ? {} : { organisation }),
    ...(undoes === undefined ? {} : { undoes }),
    startedAt,
    finishedAt: context.now(),
    token: session?.token ?? null,
  });
  const ending = await runInSession(
    () => open(task, context),
    async ({ loaded, session, delegations, config: { reportTarget } }) => {
      // Loaded only now: the requests for the token need nothing of it.
      const [{ reconcile }, { buildRecord }] = await Promise.all([
        import("./reconcile.ts"),
        import("../membership/build-record.ts"),
      ]);
      const opened = { loaded, reportTarget, session, delegations };
      const { plan, outcomes, names, ...found } = await reconcile(task, opened, context);
      const made = buildRecord({ ...collect(session), ...found }, plan, outcomes);
      const record = session.lostAccess === null ? made : endInFailure(made, session.lostAccess);
      return { record, names };
    },
  );
  const { opened } = ending;
  const { buildFailedRecord, extendRecord } = await import("../membership/build-record.ts");
  const { record: reached, names } =
    "found" in ending
      ? ending.found
      : {
          record: buildFailedRecord({
            ...collect(opened?.session),
            problems: explainError(ending.error, mappingsFile),
            notices: [],
          }),
          names: null,
        };
  // Loaded when there is something to publish: until then every millisecond would delay the first request.
  const { publishMembership } = await import("./publish.ts");
  if (opened === null) {
    const annotations = "error" in ending && ending.error instanceof InputError ? ending.error.problems : [];
    const standard = {
      policy: defaultPolicy.report,
      kept: null,
      reportTarget: null,
      told: undefined,
      rows: [],
      scheduling: null,
      draftOthers: null,
      note,
    };
    return await publishMembership({ record: reached, names, annotations, ...standard }, context);
  }
  const { loaded, config } = opened;
  const grants = opened.delegations?.conclude() ?? null;
  const extended = grants === null ? reached : extendRecord(reached, grants);
  const advised = await adviseScopes(extended, opened.session.scopes);
  const warning = describeSecretsTokenEnd(
    opened.session.storeEnd,
    context.now(),
    loaded.policy.report.tokenWarningDays,
  );
  if (warning !== null) context.runner.warn(warning);
  const warned = warning === null ? advised : { ...advised, notices: [...advised.notices, warning] };
  const { told, notice } = await notifySpace(warned, opened, context);
  const record = notice === null ? warned : { ...warned, notices: [...warned.notices, notice] };
  const publication = {
    record,
    names: command === "sync" ? names : null,
    kept: grants?.kept ?? null,
    annotations: record.problems.map((problem) => ({ ...problem, file: mappingsFile })),
    policy: loaded.policy.report,
    reportTarget: command === "plan" ? null : config.reportTarget,
    told,
    rows: loaded.rows,
    scheduling: grants?.scheduling ?? null,
    draftOthers: grants?.draftFiles ?? null,
    note,
  };
  return await publishMembership(publication, context);
}

/** Tells the policy's space what is new: before the report, which remembers it. Only a sync does. */
async function notifySpace(
  record: RunRecord,
  { loaded, config, session }: Opened,
  context: Context,
): Promise<Notification> {
  const { notify: space, tokenWarningDays } = loaded.policy.report;
  const quiet = { told: undefined, notice: null };
  if (space === null || record.command !== "sync" || loaded.delegations === null) return quiet;
  let told: Told | null;
  try {
    ({ told } = await loaded.delegations.recall(config.reportTarget));
  } catch {
    // What was told before is not known, and the record says why.
    return quiet;
  }
  const { notify } = await import("./notify.ts");
  return await notify(
    record,
    { space, tokenWarningDays, told, target: config.reportTarget },
    session,
    context,
  );
}

interface Opened {
  readonly loaded: LoadedTask;
  readonly config: Config;
  readonly session: Session;
  readonly delegations: KeptDelegations | null;
}

/** Everything that can be wrong before Webex is looked at; whatever is, stops the run with nothing changed. */
async function open(task: MembershipTask, context: Context): Promise<Opened> {
  const loaded = await task.load();
  const found = context.settings.readConfig();
  const reportTarget = await proveDestinations(found.reportTarget, task.command !== "plan", context);
  const config = { ...found, reportTarget };
  const session = await openSession(config, context, await chooseFreshRun(task, context));
  const { policy, delegations: source } = loaded;
  if (source === null) return { loaded, config, session, delegations: null };
  // What has ended is revoked first: a room that cannot be read must not keep anybody's right alive.
  const { keepDelegations, readRowsAgain } = await import("./keep-delegations.ts");
  const { openBackends } = await import("./delegation-backend.ts");
  const mayWrite = task.command === "sync";
  const open = openBackends(session, context.runner.mask, mayWrite);
  const around = { config, session, policy, mayWrite, open };
  const recall = () => source.recall(reportTarget);
  const { beside, readAgain = () => readRowsAgain(context) } = source;
  const delegations = await keepDelegations({ ...source, recall, readAgain }, around, context);
  if (beside) {
    const present = await keepDelegations(
      { ...beside, recall },
      { ...around, policy: beside.policy },
      context,
    );
    beside.compare(delegations?.conclude() ?? null, present?.conclude() ?? null);
  }
  return { loaded, config, session, delegations };
}

/** What starts in the place of a run whose copy of the token is stale. */
async function chooseFreshRun({ approval }: MembershipTask, { actions, paths }: Context): Promise<FreshRun> {
  // Of several jobs of this run only the one of this organisation is wanted again.
  const inputs: Record<string, string> =
    paths.organisation === null ? {} : { organisation: paths.organisation };
  // No comment can be posted once more: Sync takes over what it approved.
  if (actions.eventName === "issue_comment" && approval !== null) {
    const { syncWorkflow } = await import("../report/words.ts");
    return { workflow: syncWorkflow, inputs: { ...inputs, approve: approval } };
  }
  return { workflow: null, inputs };
}

/** Webex no longer accepted the access token while changes were made: what was done is told, and the run has failed. */
function endInFailure(record: RunRecord, { message }: Error): RunRecord {
  const problem: Problem = { line: null, column: null, message: `the run was ended: ${message}` };
  return { ...record, status: "failed", problems: [...record.problems, problem] };
}

/** Where something went wrong and scopes are missing, they may be why: the list to tick spares a search. */
async function adviseScopes(record: RunRecord, scopes: readonly string[] | null): Promise<RunRecord> {
  const { findMissingScopes } = await import("../token/scopes.ts");
  const missing = scopes === null ? [] : findMissingScopes(["memberships"], scopes);
  const isInOrder = record.problems.length === 0 && record.totals.failed === 0;
  if (missing.length === 0 || isInOrder) return record;
  const notice = `The Webex login lacks ${missing.join(", ")}: tick them at developer.webex.com (My Apps, the integration), then npm run login.`;
  return { ...record, notices: [...record.notices, notice] };
}

function explainError(error: unknown, mappingsFile: string): readonly Problem[] {
  const explain = (message: string) => ({ line: null, column: null, message });
  if (!(error instanceof InputError)) return [explain(errorMessage(error))];
  return error.problems.map(({ file, character: _, ...problem }) => {
    // A record's lines are those of the mappings: any other fault says in its message where it is.
    return file === mappingsFile && problem.line !== null
      ? problem
      : explain(formatFileProblem({ file, ...problem }));
  });
}
