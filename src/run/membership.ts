import type { Context } from "../cli/context.ts";
import type { Config } from "../config/settings.ts";
import { formatFileProblem, type Problem } from "../lib/problem.ts";
import { errorMessage } from "../lib/text.ts";
import { buildFailedRecord, buildRecord, extendRecord, type RunFacts } from "../membership/build-record.ts";
import { defaultPolicy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import { findMissingScopes } from "../token/scopes.ts";
import { proveDestinations } from "./destinations.ts";
import { InputError } from "./inputs.ts";
import type { KeptDelegations } from "./keep-delegations.ts";
import type { LoadedTask, MembershipTask } from "./reconcile.ts";
import { openSession, runInSession, type Session } from "./session.ts";

/**
 * Runs one membership command: set up, rotate the token, decide, check the limits, apply unless it is only a plan,
 * and publish. Returns the record as it was published: what goes wrong is in it, not thrown.
 */
export async function runMembership(task: MembershipTask, context: Context): Promise<RunRecord> {
  const { command, undoes } = task;
  const note = task.note?.bind(task) ?? null;
  const { mappings: mappingsFile } = context.paths;
  const startedAt = context.now();
  const collect = (session: Session | undefined): Omit<RunFacts, "problems" | "notices"> => ({
    command,
    ...(undoes === undefined ? {} : { undoes }),
    startedAt,
    finishedAt: context.now(),
    token: session?.token ?? null,
  });
  const ending = await runInSession(
    () => open(task, context),
    async ({ loaded, session, delegations, config: { reportTarget } }) => {
      // Loaded only now: the requests for the token need nothing of it.
      const { reconcile } = await import("./reconcile.ts");
      const opened = { loaded, reportTarget, session, delegations };
      const { plan, outcomes, names, ...found } = await reconcile(task, opened, context);
      const made = buildRecord({ ...collect(session), ...found }, plan, outcomes);
      const record = session.lostAccess === null ? made : endInFailure(made, session.lostAccess);
      return { record, names };
    },
  );
  const { opened } = ending;
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
  const record = adviseScopes(extended, opened.session.scopes);
  const publication = {
    record,
    names: command === "sync" ? names : null,
    kept: grants?.kept ?? null,
    annotations: record.problems.map((problem) => ({ ...problem, file: mappingsFile })),
    policy: loaded.policy.report,
    reportTarget: command === "plan" ? null : config.reportTarget,
    rows: loaded.rows,
    scheduling: grants?.scheduling ?? null,
    draftOthers: grants?.draftFiles ?? null,
    note,
  };
  return await publishMembership(publication, context);
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
  const session = await openSession(config, context, { mayStartFreshRun: true });
  const { policy, delegations: source } = loaded;
  if (source === null) return { loaded, config, session, delegations: null };
  // What has ended is revoked first: a room that cannot be read must not keep anybody's right alive.
  const { keepDelegations } = await import("./keep-delegations.ts");
  const around = { config, session, policy, mayWrite: task.command === "sync" };
  const recall = () => source.recall(reportTarget);
  const delegations = await keepDelegations({ grants: source.grants, recall }, around, context);
  return { loaded, config, session, delegations };
}

/** Webex no longer accepted the access token while changes were made: what was done is told, and the run has failed. */
function endInFailure(record: RunRecord, { message }: Error): RunRecord {
  const problem: Problem = { line: null, column: null, message: `the run was ended: ${message}` };
  return { ...record, status: "failed", problems: [...record.problems, problem] };
}

/** Where something went wrong and scopes are missing, they may be why: the list to tick spares a search. */
function adviseScopes(record: RunRecord, scopes: readonly string[] | null): RunRecord {
  const missing = scopes === null ? [] : findMissingScopes(["memberships"], scopes);
  if (missing.length === 0 || record.problems.length + record.totals.failed === 0) return record;
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
