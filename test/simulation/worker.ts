import { readdir, readFile } from "node:fs/promises";
import { type Found, playSeed } from "./find.ts";
import { play } from "./play.ts";
import type { Scenario } from "./scenario.ts";

/** What a worker is to play. */
export type Order =
  | { readonly seeds: readonly number[]; readonly twice: boolean }
  /** The stories in kept/, which once failed. */
  | { readonly kept: true };

// Kept before the stories put something else in the place of what waits.
const { exit } = process;

function tell(found: Found): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(found, () => resolve());
  });
}

async function playTwice(seed: number): Promise<Found> {
  const [one, other] = [await playSeed(seed), await playSeed(seed)];
  if (one.failure !== null || one.ending === other.ending) return one;
  const wrongs = ["played twice, it was two stories"];
  return {
    ...one,
    failure: {
      title: `seed ${seed}`,
      wrongs,
      story: [one.ending, other.ending],
      scenario: null,
      attempts: 2,
    },
  };
}

async function playKept(folder: URL, name: string): Promise<Found> {
  const scenario: Scenario = JSON.parse(await readFile(new URL(name, folder), "utf8"));
  const { wrongs, story, ...played } = await play(scenario);
  const failure = { title: name, wrongs, story, scenario, attempts: 1 };
  return { failure: wrongs.length === 0 ? null : failure, played, ending: story.join("\n") };
}

const order: Order = JSON.parse(process.argv[2] ?? "{}");
if ("kept" in order) {
  const folder = new URL("kept/", import.meta.url);
  for (const name of await readdir(folder))
    if (name.endsWith(".json")) await tell(await playKept(folder, name));
} else {
  for (const seed of order.seeds) await tell(await (order.twice ? playTwice(seed) : playSeed(seed)));
}
exit(0);
