import { readdir, readFile } from "node:fs/promises";
import fc from "fast-check";
import { type Failure, type Found, playSeed } from "./find.ts";
import { play } from "./play.ts";
import { type Scenario, scenarios } from "./scenario.ts";

/** What a worker is to play. */
export type Order =
  | { readonly seeds: readonly number[]; readonly isAsItIs?: boolean }
  /** Each is played twice, and must be the same story. */
  | { readonly twice: readonly number[] }
  /** Each is played without its acts, and then with its rows, people and answers in another order. */
  | { readonly shuffled: readonly number[] }
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
  return { ...one, failure: blame(seed, "played twice, it was two stories", [one.ending, other.ending]) };
}

/** Of two rows of one pair only the first counts, so they must not differ. */
const alike = { mode: "sync", writes: "names", until: null } as const;

async function playShuffled(seed: number): Promise<Found> {
  const [drawn] = fc.sample(scenarios, { seed, numRuns: 1 });
  if (drawn === undefined) throw new Error("no story was drawn");
  const calm: Scenario = { ...drawn, acts: [], rows: drawn.rows.map((row) => ({ ...row, ...alike })) };
  const shuffled: Scenario = {
    ...calm,
    chance: calm.chance + 1,
    rows: calm.rows.toReversed(),
    groups: calm.groups.map((members) => members.toReversed()),
    spaces: calm.spaces.map((space) => ({ ...space, members: space.members.toReversed() })),
  };
  const [one, other] = [await play(calm), await play(shuffled)];
  const found = { played: one, ending: one.story.join("\n") };
  if (String(one.ending) === String(other.ending)) return { ...found, failure: null };
  return {
    ...found,
    failure: blame(seed, "in another order it ends otherwise", [...one.story, ...other.story]),
  };
}

function blame(seed: number, wrong: string, story: readonly string[]): Failure {
  return { title: `seed ${seed}`, wrongs: [wrong], story, scenario: null, attempts: 2 };
}

async function playKept(folder: URL, name: string): Promise<Found> {
  const scenario: Scenario = JSON.parse(await readFile(new URL(name, folder), "utf8"));
  const { wrongs, story, ...played } = await play(scenario);
  const failure = { title: name, wrongs, story, scenario, attempts: 1 };
  return { failure: wrongs.length === 0 ? null : failure, played, ending: story.join("\n") };
}

let isEnough = false;
process.on("message", () => {
  isEnough = true;
});

const order: Order = JSON.parse(process.argv[2] ?? "{}");
if ("kept" in order) {
  const folder = new URL("kept/", import.meta.url);
  for (const name of await readdir(folder))
    if (name.endsWith(".json")) await tell(await playKept(folder, name));
} else if ("twice" in order) {
  for (const seed of order.twice) await tell(await playTwice(seed));
} else if ("shuffled" in order) {
  for (const seed of order.shuffled) await tell(await playShuffled(seed));
} else {
  for (const seed of order.seeds) if (!isEnough) await tell(await playSeed(seed, order.isAsItIs));
}
exit(0);
