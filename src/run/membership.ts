import type { Context, Options } from "../cli/context.ts";
import { readActions } from "../config/actions.ts";
import { type Config, readConfig } from "../config/settings.ts";
import { createRunner, type Runner } from "../github/runner.ts";
import { formatFileProblem, type Problem } from "../lib/problem.ts";
import { errorMessage } from "../lib/text.ts";
import { buildFailedRecord, buildRecord, extendRecord, type RunFacts } from "../membership/build-record.ts";
import { defaultPolicy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import type { TokenRecord } from "../token/store.ts";
import { InputError, logReportsElsewhere, nameMappingsFile } from "./inputs.ts";
import type { Publication } from "./publish.ts";
import type { LoadedTask } from "./reconcile.ts";
import type { Revocation, RevocationContext } from "./revoke.ts";
import { openSession, type Session } from "./session.ts";

/** What tells one membership command from another; all else is the same for all of them. */
export interface MembershipTask {
  /** As what the run is recorded; a `plan` is given no writer. */
  readonly command: RunRecord["command"];
  /** Present where a run is undone: the file of its record. */
  readonly undoes?: string;
  /** Reads what people wrote; what it throws stops the run before Webex is asked anything. */
  load(): Promise<LoadedTask>;
}

/**
 * Runs one membership command: set up, rotate the token, decide, check the limits, apply unless it is only a plan,
 * and tell. Returns the record as it was told: what goes wrong is in it, not thrown.
 */
export async function runMembership(
  task: MembershipTask,
  options: Options,
  context: Context,
): Promise<RunRecord> {
  const { command, load: _, ...named } = task;
  const startedAt = context.now();
  const actions = readActions(context.env);
  const runner = await createRunner(actions);
  const finish = async (record: RunRecord, told: Omit<Publication, "record">) => {
    // Loaded when there is something to tell: until then every millisecond would delay the first request.
    const { publish } = await import("./publish.ts");
    return await publish({ record, ...told }, options, context, actions, runner);
  };
  const collect = (token: TokenRecord | null): Omit<RunFacts, "problems" | "notices"> => {
    return { command, ...named, startedAt, finishedAt: context.now(), token };
  };
  const mappingsFile = nameMappingsFile(options);
  const fail = (error: unknown, token: TokenRecord | null): RunRecord => {
    return buildFailedRecord({ ...collect(token), problems: explainError(error, mappingsFile), notices: [] });
  };

  const setUp = await setUpRun(task, options, context, runner).catch((error: unknown) => ({ error }));
  if ("error" in setUp) {
    const annotations = setUp.error instanceof InputError ? setUp.error.problems : [];
    const standard = { policy: defaultPolicy.report, reportTarget: null, draftOthers: null };
    return await finish(fail(setUp.error, null), { annotations, mappingsFile, ...standard });
  }
  const { loaded, config, session } = setUp;
  let record: RunRecord;
  const revocation = await revoke(command, setUp, { runner, actions, options, context });
  try {
    // Loaded only now: the requests for the token need nothing of it.
    const { reconcile } = await import("./reconcile.ts");
    const { plan, outcomes, ...said } = await reconcile(command, loaded, session, options, context);
    const made = buildRecord({ ...collect(session.token), ...said }, plan, outcomes);
    record = session.lostAccess === null ? made : endInFailure(made, session.lostAccess);
  } catch (error) {
    record = fail(error, session.token);
  } finally {
    await session.client.close();
  }
  if (revocation !== null) record = extendRecord(record, revocation);
  return await finish(record, {
    draftOthers: revocation?.draftFiles ?? null,
    annotations: record.problems.map((problem) => ({ ...problem, file: mappingsFile })),
    policy: loaded.policy.report,
    mappingsFile,
    reportTarget: command === "plan" ? null : config.reportTarget,
  });
}

interface SetUp {
  readonly loaded: LoadedTask;
  readonly config: Config;
  readonly session: Session;
}

/** Everything that can be wrong before Webex is looked at; whatever is, stops the run with nothing changed. */
async function setUpRun(
  task: MembershipTask,
  options: Options,
  context: Context,
  runner: Runner,
): Promise<SetUp> {
  const loaded = await task.load();
  const config = readConfig(context.env);
  config.secrets.forEach(runner.mask);
  if (task.command !== "plan") logReportsElsewhere(config.reportTarget, options, context.log);
  return { loaded, config, session: await openSession(config, runner, context, { mayStartFreshRun: true }) };
}

/** What has expired is revoked first: a room that cannot be read must not keep anybody's right alive. */
async function revoke(
  command: RunRecord["command"],
  { loaded, config, session }: SetUp,
  around: Pick<RevocationContext, "runner" | "actions" | "options" | "context">,
): Promise<Revocation | null> {
  if (loaded.grants.length === 0) return null;
  // Loaded only where some delegation ends: most runs have none.
  const { revokeExpired } = await import("./revoke.ts");
  const { tokenWarningDays } = loaded.policy.report;
  return await revokeExpired(loaded.grants, command === "sync", {
    ...around,
    config,
    session,
    tokenWarningDays,
  });
}

/** Webex took the access token no longer while changes were made: what was done is told, and the run has failed. */
function endInFailure(record: RunRecord, { message }: Error): RunRecord {
  const problem: Problem = { line: null, column: null, message: `the run was ended: ${message}` };
  return { ...record, status: "failed", problems: [...record.problems, problem] };
}

function explainError(error: unknown, mappingsFile: string): readonly Problem[] {
  const log = (message: string) => ({ line: null, column: null, message });
  if (!(error instanceof InputError)) return [log(errorMessage(error))];
  return error.problems.map(({ file, character: _, ...problem }) => {
    // A record's lines are those of the mappings: any other fault says in its message where it is.
    return file === mappingsFile && problem.line !== null
      ? problem
      : log(formatFileProblem({ file, ...problem }));
  });
}
