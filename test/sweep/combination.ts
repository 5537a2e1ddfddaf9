import { type Fault, falseAnswers } from "../../sandbox/faults.ts";
import type { SandboxState } from "../../sandbox/server.ts";
import { nameOf } from "../support/organisation.ts";
import { assertNoSecret } from "../support/secrets.ts";
import { type SweptName, sweptCommands } from "./commands.ts";
import { type AnyRecord, type End, listWrites, type Run, runCommand } from "./run.ts";
import { environment, listRights, listTold, type Story, startStory, type TokenMode } from "./story.ts";

const signals = ["SIGTERM", "SIGKILL"] as const;

/** Everything that may happen to a request: an answer that is false or missing, or a signal while it is under way. */
export const mishapNames = [...Object.keys(falseAnswers), ...signals];

/** What a run does to which nothing happens. */
export interface Ideal {
  readonly writes: ReadonlySet<string>;
  /** Who is where before the run, and what it leaves. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Each request by its route, and which one of that route it is, in order. */
  readonly requests: readonly Target[];
}

/** One request of a run: the n-th of its route. */
export interface Target {
  readonly route: string;
  readonly nth: number;
}

/** One request that meets one mishap. */
export interface Combination {
  readonly command: SweptName;
  readonly mode: TokenMode;
  readonly number: number;
  readonly target: Target;
  readonly mishap: string;
}

/** How a run ended that met a mishap. */
export type Outcome = "same result" | "partial" | "failed unchanged" | "failed changed" | "killed";

/** What became of the token. */
export type TokenFate = "stored" | "recovered by hand" | "cannot be survived" | "lost";

export interface Verdict {
  readonly combination: Combination;
  readonly outcome: Outcome;
  readonly token: TokenFate;
  /** Where the record of a run that changed something is; a killed process has none to give. */
  readonly record: "on the branch" | "with the run" | "lost" | "nothing changed" | "killed";
  readonly wrongChanges: readonly string[];
  /** Everything else that breaks a promise, in words. */
  readonly broken: readonly string[];
}

/** Runs the command without a mishap. @throws when that already breaks a promise. */
export async function runIdeal(command: SweptName, mode: TokenMode): Promise<Ideal> {
  const story = await startStory(mode);
  const { sandbox } = story;
  const args = await sweptCommands[command].prepare(story);
  const before = listRights(sandbox);
  const run = await runCommand(story, args);
  const { code, added, removed, requests } = run;
  const isStored = readStored(sandbox) === sandbox.currentRefreshToken;
  if (code !== sweptCommands[command].code || !isStored || run.committed === null)
    throw new Error(`${command} fails by itself (${code}): ${run.log}`);
  const counts = new Map<string, number>();
  const targets = requests.map(({ route }) => {
    const nth = (counts.get(route) ?? 0) + 1;
    counts.set(route, nth);
    return { route, nth };
  });
  const writes = new Set(listWrites(run));
  return { added, removed, writes, before, after: listRights(sandbox), requests: targets };
}

