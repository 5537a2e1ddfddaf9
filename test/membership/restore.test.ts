import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import { countSilently } from "../../src/lib/progress.ts";
import type { MembershipReader, RoomMember } from "../../src/membership/directory.ts";
import { checkLimits } from "../../src/membership/limits.ts";
import { planChanges } from "../../src/membership/plan.ts";
import { defaultPolicy } from "../../src/membership/policy.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { observeRestore, prepareRestore, type Trust } from "../../src/membership/restore.ts";
import { room as roomRecord, runRecord } from "../report/build-record.ts";
import {
  complete,
  described,
  incomplete,
  member,
  owner,
  removal,
  room,
  roomPlan,
} from "../support/builders.ts";
import { listingsOnly } from "../support/listings-only.ts";

const self = member("rollcall");

/** Ids as the builders spell them: the key is the id itself. */
const listed = (name: string) => ({
  personId: `PEOPLE/${name}`,
  displayName: name,
  email: `${name}@acme.example`,
});

/** A reader of one room with these members, which counts what it is asked. */
function createReader(members: Listing<RoomMember>, facts: Partial<MembershipReader> = {}) {
  const lookedUp: string[] = [];
  const reader: MembershipReader = {
    ...listingsOnly,
    readOwner: async () => owner,
    listGroups: () => assert.fail("the groups have no say in an undo"),
    listGroupMembers: () => assert.fail("the groups have no say in an undo"),
    listRooms: async () => complete(room("NOC")),
    listRoomMembers: async () => members,
    findHolders: () => assert.fail("no address has a say in an undo"),
    async lookUpPeople(ids) {
      lookedUp.push(...ids);
      const people = ids.map((id) => id.replace("id-", ""));
      return {
        people: new Map(people.map((name) => [`PEOPLE/${name}`, described(name)])),
        failure: null,
      };
    },
    ...facts,
  };
  return { reader, lookedUp };
}

const trusted = { isVerified: true, mappedRooms: new Set(["ROOM/NOC"]) };

/** What undoing this record plans, in names. */
async function planRestore(reader: MembershipReader, record: RunRecord) {
  const observation = await observeRestore(reader, record, { log: () => undefined, count: countSilently });
  const { rooms, problems } = planChanges(observation, defaultPolicy);
  return {
    rooms: prepareRestore(rooms, observation.moderators, trusted).map(({ additions, removals, kept }) => ({
      add: additions.map((one) => one.displayName + (one.asModerator ? " as moderator" : "")),
      remove: removals.map((one) => one.displayName),
      kept: kept.map((one) => `${one.displayName}: ${one.reason}`),
    })),
    problems: problems.map((problem) => problem.message),
    notices: observation.notices,
  };
}

const noc = (facts: Parameters<typeof roomRecord>[1]) =>
  runRecord([roomRecord("NOC", { roomId: "ROOM/NOC", ...facts })]);

test("a run that changed nobody leaves nothing to undo, and reads no room's members", async () => {
  const { reader } = createReader(complete(), { listRoomMembers: () => assert.fail("nothing to look at") });
  assert.deepEqual(await planRestore(reader, noc({})), { rooms: [], problems: [], notices: [] });
});

test("the removed are added, moderators as moderators; the added are removed", async () => {
  const { reader, lookedUp } = createReader(complete(self, member("ann"), member("bob")));
  const record = noc({
    added: [listed("bob")],
    removed: [
      { ...listed("eve"), wasModerator: false },
      { ...listed("mia"), wasModerator: true },
    ],
  });
  assert.deepEqual(await planRestore(reader, record), {
    rooms: [{ add: ["eve", "mia as moderator"], remove: ["bob"], kept: [] }],
    problems: [],
    notices: [],
  });
  assert.deepEqual(lookedUp, ["id-bob"], "the record describes whom it removed");
});

test("somebody the run added who is protected by now stays", async () => {
  const members = complete(
    self,
    member("ann"),
    member("bob", { isModerator: true }),
    member("mia", { isModerator: true }),
  );
  const record = noc({ added: [listed("bob")] });
  const { rooms } = await planRestore(createReader(members).reader, record);
  assert.deepEqual(rooms, [{ add: [], remove: [], kept: ["bob: moderator"] }]);
});

