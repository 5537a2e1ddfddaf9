/**
 * Measures `sync` on synthetic organisations and services. `npm run bench` runs everything and prints a table;
 * names of cases, or `speed`, `growth` and `start`, choose; `--alone` leaves out what people would use instead;
 * `--markdown` also writes docs/performance.md.
 */
import { writeFile } from "node:fs/promises";
import { growthCases, speedCases } from "./cases.ts";
import { measureGrowth, measureSample, measureSpeed, measureStart } from "./measure.ts";
import { describeMachine, renderPage, renderTable } from "./page.ts";

const page = new URL("../docs/performance.md", import.meta.url);
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const writesPage = process.argv.includes("--markdown");
const isAlone = process.argv.includes("--alone");
const isChosen = (section: string, name: string) =>
  words.length === 0 || ["all", section, name].some((word) => words.includes(word));

const log = (text: string) => console.error(text);
console.log(`${describeMachine()}\n`);
const start = isChosen("start", "start") ? await measureStart(log) : null;
if (start) console.log(renderTable([start]));
const speed = [];
const chosen = speedCases
  .filter(({ name }) => isChosen("speed", name))
  .map((one) => (isAlone ? { ...one, contenders: [] } : one));
const samples = chosen.map((one) => (one.contenders?.includes("sample") ? measureSample(one) : null));
for (const [index, one] of chosen.entries()) speed.push(await measureSpeed(one, samples[index] ?? null, log));
if (speed.length > 0) console.log(`\n${renderTable(speed.map(({ row }) => row))}`);
const growth = [];
for (const one of growthCases) if (isChosen("growth", one.name)) growth.push(await measureGrowth(one, log));
if (growth.length > 0) console.log(`\n${renderTable(growth)}`);
if (writesPage) await writeFile(page, renderPage({ start, speed, growth }));
