import fc from "fast-check";

/** How often each property is tried; `npm run test:long` asks for more. */
export const cases = Number(process.env.ROLLCALL_CASES ?? 200);

/** Tries a property that often. What is thrown names the seed and the smallest case that fails. */
export async function check<Values extends [unknown, ...unknown[]]>(
  arbitraries: { readonly [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  property: (...values: Values) => void | Promise<void>,
  numRuns = cases,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(...arbitraries, async (...values) => property(...values)),
    {
      numRuns,
      includeErrorInReport: true,
      // The same cases wherever it runs; another seed finds others.
      seed: Number(process.env.ROLLCALL_SEED ?? 1),
    },
  );
}
