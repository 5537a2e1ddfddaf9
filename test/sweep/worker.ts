import { type Choice, chooseCombinations, runIdeals } from "./choose.ts";
import { tryCombination, type Verdict } from "./combination.ts";

/** A share of what was chosen: every `jobs`-th combination, from the `job`-th on. */
export interface Order {
  readonly choice: Choice;
  readonly job: number;
  readonly jobs: number;
}

export type Message =
  | { readonly count: number; readonly sizes: readonly string[] }
  | { readonly verdict: Verdict };

// Kept before the story puts something else in the place of what waits.
const { exit } = process;

function tell(message: Message): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, () => resolve());
  });
}

// The runner's commands, which would mark lines of whoever reads this.
process.stdout.write = () => true;

const { choice, job, jobs }: Order = JSON.parse(process.argv[2] ?? "{}");
const swept = await runIdeals(choice);
const chosen = chooseCombinations(swept, choice);
await tell({
  count: chosen.length,
  sizes: swept.map(
    ({ command, mode, ideal }) => `${command} ${ideal.requests.length} requests where the token ${mode}`,
  ),
});
for (const [index, { combination, ideal }] of chosen.entries())
  if (index % jobs === job) await tell({ verdict: await tryCombination(combination, ideal) });
exit(0);
