import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Case } from "./cases.ts";
import type { ContenderOrder } from "./contender.ts";
import type { SandboxOrder, SandboxReady, SandboxSeen } from "./sandbox-process.ts";
import type { Slice } from "./watched-service.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const loader = import.meta.resolve("tsx");
const peakMemory = new URL("peak-memory.mjs", import.meta.url).href;

/** A row of a table: what stands in each column. */
export type Row = Readonly<Record<string, string>>;

/** A case as it was measured, and how the service was used meanwhile. */
export interface Measured {
  readonly row: Row;
  readonly case: Case;
  /** Its requests, counted. */
  readonly count: Row;
  readonly slices: readonly Slice[];
}

type Log = (text: string) => void;

/** A run of something against a sandbox of its own. */
export interface Run {
  readonly ready: SandboxReady;
  readonly seen: SandboxSeen;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly total: number;
}

async function withSandbox<T>(
  order: SandboxOrder,
  work: (folder: string, sandbox: ChildProcess, ready: SandboxReady) => Promise<T>,
): Promise<T> {
  const sandbox = fork(
    fileURLToPath(new URL("sandbox-process.ts", import.meta.url)),
    [JSON.stringify(order)],
    {
      execArgv: ["--import", loader],
    },
  );
  const folder = await mkdtemp(join(tmpdir(), "rollcall-bench-"));
  try {
    return await work(folder, sandbox, await receive<SandboxReady>(sandbox));
  } finally {
    sandbox.kill();
    await rm(folder, { recursive: true });
  }
}

async function receive<T>(from: ChildProcess): Promise<T> {
  const [message] = await once(from, "message");
  return message;
}

async function look(sandbox: ChildProcess, ready: SandboxReady): Promise<Run> {
  sandbox.send("look");
  const seen = await receive<SandboxSeen>(sandbox);
  const total = Object.values(seen.requests).reduce((sum, one) => sum + one, 0) + seen.refused;
  return { ready, seen, total, seconds: (seen.lastAt - (seen.firstAt ?? seen.lastAt)) / 1000 };
}

interface Place {
  readonly folder: string;
  /** Another Node than this one. */
  readonly node?: string;
  /** The src/main.ts of another version. */
  readonly program?: string;
}