/** Runs the real command with this mishap, judges what it left behind, then goes on without one. */
export async function tryCombination(combination: Combination, ideal: Ideal): Promise<Verdict> {
  const { mode, target, mishap, command } = combination;
  const story = await startStory(mode);
  const { sandbox } = story;
  const args = await sweptCommands[command].prepare(story);
  const firstToken = sandbox.currentRefreshToken;
  let seen = 0;
  const match = () => {
    seen += 1;
    return true;
  };
  const when = { route: target.route, after: target.nth - 1, match };
  const answers: Readonly<Record<string, Fault>> = falseAnswers;
  const signal = signals.find((name) => name === mishap);
  let end: End = () => undefined;
  const changeBefore = () => signal && end(signal);
  sandbox.fault(signal ? { ...when, changeBefore } : { ...answers[mishap], ...when });
  const run = await runCommand(story, args, (given) => {
    end = given;
  });
  const isKilled = mishap === "SIGKILL";
  const broken = [
    ...(isKilled ? [] : judgeTelling(run, ideal, combination, sandbox)),
    ...findLeaks(story, run),
  ];
  broken.push(...run.strays.map((stray) => `a request left for elsewhere: ${stray}`));
  if (seen < target.nth) broken.push("the request was never made");
  const token = await findToken(run, story, target.route === "POST /access_token" && mode === "rotates");
  if (token === "cannot be survived") {
    if (!isKilled && !/log in again/i.test(run.log)) broken.push("nothing says that a login is needed");
    if (sandbox.currentRefreshToken === firstToken) broken.push("Webex has not even rotated the token");
    // What `login` does.
    sandbox.github.scope(environment).store("WEBEX_REFRESH_TOKEN", sandbox.currentRefreshToken);
  }
  const outcome = isKilled ? "killed" : nameOutcome(run, ideal, combination);
  const verdict = { combination, outcome, token, record: isKilled ? "killed" : findRecord(run) } as const;
  const wrongChanges = [...listWrites(run).filter((write) => !ideal.writes.has(write))];
  wrongChanges.push(...listUnwanted(run, ideal));
  if (outcome === "same result" || token === "lost") return { ...verdict, wrongChanges, broken };
  const next = await sweptCommands[command].goOn(story, args);
  const rights = listRights(sandbox);
  if (String(rights) !== String(ideal.after)) {
    const differing = [
      ...rights.filter((one) => !ideal.after.includes(one)).map((one) => `+ ${one}`),
      ...ideal.after.filter((one) => !rights.includes(one)).map((one) => `- ${one}`),
    ];
    broken.push(`the next run does not converge (${next.code}): ${differing.join(", ")}`);
  } else if (next.code !== sweptCommands[command].code) broken.push(`the next run ends with ${next.code}`);
  if (readStored(sandbox) !== sandbox.currentRefreshToken) broken.push("the next run loses the token");
  return { ...verdict, wrongChanges, broken };
}

function readStored(sandbox: SandboxState): string | undefined {
  return sandbox.github.secret("WEBEX_REFRESH_TOKEN", environment);
}

function nameOutcome(
  { code, added, removed, committed }: Run,
  ideal: Ideal,
  { command }: Combination,
): Outcome {
  const isWhole = added.length === ideal.added.length && removed.length === ideal.removed.length;
  if (code === sweptCommands[command].code && isWhole && committed !== null) return "same result";
  if (code !== 1) return "partial";
  return added.length + removed.length === 0 ? "failed unchanged" : "failed changed";
}

/** What nobody wanted: not even a run to which nothing happens makes these changes. */
function listUnwanted({ added, removed }: Run, ideal: Ideal): string[] {
  return [
    ...added.filter((one) => !ideal.added.includes(one)).map((one) => `added to ${one}`),
    ...removed.filter((one) => !ideal.removed.includes(one)).map((one) => `removed from ${one}`),
  ];
}

/** Whether all that happened is told, and nothing else. */
function judgeTelling(
  run: Run,
  ideal: Ideal,
  { command, mishap }: Combination,
  sandbox: SandboxState,
): string[] {
  const { code, record, committed } = run;
  const { code: idealCode } = sweptCommands[command];
  if (code === null) return ["it did not end by itself"];
  if (record === null) return ["--json holds no record"];
  const told = (kind: "added" | "removed", of: AnyRecord) => listTold(sandbox, of, kind);
  const broken: string[] = [];
  for (const kind of ["added", "removed"] as const) {
    const [really, says] = [[...run[kind]], told(kind, record)];
    const untold = really.filter((one) => !says.includes(one) && !isLeftOpen(one, record));
    const untrue = says.filter((one) => !really.includes(one) && !isDoubted(one, record));
    if (untold.length > 0) broken.push(`${kind}, but not told: ${untold}`);
    if (untrue.length > 0) broken.push(`told as ${kind}, but not so: ${untrue}`);
    if (committed !== null && String(told(kind, committed)) !== String(says))
      broken.push(`the record on the branch differs in what was ${kind}`);
  }
  const isWhole = run.added.length === ideal.added.length && run.removed.length === ideal.removed.length;
  if (code === idealCode) {
    if (!isWhole) broken.push(`exit ${code}, although changes are missing`);
    if (committed === null) broken.push(`exit ${code}, although the record is not on the branch`);
  } else if (code !== 1 && code !== 3) broken.push(`exit ${code}`);
  else if (countFaults(record) === 0) broken.push("no word about what went wrong");
  if (!run.summary.includes("\n")) broken.push("the summary is empty");
  if (mishap === "SIGTERM" && code === idealCode && !isWhole)
    broken.push("a run that was stopped says that all is well");
  return broken;
}

