import fc from "fast-check";
import { type Played, play } from "./play.ts";
import { type Scenario, scenarios } from "./scenario.ts";

/** A story in which something went wrong, as small as it could be made. */
export interface Failure {
  readonly title: string;
  readonly wrongs: readonly string[];
  readonly story: readonly string[];
  readonly scenario: Scenario | null;
  /** How many stories were played to find this one. */
  readonly attempts: number;
}

export interface Found {
  readonly failure: Failure | null;
  readonly played: Pick<Played, "runs" | "removals" | "requests">;
  /** The story of the seed itself, as one text. */
  readonly ending: string;
}

/** Most of what shrinking finds is found early. */
const maxAttempts = 600;

/** Plays the story of a seed. One in which something goes wrong is made smaller as long as the same goes wrong, unless it is to stay `isAsItIs`. */
export async function playSeed(seed: number, isAsItIs = false): Promise<Found> {
  const all: Played[] = [];
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    if (all.length >= maxAttempts) return;
    const played = await play(scenario);
    all.push(played);
    const kinds = new Set(all[0]?.wrongs.map(kindOf));
    if (played.wrongs.some((wrong) => kinds.has(kindOf(wrong)))) throw new Error(played.wrongs.join("\n"));
  });
  const { counterexample, errorInstance } = await fc.check(property, {
    seed,
    numRuns: 1,
    endOnFailure: isAsItIs,
  });
  const [first] = all;
  if (first === undefined) throw errorInstance ?? new Error("no story was played");
  const found = { played: first, ending: first.story.join("\n") };
  if (counterexample === null) return { ...found, failure: null };
  const [scenario] = counterexample;
  const { wrongs, story } = await play(scenario);
  return { ...found, failure: { title: `seed ${seed}`, wrongs, story, scenario, attempts: all.length } };
}

/** What two stories have in common that go wrong alike: who and where it is does not matter. */
function kindOf(wrong: string): string {
  return wrong.replace(/\b(?:p?\d+|rollcall)\b/g, "#").replace(/#(?:[ ,]+#)+/g, "#");
}
