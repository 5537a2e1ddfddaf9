import assert from "node:assert/strict";
import { test } from "node:test";
import { diffRoom, type GroupReading, type RoomDiff } from "../../src/membership/diff.ts";
import type { KnownPerson, Owner, Room, RoomMember } from "../../src/membership/directory.ts";
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

/** A room that one group feeds, as it was observed. */
function differenceOf(
  members: readonly RoomMember[],
  {
    room: facts = {},
    mode = "sync",
    readings = [group("eng")],
    owner: of = owner,
  }: {
    readonly room?: Partial<Room>;
    readonly mode?: Mode;
    readonly readings?: readonly GroupReading[];
    readonly owner?: Owner;
  } = {},
): RoomDiff {
  const listing = complete(member("rollcall"), ...members);
  return diffRoom(feed(room("NOC", facts), readings, { mode }), readings, listing, { owner: of });
}

const plan = (difference: RoomDiff, people: ReadonlyMap<string, KnownPerson> = new Map()) => {
  const { rooms, problems } = planChanges(observation([difference], people), defaultPolicy);
  const [one] = rooms;
  assert.ok(one);
  const { kept, additions, removals, frozen, stayingCount } = one;
  return {
    frozen,
    stayingCount,
    kept: kept.flatMap(({ displayName, reason }) => (reason === "self" ? [] : `${displayName}: ${reason}`)),
    changes: additions.length + removals.length,
    problems: problems.map(({ message }) => message),
  };
};

test("problems come by line, those without a line first, and on one line by their text", () => {
  const problem = (line: number | null, message: string) => ({ line, column: null, message });
  const all = {
    ...observation([]),
    problems: [problem(7, "b"), problem(3, "c"), problem(7, "a"), problem(null, "z")],
  };
  assert.deepEqual(
    planChanges(all, defaultPolicy).problems.map(({ message }) => message),
    ["z", "c", "a", "b"],
  );
  const reversed = { ...all, problems: all.problems.toReversed() };
  assert.deepEqual(planChanges(reversed, defaultPolicy).problems, planChanges(all, defaultPolicy).problems);
});

test("a second plan is made of what a second look finds, by the same policy", async () => {
  const first = differenceOf([member("eve")]);
  const second = differenceOf([member("zoe")]);
  const people = new Map(["eve", "zoe"].map((name) => [`PEOPLE/${name}`, described(name)]));
  const asked: unknown[] = [];
  const listing = complete(member("rollcall"), member("zoe"));
  const { planAgain } = planChanges(
    {
      ...observation([first], people),
      async compareAgain(...of) {
        asked.push(of);
        return second;
      },
    },
    defaultPolicy,
  );
  const again = await planAgain(first.feed, listing);
  assert.deepEqual(again.removals, [removal("zoe")]);
  assert.deepEqual(asked, [[first.feed, listing]]);
});

test("a moderated room in which the token's owner is no moderator changes nothing, and says so once", () => {
  const moderated = { room: { isModerated: true }, readings: [group("eng", "ada")] };
  const refusal = "it is moderated, and rollcall@acme.example is not one of its moderators";
  assert.deepEqual(plan(differenceOf([member("ada"), member("odd")], moderated)), {
    frozen: null,
    stayingCount: 1,
    kept: ["odd: unknown"],
    changes: 0,
    problems: [
      'Webex does not say who these members of space "NOC" are, so they stay: odd (odd@acme.example); remove them in Webex by hand, or list their addresses under protect.people in policy.json',
    ],
  });
  const wanted = plan(differenceOf([member("odd")], moderated));
  assert.deepEqual([wanted.frozen, wanted.changes], [refusal, 0]);
  assert.deepEqual(wanted.problems, [
    `nothing is changed in space "NOC": ${refusal}; make them a moderator there`,
  ]);
  const audited = plan(differenceOf([], { ...moderated, mode: "audit" }));
  assert.deepEqual([audited.frozen, audited.problems], [null, []]);
});

