/**
 * One organisation for a long time: `npm run soak -- --runs 500 --seed 1`. Its people, groups, names and files change
 * between and during runs, one request in fifty goes wrong, and every twentieth run is killed. With `--markdown` what
 * came of it goes to docs/reliability.md.
 */
import { fork } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { describeMachine } from "../../bench/page.ts";
import { compile } from "../support/compiled-main.ts";
import type { Sight } from "./play.ts";
import type { SoakMessage } from "./soak-worker.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "500" },
    markdown: { type: "boolean", default: false },
  },
});
const every = Math.max(1, Math.round(Number(values.runs) / 20));
const page = new URL("../../docs/reliability.md", import.meta.url);
const toMebibytes = (bytes: number) => bytes / 1024 / 1024;
const [start, end] = ["<!-- soak:start -->", "<!-- soak:end -->"];

await using program = await compile("test/simulation/tsconfig.compiled.json", [
  "src/report/templates",
  "sandbox/github/fixtures",
]);
const worker = `${program.folder}/test/simulation/soak-worker.js`;
const child = fork(worker, [values.seed, values.runs, String(every)], { execArgv: ["--expose-gc"] });
const points: { readonly run: number; readonly mebibytes: number }[] = [];
let last: Sight | null = null;
let done: Extract<SoakMessage, { readonly played: unknown }> | null = null;
child.on("message", (message: SoakMessage) => {
  if ("played" in message) {
    done = message;
    return;
  }
  last = message.sight;
  if (message.heapBytes !== null)
    points.push({
      run: message.sight.runs,
      mebibytes: toMebibytes(message.heapBytes - message.sight.historyBytes),
    });
});
const code = await new Promise((resolve, reject) => {
  child.on("error", reject);
  child.on("exit", resolve);
});
if (code !== 0) throw new Error(`the story ended with ${code}`);

function conclude(): { readonly text: string; readonly isRight: boolean } {
  if (done === null || last === null) throw new Error("the story was not told to its end");
  const { wrongs, runs, requests, removals } = done.played;
  for (const line of [...done.tail, ...wrongs.map((wrong) => `WRONG: ${wrong}`)]) console.error(line);
  const text = `${runs} runs with ${requests} requests made ${removals} removals, ${last.commits} commits and ${last.issues} issues, ${last.openIssues} of them open at the end; ${wrongs.length} promises were broken; what Rollcall keeps for itself has ${(last.memoryBytes / 1024).toFixed(0)} KiB, and the history of the repository takes ${toMebibytes(last.historyBytes).toFixed(0)} MiB.`;
  return { text, isRight: wrongs.length === 0 };
}

const { text, isRight } = conclude();
console.log(text);
console.log(points.map(({ run, mebibytes }) => `${run}: ${mebibytes.toFixed(1)} MiB`).join(", "));
if (values.markdown) {
  const command = ["npm run soak --", ...process.argv.slice(2)].join(" ");
  const chart = [
    "```mermaid",
    "xychart-beta",
    '  title "Memory after so many runs, of product and sandbox, without the history of the repository"',
    `  x-axis "runs" [${points.map(({ run }) => run).join(", ")}]`,
    '  y-axis "MiB" 0 --> 100',
    `  line [${points.map(({ mebibytes }) => mebibytes.toFixed(1)).join(", ")}]`,
    "```",
  ].join("\n");
  const old = await readFile(page, "utf8");
  const [before, after] = [old.indexOf(start) + start.length, old.indexOf(end)];
  const section = `\n\`${command}\` on ${describeMachine()}: ${text}\n\n${chart}\n`;
  await writeFile(page, `${old.slice(0, before)}\n${section}\n${old.slice(after)}`);
}
process.exitCode = isRight ? 0 : 1;
