import { setTimeout as delay } from "node:timers/promises";
import { type Config, readConfig, readSurroundings } from "../config.ts";
import { createRunner, type Runner } from "../github/runner.ts";
import { applyPlan } from "../membership/apply.ts";
import { approve, checkLimits } from "../membership/limits.ts";
import { observe } from "../membership/observe.ts";
import { planChanges } from "../membership/plan.ts";
import { defaultPolicy } from "../membership/policy.ts";
import {
  buildFailedRecord,
  buildRecord,
  type Problem,
  type RunFacts,
  type RunRecord,
  type TokenRecord,
} from "../membership/record.ts";
import type { WebexClient } from "../webex/client.ts";
import { createWebexReader } from "../webex/reader.ts";
import { createWebexWriter } from "../webex/writer.ts";
import { type Context, type Options, textOption } from "./context.ts";
import type { Delivery } from "./deliver.ts";
import {
  formatFileProblem,
  InputError,
  type Inputs,
  nameMappingsFile,
  nameReportsDir,
  readInputs,
} from "./inputs.ts";
import { openSession, type Session } from "./session.ts";

/** How long Webex gets to show a change before the room is looked at a second time. */
const settleMs = 2_000;

const exitCodes = { converged: 0, changed: 0, failed: 1, held: 2, partial: 3 } as const;

type MembershipCommand = "plan" | "sync";

/** Makes the rooms' members what the mappings say, within limits, and reports. Returns the exit code. */
export function runSync(options: Options, context: Context): Promise<number> {
  return options["dry-run"] ? runPlan(options, context) : runMembership("sync", options, context);
}

/** Shows what `runSync` would do; it makes no writer, so it cannot change a membership. Returns the exit code. */
export async function runPlan(options: Options, context: Context): Promise<number> {
  // A plan succeeds when it could be made, whatever is in it.
  return (await runMembership("plan", options, context)) === exitCodes.failed ? exitCodes.failed : 0;
}

async function runMembership(
  command: MembershipCommand,
  options: Options,
  context: Context,
): Promise<number> {
  const startedAt = context.now();
  const surroundings = readSurroundings(context.env);
  const runner = await createRunner(surroundings);
  const finish = async (record: RunRecord, told: Omit<Delivery, "record">) => {
    // Loaded when there is something to tell: until then every millisecond would delay the first request.
    const { deliver } = await import("./deliver.ts");
    return exitCodes[(await deliver({ record, ...told }, options, context, surroundings, runner)).status];
  };
  const collect = (token: TokenRecord | null): Omit<RunFacts, "problems" | "notices"> => {
    return { command, startedAt, finishedAt: context.now(), token };
  };
  const mappingsFile = nameMappingsFile(options);
  const fail = (error: unknown, token: TokenRecord | null): RunRecord => {
    return buildFailedRecord({ ...collect(token), problems: explainError(error, mappingsFile), notices: [] });
  };

  const setUp = await setUpRun(options, context, runner).catch((error: unknown) => ({ error }));
  if ("error" in setUp) {
    const annotations = setUp.error instanceof InputError ? setUp.error.problems : [];
    const standard = { policy: defaultPolicy.report, reportPlace: null };
    return await finish(fail(setUp.error, null), { annotations, mappingsFile, ...standard });
  }
  const { inputs, config, session } = setUp;
  let record: RunRecord;
  try {
    const { plan, outcomes, ...said } = await reconcile(command, inputs, session.client, options, context);
    record = buildRecord({ ...collect(session.token), ...said }, plan, outcomes);
  } catch (error) {
    record = fail(error, session.token);
  } finally {
    await session.client.close();
  }
  return await finish(record, {
    annotations: record.problems.map((problem) => ({ ...problem, file: mappingsFile })),
    policy: inputs.policy.report,
    mappingsFile,
    reportPlace: command === "sync" ? config.reportPlace : null,
  });
}

interface SetUp {
  readonly inputs: Inputs;
  readonly config: Config;
  readonly session: Session;
}

/** Everything that can be wrong before Webex is looked at; whatever is, stops the run with nothing changed. */
async function setUpRun(options: Options, context: Context, runner: Runner): Promise<SetUp> {
  const inputs = await readInputs(options);
  const config = readConfig(context.env);
  config.secrets.forEach(runner.mask);
  const reportsDir = nameReportsDir(options);
  if (config.reportPlace.kind === "branch" && /^([/\\]|[A-Za-z]:|.*\.\.)/.test(reportsDir)) {
    throw new Error(
      `--reports ${reportsDir} must be a folder of the repository, because the report is committed there`,
    );
  }
  return { inputs, config, session: await openSession(config, runner.mask, context.stop) };
}

/** Reads, plans, checks the limits and, unless it is only a plan, applies. */
async function reconcile(
  command: MembershipCommand,
  { mappings, policy }: Inputs,
  client: WebexClient,
  options: Options,
  { stop, tell }: Context,
) {
  const reader = createWebexReader(client);
  const observation = await observe(reader, mappings, tell);
  if (stop.aborted) throw new Error("the run was stopped before it changed anything");
  const { rooms, problems } = planChanges(observation, policy);
  const checked = checkLimits(rooms, policy);
  const approval = textOption(options, "approve");
  const plan = approval === null ? checked : approve(checked, approval);
  const notices =
    approval === null || approval === checked.digest ? [] : [explainApproval(approval, checked.digest)];
  if (command === "plan") return { plan, outcomes: null, problems, notices };
  const writer = createWebexWriter(client);
  const outcomes = await applyPlan(plan, { reader, writer, stop, settle: () => delay(settleMs) });
  tell(`${client.requestCount()} requests to Webex`);
  return { plan, outcomes, problems, notices };
}

function explainApproval(approved: string, digest: string | null): string {
  return digest === null
    ? `nothing is held, so the approval of ${approved} had nothing to apply`
    : `the approval names ${approved}, but what is held now has the digest ${digest}; look at it again and approve that`;
}

function explainError(error: unknown, mappingsFile: string): readonly Problem[] {
  const tell = (message: string) => ({ line: null, column: null, message });
  if (!(error instanceof InputError)) return [tell(error instanceof Error ? error.message : String(error))];
  return error.problems.map(({ file, ...problem }) => {
    // A record's lines are those of the mappings: a fault of any other file says in its message where it is.
    return file === mappingsFile ? problem : tell(formatFileProblem({ file, ...problem }));
  });
}