test("a room that is incompletely known, or that the owner has left, is not touched", async () => {
  const record = noc({ added: [listed("bob")], removed: [{ ...listed("eve"), wasModerator: false }] });
  const partly = await planRestore(
    createReader(incomplete("a page is missing", self, member("bob"))).reader,
    record,
  );
  assert.deepEqual(partly.rooms, [{ add: [], remove: [], kept: [] }]);
  assert.deepEqual(partly.problems, [
    'nothing is changed in space "NOC": its member list is incomplete: a page is missing',
  ]);
  const left = await planRestore(createReader(complete(member("bob"))).reader, record);
  assert.deepEqual(left.rooms, [{ add: [], remove: [], kept: [] }]);
  assert.match(
    left.problems[0] ?? "",
    /the token's owner, rollcall@acme\.example, is not in its member list/,
  );
});

test("a room that is missing from a whole list is gone; from an incomplete one it is a problem", async () => {
  const record = noc({ added: [listed("bob")] });
  const gone = createReader(complete(), {
    listRooms: async () => complete(),
    listRoomMembers: () => assert.fail("nothing to look at"),
  });
  assert.deepEqual(await planRestore(gone.reader, record), {
    rooms: [],
    problems: [],
    notices: [
      'Space "NOC" is gone, or rollcall@acme.example is no longer in it; its one change is left as it is.',
    ],
  });
  const unknown = createReader(complete(), { listRooms: async () => incomplete("a page is missing") });
  assert.deepEqual(await planRestore(unknown.reader, record), {
    rooms: [],
    problems: [
      'space "NOC" cannot be found, because the list of spaces is incomplete: a page is missing; its one change is left as it is',
    ],
    notices: [],
  });
});

/** What observing the undoing of these rooms' changes finds. */
function observed(reader: MembershipReader, ...rooms: RunRecord["rooms"]) {
  const log: string[] = [];
  const record = runRecord(rooms);
  const options = { log: (progress: string) => log.push(progress), count: countSilently };
  return observeRestore(reader, record, options).then((observation) => ({ ...observation, log }));
}

const of = (title: string, facts: Parameters<typeof roomRecord>[1]) =>
  roomRecord(title, { roomId: `ROOM/${title}`, ...facts });

test("how many spaces there are, and how many the run changed, is told", async () => {
  const reader = createReader(complete(self), {
    listRooms: async () => complete(room("NOC"), room("Lobby"), room("Attic")),
  }).reader;
  const { log } = await observed(
    reader,
    of("NOC", { added: [listed("bob")] }),
    of("Lobby", { removed: [{ ...listed("eve"), wasModerator: false }] }),
    of("Attic", {}),
  );
  assert.deepEqual(log, ["Read 3 spaces; the run changed 2"]);
});

test("members who came by themselves, or were there before, stay; groups and lines are those of the record", async () => {
  const members = complete(self, member("ann"), member("new"), member("bob"));
  const { differences, names, allRooms, problems } = await observed(
    createReader(members).reader,
    of("NOC", { added: [listed("bob")], groups: ["eng", "ops"], lines: [2, 3] }),
  );
  const [noc] = differences;
  assert.deepEqual(
    noc?.surplus.map(({ displayName }) => displayName),
    ["bob"],
  );
  assert.equal(noc?.presentCount, 2);
  assert.deepEqual(
    [noc?.feed.mode, noc?.feed.groups.map(({ displayName }) => displayName), noc?.feed.lines],
    ["sync", ["eng", "ops"], []],
  );
  assert.deepEqual([names, allRooms, problems], [[], complete(room("NOC")), []]);
});

test("a space in which nobody but the token's owner and bots would be left is held", async () => {
  const bot = member("bell", { suggestedKind: "bot" });
  const record = noc({ added: [listed("bob")] });
  for (const [others, reason] of [
    [[bot], "empties-room"],
    [[bot, member("ann")], undefined],
  ] as const) {
    const { reader } = createReader(complete(self, member("bob"), ...others));
    const observation = await observeRestore(reader, record, { log: () => undefined, count: countSilently });
    const { rooms } = planChanges(observation, defaultPolicy);
    assert.equal(checkLimits(rooms, defaultPolicy).rooms[0]?.held[0]?.reason, reason);
  }
});

