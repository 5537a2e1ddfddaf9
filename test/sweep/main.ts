/**
 * Lets each request of a run meet each fault, in both token modes, and looks whether the promises were kept: some
 * 2,400 combinations. `--sample 10` takes every tenth; `--fault`, `--mode`, `--route` (a part of it), `--from` and
 * `--to` (numbers of requests) choose. Half of its time a run waits, so `--jobs` is more than there are cores. What was
 * run as a whole, or with `--markdown`, goes to docs/reliability.md.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine } from "../../bench/page.ts";
import { type Fault, falseAnswers } from "../../sandbox/faults.ts";
import { compileMain } from "../support/compiled-main.ts";
import { type Combination, type Ideal, runIdeal, tryCombination, type Verdict } from "./combination.ts";
import { type TokenMode, tokenModes } from "./story.ts";
import { isKept, renderOutcomes, writePage } from "./table.ts";

const { values } = parseArgs({
  options: {
    fault: { type: "string", multiple: true },
    mode: { type: "string" },
    route: { type: "string", default: "" },
    from: { type: "string", default: "1" },
    to: { type: "string", default: "Infinity" },
    sample: { type: "string", default: "1" },
    jobs: { type: "string", default: String(Math.ceil(availableParallelism() * 1.5)) },
    markdown: { type: "boolean", default: false },
  },
});
const isWhole = process.argv.length === 2;
const log = (text: string) => console.error(text);

const unknown = (values.fault ?? []).filter((name) => !(name in falseAnswers));
if (unknown.length > 0) {
  log(`there is no fault ${unknown}; choose from: ${Object.keys(falseAnswers).join(", ")}`);
  process.exit(1);
}

/** All that was asked for; a sample takes every n-th, whatever request and fault that is. */
function choose(ideals: ReadonlyMap<TokenMode, Ideal>): Combination[] {
  const faults: [string, Fault][] = Object.entries(falseAnswers);
  const chosen = [...ideals].flatMap(([mode, { requests }]) =>
    requests.flatMap((target, index) =>
      faults
        .filter(([name]) => values.fault?.includes(name) ?? true)
        .map(([faultName, fault]) => ({ mode, number: index + 1, target, faultName, fault })),
    ),
  );
  return chosen
    .filter(({ target }) => target.route.includes(values.route))
    .filter(({ number }) => number >= Number(values.from) && number <= Number(values.to))
    .filter((_, index) => index % Number(values.sample) === 0);
}

function describe({ combination, outcome, token, record, wrongChanges, broken }: Verdict): string {
  const { mode, number, target, faultName } = combination;
  const request = `request ${number} (${target.route}, ${target.nth}), ${faultName}, token ${mode}`;
  return [`${request}: ${outcome}, token ${token}, record ${record}`, ...wrongChanges, ...broken].join(
    "\n  ",
  );
}

await using program = await compileMain();
const { main } = program;
const ideals = new Map<TokenMode, Ideal>();
for (const mode of tokenModes) {
  if (values.mode === undefined || values.mode === mode) ideals.set(mode, await runIdeal(mode, main));
}
const combinations = choose(ideals);
log(
  `${combinations.length} combinations, of ${[...ideals.values()].map(({ requests }) => requests.length).join(" and ")} requests`,
);

const verdicts: Verdict[] = [];
const waiting = combinations.entries();
const work = async () => {
  for (const [, combination] of waiting) {
    const ideal = ideals.get(combination.mode);
    if (ideal === undefined) continue;
    const verdict = await tryCombination(combination, ideal, main);
    verdicts.push(verdict);
    if (!isKept(verdict)) log(describe(verdict));
    if (verdicts.length % 100 === 0) log(`${verdicts.length} of ${combinations.length}`);
  }
};
await Promise.all(Array.from({ length: Number(values.jobs) }, work));

const table = renderOutcomes(verdicts);
console.log(table);
const command = ["npm run sweep", ...(isWhole ? [] : ["--", ...process.argv.slice(2)])].join(" ");
const sizes = [...ideals].map(
  ([mode, { requests }]) => `${requests.length} requests where the token ${mode}`,
);
if (isWhole || values.markdown)
  await writePage(`\n\`${command}\` on ${describeMachine()}: ${sizes.join(", ")}.\n\n${table}\n`);
process.exitCode = verdicts.every(isKept) ? 0 : 1;
