import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoomOutcome } from "../../src/membership/apply.ts";
import { checkedRoom, complete, incomplete, member, person, removal } from "../support/builders.ts";
import { type Facts, run } from "./run-apply.ts";

const outcome: RoomOutcome = {
  added: [],
  removed: [],
  failed: [],
  kept: [],
  after: 1,
  notBegun: 0,
  unverified: null,
  problems: [],
};
const added = (name: string) => ({ ...person(name), email: `${name}@told-by-webex.example` });
const removed = (name: string) => ({ ...person(name), wasModerator: false });
const addFailed = (name: string, error: string, trackingId: string | null = null) => ({
  ...person(name),
  action: "add",
  error,
  trackingId,
});
const removeFailed = (name: string, error: string, trackingId: string | null = null) => ({
  ...addFailed(name, error, trackingId),
  action: "remove",
});

test("a plan without changes asks nothing of Webex and has no outcomes", async () => {
  assert.deepEqual(await run([checkedRoom("NOC"), checkedRoom("Lobby")]), { log: [], outcomes: {} });
});

test("one addition is made and looked at, and told as Webex describes the person", async () => {
  assert.deepEqual(await run([checkedRoom("NOC", { add: ["ada"] })]), {
    log: ["add ada", "look"],
    outcomes: { "ROOM/NOC": { ...outcome, added: [added("ada")], after: 2 } },
  });
});

test("in a room all additions come before all removals", async () => {
  assert.deepEqual(await run([checkedRoom("NOC", { add: ["ada", "bob"], remove: ["eve", "kim"] })]), {
    log: ["add ada", "add bob", "look", "groups", "remove eve", "remove kim", "look"],
    outcomes: {
      "ROOM/NOC": {
        ...outcome,
        added: [added("ada"), added("bob")],
        removed: [removed("eve"), removed("kim")],
        after: 3,
      },
    },
  });
});

test("a failure stops neither the changes behind it nor another room", async () => {
  const rooms = [
    checkedRoom("NOC", { add: ["ada", "bob"], remove: ["eve", "kim"] }),
    checkedRoom("Lobby", { remove: ["zoe"] }),
  ];
  const { outcomes } = await run(rooms, { effects: { "add ada": "throws", "remove eve": "throws" } });
  assert.deepEqual(outcomes, {
    "ROOM/NOC": {
      ...outcome,
      added: [added("bob")],
      removed: [removed("kim")],
      failed: [addFailed("ada", "no add ada", "T-ada"), removeFailed("eve", "no remove eve", "T-eve")],
      after: 3,
    },
    "ROOM/Lobby": { ...outcome, removed: [removed("zoe")] },
  });
});

test("whether the member was a moderator is told", async () => {
  const plan = checkedRoom("NOC", { remove: ["eve"] });
  const removals = plan.removals.map((one) => ({ ...one, wasModerator: true }));
  const { outcomes } = await run([{ ...plan, removals }]);
  assert.deepEqual(outcomes["ROOM/NOC"]?.removed, [{ ...person("eve"), wasModerator: true }]);
});

test("what Webex accepted is made, and told where the room does not show it, after one more look", async () => {
  const rooms = [checkedRoom("NOC", { add: ["ada"], remove: ["eve"] })];
  const effects = { "add ada": "without effect", "remove eve": "without effect" } as const;
  assert.deepEqual(await run(rooms, { effects }), {
    log: ["add ada", "look", "groups", "remove eve", "look", "settle", "look"],
    outcomes: {
      "ROOM/NOC": {
        ...outcome,
        added: [added("ada")],
        removed: [removed("eve")],
        after: 2,
        problems: [
          'Webex accepted that these people were added to space "NOC", but does not show them there: ada; the next run looks again',
          'Webex accepted that these people were removed from space "NOC", but still shows them there: eve; the next run looks again',
        ],
      },
    },
  });
});

test("what somebody else had done before is neither made by this run nor failed", async () => {
  const rooms = [checkedRoom("NOC", { add: ["ada", "bob"], remove: ["eve", "kim"] })];
  const effects = {
    "add ada": "done before",
    "add bob": "refused, and done by others",
    "remove eve": "done before",
    "remove kim": "refused, and done by others",
  } as const;
  assert.deepEqual((await run(rooms, { effects })).outcomes, { "ROOM/NOC": { ...outcome, after: 3 } });
});

test("somebody of whom Webex says they are there already, and who is not shown, is failed", async () => {
  const rooms = [checkedRoom("NOC", { add: ["ada"] })];
  const listing = complete(member("rollcall"));
  const { outcomes } = await run(rooms, { effects: { "add ada": "done before" }, listing });
  const error = "Webex says that the person is in the space already, but does not show them there";
  assert.deepEqual(outcomes["ROOM/NOC"]?.failed, [addFailed("ada", error)]);
});

