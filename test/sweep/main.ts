/**
 * Lets each request of a command meet each mishap: a false answer, a lost one, a signal. `sync` is swept in both token
 * modes, the other commands that change something in the harder one. `--sample 10` takes every tenth combination;
 * `--command`, `--fault`, `--mode`, `--route` (a part of it), `--from` and `--to` (numbers of requests) choose, `--jobs`
 * is how many at a time. What was run as a whole, or with `--markdown`, goes to docs/reliability.md.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine } from "../../bench/page.ts";
import { compile } from "../support/compiled-main.ts";
import type { Choice } from "./choose.ts";
import { mishapNames, type Verdict } from "./combination.ts";
import { sweptNames } from "./commands.ts";
import { isKept, renderOutcomes, writePage } from "./table.ts";
import type { Message, Order } from "./worker.ts";

const { values } = parseArgs({
  options: {
    command: { type: "string", multiple: true, default: sweptNames },
    fault: { type: "string", multiple: true, default: mishapNames },
    mode: { type: "string" },
    route: { type: "string", default: "" },
    from: { type: "string", default: "1" },
    to: { type: "string", default: "1000000" },
    sample: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    markdown: { type: "boolean", default: false },
  },
});
const isWhole = process.argv.length === 2;
const log = (text: string) => console.error(text);

for (const [kind, given, known] of [
  ["fault", values.fault, mishapNames],
  ["command", values.command, sweptNames],
] as const) {
  const unknown = given.filter((name) => !known.some((one) => one === name));
  if (unknown.length === 0) continue;
  log(`there is no ${kind} ${unknown}; choose from: ${known.join(", ")}`);
  process.exit(1);
}

function describe({ combination, outcome, token, record, wrongChanges, broken }: Verdict): string {
  const { command, mode, number, target, mishap } = combination;
  const request = `${command}, request ${number} (${target.route}, ${target.nth}), ${mishap}, token ${mode}`;
  return [`${request}: ${outcome}, token ${token}, record ${record}`, ...wrongChanges, ...broken].join(
    "\n  ",
  );
}

const choice: Choice = {
  commands: values.command,
  mishaps: values.fault,
  mode: values.mode,
  route: values.route,
  from: Number(values.from),
  to: Number(values.to),
  sample: Number(values.sample),
};
const startedAt = performance.now();
const verdicts: Verdict[] = [];
let sizes: readonly string[] = [];
let count = 0;
const take = (message: Message) => {
  if ("count" in message) {
    if (count === 0) log(`${message.count} combinations: ${message.sizes.join(", ")}`);
    ({ count, sizes } = message);
    return;
  }
  verdicts.push(message.verdict);
  if (!isKept(message.verdict)) log(describe(message.verdict));
  if (verdicts.length % 500 === 0) log(`${verdicts.length} of ${count}`);
};

// Each worker has a clock, a disk and a network of its own.
await using program = await compile("test/sweep/tsconfig.compiled.json", [
  "src/report/templates",
  "sandbox/github/fixtures",
]);
const jobs = Number(values.jobs);
await Promise.all(
  Array.from({ length: jobs }, (_, job) => {
    const order: Order = { choice, job, jobs };
    const child = fork(`${program.folder}/test/sweep/worker.js`, [JSON.stringify(order)], { execArgv: [] });
    child.on("message", take);
    return new Promise<void>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
    });
  }),
);
if (verdicts.length !== count) throw new Error(`${verdicts.length} of ${count} combinations were tried`);

const tables = renderOutcomes(verdicts);
console.log(tables);
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
const command = ["npm run sweep", ...(isWhole ? [] : ["--", ...process.argv.slice(2)])].join(" ");
const measured = `\`${command}\` on ${describeMachine()}, ${minutes} minutes: ${sizes.join(", ")}.`;
log(measured);
if (isWhole || values.markdown) await writePage(`\n${measured}\n\n${tables}\n`);
process.exitCode = verdicts.every(isKept) ? 0 : 1;
