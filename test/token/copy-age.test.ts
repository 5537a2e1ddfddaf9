import assert from "node:assert/strict";
import { test } from "node:test";
import { checkStaleness } from "../../src/token/rotate.ts";

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 5, 0, second));

const judge = (updated: number | null, from: number | null, until: number | null) =>
  checkStaleness({
    what: "the secret",
    updatedAt: updated === null ? null : at(updated),
    takenFrom: from === null ? null : at(from),
    takenUntil: until === null ? null : at(until),
  }).kind;

test("a copy that is read from the store itself, or has nothing to be older than, is current", () => {
  assert.deepEqual(checkStaleness(null), { kind: "current" });
  assert.equal(judge(null, 10, 10), "current");
});

test("a secret that was not changed since the run was queued is current, also in the very same second", () => {
  assert.deepEqual(
    [judge(9, 10, 20), judge(10, 10, 20), judge(10, 10, 10)],
    ["current", "current", "current"],
  );
});

test("a secret that was changed after the copy was surely taken is stale", () => {
  assert.deepEqual([judge(11, 10, 10), judge(21, 10, 20), judge(21, null, 20)], ["stale", "stale", "stale"]);
});

test("between the two the copy is doubtful: an environment's secret is read when the job starts", () => {
  assert.deepEqual([judge(15, 10, 20), judge(15, null, 20)], ["doubtful", "doubtful"]);
});

test("a re-run whose first attempt is unknown is stale, for it may hold that attempt's value", () => {
  assert.equal(judge(1, null, null), "stale");
});

test("the reason says what is unknown", () => {
  const age = { what: "the secret X", updatedAt: at(11), takenFrom: null };
  const changed = "the secret X was updated at 2026-11-22T05:00:11Z, and";
  const reasonOf = (more: object, takenUntil: Date | null) => {
    const verdict = checkStaleness({ ...age, takenUntil, ...more });
    return verdict.kind === "current" ? null : verdict.reason;
  };
  assert.equal(reasonOf({}, null), `${changed} when this run took its copy is unknown`);
  assert.equal(reasonOf({ unsure: "this is a re-run" }, null), `${changed} this is a re-run`);
  assert.equal(reasonOf({}, at(20)), `${changed} when this run was queued is unknown`);
});

test("the reason names both instants", () => {
  const age = { what: "the secret X", updatedAt: at(11), takenFrom: at(10), takenUntil: at(10) };
  assert.deepEqual(checkStaleness(age), {
    kind: "stale",
    reason:
      "the secret X was updated at 2026-11-22T05:00:11Z, after this run took its copy (2026-11-22T05:00:10Z)",
  });
});