test("who is back already, and who has gone by themselves, is told and left alone", async () => {
  const record = noc({
    added: [listed("bob"), listed("cyd"), listed("dan")],
    removed: [
      { ...listed("mia"), wasModerator: true },
      { ...listed("eve"), wasModerator: false },
      { ...listed("kim"), wasModerator: true },
    ],
  });
  const members = complete(
    self,
    member("dan"),
    member("mia"),
    member("eve"),
    member("kim", { isModerator: true }),
  );
  const { rooms, notices } = await planRestore(createReader(members).reader, record);
  assert.deepEqual(rooms, [{ add: [], remove: ["dan"], kept: [] }]);
  assert.deepEqual(notices, [
    '3 people are in space "NOC" again already, so they are left alone: eve, kim, mia.',
    '2 people are no longer in space "NOC" anyway: bob, cyd.',
    'One person is in space "NOC" without the right to moderate it, which they had before the run: mia.',
  ]);
});

test("of a space that cannot be read nothing is told but that", async () => {
  const record = noc({ added: [listed("bob")] });
  const { notices } = await planRestore(createReader(incomplete("503", self)).reader, record);
  assert.deepEqual(notices, []);
});

test("a space that is gone keeps none of the others from being restored", async () => {
  const { reader } = createReader(complete(self, member("bob")));
  const { differences, notices } = await observed(
    reader,
    of("Attic", {
      added: [listed("bob"), listed("ann")],
      removed: [{ ...listed("eve"), wasModerator: false }],
    }),
    of("NOC", { added: [listed("bob")] }),
  );
  assert.deepEqual(
    differences.map(({ feed }) => feed.room.title),
    ["NOC"],
  );
  assert.deepEqual(notices, [
    'Space "Attic" is gone, or rollcall@acme.example is no longer in it; its 3 changes are left as they are.',
  ]);
});

test("an owner without an address is told by name", async () => {
  const { reader } = createReader(complete(), {
    listRooms: async () => complete(),
    readOwner: async () => ({ ...owner, email: null }),
  });
  const { notices } = await observed(reader, of("NOC", { added: [listed("bob")] }));
  assert.match(notices[0] ?? "", /is gone, or rollcall is no longer in it/);
});

test("a space is found by any spelling of its id", async () => {
  const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
  const roomId = Buffer.from(`ciscospark://eu/ROOM/${uuid}`).toString("base64url");
  const { reader } = createReader(complete(self, member("bob")), {
    listRooms: async () => complete(room("NOC", { key: `ROOM/${uuid}` })),
  });
  const { differences } = await observed(reader, roomRecord("NOC", { roomId, added: [listed("bob")] }));
  assert.equal(differences.length, 1);
});

test("a record may hold bare ids, as people write them", async () => {
  const uuidOf = (letter: string) => `${letter.repeat(8)}-0000-11f0-9000-0000000000a1`;
  const recorded = (letter: string) => ({ ...listed(letter), personId: uuidOf(letter) });
  const there = (letter: string) => member(letter, { key: `PEOPLE/${uuidOf(letter)}` });
  const { reader } = createReader(complete(self, there("a"), there("c")), {
    listRooms: async () => complete(room("NOC", { key: `ROOM/${uuidOf("f")}` })),
  });
  const { differences, moderators, people, notices, compareAgain } = await observed(
    reader,
    roomRecord("NOC", {
      roomId: uuidOf("f"),
      added: [recorded("a")],
      removed: [
        { ...recorded("b"), wasModerator: true },
        { ...recorded("c"), wasModerator: false },
      ],
    }),
  );
  const [difference] = differences;
  assert.ok(difference);
  assert.deepEqual(
    [difference.surplus.map(({ displayName }) => displayName), difference.absent.map(({ key }) => key)],
    [["a"], [`PEOPLE/${uuidOf("b")}`]],
  );
  assert.deepEqual([...moderators], [`ROOM/${uuidOf("f")} PEOPLE/${uuidOf("b")}`]);
  assert.equal(people.get(`PEOPLE/${uuidOf("b")}`)?.displayName, "b");
  assert.match(notices[0] ?? "", /again already.*: c\.$/);
  assert.deepEqual(await compareAgain(difference.feed, complete(self)).then(({ surplus }) => surplus), []);
});