function countFaults(record: AnyRecord): number {
  if ("totals" in record) return record.problems.length + record.totals.failed;
  return (record.problems?.length ?? 0) + record.hosts.filter(({ error }) => error !== undefined).length;
}

/** Nobody could look after a change that got no answer: the record says that its outcome is not known. */
function isLeftOpen(change: string, record: AnyRecord): boolean {
  const [, key = ""] = change.split(": ");
  const rooms = "rooms" in record ? record.rooms : [];
  return rooms.some(({ failed }) =>
    failed.some(
      ({ error, displayName }) => /it is not known whether/.test(error) && displayName === nameOf(key),
    ),
  );
}

/** Webex accepted the change and did not make it: the record counts it, and says that it does not show. */
function isDoubted(change: string, record: AnyRecord): boolean {
  const [, key = ""] = change.split(": ");
  const name = nameOf(key);
  const problems =
    "totals" in record ? record.problems.map(({ message }) => message) : (record.problems ?? []);
  return problems.some(
    (message) => /^Webex accepted .* (does not show|still shows) /.test(message) && message.includes(name),
  );
}

function findRecord({ added, removed, record, committed, summary }: Run): Verdict["record"] {
  if (added.length + removed.length === 0) return "nothing changed";
  if (committed !== null) return "on the branch";
  return record !== null && summary !== "" ? "with the run" : "lost";
}

/** Follows the advice for a token that could not be stored: sends the sealed value that the run has printed. */
async function findToken(
  { log, summary }: Run,
  { sandbox, receive }: Story,
  mayBeUnanswered: boolean,
): Promise<TokenFate> {
  if (readStored(sandbox) === sandbox.currentRefreshToken) return "stored";
  const command = /-X PUT (\S+) -f encrypted_value='([^']+)' -f key_id='([^']+)'/;
  const found = command.exec(log) ?? command.exec(summary);
  if (found === null) return mayBeUnanswered ? "cannot be survived" : "lost";
  const [, path, encrypted_value, key_id] = found;
  await receive({
    method: "PUT",
    origin: sandbox.url,
    target: `/api/v3${path}`,
    headers: {
      host: new URL(sandbox.url).host,
      authorization: `Bearer ${sandbox.github.secretsToken}`,
      "content-type": "application/json",
    },
    readBody: async () => JSON.stringify({ encrypted_value, key_id }),
  });
  return readStored(sandbox) === sandbox.currentRefreshToken ? "recovered by hand" : "lost";
}

function findLeaks({ sandbox, disk }: Story, { log }: Run): string[] {
  const commits = sandbox.github.commits.flatMap(({ oid, message, files }) => [
    [oid, message] as const,
    ...[...files].map(([path, text]) => [`${oid}:${path}`, text] as const),
  ]);
  const written = disk.list("").map((path) => [path, disk.get(path) ?? ""] as const);
  try {
    assertNoSecret(new Map([["log", log], ...commits, ...written]), sandbox.secrets());
    return [];
  } catch (error) {
    return [`a secret was told: ${error}`];
  }
}
