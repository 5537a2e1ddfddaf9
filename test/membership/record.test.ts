import assert from "node:assert/strict";
import { test } from "node:test";
import type { Problem } from "../../src/lib/problem.ts";
import type { RoomOutcome } from "../../src/membership/apply.ts";
import { buildFailedRecord, buildRecord, type RunFacts } from "../../src/membership/build-record.ts";
import type { CheckedPlan, CheckedRoom } from "../../src/membership/limits.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { checkedRoom, person, removal } from "../support/builders.ts";

const facts: RunFacts = {
  command: "sync",
  startedAt: new Date("2026-11-22T05:17:09.999Z"),
  finishedAt: new Date("2026-11-22T05:17:31Z"),
  problems: [],
  notices: [],
  token: { refreshed: true, rotated: true, refreshTokenExpiresAt: "2027-02-20T05:17:10Z" },
};

const problem: Problem = { line: 2, column: "group", message: "no group is named so" };

const outcome: RoomOutcome = {
  added: [],
  removed: [],
  failed: [],
  kept: [],
  after: 3,
  notBegun: 0,
  unverified: null,
  problems: [],
};

const failure = { ...person("ada"), action: "add", error: "no", trackingId: null } as const;

function planOf(...rooms: readonly CheckedRoom[]): CheckedPlan {
  return { rooms, digest: null };
}

function outcomes(facts: Partial<RoomOutcome>): ReadonlyMap<string, RoomOutcome> {
  return new Map([["ROOM/NOC", { ...outcome, ...facts }]]);
}

const empty: RunRecord = {
  version: 1,
  command: "sync",
  status: "converged",
  startedAt: "2026-11-22T05:17:09Z",
  finishedAt: "2026-11-22T05:17:31Z",
  digest: null,
  totals: { rooms: 0, added: 0, removed: 0, held: 0, failed: 0, kept: 0 },
  rooms: [],
  problems: [],
  notices: [],
  token: facts.token,
};

const noc: RunRecord["rooms"][number] = {
  roomId: "id-NOC",
  title: "NOC",
  groups: ["NOC group"],
  mode: "sync",
  lines: [2],
  before: 3,
  after: 3,
  added: [],
  removed: [],
  held: [],
  failed: [],
  kept: [],
  missing: [],
};

test("a run over nothing is converged", () => {
  assert.deepEqual(buildRecord(facts, planOf(), new Map()), empty);
});

test("a room without changes has as many members after as before", () => {
  assert.deepEqual(buildRecord(facts, planOf(checkedRoom("NOC")), new Map()), {
    ...empty,
    totals: { ...empty.totals, rooms: 1 },
    rooms: [noc],
  });
});

test("a plan's record tells what would be done, and the status the run would end with", () => {
  const held = { ...removal("kim"), reason: "empty-group" } as const;
  const kept = [{ ...person("rollcall"), reason: "self" }] as const;
  const room = checkedRoom("NOC", { add: ["ada"], remove: ["eve"] }, { kept });
  const plan: CheckedPlan = { rooms: [{ ...room, before: 9, held: [held] }], digest: "0123456789ab" };
  assert.deepEqual(buildRecord({ ...facts, command: "plan", token: null }, plan, null), {
    ...empty,
    command: "plan",
    status: "held",
    digest: "0123456789ab",
    totals: { rooms: 1, added: 1, removed: 1, held: 1, failed: 0, kept: 1 },
    rooms: [
      {
        ...noc,
        before: 9,
        after: 9,
        added: [person("ada")],
        removed: [{ ...person("eve"), wasModerator: false }],
        held: [{ ...person("kim"), reason: "empty-group" }],
        kept,
      },
    ],
    token: null,
  });
});

test("a run's record tells what came of the plan, not what was planned", () => {
  const plan = planOf(checkedRoom("NOC", { add: ["ada", "bob"], remove: ["eve"] }));
  const came = outcomes({ added: [person("bob")], failed: [failure], after: 5 });
  assert.deepEqual(buildRecord(facts, plan, came), {
    ...empty,
    status: "partial",
    totals: { ...empty.totals, rooms: 1, added: 1, failed: 1 },
    rooms: [{ ...noc, before: 4, after: 5, added: [person("bob")], failed: [failure] }],
  });
});

test("a frozen room says why, and a room that could not be read has no sizes", () => {
  const frozen = "its member list is incomplete: 503";
  const record = buildRecord(facts, planOf(checkedRoom("NOC", {}, { before: null, frozen })), new Map());
  assert.deepEqual(record.rooms, [{ ...noc, before: null, after: null, frozen }]);
});

test("audit tells who is missing", () => {
  const missing = [person("ada")];
  assert.deepEqual(buildRecord(facts, planOf(checkedRoom("NOC", {}, { missing })), new Map()).rooms, [
    { ...noc, missing },
  ]);
});

const changed = { added: [person("ada")] };

const held = { held: [{ ...removal("kim"), reason: "removals-per-run" }] } as const;

const statuses: readonly [
  status: RunRecord["status"],
  fact: string,
  outcome: Partial<RoomOutcome>,
  room: Partial<CheckedRoom>,
  problems: readonly Problem[],
][] = [
  ["converged", "nothing was done", {}, {}, []],
  ["changed", "somebody was added", changed, {}, []],
  ["changed", "somebody was removed", { removed: [{ ...person("eve"), wasModerator: true }] }, {}, []],
  ["held", "removals wait, whatever else was done", changed, held, []],
  ["partial", "a change failed, whatever else was done", { ...changed, failed: [failure] }, held, []],
  ["partial", "a row has a problem, although nothing failed", changed, held, [problem]],
  ["partial", "changes were not begun", { notBegun: 1 }, {}, []],
  ["partial", "the result could not be verified", { ...changed, unverified: "503" }, {}, []],
];

for (const [status, fact, came, room, problems] of statuses) {
  test(`a run is ${status} when ${fact}`, () => {
    const plan = planOf({ ...checkedRoom("NOC"), ...room });
    assert.equal(buildRecord({ ...facts, problems }, plan, outcomes(came)).status, status);
  });
}

test("what was not begun and what could not be verified are problems at the room's first line", () => {
  const plan = planOf(checkedRoom("NOC", { add: ["ada", "bob"] }));
  const came = outcomes({ after: null, notBegun: 2, unverified: "the run was stopped" });
  assert.deepEqual(buildRecord({ ...facts, problems: [problem] }, plan, came).problems, [
    problem,
    {
      line: 2,
      column: "room",
      message: '2 changes in space "NOC" were not made because the run was stopped; the next run makes them',
    },
    {
      line: 2,
      column: "room",
      message: 'the changes in space "NOC" could not be verified: the run was stopped',
    },
  ]);
});

test("a run that came to no plan has failed with its problems", () => {
  assert.deepEqual(buildFailedRecord({ ...facts, problems: [problem], notices: ["note"] }), {
    ...empty,
    status: "failed",
    problems: [problem],
    notices: ["note"],
  });
});