test("whom the record names without a name or an address is added without one", async () => {
  const nobody = { personId: "PEOPLE/eve", displayName: null, email: null };
  const named = { personId: "PEOPLE/ann", displayName: "Ann", email: "ann@acme.example" };
  const { people, differences } = await observed(
    createReader(complete(self)).reader,
    of("NOC", { removed: [nobody, named].map((one) => ({ ...one, wasModerator: false })) }),
  );
  assert.deepEqual(people.get("PEOPLE/eve"), { displayName: "", emails: [], kind: null });
  assert.deepEqual(people.get("PEOPLE/ann"), {
    displayName: "Ann",
    emails: ["ann@acme.example"],
    kind: null,
  });
  assert.deepEqual(
    differences[0]?.absent.map(({ displayName }) => displayName),
    ["", "Ann"],
  );
});

test("a look-up that fails is told", async () => {
  const { reader } = createReader(complete(self, member("bob")), {
    lookUpPeople: async () => ({ people: new Map(), failure: "403" }),
  });
  const { lookUpFailure } = await observed(reader, of("NOC", { added: [listed("bob")] }));
  assert.equal(lookUpFailure, "403");
});

test("a second look goes by the members alone, and knows only the spaces of the record", async () => {
  const record = of("NOC", { added: [listed("bob"), listed("cyd")] });
  const { differences, compareAgain } = await observed(
    createReader(complete(self, member("bob"), member("cyd"))).reader,
    record,
  );
  const feed = differences[0]?.feed ?? assert.fail("no such space");
  const again = await compareAgain(feed, complete(self, member("bob")));
  assert.deepEqual(
    again.surplus.map(({ displayName }) => displayName),
    ["bob"],
  );
  await assert.rejects(
    compareAgain({ ...feed, room: room("Lobby") }, complete(self)),
    /^Error: the record does not name space ROOM\/Lobby$/,
  );
});

test("moderators come back as moderators in their own space only", () => {
  const rooms = [roomPlan("NOC", { add: ["mia", "eve"] }), roomPlan("Lobby", { add: ["mia"] })];
  const prepared = prepareRestore(rooms, new Set(["ROOM/NOC PEOPLE/mia"]), {
    isVerified: true,
    mappedRooms: new Set(["ROOM/NOC", "ROOM/Lobby"]),
  });
  assert.deepEqual(
    prepared.map(({ additions }) =>
      additions.map(({ displayName, asModerator }) => [displayName, asModerator]),
    ),
    [
      [
        ["mia", true],
        ["eve", undefined],
      ],
      [["mia", undefined]],
    ],
  );
});

const trusts: readonly [fact: string, trust: Trust, doubt: string | undefined][] = [
  ["a record as the run left it, of a space that a row names", trusted, undefined],
  ["a record that may have been changed", { ...trusted, isVerified: false }, "unverified-record"],
  ["a space that no row names", { isVerified: true, mappedRooms: new Set(["ROOM/Lobby"]) }, "unmapped-room"],
  ["rows that cannot be read", { isVerified: true, mappedRooms: null }, "unmapped-room"],
];
for (const [fact, trust, doubt] of trusts) {
  test(`${fact}: ${doubt ?? "nothing"} has to be approved`, () => {
    const plan = roomPlan("NOC", {}, { removals: [removal("bob")] });
    const [prepared] = prepareRestore([plan], new Set(), trust);
    assert.equal(prepared?.doubt, doubt);
  });
}

test("of spaces that were big fewer are read at once", async () => {
  const titles = Array.from({ length: 20 }, (_, index) => `S${index}`);
  let [underWay, most] = [0, 0];
  const { reader } = createReader(complete(), {
    listRooms: async () => complete(...titles.map((title) => room(title))),
    async listRoomMembers() {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return complete(self);
    },
  });
  await observed(reader, ...titles.map((title) => of(title, { added: [listed("bob")], before: 8_000 })));
  assert.equal(most, 8);
});
