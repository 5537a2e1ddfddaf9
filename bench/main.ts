/**
 * Measures `sync` on synthetic organisations and services. `npm run bench` runs everything and prints a table;
 * names of cases, or `speed`, `requests`, `growth`, `plan` and `start`, choose; `--alone` leaves out what people would use instead;
 * `--node=<path>` also measures the start with another Node; `--markdown` also writes docs/performance.md.
 */
import { writeFile } from "node:fs/promises";
import { growthCases, requestCases, speedCases } from "./cases.ts";
import { measureGrowth, measureRequests, measureSample, measureSpeed, measureStart } from "./measure.ts";
import { describeMachine, renderPage, renderTable } from "./page.ts";
import { measurePlan } from "./plan.ts";

const page = new URL("../docs/performance.md", import.meta.url);
const named = (option: string) =>
  process.argv.filter((word) => word.startsWith(option)).map((word) => word.slice(option.length));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const nodes = [process.execPath, ...named("--node=")];
const writesPage = process.argv.includes("--markdown");
const isAlone = process.argv.includes("--alone");
const isChosen = (section: string, name: string) =>
  words.length === 0 || ["all", section, name].some((word) => words.includes(word));

const log = (text: string) => console.error(text);
console.log(`${describeMachine()}\n`);
const start = [];
if (isChosen("start", "start")) for (const node of nodes) start.push(await measureStart(node, log));
if (start.length > 0) console.log(renderTable(start));
const speed = [];
const chosen = speedCases
  .filter(({ name }) => isChosen("speed", name))
  .map((one) => (isAlone ? { ...one, contenders: [] } : one));
const samples = chosen.map((one) => (one.contenders?.includes("sample") ? measureSample(one) : null));
for (const [index, one] of chosen.entries()) speed.push(await measureSpeed(one, samples[index] ?? null, log));
if (speed.length > 0) console.log(`\n${renderTable(speed.map(({ row }) => row))}`);
const requests = speed.map(({ count }) => count);
for (const one of requestCases)
  if (isChosen("requests", one.name)) requests.push(await measureRequests(one, log));
if (requests.length > 0) console.log(`\n${renderTable(requests)}`);
const growth = [];
for (const one of growthCases) if (isChosen("growth", one.name)) growth.push(await measureGrowth(one, log));
if (growth.length > 0) console.log(`\n${renderTable(growth)}`);
const plan = isChosen("plan", "plan") ? measurePlan(5000, 200) : null;
if (plan) console.log(`\n${renderTable([plan])}`);
if (writesPage) await writeFile(page, renderPage({ start, speed, requests, growth, plan }));
