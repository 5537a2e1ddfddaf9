/**
 * Plays stories in which everything may go wrong: `npm run simulate -- --seed 7 --runs 10000`. The story of a seed is
 * always the same, so one that fails is played again by its seed, with `--runs 1`. `--jobs` is how many at a time;
 * with `--as-it-is` no failing story is made smaller.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { dealSeeds, simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1000" },
    "as-it-is": { type: "boolean", default: false },
    jobs: { type: "string", default: String(availableParallelism()) },
  },
});

const startedAt = performance.now();
const seconds = () => Math.round((performance.now() - startedAt) / 1000);
const [seed, wanted, jobs] = [Number(values.seed), Number(values.runs), Number(values.jobs)];
/** Each story has three runs at least: a plan, a sync, and another that has nothing to do. */
const stories = Math.ceil(wanted / 3);

const totals = await simulate(
  dealSeeds(seed, stories, Math.min(jobs, stories)),
  ({ stories: done, runs }, failure) => {
    if (failure !== null) {
      console.log(
        `\n${failure.title}, made smaller in ${failure.attempts} attempts:\n${failure.story.join("\n")}`,
      );
      console.log(`to keep it in test/simulation/kept: ${JSON.stringify(failure.scenario)}`);
    }
    if (done % 500 === 0) console.error(`${runs} of ${wanted} runs, ${seconds()} s`);
  },
  wanted,
);

const { runs, requests, removals, failures } = totals;
console.log(
  `seeds from ${seed} on: ${totals.stories} stories of ${runs} runs with ${requests} requests and ` +
    `${removals} removals, in ${seconds()} s by ${jobs} processes; ${failures.length} went wrong`,
);
for (const { title, wrongs } of failures) console.log(`  ${title}: ${wrongs[0]}`);
process.exitCode = failures.length === 0 ? 0 : 1;
