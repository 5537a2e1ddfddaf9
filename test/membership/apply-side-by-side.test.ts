import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPlan } from "../../src/membership/apply.ts";
import { labelOf, type RecordedPerson } from "../../src/membership/record.ts";
import { checkedRoom, complete, member, owner, person } from "../support/builders.ts";

const turn = () => new Promise(setImmediate);

/** A Webex that answers each change only when it is told to. */
function createSlowWebex() {
  const begun: string[] = [];
  const present = new Set(["rollcall", "eve", "kim"]);
  const answers = new Map<string, () => void>();
  const change = (what: string, work: () => void) => {
    begun.push(what);
    return new Promise<void>((resolve) => answers.set(what, resolve)).then(work);
  };
  return {
    begun,
    answer: (what: string) => answers.get(what)?.(),
    writer: {
      addMember: (_: unknown, one: RecordedPerson) => {
        const name = labelOf(one);
        return change(`add ${name}`, () => present.add(name)).then(() => person(name));
      },
      removeMember: (_: unknown, one: RecordedPerson) => {
        const name = labelOf(one);
        return change(`remove ${name}`, () => present.delete(name)).then(() => true);
      },
    },
    reader: { listRoomMembers: async () => complete(...[...present].map((name) => member(name))) },
  };
}

test("the additions of one room are under way together, its removals only after the last answer to them", async () => {
  const webex = createSlowWebex();
  const room = checkedRoom("NOC", { add: ["ada", "bob", "cyd"], remove: ["eve", "kim"] });
  const applied = applyPlan(
    { rooms: [room], digest: null },
    {
      ...webex,
      planAgain: async () => room,
      ownerKey: owner.key,
      stop: new AbortController().signal,
      waitForConsistency: () => Promise.resolve(),
    },
  );
  const additions = ["add ada", "add bob", "add cyd"];
  assert.deepEqual(webex.begun, additions);
  for (const what of ["add cyd", "add ada"]) webex.answer(what);
  await turn();
  assert.deepEqual(webex.begun, additions);
  webex.answer("add bob");
  await turn();
  const removals = ["remove eve", "remove kim"];
  assert.deepEqual(webex.begun, [...additions, ...removals]);
  for (const what of removals.toReversed()) webex.answer(what);
  const outcome = (await applied).get("ROOM/NOC");
  // Told in the order of the plan, whatever the order of the answers.
  assert.deepEqual(
    [outcome?.added.map((one) => one.displayName), outcome?.removed.map((one) => one.displayName)],
    [
      ["ada", "bob", "cyd"],
      ["eve", "kim"],
    ],
  );
});

test("of a room with very many changes only some wait at once, so that other rooms get their turn", async () => {
  const names = Array.from({ length: 500 }, (_, index) => `person-${index}`);
  const begun: string[] = [];
  const applied = applyPlan(
    { rooms: [checkedRoom("Big", { add: names }), checkedRoom("Small", { add: ["zoe"] })], digest: null },
    {
      writer: {
        async addMember(_, addition) {
          const name = labelOf(addition);
          begun.push(name);
          await turn();
          return person(name);
        },
        removeMember: () => Promise.reject(new Error("nobody is to be removed")),
      },
      reader: {
        listRoomMembers: async (room) =>
          complete(...["rollcall", ...(room.title === "Big" ? names : ["zoe"])].map((name) => member(name))),
      },
      planAgain: () => Promise.reject(new Error("nobody is to be removed")),
      ownerKey: owner.key,
      stop: new AbortController().signal,
      waitForConsistency: () => Promise.resolve(),
    },
  );
  const outcomes = await applied;
  assert.equal(outcomes.get("ROOM/Big")?.added.length, 500);
  assert.ok(begun.indexOf("zoe") < 100, `${begun.indexOf("zoe")} changes of the big room came first`);
});

test("of big rooms fewer are changed at once", async () => {
  const rooms = Array.from({ length: 20 }, (_, index) =>
    checkedRoom(`S${index}`, { add: ["ada"] }, { before: 8_000 }),
  );
  let [underWay, most] = [0, 0];
  const outcomes = await applyPlan(
    { rooms, digest: null },
    {
      writer: {
        async addMember(_, addition) {
          underWay += 1;
          most = Math.max(most, underWay);
          await turn();
          underWay -= 1;
          return person(labelOf(addition));
        },
        removeMember: () => Promise.reject(new Error("nobody is to be removed")),
      },
      reader: { listRoomMembers: async () => complete(member("rollcall"), member("ada")) },
      planAgain: () => Promise.reject(new Error("nobody is to be removed")),
      ownerKey: owner.key,
      stop: new AbortController().signal,
      waitForConsistency: () => Promise.resolve(),
    },
  );
  assert.deepEqual([most, outcomes.size], [8, 20]);
});
