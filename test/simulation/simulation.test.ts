import assert from "node:assert/strict";
import { test } from "node:test";
import { dealSeeds, simulate } from "./simulation.ts";

test("stories in which everything may go wrong wrong nobody, lose no token, and end as declared", async () => {
  const { stories, removals, failures } = await simulate(dealSeeds(20_000, 60, 2));
  assert.deepEqual(failures, []);
  assert.equal(stories, 60);
  assert.ok(removals > 0, "no removal was put to the test");
});

test("the story of a seed is always the same", async () => {
  const { failures } = await simulate([{ twice: [7, 8, 9, 10, 11] }]);
  assert.deepEqual(failures, []);
});

test("the order of rows, people and answers makes no difference", async () => {
  const { failures } = await simulate([{ shuffled: dealSeeds(500, 15, 1).flatMap(({ seeds }) => seeds) }]);
  assert.deepEqual(failures, []);
});

test("stories that went wrong once do so no more", async () => {
  const { failures } = await simulate([{ kept: true }]);
  assert.deepEqual(failures, []);
});
