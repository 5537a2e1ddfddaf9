/**
 * A reporter for `node --test`: at the end, the tests that failed, and those that were skipped by their reason.
 * @param {AsyncIterable<import("node:test/reporters").TestEvent>} source
 */
export default async function* reportNotable(source) {
  const failed = [];
  const skipped = new Map();
  let isAnyRun = false;
  for await (const { type, data } of source) {
    if (type === "test:fail" && data.details.type !== "suite")
      failed.push(`failed: ${data.file}: ${data.name}\n`);
    if (type !== "test:pass") continue;
    isAnyRun = true;
    if (data.skip !== undefined && data.skip !== false) {
      skipped.set(data.skip, (skipped.get(data.skip) ?? 0) + 1);
    }
  }
  yield* failed;
  for (const [reason, count] of skipped) {
    yield `skipped: ${count} tests, because ${reason === true ? "of no reason that they tell" : reason}\n`;
  }
  if (isAnyRun && failed.length === 0 && skipped.size === 0) yield "nothing was skipped\n";
}
