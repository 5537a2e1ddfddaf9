import { tellLongStory } from "./long-story.ts";
import { type Played, play, type Sight } from "./play.ts";

export type SoakMessage =
  | { readonly sight: Sight; readonly heapBytes: number | null }
  | {
      readonly played: Pick<Played, "wrongs" | "runs" | "requests" | "removals">;
      readonly tail: readonly string[];
    };

// Kept before the story puts something else in the place of what waits.
const { exit } = process;
const [seed, runs, every] = process.argv.slice(2).map(Number);
if (seed === undefined || runs === undefined || every === undefined) throw new Error("seed, runs, every");

const { story, wrongs, ...played } = await play(tellLongStory(seed, runs), {
  runsPerDay: 4,
  keptLines: 200,
  onRun: (sight) => {
    const isMeasured = sight.runs % every === 0;
    if (isMeasured) globalThis.gc?.();
    process.send?.({ sight, heapBytes: isMeasured ? process.memoryUsage().heapUsed : null });
  },
});
process.send?.({ played: { wrongs, ...played }, tail: wrongs.length === 0 ? [] : story }, () => exit(0));
