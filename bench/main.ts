/**
 * Measures `sync` on synthetic organisations and services. `npm run bench` runs everything and prints a table;
 * names of cases, or `speed`, `requests`, `growth`, `plan` and `start`, choose; `--alone` leaves out what people would use instead;
 * `--node=<path>` also measures the start with another Node; `--before=<path>` also runs the src/main.ts of an earlier
 * version; `--markdown` also writes docs/performance.md.
 */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createSemaphore } from "../src/lib/semaphore.ts";
import { type Case, growthCases, requestCases, speedCases } from "./cases.ts";
import {
  compareRuns,
  measureBefore,
  measureGrowth,
  measurePool,
  measureRequests,
  measureSample,
  measureSpeed,
  measureStart,
  type Run,
} from "./measure.ts";
import { describeMachine, renderPage, renderTable } from "./page.ts";
import { measurePlan } from "./plan.ts";

const page = new URL("../docs/performance.md", import.meta.url);
const named = (option: string) =>
  process.argv.filter((word) => word.startsWith(option)).map((word) => word.slice(option.length));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const nodes = [process.execPath, ...named("--node=")];
const [earlier = null] = named("--before=").map((path) => resolve(path));
const writesPage = process.argv.includes("--markdown");
const isAlone = process.argv.includes("--alone");
const isChosen = (section: string, name: string) =>
  words.length === 0 || ["all", section, name].some((word) => words.includes(word));

const log = (text: string) => console.error(text);
console.log(`${describeMachine()}\n`);
const start = [];
if (isChosen("start", "start")) for (const node of nodes) start.push(await measureStart(node, log));
if (start.length > 0) console.log(renderTable(start));
const chosen = speedCases
  .filter(({ name }) => isChosen("speed", name))
  .map((one) => (isAlone ? { ...one, contenders: [] } : one));
const has = (one: Case, contender: "pool" | "sample") => one.contenders?.includes(contender) ?? false;
// Whoever sends little takes long, and takes nothing away from the others: these run beside them.
const samples = new Map(
  chosen.filter((one) => has(one, "sample")).map((one) => [one.name, measureSample(one)]),
);
let slowPools: Promise<unknown> = Promise.resolve();
const contests: { readonly one: Case; readonly own: Run; readonly pool: Promise<Run> | null }[] = [];
for (const one of chosen) {
  const own = await measureSpeed(one, log);
  const runPool = () => measurePool(one, own);
  const pool = !has(one, "pool") ? null : one.isSlow ? slowPools.then(runPool) : runPool();
  if (one.isSlow) slowPools = Promise.resolve(pool);
  else await pool;
  contests.push({ one, own, pool });
}
const counted = [];
for (const one of requestCases)
  if (isChosen("requests", one.name)) counted.push(await measureRequests(one, log));
const growth = [];
for (const one of growthCases) if (isChosen("growth", one.name)) growth.push(await measureGrowth(one, log));
const plan = isChosen("plan", "plan") ? measurePlan(5000, 200) : null;
const others = await Promise.all(
  contests.map(async ({ one, pool }) => ({
    pool: await pool,
    sample: (await samples.get(one.name)) ?? null,
  })),
);
// An earlier version sends little at once, so a few of its runs go side by side; those that take longest come first.
const few = createSemaphore(3);
const measureEarlier = (one: Case) => (earlier === null ? null : few.run(() => measureBefore(one, earlier)));
const befores = await Promise.all(contests.toReversed().map(({ one }) => measureEarlier(one)));
const speed = contests.map(({ one, own }, index) =>
  compareRuns(one, own, {
    pool: null,
    sample: null,
    ...others[index],
    before: befores.at(-1 - index) ?? null,
  }),
);
const requests = [...speed.map(({ count }) => count), ...counted];
for (const rows of [speed.map(({ row }) => row), requests, growth, plan ? [plan] : []])
  if (rows.length > 0) console.log(`\n${renderTable(rows)}`);
if (writesPage) await writeFile(page, renderPage({ start, speed, requests, growth, plan }));
