import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import type { Problem } from "../../src/lib/problem.ts";
import { diffRoom } from "../../src/membership/diff.ts";
import type { KnownPerson, Room, RoomMember } from "../../src/membership/directory.ts";
import { planChanges } from "../../src/membership/plan.ts";
import { defaultPolicy, type Policy } from "../../src/membership/policy.ts";
import { complete, feed, group, incomplete, member, owner, room } from "../support/builders.ts";

const groups = [group("eng", "ada")];

const abroad = "ORGANIZATION/crane-works";

interface Facts {
  readonly members: readonly RoomMember[];
  readonly protect?: Partial<Policy["protect"]>;
  readonly room?: Partial<Room>;
  readonly people?: Readonly<Record<string, KnownPerson["kind"]>>;
  readonly listing?: Listing<RoomMember>;
  readonly obstacle?: string;
}

/** Who is kept, and why, and who goes; without the token's owner, who is always kept. */
function judge({ members, protect, room: of = {}, people = {}, listing, obstacle }: Facts) {
  const noc = feed(room("NOC", of), groups, { obstacle: obstacle ?? null });
  const all = listing ?? complete(member("rollcall"), member("ada"), ...members);
  const known = Object.entries(people).map(
    ([name, kind]) => [`PEOPLE/${name}`, { displayName: name, email: null, kind }] as const,
  );
  const differences = [diffRoom(noc, groups, all, { owner })];
  const policy = { ...defaultPolicy, protect: { ...defaultPolicy.protect, ...protect } };
  const observation = { owner, differences, people: new Map(known), problems: [] };
  const { rooms, problems } = planChanges(observation, policy);
  const [plan] = rooms;
  const kept = plan?.kept.filter(({ reason }) => reason !== "self") ?? [];
  return {
    kept: Object.fromEntries(kept.map(({ displayName, reason }) => [displayName, reason])),
    going: plan?.removals.map(({ displayName }) => displayName),
    problems,
  };
}

const chief = (name: string) => member(name, { isModerator: true });

const bot = member("bell", { kind: "bot" });

const guest = member("quinn", { kind: "guest" });

const external = member("xena", { orgKey: abroad });

const verdicts: readonly [fact: string, facts: Facts, kept: object, going: readonly string[]][] = [
  ["somebody whom nothing protects goes", { members: [member("eve")] }, {}, ["eve"]],
  [
    "a moderator stays",
    { members: [chief("eve"), chief("kim")] },
    { eve: "moderator", kim: "moderator" },
    [],
  ],
  [
    "moderators go when the policy does not protect them and another is left",
    { members: [chief("eve"), chief("kim"), chief("ada")], protect: { moderators: false } },
    {},
    ["eve", "kim"],
  ],
  ["a room's last moderator stays", { members: [chief("eve")] }, { eve: "last-moderator" }, []],
  [
    "a room's last moderator stays, whatever the policy says",
    { members: [chief("eve")], protect: { moderators: false } },
    { eve: "last-moderator" },
    [],
  ],
  [
    "all moderators stay where together they would be the last ones, and the others go",
    { members: [chief("eve"), chief("kim"), member("bob")], protect: { moderators: false } },
    { eve: "last-moderator", kim: "last-moderator" },
    ["bob"],
  ],
  [
    "one protected moderator is enough for the others to go",
    {
      members: [chief("eve"), chief("kim")],
      protect: { moderators: false, people: ["kim@acme.example"] },
    },
    { kim: "listed" },
    ["eve"],
  ],
  ["a bot stays", { members: [bot] }, { bell: "bot" }, []],
  [
    "a bot that only the directory knows to be one stays",
    { members: [member("bell", { kind: null })], people: { bell: "bot" } },
    { bell: "bot" },
    [],
  ],
  [
    "a bot goes when the policy does not protect bots",
    { members: [bot], protect: { bots: false } },
    {},
    ["bell"],
  ],
  ["a guest stays", { members: [guest] }, { quinn: "external" }, []],
  [
    "a guest stays, whatever the policy says",
    { members: [guest], protect: { externals: false, bots: false } },
    { quinn: "external" },
    [],
  ],
  [
    "somebody of another organisation than the room's stays",
    { members: [external] },
    { xena: "external" },
    [],
  ],
  [
    "externals go when the policy does not protect them",
    { members: [external], protect: { externals: false } },
    {},
    ["xena"],
  ],
  [
    "in a room of another organisation the own people are the externals",
    { members: [external, member("eve")], room: { orgKey: abroad } },
    { eve: "external" },
    ["xena"],
  ],
  [
    "a room that does not tell its organisation counts as one of the owner's",
    { members: [external, member("eve")], room: { orgKey: null } },
    { xena: "external" },
    ["eve"],
  ],
  [
    "somebody whose organisation is not known stays",
    { members: [member("eve", { orgKey: null })] },
    { eve: "external" },
    [],
  ],
  [
    "a type that Webex may invent is no person, and stays, whatever the policy says",
    { members: [member("tv", { kind: "other" })], protect: { bots: false } },
    { tv: "bot" },
    [],
  ],
  [
    "a listed address protects in any case",
    { members: [member("eve", { email: "EVE@Acme.Example" })], protect: { people: ["eve@acme.example"] } },
    { eve: "listed" },
    [],
  ],
  [
    "a listed address does not protect somebody else of that name",
    { members: [member("eve", { email: "eve2@acme.example" })], protect: { people: ["eve@acme.example"] } },
    {},
    ["eve"],
  ],
  [
    "a namesake of somebody in the group is nobody in the group",
    { members: [member("eve", { displayName: "ada", email: "ada@acme.example" })] },
    {},
    ["ada"],
  ],
];

