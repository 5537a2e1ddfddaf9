import type { Fault } from "../../sandbox/faults.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { nameOf } from "../support/organisation.ts";
import { assertNoSecret, readTexts, withoutMasks } from "../support/secrets.ts";
import { listWrites, type Run, runSync } from "./run.ts";
import { createNames, environment, listMembers, type Story, startStory, type TokenMode } from "./story.ts";

/** What a run does to which nothing happens. */
export interface Ideal {
  readonly code: number | null;
  readonly writes: ReadonlySet<string>;
  readonly members: readonly string[];
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

/** One request that meets one fault. */
export interface Combination {
  readonly mode: TokenMode;
  readonly number: number;
  readonly target: Target;
  readonly faultName: string;
  readonly fault: Fault;
}

/** How a run ended that met a fault. */
export type Outcome = "same result" | "partial" | "failed unchanged" | "failed changed";

/** What became of the token. */
export type TokenFate = "stored" | "recovered by hand" | "cannot be survived" | "lost";

export interface Verdict {
  readonly combination: Combination;
  readonly outcome: Outcome;
  readonly token: TokenFate;
  /** Where the record of a run that changed something is. */
  readonly record: "on the branch" | "with the run" | "lost" | "nothing changed";
  readonly wrongChanges: readonly string[];
  /** Everything else that breaks a promise, in words. */
  readonly broken: readonly string[];
}

/** Runs the story without a fault. @throws when that already breaks a promise. */
export async function runIdeal(mode: TokenMode, main: string): Promise<Ideal> {
  await using story = await startStory(mode);
  const run = await runSync(story, main);
  const { code, added, removed, requests } = run;
  const isStored = readStored(story.sandbox) === story.sandbox.currentRefreshToken;
  if (code !== 2 || !isStored || run.committed === null)
    throw new Error(`the run itself fails: ${run.stderr}`);
  const counts = new Map<string, number>();
  const targets = requests.map(({ route }) => {
    const nth = (counts.get(route) ?? 0) + 1;
    counts.set(route, nth);
    return { route, nth };
  });
  const writes = new Set(listWrites(run));
  return { code, added, removed, writes, members: listMembers(story.sandbox), requests: targets };
}

/** Runs the real command with this fault, judges what it left behind, then runs it once more without a fault. */
export async function tryCombination(combination: Combination, ideal: Ideal, main: string): Promise<Verdict> {
  const { mode, target, fault } = combination;
  await using story = await startStory(mode);
  const { sandbox } = story;
  const firstToken = sandbox.currentRefreshToken;
  let seen = 0;
  const match = () => {
    seen += 1;
    return true;
  };
  sandbox.fault({ ...fault, route: target.route, after: target.nth - 1, match });
  const run = await runSync(story, main);
  const broken = [...judgeTelling(run, ideal, sandbox), ...(await findLeaks(story, run))];
  if (seen < target.nth) broken.push("the request was never made");
  const token = await findToken(run, story, target.route === "POST /access_token" && mode === "rotates");
  if (token === "cannot be survived") {
    if (!/log in again/i.test(run.stderr)) broken.push("nothing says that a login is needed");
    if (sandbox.currentRefreshToken === firstToken) broken.push("Webex has not even rotated the token");
    // What `login` does.
    sandbox.github.scope(environment).store("WEBEX_REFRESH_TOKEN", sandbox.currentRefreshToken);
  }
  const outcome = nameOutcome(run, ideal);
  const verdict = { combination, outcome, token, record: findRecord(run) };
  const wrongChanges = [...listWrites(run).filter((write) => !ideal.writes.has(write))];
  wrongChanges.push(...listUnwanted(run, ideal));
  if (outcome === "same result" || token === "lost") return { ...verdict, wrongChanges, broken };
  const next = await runSync(story, main);
  wrongChanges.push(...listUnwanted(next, ideal));
  const isThere = String(listMembers(sandbox)) === String(ideal.members);
  if (next.code !== ideal.code || !isThere) broken.push(`the next run does not converge (${next.code})`);
  if (readStored(sandbox) !== sandbox.currentRefreshToken) broken.push("the next run loses the token");
  return { ...verdict, wrongChanges, broken };
}

function readStored(sandbox: Sandbox): string | undefined {
  return sandbox.github.secret("WEBEX_REFRESH_TOKEN", environment);
}

function nameOutcome({ code, added, removed, committed }: Run, ideal: Ideal): Outcome {
  const isWhole = added.length === ideal.added.length && removed.length === ideal.removed.length;
  if (code === ideal.code && isWhole && committed !== null) return "same result";
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
function judgeTelling({ code, record, committed, ...run }: Run, ideal: Ideal, sandbox: Sandbox): string[] {
  if (code === null) return ["it did not end by itself"];
  if (record === null) return ["--json holds no record"];
  const nameChange = createNames(sandbox);
  const told = (kind: "added" | "removed", { rooms }: RunRecord) =>
    rooms.flatMap((room) => room[kind].map(({ personId }) => nameChange(room.roomId, personId)));
  const broken: string[] = [];
  for (const kind of ["added", "removed"] as const) {
    const [really, says] = [[...run[kind]], told(kind, record)];
    const untold = really.filter((one) => !says.includes(one));
    const untrue = says.filter((one) => !really.includes(one) && !isDoubted(one, record));
    if (untold.length > 0) broken.push(`${kind}, but not told: ${untold}`);
    if (untrue.length > 0) broken.push(`told as ${kind}, but not so: ${untrue}`);
    if (committed !== null && String(told(kind, committed)) !== String(says))
      broken.push(`the record on the branch differs in what was ${kind}`);
  }
  const isWhole = run.added.length === ideal.added.length && run.removed.length === ideal.removed.length;
  if (code === ideal.code) {
    if (!isWhole) broken.push(`exit ${code}, although changes are missing`);
    if (committed === null) broken.push(`exit ${code}, although the record is not on the branch`);
  } else if (code !== 1 && code !== 3) broken.push(`exit ${code}`);
  else if (record.problems.length + record.totals.failed === 0) broken.push("no word about what went wrong");
  if (!run.summary.includes("\n")) broken.push("the summary is empty");
  return broken;
}

/** Webex accepted the change and did not make it: the record counts it, and says that it does not show. */
function isDoubted(change: string, { problems }: RunRecord): boolean {
  const [, key = ""] = change.split(": ");
  const name = nameOf(key);
  return problems.some(
    ({ message }) =>
      /^Webex accepted .* (does not show|still shows) /.test(message) && message.includes(name),
  );
}

function findRecord({ added, removed, record, committed, summary }: Run): Verdict["record"] {
  if (added.length + removed.length === 0) return "nothing changed";
  if (committed !== null) return "on the branch";
  return record !== null && summary !== "" ? "with the run" : "lost";
}

/** Follows the advice for a token that could not be stored: sends the sealed value that the run has printed. */
async function findToken(
  { stderr, summary }: Run,
  { sandbox }: Story,
  mayBeUnanswered: boolean,
): Promise<TokenFate> {
  if (readStored(sandbox) === sandbox.currentRefreshToken) return "stored";
  const command = /-X PUT (\S+) -f encrypted_value='([^']+)' -f key_id='([^']+)'/;
  const found = command.exec(stderr) ?? command.exec(summary);
  if (found === null) return mayBeUnanswered ? "cannot be survived" : "lost";
  const [, path, encrypted_value, key_id] = found;
  await fetch(`${sandbox.url}/api/v3${path}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${sandbox.github.secretsToken}`, "content-type": "application/json" },
    body: JSON.stringify({ encrypted_value, key_id }),
  });
  return readStored(sandbox) === sandbox.currentRefreshToken ? "recovered by hand" : "lost";
}

async function findLeaks({ sandbox, folder }: Story, { stdout, stderr }: Run): Promise<string[]> {
  const commits = sandbox.github.commits.flatMap(({ oid, message, files }) => [
    [oid, message] as const,
    ...[...files].map(([path, text]) => [`${oid}:${path}`, text] as const),
  ]);
  const logs = [
    ["stdout", withoutMasks(stdout)],
    ["stderr", stderr],
  ] as const;
  const texts = new Map([...logs, ...commits, ...(await readTexts(folder.path, {}))]);
  try {
    assertNoSecret(texts, sandbox.secrets());
    return [];
  } catch (error) {
    return [`a secret was told: ${error}`];
  }
}
