import assert from "node:assert/strict";
import { test } from "node:test";
import { diffRoom, type GroupReading } from "../../src/membership/diff.ts";
import type { KnownPerson, RoomMember } from "../../src/membership/directory.ts";
import type { Mode } from "../../src/membership/mapping.ts";
import { planChanges, type RoomPlan } from "../../src/membership/plan.ts";
import { defaultPolicy } from "../../src/membership/policy.ts";
import {
  addition,
  complete,
  described,
  feed,
  group,
  member,
  observation,
  owner,
  person,
  removal,
  room,
  uncertain,
} from "../support/builders.ts";

interface Facts {
  readonly groups: readonly GroupReading[];
  /** Beside the token's owner. */
  readonly members?: readonly RoomMember[];
  readonly mode?: Mode;
  readonly people?: ReadonlyMap<string, KnownPerson>;
}

const self = { ...person("rollcall"), reason: "self" };

function planOf({ groups, members = [], mode = "sync", people = new Map() }: Facts) {
  const of = feed(room("NOC"), groups, { mode });
  const difference = diffRoom(of, groups, complete(member("rollcall"), ...members), { owner });
  const names = ["ada", "bob", "cyd", ...members.map(({ displayName }) => displayName)];
  const known = new Map([...names, "twin"].map((name) => [`PEOPLE/${name}`, described(name)]));
  const all = observation([difference], new Map([...known, ...people]));
  const { rooms, problems } = planChanges(all, defaultPolicy);
  assert.deepEqual(problems, []);
  return rooms;
}

/** The plan of a room in which nothing is to be done, with these facts instead. */
function expected(groups: readonly GroupReading[], facts: object, mode: Mode = "sync"): RoomPlan[] {
  const plan: RoomPlan = {
    feed: feed(room("NOC"), groups, { mode }),
    before: 1,
    additions: [],
    removals: [],
    kept: [],
    missing: [],
    stayingCount: 0,
    emptyGroups: [],
    frozen: null,
  };
  return [{ ...plan, kept: [{ ...person("rollcall"), reason: "self" }], ...facts }];
}

test("a room that holds the people of its group plans nothing", () => {
  const groups = [group("eng", "ada")];
  const members = [member("ada")];
  assert.deepEqual(planOf({ groups, members }), expected(groups, { before: 2, stayingCount: 1 }));
});

test("somebody of the group who is not in the room is added", () => {
  const groups = [group("eng", "ada")];
  assert.deepEqual(planOf({ groups }), expected(groups, { additions: [addition("ada")] }));
});

test("somebody in the room who is in none of its groups is removed", () => {
  const groups = [group("eng", "ada")];
  const members = [member("ada"), member("bob")];
  assert.deepEqual(
    planOf({ groups, members }),
    expected(groups, { before: 3, stayingCount: 1, removals: [removal("bob")] }),
  );
});

test("a room holds the union of its groups, each person once", () => {
  const groups = [group("eng", "ada", "bob"), group("ops", "bob", "cyd")];
  const members = [member("cyd"), member("eve")];
  assert.deepEqual(
    planOf({ groups, members }),
    expected(groups, {
      before: 3,
      stayingCount: 1,
      additions: [addition("ada"), addition("bob")],
      removals: [removal("eve")],
    }),
  );
});

test("one group feeds several rooms, and each room is planned by itself, in the order of the lines", () => {
  const eng = group("eng", "ada");
  const rooms = ["Lobby", "NOC"].map((title, index) => feed(room(title), [eng], { lines: [9 - index] }));
  const differences = rooms.map((of, index) =>
    diffRoom(of, [eng], complete(member("rollcall"), ...(index === 0 ? [member("ada")] : [])), { owner }),
  );
  const people = new Map([["PEOPLE/ada", described("ada")]]);
  const plan = planChanges(observation(differences, people), defaultPolicy);
  assert.deepEqual(
    plan.rooms.map(({ feed: { room: of }, additions }) => [of.title, additions]),
    [
      ["NOC", [addition("ada")]],
      ["Lobby", []],
    ],
  );
});

test("add-only adds and keeps everybody", () => {
  const groups = [group("eng", "ada")];
  const kept = [{ ...person("eve"), reason: "add-only" }, self];
  assert.deepEqual(
    planOf({ groups, members: [member("eve")], mode: "add-only" }),
    expected(groups, { before: 2, stayingCount: 1, additions: [addition("ada")], kept }, "add-only"),
  );
});

test("audit changes nothing: it tells who is missing and who is there beside the groups", () => {
  const groups = [group("eng", "ada")];
  const kept = [{ ...person("eve"), reason: "audit" }, self];
  assert.deepEqual(
    planOf({ groups, members: [member("eve")], mode: "audit" }),
    expected(groups, { before: 2, stayingCount: 1, missing: [person("ada")], kept }, "audit"),
  );
});

test("a group that is not surely known removes nobody, and whom it lists is added", () => {
  const groups = [uncertain(group("eng", "ada"), "1 of 2 members arrived"), group("ops", "bob")];
  assert.deepEqual(
    planOf({ groups, members: [member("eve")] }),
    expected(groups, {
      before: 2,
      additions: [addition("ada"), addition("bob")],
      frozen: "not known for certain: eng",
    }),
  );
});

test("where a group could not be read steadily, those who would go are kept, with the reason", () => {
  const groups = [uncertain(group("eng", "ada"), "it changed while it was read", true)];
  const kept = [{ ...person("eve"), reason: "changed" }, self];
  assert.deepEqual(
    planOf({ groups, members: [member("ada"), member("eve")] }),
    expected(groups, { before: 3, kept, stayingCount: 1, frozen: "not known for certain: eng" }),
  );
});

test("an empty group is known: all are removed, if the limits let them go", () => {
  const groups = [group("eng")];
  assert.deepEqual(
    planOf({ groups, members: [member("eve")] }),
    expected(groups, { before: 2, removals: [removal("eve")], emptyGroups: ["eng"] }),
  );
});

test("who is added is told as the directory describes them, and by the group's label where it does not", () => {
  const groups = [group("eng", "ada", "zoe")];
  const people = new Map([
    ["PEOPLE/ada", { displayName: "Ada L.", emails: ["al@acme.example"], kind: null }],
  ]);
  assert.deepEqual(
    planOf({ groups, people }),
    expected(groups, {
      additions: [
        { ...addition("ada"), displayName: "Ada L.", email: "al@acme.example" },
        { ...addition("zoe"), email: null },
      ],
    }),
  );
});

test("people are listed by name and then by id, whatever the order in which Webex tells them", () => {
  const names = ["zoe", "ada", "Bob", "Émil"];
  const groups = [group("eng")];
  const members = names.map((name) => member(name));
  const twin = member("ada", { key: "PEOPLE/twin", personId: "id-aaa" });
  const order = ["Bob", "ada", "ada", "zoe", "Émil"];
  for (const listed of [[...members, twin], [twin, ...members].reverse()]) {
    const [plan] = planOf({ groups, members: listed });
    assert.deepEqual(
      plan?.removals.map(({ displayName }) => displayName),
      order,
    );
    assert.equal(plan?.removals[1]?.personId, "id-aaa");
  }
});