test("what shows only at the second look is done", async () => {
  const rooms = [checkedRoom("NOC", { add: ["ada"] })];
  assert.deepEqual(await run(rooms, { effects: { "add ada": "later" } }), {
    log: ["add ada", "look", "settle", "look"],
    outcomes: { "ROOM/NOC": { ...outcome, added: [added("ada")], after: 2 } },
  });
});

test("a change whose answer got lost counts as done when the room shows it", async () => {
  const rooms = [checkedRoom("NOC", { add: ["ada"], remove: ["eve"] })];
  const effects = { "add ada": "lost answer", "remove eve": "lost answer" } as const;
  assert.deepEqual(await run(rooms, { effects }), {
    log: ["add ada", "look", "groups", "remove eve", "look"],
    outcomes: {
      "ROOM/NOC": { ...outcome, added: [person("ada")], removed: [removed("eve")], after: 2 },
    },
  });
});

test("a failure that the room confirms needs no second look", async () => {
  const { log } = await run([checkedRoom("NOC", { add: ["ada"] })], { effects: { "add ada": "throws" } });
  assert.deepEqual(log, ["add ada", "look"]);
});

test("where nobody can look, the answers count, and the outcome says that it is unverified", async () => {
  const rooms = [checkedRoom("NOC", { add: ["ada", "bob", "cyd"] })];
  const facts: Facts = {
    effects: { "add bob": "throws", "add cyd": "refused, and done by others" },
    listing: incomplete("503"),
  };
  assert.deepEqual((await run(rooms, facts)).outcomes, {
    "ROOM/NOC": {
      ...outcome,
      added: [added("ada")],
      failed: [
        addFailed("bob", "no add bob; it is not known whether the person was added", "T-bob"),
        addFailed("cyd", "no add cyd"),
      ],
      after: null,
      unverified: "503",
    },
  });
});

test("removals are not tried where failed additions would leave nobody", async () => {
  const plan = checkedRoom("NOC", { add: ["ada"], remove: ["eve"] }, { stayingCount: 0 });
  const reason = "not tried: the additions failed, so nobody would be left in the space";
  assert.deepEqual(await run([plan], { effects: { "add ada": "throws" } }), {
    log: ["add ada", "look", "groups"],
    outcomes: {
      "ROOM/NOC": {
        ...outcome,
        failed: [addFailed("ada", "no add ada", "T-ada"), removeFailed("eve", reason)],
        after: 2,
      },
    },
  });
});

test("one addition that worked is enough for the removals, and so is one member who stays", async () => {
  const effects = { "add ada": "throws" } as const;
  const changes = { add: ["ada", "bob"], remove: ["eve"] };
  const one = await run([checkedRoom("NOC", changes, { stayingCount: 0 })], { effects });
  assert.deepEqual(one.log, ["add ada", "add bob", "look", "groups", "remove eve", "look"]);
  const other = await run([checkedRoom("NOC", { add: ["ada"], remove: ["eve"] }, { stayingCount: 1 })], {
    effects,
  });
  assert.deepEqual(other.log, ["add ada", "look", "groups", "remove eve", "look"]);
});

test("where the token's owner is in the room no more, absence proves nothing, and the outcome is unverified", async () => {
  const plan = checkedRoom("NOC", { add: ["ada"] });
  assert.deepEqual(await run([plan], { listing: complete(member("zoe", { isModerator: true })) }), {
    log: ["add ada", "look"],
    outcomes: {
      "ROOM/NOC": {
        ...outcome,
        added: [added("ada")],
        after: null,
        unverified: "the token's owner is not in its member list any more",
      },
    },
  });
});

const changed = (name: string) => ({ ...person(name), reason: "changed" });

test("where the second look is not whole, nobody is removed, and that is told", async () => {
  const plan = checkedRoom("NOC", { remove: ["eve"] });
  assert.deepEqual(await run([plan], { listing: incomplete("503") }), {
    log: ["look", "groups"],
    outcomes: {
      "ROOM/NOC": {
        ...outcome,
        kept: [changed("eve")],
        after: 4,
        problems: [
          'nobody was removed from space "NOC", because a second look was in doubt (its members are not known); the next run looks again',
        ],
      },
    },
  });
});

test("those who are not to go by the second look stay, without any problem; the others go", async () => {
  const plan = checkedRoom("NOC", { remove: ["eve", "kim"] });
  const { log, outcomes } = await run([plan], { again: { removals: [removal("kim")] } });
  assert.deepEqual(log, ["look", "groups", "remove kim", "look"]);
  assert.deepEqual(outcomes, {
    "ROOM/NOC": { ...outcome, removed: [removed("kim")], kept: [changed("eve")], after: 2 },
  });
});