/** Runs a program to its end; a failure is thrown with what it said. */
async function run(args: readonly string[], env: Record<string, string>, place: Place): Promise<void> {
  const child = spawn(place.node ?? process.execPath, ["--import", loader, ...args], {
    cwd: place.folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${errors}`);
}

/** Prepares the files of a run of `sync`, whose drift no limit holds, and tells how to start it. */
async function prepareSync(place: Place, ready: SandboxReady) {
  const { folder, program = main } = place;
  const { WEBEX_REFRESH_TOKEN = "", ...environment } = ready.environment;
  await writeFile(join(folder, "rooms.csv"), ready.mappings);
  const limits = { removalsPerRoom: { share: 1 }, removalsPerRun: { share: 1 } };
  await writeFile(join(folder, "policy.json"), JSON.stringify({ limits }));
  await writeFile(join(folder, "token"), WEBEX_REFRESH_TOKEN);
  const env = { ...environment, WEBEX_TOKEN_FILE: "token", ROLLCALL_BENCH_PEAK: join(folder, "peak") };
  const args = [
    "--import",
    peakMemory,
    program,
    "sync",
    "--mappings",
    "rooms.csv",
    "--policy",
    "policy.json",
  ];
  return () => run(args, env, place);
}

async function runSync(
  order: SandboxOrder,
  { isSecondRun = false, program = main }: { readonly isSecondRun?: boolean; readonly program?: string } = {},
): Promise<Run & { readonly peakMiB: number }> {
  return await withSandbox(order, async (folder, sandbox, ready) => {
    const start = await prepareSync({ folder, program }, ready);
    await start();
    if (isSecondRun) {
      await look(sandbox, ready);
      await start();
    }
    const peakMiB = Number(await readFile(join(folder, "peak"), "utf8")) / 1024;
    return { ...(await look(sandbox, ready)), peakMiB };
  });
}

async function runContender(
  order: SandboxOrder,
  kind: ContenderOrder["kind"],
  sent: ContenderOrder["sent"],
): Promise<Run> {
  return await withSandbox(order, async (folder, sandbox, ready) => {
    const { environment, mappings } = ready;
    const file = join(folder, "order.json");
    const task: ContenderOrder = { kind, environment, mappings, sent };
    await writeFile(file, JSON.stringify(task));
    await run([fileURLToPath(new URL("contender.ts", import.meta.url)), file], {}, { folder });
    return await look(sandbox, ready);
  });
}

/** What a run should ask: what is needed at least, and what it asks besides because it looks before it believes. */
function countRequests(one: Case, { ready, seen }: Run) {
  const { rooms, membersPerRoom, groups = rooms, rows = rooms } = one.size;
  const pagesOf = (items: number, perPage: number) => Math.max(1, Math.ceil(items / perPage));
  const feeding = Math.min(groups, rows);
  // By id, and by a name that is known, a group comes with its members.
  const listings =
    (one.cells === "ids" ? rows : pagesOf(rooms, 1000)) +
    (one.cells === "ids" || one.isSecondRun ? 0 : pagesOf(groups, 100));
  const first = feeding * pagesOf(membersPerRoom, 500) + ready.pagesBefore;
  const changes = one.isSecondRun ? 0 : ready.additions + ready.removals;
  // The token and its owner.
  const least = 2 + listings + first + changes;
  const memberPages = pagesOf(membersPerRoom + 1, 1000);
  const secondLook = ready.removing * memberPages + ready.removingGroups * pagesOf(membersPerRoom, 500);
  const whoLeaves = ready.removals === 0 ? 0 : pagesOf(ready.leavers, 85);
  const purpose = one.isSecondRun ? 0 : whoLeaves + secondLook + ready.changing * memberPages;
  const asked = Object.values(seen.requests).reduce((sum, count) => sum + count, 0);
  return { least, purpose, asked, beyond: asked - least - purpose };
}

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`;
const number = (value: number) => value.toLocaleString("en");

/** Runs one case by the sample's algorithm; it takes long and does little, so others are measured meanwhile. */
export async function measureSample(one: Case): Promise<Run> {
  return await runContender({ ...one.size, service: one.service }, "sample", []);
}

/** Runs one case by Rollcall. */
export async function measureSpeed(one: Case, log: Log): Promise<Run> {
  log(one.name);
  const own = await runSync({ ...one.size, service: one.service });
  log(`${number(own.total)} requests, ${own.seconds.toFixed(1)} s, ${describeRatio(one, own)}`);
  return own;
}

/** Runs one case by an earlier version, given by its src/main.ts. */
export async function measureBefore(one: Case, program: string): Promise<Run> {
  return await runSync({ ...one.size, service: one.service }, { program });
}

/** Sends the requests of Rollcall's run by a pool of ten, against a fresh sandbox. */
export async function measurePool(one: Case, { seen }: Run): Promise<Run> {
  return await runContender({ ...one.size, service: one.service }, "pool", seen.sent);
}

function describeRatio(one: Case, own: Run): string {
  const ideal = one.ideal?.(own.total) ?? 0;
  return `${(own.seconds / ideal).toFixed(2)} (at most ${one.allowed})`;
}

interface Others {
  readonly pool: Run | null;
  readonly sample: Run | null;
  /** By an earlier version. */
  readonly before: Run | null;
}

/** Sets Rollcall's run of a case beside those of the contenders that it has. */
export function compareRuns(one: Case, own: Run, { pool, sample, before }: Others): Measured {
  const row = {
    case: one.title,
    requests: number(own.total),
    seconds: own.seconds.toFixed(1),
    "times the ideal": describeRatio(one, own),
    "answered 429": percent(own.seen.refused, own.total),
    ...(before && {
      before: `${before.seconds.toFixed(1)} s, ${percent(before.seen.refused, before.total)}`,
      "Rollcall is now": `${(before.seconds / own.seconds).toFixed(1)} times as fast`,
    }),
    "pool of 10": pool ? `${pool.seconds.toFixed(1)} s, ${percent(pool.seen.refused, pool.total)}` : "",
    "Rollcall is": pool ? `${(pool.seconds / own.seconds).toFixed(2)} times as fast` : "",
    "one by one": sample ? `${sample.seconds.toFixed(1)} s` : "",
    "Rollcall is then": sample ? `${(sample.seconds / own.seconds).toFixed(1)} times as fast` : "",
  };
  return { row, case: one, slices: own.seen.slices, count: countOf(one, own) };
}

/** Counts the requests of one case. */
export async function measureRequests(one: Case, log: Log): Promise<Row> {
  log(one.name);
  const { size, service, cells = "names", isSecondRun = false } = one;
  const run = await runSync({ ...size, service, cells }, { isSecondRun });
  const row = countOf(one, run);
  log(JSON.stringify({ ...row, ...run.seen.requests }));
  return row;
}

function countOf(one: Case, run: Run): Row {
  const { asked, least, purpose, beyond } = countRequests(one, run);
  return {
    case: one.title,
    requests: number(asked),
    "needed at least": number(least),
    "looks before it believes": number(purpose),
    "beyond (at most 5)": number(beyond),
  };
}

/** Runs one case by Rollcall alone. */
export async function measureGrowth(one: Case, log: Log): Promise<Row> {
  log(one.name);
  const own = await runSync({ ...one.size, service: one.service });
  const memberships = one.size.rooms * one.size.membersPerRoom;
  const row = {
    case: one.title,
    memberships: number(memberships),
    changes: number(own.ready.additions + own.ready.removals),
    requests: number(own.total),
    seconds: own.seconds.toFixed(1),
    "ms per request": ((own.seconds * 1000) / own.total).toFixed(2),
    "peak memory": `${own.peakMiB.toFixed(0)} MiB`,
  };
  log(JSON.stringify(row));
  return row;
}

/** The median of ten starts, from the start of the process to its first request, and of Node with the loader alone. */
export async function measureStart(node: string, log: Log): Promise<Row> {
  log(`start with ${node}`);
  const order = { rooms: 1, membersPerRoom: 10, drift: 0, service: {} };
  const [starts, bare] = await withSandbox(order, async (folder, sandbox, ready) => {
    const start = await prepareSync({ folder, node }, ready);
    // What the loader has compiled is kept: the first start of all does not count.
    await start();
    await look(sandbox, ready);
    const times: number[] = [];
    const bareTimes: number[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      const startedAt = Date.now();
      await start();
      const { seen } = await look(sandbox, ready);
      times.push((seen.firstAt ?? startedAt) - startedAt);
      const bareAt = Date.now();
      await run(["-e", "0"], {}, { folder, node });
      bareTimes.push(Date.now() - bareAt);
    }
    return [times, bareTimes];
  });
  const median = (times: readonly number[]) =>
    times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const row = {
    Node: execFileSync(node, ["--version"], { encoding: "utf8" }).trim(),
    "process start to first request": `${median(starts).toFixed(0)} ms`,
    "`node --import tsx -e 0`": `${median(bare).toFixed(0)} ms`,
    "Rollcall's own share (at most 120 ms)": `${(median(starts) - median(bare)).toFixed(0)} ms`,
  };
  log(JSON.stringify(row));
  return row;
}
