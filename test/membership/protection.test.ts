import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import type { Problem } from "../../src/lib/problem.ts";
import { diffRoom } from "../../src/membership/diff.ts";
import type { KnownPerson, Room, RoomMember } from "../../src/membership/directory.ts";
import { planChanges } from "../../src/membership/plan.ts";
import { defaultPolicy, type Policy } from "../../src/membership/policy.ts";
import {
  complete,
  described,
  feed,
  group,
  incomplete,
  member,
  observation,
  owner,
  room,
} from "../support/builders.ts";

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
  const known = all.items.map(({ key, displayName: name, suggestedKind }) => {
    const kind = name in people ? (people[name] ?? null) : (suggestedKind ?? "person");
    return [key, described(name, { emails: [], kind })] as const;
  });
  const differences = [diffRoom(noc, groups, all, { owner })];
  const policy = { ...defaultPolicy, protect: { ...defaultPolicy.protect, ...protect } };
  const { rooms, problems } = planChanges(observation(differences, new Map(known)), policy);
  const [plan] = rooms;
  const kept = plan?.kept.filter(({ reason }) => reason !== "self") ?? [];
  return {
    kept: Object.fromEntries(kept.map(({ displayName, reason }) => [displayName, reason])),
    going: plan?.removals.map(({ displayName }) => displayName),
    problems,
  };
}

const chief = (name: string) => member(name, { isModerator: true });

const bot = member("bell", { suggestedKind: "bot" });

const guest = member("quinn", { suggestedKind: "guest" });

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
    { members: [member("bell")], people: { bell: "bot" } },
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
    "a type that Webex may invent is not a person, and stays, whatever the policy says",
    { members: [member("tv")], people: { tv: "other" }, protect: { bots: false } },
    { tv: "unknown" },
    [],
  ],
  [
    "a device stays, whatever the policy says",
    { members: [member("tv")], people: { tv: "device" }, protect: { bots: false } },
    { tv: "device" },
    [],
  ],
  [
    "somebody whose address looks like a bot's is a person when the directory says so",
    { members: [member("bell", { suggestedKind: "bot" })], people: { bell: "person" } },
    {},
    ["bell"],
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

test("any address of a person protects, also a former one that only the directory tells", () => {
  const eve = member("eve", { email: "married@acme.example" });
  const emails = ["married@acme.example", "Eve@acme.example"];
  const people = new Map([["PEOPLE/eve", described("eve", { emails })]]);
  const differences = [
    diffRoom(feed(room("NOC"), groups), groups, complete(member("rollcall"), eve), { owner }),
  ];
  const policy = { ...defaultPolicy, protect: { ...defaultPolicy.protect, people: ["eve@acme.example"] } };
  const { rooms } = planChanges(observation(differences, people), policy);
  assert.deepEqual(rooms[0]?.removals, []);
});

function problem(message: string): Problem {
  return { line: 2, column: "room", message };
}

test("members whom the directory does not know stay and are one problem of the room, which says what to do", () => {
  const members = [member("zed"), member("eve"), member("bob"), member("bell", { suggestedKind: "bot" })];
  const people = { zed: null, eve: null, bell: null };
  assert.deepEqual(judge({ members, people, protect: { bots: false } }), {
    kept: { eve: "unknown", zed: "unknown", bell: "unknown" },
    going: ["bob"],
    problems: [
      problem(
        'Webex does not say who these members of space "NOC" are, so they stay: bell (bell@acme.example), eve (eve@acme.example), zed (zed@acme.example); remove them in Webex by hand, or list their addresses under protect.people in policy.json',
      ),
    ],
  });
});

test("a member without a known address stays where addresses may protect, and one whose removal lacks an id stays anywhere", () => {
  const people = ["bob@acme.example"];
  const eve = member("eve", { email: null });
  assert.deepEqual(judge({ members: [eve], protect: { people } }).kept, { eve: "unknown" });
  assert.deepEqual(judge({ members: [eve] }).going, ["eve"]);
  assert.deepEqual(judge({ members: [member("eve", { membershipId: null })] }).kept, { eve: "unknown" });
});

test("in a moderated space whose moderator the owner is not, nothing is planned, and one problem says so", () => {
  const moderated = { isModerated: true };
  const refused = judge({ members: [member("eve"), member("kim"), chief("zoe")], room: moderated });
  assert.deepEqual(refused, {
    kept: { zoe: "last-moderator" },
    going: [],
    problems: [
      problem(
        'nothing is changed in space "NOC": it is moderated, and rollcall@acme.example is not one of its moderators; make them a moderator there',
      ),
    ],
  });
  const listing = complete(chief("rollcall"), member("ada"), member("eve"));
  assert.deepEqual(judge({ members: [], listing, room: moderated }).going, ["eve"]);
  assert.deepEqual(
    judge({ members: [chief("zoe")], room: moderated }).problems,
    [],
    "nothing is wanted there",
  );
});

test("an incomplete member list changes nothing and is a problem of its room", () => {
  const listing = incomplete("page 2: 503", member("rollcall"), member("eve"));
  assert.deepEqual(judge({ members: [], listing }), {
    kept: {},
    going: [],
    problems: [problem('nothing is changed in space "NOC": its member list is incomplete: page 2: 503')],
  });
});

test("a member list without the token's owner changes nothing and is a problem of its room", () => {
  assert.deepEqual(judge({ members: [], listing: complete(chief("eve"), member("bob")) }), {
    kept: {},
    going: [],
    problems: [
      problem(
        `nothing is changed in space "NOC": the token's owner, rollcall@acme.example, is not in its member list; add them to the space`,
      ),
    ],
  });
});

test("a row that does not resolve changes nothing, and is no second problem", () => {
  const result = judge({ members: [member("eve")], obstacle: "line 3 names no single group" });
  assert.deepEqual(result, { kept: {}, going: [], problems: [] });
});
