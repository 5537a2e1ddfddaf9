import type { Context, Options } from "../cli/context.ts";
import { readSurroundings } from "../config/actions.ts";
import { type Config, readConfig } from "../config/settings.ts";
import type { ListedGrant } from "../delegation/expiring.ts";
import { createRunner, type Runner } from "../github/runner.ts";
import { buildFailedRecord, buildRecord, extendRecord, type RunFacts } from "../membership/build-record.ts";
import type { MembershipReader } from "../membership/directory.ts";
import { defaultPolicy, type Policy } from "../membership/policy.ts";
import type { Problem, RunRecord, TokenRecord } from "../membership/record.ts";
import { messageOf } from "../message-of.ts";
import { formatFileProblem, InputError, nameMappingsFile, tellOfReportsElsewhere } from "./inputs.ts";
import type { Delivery } from "./publish.ts";
import type { Decision } from "./reconcile.ts";
import type { Revocation, RevocationSurroundings } from "./revoke.ts";
import { openSession, type Session } from "./session.ts";

/** What a command has read before Webex is asked anything, and how it decides. */
export interface LoadedTask {
  readonly policy: Policy;
  /** The delegations that end: only `sync` looks after them. */
  readonly grants: readonly ListedGrant[];
  decide(reader: MembershipReader): Promise<Decision>;
}

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
  const surroundings = readSurroundings(context.env);
  const runner = await createRunner(surroundings);
  const finish = async (record: RunRecord, told: Omit<Delivery, "record">) => {
    // Loaded when there is something to tell: until then every millisecond would delay the first request.
    const { deliver } = await import("./publish.ts");
    return await deliver({ record, ...told }, options, context, surroundings, runner);
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
    const standard = { policy: defaultPolicy.report, reportPlace: null, draftOthers: null };
    return await finish(fail(setUp.error, null), { annotations, mappingsFile, ...standard });
  }
  const { loaded, config, session } = setUp;
  let record: RunRecord;
  const revocation = await revoke(command, setUp, { runner, surroundings, options, context });
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
    reportPlace: command === "plan" ? null : config.reportPlace,
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
  if (task.command !== "plan") tellOfReportsElsewhere(config.reportPlace, options, context.tell);
  return { loaded, config, session: await openSession(config, runner, context, { mayStartFreshRun: true }) };
}

/** What has expired is revoked first: a room that cannot be read must not keep anybody's right alive. */
async function revoke(
  command: RunRecord["command"],
  { loaded, config, session }: SetUp,
  around: Pick<RevocationSurroundings, "runner" | "surroundings" | "options" | "context">,
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
  const tell = (message: string) => ({ line: null, column: null, message });
  if (!(error instanceof InputError)) return [tell(messageOf(error))];
  return error.problems.map(({ file, ...problem }) => {
    // A record's lines are those of the mappings: a fault of any other file says in its message where it is.
    return file === mappingsFile ? problem : tell(formatFileProblem({ file, ...problem }));
  });
}
