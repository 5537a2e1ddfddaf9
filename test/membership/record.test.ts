import assert from "node:assert/strict";
import { test } from "node:test";
import type { Problem } from "../../src/lib/problem.ts";
import type { RoomOutcome } from "../../src/membership/apply.ts";
import {
  buildFailedRecord,
  buildRecord,
  extendRecord,
  type RunFacts,
} from "../../src/membership/build-record.ts";
import type { CheckedPlan, CheckedRoom } from "../../src/membership/limits.ts";
import type { PersonRow } from "../../src/membership/person-rows.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { addition, checkedRoom, feed, group, person, removal, room, user } from "../support/builders.ts";

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

test("what came of a change is told where it went otherwise than planned: who stayed, and what is to be done", () => {
  const kept = [{ ...person("rollcall"), reason: "self" }] as const;
  const stayed = [{ ...person("eve"), reason: "changed" }] as const;
  const plan = planOf(checkedRoom("NOC", { remove: ["eve"] }, { kept }));
  const record = buildRecord(
    facts,
    plan,
    outcomes({ kept: stayed, problems: ["look at it", "and at that"] }),
  );
  assert.deepEqual(record.rooms[0]?.kept, [...kept, ...stayed]);
  assert.equal(record.totals.kept, 2);
  assert.deepEqual(
    record.problems,
    ["look at it", "and at that"].map((message) => ({ line: 2, column: "room", message })),
  );
});

test("a problem of a room that no row names has no line", () => {
  const restored = checkedRoom("NOC", {}, { feed: feed(room("NOC"), [], { lines: [] }) });
  const record = buildRecord(facts, planOf(restored), outcomes({ problems: ["look at it"] }));
  assert.deepEqual(record.problems, [{ line: null, column: "room", message: "look at it" }]);
});

test("changes that wait tell why, and which of them are additions", () => {
  const held = [
    { ...addition("ada"), action: "add", reason: "moderator-addition" },
    { ...removal("eve"), reason: "moderator-addition" },
  ] as const;
  const holds = [{ reason: "moderator-addition", message: "1 addition planned" }] as const;
  const [told] = buildRecord(facts, planOf({ ...checkedRoom("NOC"), held, holds }), null).rooms;
  assert.deepEqual(told?.held, [
    { ...person("ada"), action: "add", reason: "moderator-addition" },
    { ...person("eve"), reason: "moderator-addition" },
  ]);
  assert.deepEqual(told?.holds, holds);
});

test("a room tells the addresses of its rows that lead to somebody, each once", () => {
  const row = (address: string, isFound: boolean): PersonRow => ({
    line: 2,
    address,
    finding: { kind: "person", person: user("ada") },
    person: isFound ? user("ada") : null,
    isGroupName: false,
  });
  const named = (rows: readonly PersonRow[]) => {
    const of = feed(room("NOC"), [group("eng")], { people: rows });
    return buildRecord(facts, planOf(checkedRoom("NOC", {}, { feed: of })), null).rooms[0];
  };
  const ada = "ada@acme.example";
  assert.deepEqual(named([row(ada, true), row(ada, true), row("eng@acme.example", false)])?.people, [ada]);
  assert.equal("people" in (named([row("eng@acme.example", false)]) ?? {}), false);
});

test("a run tells whose it is and what it undoes, where there is something to tell", () => {
  const named = { organisation: "acme", undoes: "reports/runs/4711.json", command: "restore" } as const;
  const record = buildRecord({ ...facts, ...named }, planOf(), null);
  assert.deepEqual(record, { ...empty, ...named });
});

const nothing = { problems: [], notices: [], changes: [], hasChanged: false, delegations: null };

const hosts = (held: number): NonNullable<RunRecord["delegations"]> => {
  const revocation = { delegate: "eve@acme.example", reason: "revocations-per-run" } as const;
  const host = { before: [], after: [], added: [], removed: [] };
  return {
    backend: "rest",
    hosts: [
      { ...host, host: "ann@acme.example", held: Array.from({ length: held }, () => revocation) },
      { ...host, host: "bob@acme.example", held: [revocation] },
    ],
  };
};

test("a run that did nothing besides keeps its record", () => {
  for (const status of ["converged", "changed", "held", "partial", "failed"] as const) {
    const record = { ...empty, status };
    assert.deepEqual(extendRecord(record, nothing), record);
  }
});

test("what a run did besides is told after what it says of rooms: problems, then changes, then notices", () => {
  const record = { ...empty, problems: [problem], notices: ["a note"], totals: { ...empty.totals, held: 3 } };
  const delegations = hosts(2);
  const extended = extendRecord(record, {
    problems: ["503"],
    changes: ["a change"],
    notices: ["another note"],
    hasChanged: true,
    delegations,
  });
  assert.deepEqual(extended, {
    ...record,
    status: "partial",
    totals: { ...empty.totals, held: 6 },
    delegations,
    problems: [problem, { line: null, column: null, message: "503" }],
    notices: ["a note", "a change", "another note"],
  });
});

const ends: readonly [before: RunRecord["status"], also: string, after: RunRecord["status"]][] = [
  ["converged", "change", "changed"],
  ["changed", "change", "changed"],
  ["held", "change", "held"],
  ["partial", "change", "partial"],
  ["failed", "change", "failed"],
  ["converged", "hold", "held"],
  ["changed", "hold", "held"],
  ["held", "hold", "held"],
  ["partial", "hold", "partial"],
  ["failed", "hold", "failed"],
  ["converged", "problem", "partial"],
  ["held", "problem", "partial"],
  ["failed", "problem", "failed"],
];
for (const [before, also, after] of ends) {
  test(`a run that was ${before} is ${after} with a ${also} of delegations`, () => {
    const extended = extendRecord(
      { ...empty, status: before },
      {
        ...nothing,
        hasChanged: also === "change",
        delegations: also === "hold" ? hosts(0) : null,
        problems: also === "problem" ? ["503"] : [],
      },
    );
    assert.equal(extended.status, after);
  });
}