test("what stands in a room's way is told before what is not known of its groups", () => {
  const readings = [uncertain(group("eng", "ada")), uncertain(group("ops"))];
  const moderated = differenceOf([], { room: { isModerated: true }, readings });
  assert.match(plan(moderated).frozen ?? "", /^it is moderated/);
  assert.equal(plan({ ...moderated, obstacle: "line 2 moved" }).frozen, "line 2 moved");
  const open = differenceOf([], { readings });
  assert.equal(plan(open).frozen, "not known for certain: eng, ops");
});

test("of the members who stay, people and guests are somebody who is left; machines and the unknown are not", () => {
  const asModerator = (name: string, kind: RoomMember["suggestedKind"]) =>
    member(name, { suggestedKind: kind, isModerator: true });
  for (const [kind, left] of [
    ["person", 1],
    ["guest", 1],
    ["bot", 0],
    ["device", 0],
    ["other", 0],
    [null, 0],
  ] as const)
    assert.equal(plan(differenceOf([asModerator("kim", kind)])).stayingCount, left, String(kind));
  // Who goes is not left.
  const known = new Map([["PEOPLE/eve", described("eve")]]);
  assert.equal(plan(differenceOf([member("eve")]), known).stayingCount, 0);
  // Neither is the token's owner, described or not.
  const people = new Map([[owner.key, described("rollcall")]]);
  assert.equal(plan(differenceOf([]), people).stayingCount, 0);
});

test("where a group is not known nobody was looked up, so nobody is kept as unknown, or told of", () => {
  const members = [member("eve"), member("kim", { isModerator: true })];
  const steady = differenceOf(members, { readings: [uncertain(group("eng"))] });
  assert.deepEqual(plan(steady), {
    frozen: "not known for certain: eng",
    stayingCount: 0,
    kept: ["kim: last-moderator"],
    changes: 0,
    problems: [],
  });
  const unsteady = differenceOf(members, { readings: [uncertain(group("eng"), "it changed", true)] });
  assert.deepEqual(plan(unsteady).kept, ["eve: changed", "kim: last-moderator"]);
});

test("members of whom nothing is known stay, and are told by whatever there is of name, address and id", () => {
  const members = [
    member("zoe", { email: null }),
    member("", { key: "PEOPLE/x", personId: "id-x", email: "x@acme.example" }),
    member("", { key: "PEOPLE/y", personId: "id-y", email: null }),
    member("Ada"),
  ];
  const { kept, problems } = plan(differenceOf(members));
  assert.deepEqual(kept, ["null: unknown", "null: unknown", "Ada: unknown", "zoe: unknown"]);
  assert.match(problems[0] ?? "", /so they stay: Ada \(Ada@acme\.example\), id-y, x@acme\.example, zoe;/);
});

test("where Webex could not be asked, that is told, and the next run asks again", () => {
  const failed = { ...observation([differenceOf([member("eve")])]), lookUpFailure: "403" };
  assert.deepEqual(
    planChanges(failed, defaultPolicy).problems.map(({ message }) => message),
    [
      'Webex could not be asked who these members of space "NOC" are, so they stay: eve (eve@acme.example) (403); the next run asks again',
    ],
  );
});

test("where it is not known whose the space is, everybody in it may be from elsewhere", () => {
  const nobodys = { ...owner, orgKey: null };
  const difference = differenceOf([member("eve", { orgKey: null })], {
    room: { orgKey: null },
    owner: nobodys,
  });
  const all = { ...observation([difference], new Map([["PEOPLE/eve", described("eve")]])), owner: nobodys };
  const [found] = planChanges(all, defaultPolicy).rooms;
  assert.deepEqual(
    found?.kept.map(({ displayName, reason }) => [displayName, reason]),
    [
      ["eve", "external"],
      ["rollcall", "self"],
    ],
  );
});
