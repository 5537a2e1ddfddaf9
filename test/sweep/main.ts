/**
 * Lets each request of a command meet each mishap: a false answer, a lost one, a signal. `sync` is swept in both token
 * modes, the other commands that change something in the harder one. `--sample 10` takes every tenth combination;
 * `--command`, `--fault`, `--mode`, `--route` (a part of it), `--from` and `--to` (numbers of requests) choose. Half of
 * its time a run waits, so `--jobs` is more than there are cores. What was run as a whole, or with `--markdown`, goes
 * to docs/reliability.md.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine } from "../../bench/page.ts";
import { compileMain } from "../support/compiled-main.ts";
import {
  type Combination,
  type Ideal,
  mishapNames,
  runIdeal,
  tryCombination,
  type Verdict,
} from "./combination.ts";
import { type SweptName, sweptNames } from "./commands.ts";
import { type TokenMode, tokenModes } from "./story.ts";
import { isKept, renderOutcomes, writePage } from "./table.ts";

const { values } = parseArgs({
  options: {
    command: { type: "string", multiple: true, default: sweptNames },
    fault: { type: "string", multiple: true, default: mishapNames },
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

for (const [kind, given, known] of [
  ["fault", values.fault, mishapNames],
  ["command", values.command, sweptNames],
] as const) {
  const unknown = given.filter((name) => !known.some((one) => one === name));
  if (unknown.length === 0) continue;
  log(`there is no ${kind} ${unknown}; choose from: ${known.join(", ")}`);
  process.exit(1);
}

interface Swept {
  readonly command: SweptName;
  readonly mode: TokenMode;
  readonly ideal: Ideal;
}

/** All that was asked for; a sample takes every n-th, whatever request and mishap that is. */
function choose(swept: readonly Swept[]): { readonly combination: Combination; readonly ideal: Ideal }[] {
  const chosen = swept.flatMap(({ command, mode, ideal }) =>
    ideal.requests.flatMap((target, index) =>
      values.fault.map((mishap) => {
        return { combination: { command, mode, number: index + 1, target, mishap }, ideal };
      }),
    ),
  );
  return chosen
    .filter(({ combination: { target } }) => target.route.includes(values.route))
    .filter(({ combination: { number } }) => number >= Number(values.from) && number <= Number(values.to))
    .filter((_, index) => index % Number(values.sample) === 0);
}

function describe({ combination, outcome, token, record, wrongChanges, broken }: Verdict): string {
  const { command, mode, number, target, mishap } = combination;
  const request = `${command}, request ${number} (${target.route}, ${target.nth}), ${mishap}, token ${mode}`;
  return [`${request}: ${outcome}, token ${token}, record ${record}`, ...wrongChanges, ...broken].join(
    "\n  ",
  );
}

await using program = await compileMain();
const { main } = program;
const swept: Swept[] = [];
for (const command of sweptNames.filter((name) => values.command.includes(name))) {
  const modes = tokenModes.filter((mode) => command === "sync" || mode === "rotates");
  for (const mode of modes.filter((one) => values.mode === undefined || values.mode === one))
    swept.push({ command, mode, ideal: await runIdeal(command, mode, main) });
}
const combinations = choose(swept);
const sizes = swept.map(
  ({ command, mode, ideal }) => `${command} ${ideal.requests.length} requests where the token ${mode}`,
);
log(`${combinations.length} combinations: ${sizes.join(", ")}`);

const verdicts: Verdict[] = [];
const waiting = combinations.entries();
const work = async () => {
  for (const [, { combination, ideal }] of waiting) {
    const verdict = await tryCombination(combination, ideal, main);
    verdicts.push(verdict);
    if (!isKept(verdict)) log(describe(verdict));
    if (verdicts.length % 100 === 0) log(`${verdicts.length} of ${combinations.length}`);
  }
};
await Promise.all(Array.from({ length: Number(values.jobs) }, work));

const tables = renderOutcomes(verdicts);
console.log(tables);
const command = ["npm run sweep", ...(isWhole ? [] : ["--", ...process.argv.slice(2)])].join(" ");
if (isWhole || values.markdown)
  await writePage(`\n\`${command}\` on ${describeMachine()}: ${sizes.join(", ")}.\n\n${tables}\n`);
process.exitCode = verdicts.every(isKept) ? 0 : 1;
