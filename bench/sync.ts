/**
 * Measures `sync` on synthetic organisations: requests against the least that would do, wall time, memory, and the
 * time from the start of the process to its first request. `npm run bench` prints what README.md states.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { maxConnections } from "../src/webex/client.ts";
import type { SandboxOrder, SandboxReady, SandboxSeen } from "./sandbox-process.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const loader = import.meta.resolve("tsx");
const peakMemory = new URL("peak-memory.mjs", import.meta.url).href;

interface Case extends SandboxOrder {
  readonly name: string;
  readonly runs: number;
}

const cases: readonly Case[] = [
  { name: "start", rooms: 1, membersPerRoom: 10, drift: 0, latencyMs: 0, runs: 10 },
  { name: "drift", rooms: 1_000, membersPerRoom: 100, drift: 0.05, latencyMs: 40, runs: 2 },
  { name: "million", rooms: 5_000, membersPerRoom: 200, people: 50_000, drift: 0.01, latencyMs: 0, runs: 1 },
];

const chosen = process.argv.slice(2);
console.log(`Node ${process.version}, ${cpus().length} cores, ${maxConnections} connections allowed`);
for (const one of cases) if (chosen.length === 0 || chosen.includes(one.name)) await measure(one);

async function measure({ name, runs, ...order }: Case): Promise<void> {
  const sandbox = fork(
    fileURLToPath(new URL("sandbox-process.ts", import.meta.url)),
    [JSON.stringify(order)],
    {
      execArgv: ["--import", loader],
    },
  );
  const folder = await mkdtemp(join(tmpdir(), "rollcall-bench-"));
  try {
    const ready = await receive<SandboxReady>(sandbox);
    await writeFile(join(folder, "rooms.csv"), ready.mappings);
    // The drift is wanted whole: a limit would hold a part of it.
    await writeFile(
      join(folder, "policy.json"),
      '{"limits":{"removalsPerRoom":{"share":1},"removalsPerRun":{"share":1}}}',
    );
    await writeFile(join(folder, "token"), ready.environment.WEBEX_REFRESH_TOKEN ?? "");
    console.log(
      `\n${name}: ${order.rooms} rooms of ${order.membersPerRoom} members, ${order.latencyMs} ms latency`,
    );
    console.log(`drift: ${ready.additions} additions, ${ready.removals} removals`);
    const starts: number[] = [];
    for (let run = 1; run <= runs; run += 1) {
      const seen = await runOnce(folder, sandbox, ready, order, run, name === "start");
      if (seen.startMs !== null) starts.push(seen.startMs);
    }
    const median = starts.sort((a, b) => a - b)[Math.floor(starts.length / 2)];
    console.log(`  process start to first request: median ${median} ms (${starts.join(", ")})`);
  } finally {
    sandbox.kill();
    await rm(folder, { recursive: true });
  }
}

async function runOnce(
  folder: string,
  sandbox: ChildProcess,
  ready: SandboxReady,
  order: SandboxOrder,
  run: number,
  isQuiet: boolean,
): Promise<{ readonly startMs: number | null }> {
  const peakFile = join(folder, "peak");
  const { WEBEX_REFRESH_TOKEN: _, ...environment } = ready.environment;
  const startedAt = Date.now();
  const child = spawn(
    process.execPath,
    [
      "--import",
      loader,
      "--import",
      peakMemory,
      main,
      "sync",
      "--mappings",
      "rooms.csv",
      "--policy",
      "policy.json",
    ],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        ...environment,
        WEBEX_TOKEN_FILE: "token",
        ROLLCALL_BENCH_PEAK: peakFile,
      },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [code] = await once(child, "close");
  const seconds = (Date.now() - startedAt) / 1000;
  sandbox.send("seen");
  const seen = await receive<SandboxSeen>(sandbox);
  const startMs = seen.firstAt === null ? null : Math.round(seen.firstAt - startedAt);
  if (code !== 0) console.log(`  run ${run} ended with ${code}: ${errors}`);
  if (isQuiet) return { startMs };

  const count = (route: string) => seen.requests[route] ?? 0;
  const changes = count("POST /memberships") + count("DELETE /memberships/{membershipId}");
  const isFirst = run === 1;
  const changedRooms = isFirst ? order.rooms : 0;
  const groups = order.groups ?? order.rooms;
  const least =
    Math.ceil(order.rooms / 1_000) +
    groups +
    order.rooms * Math.ceil((order.membersPerRoom + 1) / 1_000) +
    (isFirst ? ready.additions + ready.removals : 0) +
    changedRooms;
  const fixed = count("POST /access_token") + count("GET /people/me") + count("GET /groups");
  const total = Object.values(seen.requests).reduce((sum, one) => sum + one, 0);
  const ideal = (total * order.latencyMs) / maxConnections / 1000;
  const peak = Number(await readFile(peakFile, "utf8")) / 1024;
  console.log(
    `  run ${run}: ${total} requests, ${changes} of them changes; least ${least}, fixed ${fixed}, above ${total - least - fixed}`,
  );
  const ratio =
    ideal > 0
      ? `, ${(seconds / ideal).toFixed(2)} times ${ideal.toFixed(1)} s (requests x latency / connections)`
      : "";
  console.log(`    ${seconds.toFixed(1)} s${ratio}; peak memory ${peak.toFixed(0)} MiB`);
  return { startMs };
}

async function receive<T>(from: ChildProcess): Promise<T> {
  const [message] = await once(from, "message");
  return message;
}