for (const [fact, facts, kept, going] of verdicts) {
  test(fact, () => assert.deepEqual(judge(facts), { kept, going, problems: [] }));
}

test("the token's owner stays, even as a moderator whom no policy protects", () => {
  const listing = complete(chief("rollcall"), chief("eve"), member("bob"));
  const result = judge({ members: [], listing, protect: { moderators: false } });
  assert.deepEqual(result, { kept: {}, going: ["bob", "eve"], problems: [] });
});

test("a listed address protects also when only the directory tells it", () => {
  const eve = member("eve", { email: null, kind: null });
  const people = new Map([
    ["PEOPLE/eve", { displayName: "eve", email: "Eve@acme.example", kind: "person" }] as const,
  ]);
  const differences = [
    diffRoom(feed(room("NOC"), groups), groups, complete(member("rollcall"), eve), { owner }),
  ];
  const policy = { ...defaultPolicy, protect: { ...defaultPolicy.protect, people: ["eve@acme.example"] } };
  const { rooms } = planChanges({ owner, differences, people, problems: [] }, policy);
  assert.deepEqual(rooms[0]?.removals, []);
});

function problem(message: string): Problem {
  return { line: 2, column: "room", message };
}

test("members whom nobody can look up stay and are one problem of the room", () => {
  const members = [member("zed", { kind: null }), member("eve", { kind: null }), member("bob")];
  assert.deepEqual(judge({ members, protect: { bots: false } }), {
    kept: { eve: "bot", zed: "bot" },
    going: ["bob"],
    problems: [
      problem('Webex does not say whether these members of room "NOC" are people, so they stay: eve, zed'),
    ],
  });
});

test("an incomplete member list changes nothing and is a problem of its room", () => {
  const listing = incomplete("page 2: 503", member("rollcall"), member("eve"));
  assert.deepEqual(judge({ members: [], listing }), {
    kept: {},
    going: [],
    problems: [problem('nothing is changed in room "NOC": its member list is incomplete: page 2: 503')],
  });
});

test("a member list without the token's owner changes nothing and is a problem of its room", () => {
  assert.deepEqual(judge({ members: [], listing: complete(chief("eve"), member("bob")) }), {
    kept: {},
    going: [],
    problems: [
      problem(
        `nothing is changed in room "NOC": the token's owner, rollcall@acme.example, is not in its member list; add them to the room`,
      ),
    ],
  });
});

test("a row that does not resolve changes nothing, and is no second problem", () => {
  const result = judge({ members: [member("eve")], obstacle: "line 3 names no single group" });
  assert.deepEqual(result, { kept: {}, going: [], problems: [] });
});
