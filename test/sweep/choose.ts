import { type Combination, type Ideal, runIdeal } from "./combination.ts";
import { type SweptName, sweptNames } from "./commands.ts";
import { type TokenMode, tokenModes } from "./story.ts";

/** What of all combinations is to be tried. */
export interface Choice {
  readonly commands: readonly string[];
  readonly mishaps: readonly string[];
  /** Undefined for both. */
  readonly mode: string | undefined;
  /** A part of the route. */
  readonly route: string;
  /** Numbers of requests. */
  readonly from: number;
  readonly to: number;
  /** Every n-th, whatever request and mishap that is. */
  readonly sample: number;
}

export interface Swept {
  readonly command: SweptName;
  readonly mode: TokenMode;
  readonly ideal: Ideal;
}

/** Runs each command once without a mishap: `sync` in both token modes, the others in the harder one. */
export async function runIdeals({ commands, mode: chosen }: Choice): Promise<readonly Swept[]> {
  const swept: Swept[] = [];
  for (const command of sweptNames.filter((name) => commands.includes(name))) {
    const modes = tokenModes.filter((mode) => command === "sync" || mode === "rotates");
    for (const mode of modes.filter((one) => chosen === undefined || chosen === one))
      swept.push({ command, mode, ideal: await runIdeal(command, mode) });
  }
  return swept;
}

/** The combinations of these commands that were asked for, always in the same order. */
export function chooseCombinations(
  swept: readonly Swept[],
  { mishaps, route, from, to, sample }: Choice,
): { readonly combination: Combination; readonly ideal: Ideal }[] {
  return swept
    .flatMap(({ command, mode, ideal }) =>
      ideal.requests.flatMap((target, index) =>
        mishaps.map((mishap) => {
          return { combination: { command, mode, number: index + 1, target, mishap }, ideal };
        }),
      ),
    )
    .filter(({ combination: { target } }) => target.route.includes(route))
    .filter(({ combination: { number } }) => number >= from && number <= to)
    .filter((_, index) => index % sample === 0);
}
