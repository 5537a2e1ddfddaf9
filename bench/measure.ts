import { type ChildProcess, fork, spawn } from "node:child_process";
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

/** Runs a program to its end; a failure is thrown with what it said. */
async function run(args: readonly string[], env: Record<string, string>, cwd: string): Promise<void> {
  const child = spawn(process.execPath, ["--import", loader, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${errors}`);
}

/** Prepares the files of a run of `sync`, whose drift no limit holds, and tells how to start it. */
async function prepareSync(folder: string, ready: SandboxReady) {
  const { WEBEX_REFRESH_TOKEN = "", ...environment } = ready.environment;
  await writeFile(join(folder, "rooms.csv"), ready.mappings);
  const limits = { removalsPerRoom: { share: 1 }, removalsPerRun: { share: 1 } };
  await writeFile(join(folder, "policy.json"), JSON.stringify({ limits }));
  await writeFile(join(folder, "token"), WEBEX_REFRESH_TOKEN);
  const env = { ...environment, WEBEX_TOKEN_FILE: "token", ROLLCALL_BENCH_PEAK: join(folder, "peak") };
  const args = ["--import", peakMemory, main, "sync", "--mappings", "rooms.csv", "--policy", "policy.json"];
  return () => run(args, env, folder);
}

async function runSync(order: SandboxOrder): Promise<Run & { readonly peakMiB: number }> {
  return await withSandbox(order, async (folder, sandbox, ready) => {
    const start = await prepareSync(folder, ready);
    await start();
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
    await run([fileURLToPath(new URL("contender.ts", import.meta.url)), file], {}, folder);
    return await look(sandbox, ready);
  });
}

/** The least requests that would do: a listing per room and group, page by page, and each change. */
function countLeast({ rooms, membersPerRoom, groups = rooms }: Case["size"], { ready, seen }: Run): number {
  const pagesOf = (items: number, perPage: number) => Math.max(1, Math.ceil(items / perPage));
  const fixed = ["POST /access_token", "GET /people/me", "GET /groups", "GET /rooms"];
  return (
    fixed.reduce((sum, route) => sum + (seen.requests[route] ?? 0), 0) +
    groups * pagesOf(membersPerRoom, 500) +
    rooms * pagesOf(membersPerRoom + 1, 1000) +
    ready.additions +
    ready.removals
  );
}

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`;
const number = (value: number) => value.toLocaleString("en");

/** Runs one case by the sample's algorithm; it takes long and does little, so others may be measured meanwhile. */
export async function measureSample(one: Case): Promise<Run> {
  return await runContender({ ...one.size, service: one.service }, "sample", []);
}

/** Runs one case by Rollcall and by a pool of ten, each against a fresh sandbox, and sets them beside the sample's run. */
export async function measureSpeed(one: Case, sampleRun: Promise<Run> | null, log: Log): Promise<Measured> {
  const order = { ...one.size, service: one.service };
  log(one.name);
  const own = await runSync(order);
  const ideal = one.ideal?.(own.total) ?? 0;
  const ratio = own.seconds / ideal;
  const pool = one.contenders?.includes("pool") ? await runContender(order, "pool", own.seen.sent) : null;
  const sample = await sampleRun;
  const row = {
    case: one.title,
    requests: number(own.total),
    seconds: own.seconds.toFixed(1),
    "times the ideal": `${ratio.toFixed(2)} (at most ${one.allowed})`,
    "answered 429": percent(own.seen.refused, own.total),
    "pool of 10": pool ? `${pool.seconds.toFixed(1)} s, ${percent(pool.seen.refused, pool.total)}` : "",
    "Rollcall is": pool ? `${(pool.seconds / own.seconds).toFixed(2)} times as fast` : "",
    "one by one": sample ? `${sample.seconds.toFixed(1)} s` : "",
    "Rollcall is then": sample ? `${(sample.seconds / own.seconds).toFixed(1)} times as fast` : "",
  };
  log(JSON.stringify(row));
  return { row, case: one, slices: own.seen.slices };
}

/** Runs one case by Rollcall alone. */
export async function measureGrowth(one: Case, log: Log): Promise<Row> {
  log(one.name);
  const own = await runSync({ ...one.size, service: one.service });
  const memberships = one.size.rooms * one.size.membersPerRoom;
  const least = countLeast(one.size, own);
  const row = {
    case: one.title,
    memberships: number(memberships),
    changes: number(own.ready.additions + own.ready.removals),
    requests: number(own.total),
    "the least that would do": number(least),
    seconds: own.seconds.toFixed(1),
    "ms per request": ((own.seconds * 1000) / own.total).toFixed(2),
    "peak memory": `${own.peakMiB.toFixed(0)} MiB`,
  };
  log(JSON.stringify(row));
  return row;
}

/** The median of ten starts, from the start of the process to its first request, and of Node with the loader alone. */
export async function measureStart(log: Log): Promise<Row> {
  log("start");
  const order = { rooms: 1, membersPerRoom: 10, drift: 0, service: {} };
  const [starts, bare] = await withSandbox(order, async (folder, sandbox, ready) => {
    const start = await prepareSync(folder, ready);
    const times: number[] = [];
    const bareTimes: number[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      const startedAt = Date.now();
      await start();
      const { seen } = await look(sandbox, ready);
      times.push((seen.firstAt ?? startedAt) - startedAt);
      const bareAt = Date.now();
      await run(["-e", "0"], {}, folder);
      bareTimes.push(Date.now() - bareAt);
    }
    return [times, bareTimes];
  });
  const median = (times: readonly number[]) =>
    times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  return {
    "process start to first request": `${median(starts).toFixed(0)} ms`,
    "`node --import tsx -e 0`": `${median(bare).toFixed(0)} ms`,
    "Rollcall's own share": `${(median(starts) - median(bare)).toFixed(0)} ms`,
  };
}
