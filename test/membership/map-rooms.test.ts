import assert from "node:assert/strict";
import { test } from "node:test";
import { mapRooms } from "../../src/membership/map-rooms.ts";

async function findMostAtOnce(sizes: readonly number[]): Promise<number> {
  let underWay = 0;
  let most = 0;
  const results = await mapRooms(
    sizes.map((size, index) => ({ size, index })),
    ({ size }) => size,
    async ({ index }) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return index;
    },
  );
  assert.deepEqual(
    results,
    sizes.map((_, index) => index),
  );
  return most;
}

test("usual rooms are worked on 64 at once, so that every request that may be under way has one", async () => {
  assert.equal(await findMostAtOnce(Array(300).fill(100)), 64);
});

test("of big rooms so few at once that their members fit into memory", async () => {
  assert.equal(await findMostAtOnce(Array(50).fill(5_000)), 12);
  assert.equal(await findMostAtOnce(Array(3).fill(1_000_000)), 1);
});
