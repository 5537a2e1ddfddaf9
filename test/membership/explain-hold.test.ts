import assert from "node:assert/strict";
import { test } from "node:test";
import { explainHolds, explainRevocations, type Measured, maxOf } from "../../src/membership/explain-hold.ts";
import type { HeldReason } from "../../src/membership/record.ts";
import { roomPlan } from "../support/builders.ts";

const measured = (planned: number, count: number, share: number, members: number): Measured => {
  return { planned, limit: { count, share }, members };
};

const room = measured(4, 3, 0.25, 10);
const run = measured(1_200, 20, 0.1, 11_500_000);

type Held = Parameters<typeof explainHolds>[1][number];
const removal = (reason: HeldReason): Held => ({ reason });
const addition = (reason: HeldReason): Held => ({ reason, action: "add" });

/** Why these wait, reason by reason. */
function explain(held: readonly Held[], emptyGroups: readonly string[] = []) {
  const holds = explainHolds(roomPlan("NOC", {}, { emptyGroups }), held, { room, run });
  return holds.map(({ reason, message }) => `${reason}: ${message}`);
}

test("nothing waits for no reason", () => {
  assert.deepEqual(explain([]), []);
});

test("each reason is told once, in the order in which it came, with how many changes it holds", () => {
  assert.deepEqual(
    explain([
      addition("moderator-addition"),
      removal("team-general-space"),
      addition("moderator-addition"),
      removal("team-general-space"),
      removal("team-general-space"),
    ]),
    [
      "moderator-addition: 2 additions planned; they would come back as a moderator",
      "team-general-space: 3 removals planned; this is a team's General space, and removal would take them out of the whole team",
    ],
  );
});

test("additions and removals that wait for one reason are changes", () => {
  const both = [addition("unmapped-room"), removal("unmapped-room")];
  assert.deepEqual(explain(both), ["unmapped-room: 2 changes planned; no row of rooms.csv names this space"]);
  assert.deepEqual(explain([addition("unmapped-room")]), [
    "unmapped-room: 1 addition planned; no row of rooms.csv names this space",
  ]);
});

test("what exceeds a limit is told with the limit and what it is a share of", () => {
  assert.deepEqual(explain([removal("removals-per-room"), removal("removals-per-run")]), [
    "removals-per-room: 1 removal planned; the limit for this space is 3 (the larger of 3 and 25 % of 10 members)",
    "removals-per-run: 1,200 removals planned in all spaces together; the limit for one run is 1,150,000 (the larger of 20 and 10 % of 11,500,000 members)",
  ]);
});

test("empty groups are named", () => {
  assert.deepEqual(explain([removal("empty-group")], ["eng"]), [
    'empty-group: 1 removal planned; its group "eng" has no members',
  ]);
  assert.deepEqual(explain([removal("empty-group")], ["eng", "ops"]), [
    'empty-group: 1 removal planned; its groups "eng", "ops" have no members',
  ]);
});

test("every other reason says what stands in the way", () => {
  const others = ["empties-room", "unverified-record", "revocations-per-run"] as const;
  assert.deepEqual(explain(others.map(removal)), [
    "empties-room: 1 removal planned; nobody but the token's owner and bots would be left",
    "unverified-record: 1 removal planned; the record was changed after Rollcall committed it, or somebody else committed it",
    "revocations-per-run: 1 removal planned; the limit of revocations for one run is lower",
  ]);
});

test("revocations are compared with the grants that the file keeps", () => {
  assert.equal(
    explainRevocations(measured(2, 1, 0.125, 1)),
    "2 revocations planned; the limit for one run is 1 (the larger of 1 and 12.5 % of 1 grant)",
  );
});

test("the most that goes through is the larger of count and share, in whole people", () => {
  for (const [count, share, members, most] of [
    [3, 0.25, 10, 3],
    [2, 0.25, 12, 3],
    [2, 0.25, 15, 3],
    [0, 0, 100, 0],
    // In binary 0.29 * 100 is less than 29.
    [0, 0.29, 100, 29],
    [0, 1 / 3, 3, 1],
  ] as const)
    assert.equal(maxOf({ count, share }, members), most, `${count}, ${share} of ${members}`);
});