test("an approved emptying of a room is made", async () => {
  const plan = checkedRoom("NOC", { remove: ["eve"] }, { stayingCount: 0 });
  assert.deepEqual((await run([plan])).outcomes, { "ROOM/NOC": { ...outcome, removed: [removed("eve")] } });
});

test("a stop lets the change end that has begun, begins no other and counts those", async () => {
  const rooms = [
    checkedRoom("NOC", { add: ["ada", "bob"], remove: ["eve"] }),
    checkedRoom("Lobby", { add: ["zoe"] }),
  ];
  assert.deepEqual(await run(rooms, { effects: { "add ada": "stops" } }), {
    log: ["add ada"],
    outcomes: {
      "ROOM/NOC": {
        ...outcome,
        added: [added("ada")],
        after: null,
        notBegun: 2,
        unverified: "the run was stopped",
      },
      "ROOM/Lobby": { ...outcome, after: 3, notBegun: 1 },
    },
  });
});

test("a change that the stop reached before it was sent was not begun", async () => {
  const rooms = [checkedRoom("NOC", { add: ["ada"], remove: ["eve"] })];
  assert.deepEqual(await run(rooms, { effects: { "add ada": "unsent" } }), {
    log: ["add ada"],
    outcomes: { "ROOM/NOC": { ...outcome, after: 4, notBegun: 2 } },
  });
  const second = await run(rooms, { effects: { "remove eve": "unsent" } });
  assert.deepEqual(second.outcomes, {
    "ROOM/NOC": {
      ...outcome,
      added: [added("ada")],
      after: null,
      notBegun: 1,
      unverified: "the run was stopped",
    },
  });
});

test("where nobody would be left although nothing was added, the reason does not blame additions", async () => {
  const reason = "not tried: nobody would be left in the space";
  const none = await run([checkedRoom("NOC", { remove: ["eve"] })], { again: { stayingCount: 0 } });
  assert.deepEqual(none.outcomes["ROOM/NOC"]?.failed, [removeFailed("eve", reason)]);
  // Who was added is shown by now, and is not one of the people.
  const added = await run([checkedRoom("NOC", { add: ["bell"], remove: ["eve"] })], {
    again: { stayingCount: 0, additions: [] },
  });
  assert.deepEqual(added.outcomes["ROOM/NOC"]?.failed, [removeFailed("eve", reason)]);
});

test("somebody whom Webex accepted and does not show yet is somebody who will be left", async () => {
  const plan = checkedRoom("NOC", { add: ["ada"], remove: ["eve"] }, { stayingCount: 0 });
  const { outcomes } = await run([plan], { effects: { "add ada": "later" } });
  assert.deepEqual(outcomes["ROOM/NOC"]?.removed, [removed("eve")]);
});

test("where the look before the removals finds nobody to remove, it serves as the look after the additions", async () => {
  const plan = checkedRoom("NOC", { add: ["ada"], remove: ["eve"] });
  const shown = await run([plan], { again: { removals: [] } });
  assert.deepEqual(shown.log, ["add ada", "look", "groups"]);
  const later = await run([plan], { again: { removals: [] }, effects: { "add ada": "later" } });
  assert.deepEqual(later.log, ["add ada", "look", "groups", "settle", "look"]);
  assert.deepEqual(later.outcomes["ROOM/NOC"]?.problems, []);
});

test("one change of several that does not show yet is enough for another look", async () => {
  const plan = checkedRoom("NOC", { add: ["ada", "bob"] });
  const { log } = await run([plan], { effects: { "add bob": "later" } });
  assert.deepEqual(log, ["add ada", "add bob", "look", "settle", "look"]);
});

test("what others had done before is not failed where nobody can look", async () => {
  const facts: Facts = { effects: { "add ada": "done before" }, listing: incomplete("503") };
  const { outcomes } = await run([checkedRoom("NOC", { add: ["ada"] })], facts);
  assert.deepEqual(outcomes["ROOM/NOC"], { ...outcome, after: null, unverified: "503" });
});

test("those who are not shown are told together, in one order", async () => {
  const effects = { "add zoe": "without effect", "add bob": "without effect" } as const;
  const { outcomes } = await run([checkedRoom("NOC", { add: ["zoe", "ada", "bob"] })], { effects });
  assert.deepEqual(outcomes["ROOM/NOC"]?.problems, [
    'Webex accepted that these people were added to space "NOC", but does not show them there: bob, zoe; the next run looks again',
  ]);
});
