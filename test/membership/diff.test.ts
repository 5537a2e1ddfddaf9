import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import {
  createComparison,
  describeGroupRow,
  describePersonRow,
  diffRoom,
  type GroupReading,
  listUndescribed,
} from "../../src/membership/diff.ts";
import type { RoomMember } from "../../src/membership/directory.ts";
import type { Mode } from "../../src/membership/mapping.ts";
import type { PersonRow } from "../../src/membership/person-rows.ts";
import type { DesiredRoom, Resolution } from "../../src/membership/resolve.ts";
import {
  complete,
  described,
  feed,
  group,
  incomplete,
  member,
  owner,
  room,
  uncertain,
  user,
} from "../support/builders.ts";

const noc = room("NOC");

const own = member("rollcall");

function compare(
  groups: readonly GroupReading[],
  listing: Listing<RoomMember>,
  obstacle: string | null = null,
) {
  const of = feed(noc, groups, { obstacle });
  const difference = diffRoom(of, groups, listing, { owner });
  assert.equal(difference.feed, of);
  const { feed: _, ...rest } = difference;
  return rest;
}

/** A room in which everything is as it should be: only the token's owner is in it. */
const equal = {
  before: 1,
  absent: [],
  surplus: [own],
  exempt: [],
  presentCount: 0,
  moderatorCount: 0,
  isOpenToOwner: true,
  emptyGroups: [],
  obstacle: null,
  uncertainties: [],
  isUnsteady: false,
  faults: [],
  addresses: [],
};

test("a room that holds its groups' people and the token's owner differs by the owner only", () => {
  assert.deepEqual(compare([group("eng", "ada")], complete(own, member("ada"))), {
    ...equal,
    before: 2,
    presentCount: 1,
  });
});

test("a room is compared with the union of its groups", () => {
  const groups = [group("eng", "ada", "bob"), group("ops", "bob", "cyd")];
  assert.deepEqual(compare(groups, complete(own, member("bob"), member("eve"))), {
    ...equal,
    before: 3,
    absent: [user("ada"), user("cyd")],
    surplus: [own, member("eve")],
    presentCount: 1,
  });
});

test("an owner who is in a group is nobody who has to go, and not counted among the people", () => {
  assert.deepEqual(compare([group("eng", "rollcall")], complete(own)), { ...equal, surplus: [] });
});

test("people are told apart by key only: a namesake with the same address is somebody else", () => {
  const namesake = member("ada", { key: "PEOPLE/other" });
  assert.deepEqual(compare([group("eng", "ada")], complete(own, namesake)), {
    ...equal,
    before: 2,
    absent: [user("ada")],
    surplus: [own, namesake],
  });
});

test("a member who is listed twice is one member", () => {
  const chief = member("ada", { isModerator: true });
  assert.deepEqual(compare([group("eng", "ada")], complete(own, chief, chief)), {
    ...equal,
    before: 2,
    presentCount: 1,
    moderatorCount: 1,
  });
});

test("an incomplete member list tells no difference, and not how many there are", () => {
  assert.deepEqual(compare([group("eng", "ada")], incomplete("503", own, member("eve"))), {
    ...equal,
    before: null,
    surplus: [],
    obstacle: "its member list is incomplete: 503",
  });
});

test("a list without the token's owner may be the moderators only, so it tells no difference", () => {
  const chief = member("eve", { isModerator: true });
  assert.deepEqual(compare([group("eng", "ada")], complete(chief)), {
    ...equal,
    before: null,
    surplus: [],
    moderatorCount: 1,
    obstacle: "the token's owner, rollcall@acme.example, is not in its member list; add them to the space",
  });
});

test("a room with a row that does not resolve tells no difference", () => {
  assert.deepEqual(compare([group("eng", "ada")], complete(own), "line 3 names no single group"), {
    ...equal,
    surplus: [],
    obstacle: "line 3 names no single group",
  });
});

test("a group that is not surely known is named, and whom it lists is known all the same", () => {
  assert.deepEqual(compare([uncertain(group("eng", "ada")), group("ops")], complete(own)), {
    ...equal,
    absent: [user("ada")],
    emptyGroups: ["ops"],
    uncertainties: ["eng"],
  });
});

test("a group that nobody could read is not an empty group", () => {
  assert.deepEqual(compare([uncertain(group("eng"))], complete(own)), { ...equal, uncertainties: ["eng"] });
});

/** A row that names somebody by an address; without a finding nobody of the organisation has it. */
const personRow = (address: string, facts: Partial<PersonRow> = {}): PersonRow => ({
  line: 3,
  address,
  finding: { kind: "elsewhere", keys: [] },
  person: null,
  isGroupName: false,
  ...facts,
});

const found = (name: string): PersonRow =>
  personRow(`${name}@acme.example`, { finding: { kind: "person", person: user(name) } });

const unclear = (address: string, keys: readonly string[] | null = null): PersonRow =>
  personRow(address, { finding: { kind: "unclear", reason: "could not be looked up: 403", keys } });

/** Compares a room that one group feeds, and rows that name people. */
function compareWith(facts: Partial<DesiredRoom>, listing: Listing<RoomMember>, groups = [group("eng")]) {
  return diffRoom(feed(noc, groups, facts), groups, listing, { owner });
}

test("people whom rows name belong beside those of the groups, each once", () => {
  const people = [found("ada"), found("zoe")];
  for (const groups of [
    [group("eng", "ada", "bob")],
    [group("eng", "ada"), group("ops", "bob")],
    [group("eng", "ada"), group("ops"), group("leads", "bob")],
  ]) {
    const { absent, surplus } = compareWith({ people }, complete(own, member("eve")), groups);
    assert.deepEqual(absent.map(({ key }) => key).sort(), ["PEOPLE/ada", "PEOPLE/bob", "PEOPLE/zoe"]);
    assert.deepEqual(surplus, [own, member("eve")]);
  }
});

test("a row that names no one person freezes the room, and is told with the members' addresses", () => {
  const listing = complete(own, member("eve"), member("kim", { email: null }));
  const difference = compareWith({ people: [found("ada"), unclear("x@acme.example")] }, listing);
  assert.equal(difference.obstacle, "line 3 names no one person");
  assert.deepEqual([difference.absent, difference.surplus], [[], []]);
  assert.deepEqual(
    difference.faults.map(({ row, reason }) => [row.address, reason]),
    [["x@acme.example", "could not be looked up: 403"]],
  );
  assert.deepEqual(difference.addresses, ["rollcall@acme.example", "eve@acme.example"]);
  const earlier = compareWith({ people: [unclear("x@acme.example")], obstacle: "line 2 moved" }, listing);
  assert.equal(earlier.obstacle, "line 2 moved");
});

test("a room whose rows lead to one person each has no faults, and no addresses to compare with", () => {
  const difference = compareWith({ people: [found("ada")] }, complete(own, member("eve")));
  assert.deepEqual([difference.obstacle, difference.faults, difference.addresses], [null, [], []]);
});

test("without the members nobody is missed among them; what no member could settle is told all the same", () => {
  const people = [personRow("gus@partner.example"), unclear("x@acme.example")];
  const { faults, obstacle } = compareWith({ people }, incomplete("503", own));
  assert.deepEqual(
    faults.map(({ row }) => row.address),
    ["x@acme.example"],
  );
  assert.equal(obstacle, "its member list is incomplete: 503");
  assert.equal(compareWith({ people }, complete(own)).faults.length, 2);
});

test("a machine is not counted among the people, whatever a group calls it", () => {
  const kinds = ["bot", "device", "other", "person", "guest", null] as const;
  const counts = kinds.map((suggestedKind) => {
    const listing = complete(own, member("ada", { suggestedKind }));
    return compare([group("eng", "ada")], listing).presentCount;
  });
  assert.deepEqual(counts, [0, 0, 0, 1, 1, 1]);
});

test("a moderated room is open to its moderators only", () => {
  const isOpen = (isModerated: boolean, listing: Listing<RoomMember>) =>
    diffRoom(feed(room("NOC", { isModerated }), []), [], listing, { owner }).isOpenToOwner;
  const asModerator = member("rollcall", { isModerator: true });
  assert.deepEqual(
    [isOpen(false, complete(own)), isOpen(true, complete(own)), isOpen(true, complete(asModerator))],
    [true, false, true],
  );
  assert.equal(isOpen(true, complete(member("eve"))), false);
});

test("people of a row without a room stay where people go, and are not told of where nobody goes", () => {
  const unmatchedRows = [
    describeGroupRow(7, group("leads", "eve", "rollcall")),
    describePersonRow(found("zoe")),
    describeGroupRow(9, group("more", "eve")),
  ];
  const listing = complete(own, member("eve"), member("zoe"), member("kim"));
  const look = (mode: Mode) => {
    const of = feed(noc, [], { mode });
    const { surplus, exempt, presentCount, uncertainties } = diffRoom(of, [], listing, {
      owner,
      unmatchedRows,
    });
    return {
      surplus: surplus.map(({ displayName }) => displayName),
      exempt: exempt.map(({ line, name }) => `${line} ${name}`),
      presentCount,
      uncertainties,
    };
  };
  assert.deepEqual(look("sync"), {
    surplus: ["rollcall", "kim"],
    exempt: ["7 leads", "3 zoe@acme.example"],
    presentCount: 2,
    uncertainties: [],
  });
  for (const mode of ["add-only", "audit"] as const)
    assert.deepEqual(look(mode), {
      surplus: ["rollcall", "eve", "zoe", "kim"],
      exempt: [],
      presentCount: 0,
      uncertainties: [],
    });
});

test("where anybody may be the person of a row without a room, nobody goes who might go", () => {
  const look = (row: PersonRow, mode: Mode, ...others: readonly RoomMember[]) => {
    const unmatchedRows = [describePersonRow(row)];
    return diffRoom(feed(noc, [], { mode }), [], complete(own, ...others), { owner, unmatchedRows });
  };
  const anybody = unclear("x@acme.example");
  const { uncertainties, isUnsteady } = look(anybody, "sync", member("eve"));
  assert.deepEqual([uncertainties, isUnsteady], [["x@acme.example"], false]);
  assert.deepEqual(look(anybody, "sync").uncertainties, []);
  assert.deepEqual(look(anybody, "add-only", member("eve")).uncertainties, []);
  // One of two is meant, so the others may go.
  const two = unclear("x@acme.example", ["PEOPLE/ada", "PEOPLE/bob"]);
  assert.deepEqual(look(two, "sync", member("eve")).uncertainties, []);
  assert.deepEqual(look(personRow("x@acme.example"), "sync", member("eve")).uncertainties, []);
});

test("a room is unsteady while one of its groups is", () => {
  const look = (...groups: readonly GroupReading[]) => compare(groups, complete(own)).isUnsteady;
  const steady = uncertain(group("eng"), 'it holds the group "x"');
  const unsteady = uncertain(group("ops"), "it changed while it was read", true);
  assert.deepEqual([look(steady), look(steady, unsteady), look(group("eng"))], [false, true, false]);
});

/** What is wrong when these rooms are compared. */
function problemsOf(
  facts: Partial<Resolution>,
  readings: readonly GroupReading[],
  rooms: Readonly<Record<string, readonly RoomMember[]>>,
) {
  const resolution: Resolution = {
    desired: [],
    groupLines: new Map(),
    unmatchedRows: [],
    unmatchedPeople: [],
    problems: [],
    names: [],
    ...facts,
  };
  const byKey = new Map(readings.map((reading) => [reading.group.key, reading]));
  const comparison = createComparison(resolution, byKey, owner);
  for (const [title, members] of Object.entries(rooms)) comparison.add(room(title), complete(...members));
  return comparison.conclude();
}

test("a group that is not surely known is told with the rooms that it feeds, and no others", () => {
  const eng = uncertain(group("eng", "ada"));
  const ops = group("ops", "bob");
  const desired = [feed(room("NOC"), [eng]), feed(room("Lobby"), [ops]), feed(room("Den"), [ops, eng])];
  const { problems } = problemsOf({ desired, groupLines: new Map([[eng.group.key, 2]]) }, [eng, ops], {});
  assert.deepEqual(problems, [
    {
      line: 2,
      column: "group",
      message:
        'the members of group "eng" are not known for certain: a page is missing; nobody is removed from "NOC", "Den"',
    },
  ]);
});

test("a row of a person without a room is told with the rooms that keep somebody, or everybody, because of it", () => {
  const eng = group("eng", "ada");
  const desired = ["NOC", "Den", "Quiet"].map((title) => feed(room(title), [eng]));
  const rooms = {
    NOC: [own, member("zoe")],
    Den: [own, member("ada"), member("zoe")],
    Quiet: [own, member("ada")],
    Elsewhere: [own, member("zoe")],
  };
  const known = problemsOf({ desired, unmatchedPeople: [found("zoe")] }, [eng], rooms);
  assert.deepEqual(
    known.differences.map(({ feed: of, exempt }) => [of.room.title, exempt.length]),
    [
      ["NOC", 1],
      ["Den", 1],
      ["Quiet", 0],
    ],
  );
  assert.deepEqual(known.problems, [
    {
      line: 3,
      column: "room",
      message:
        'this row leads to no space, but "zoe@acme.example" may be among the people in "NOC", "Den"; they stay there until the row is right',
    },
  ]);
  const open = problemsOf({ desired, unmatchedPeople: [unclear("x@acme.example")] }, [eng], rooms);
  assert.deepEqual(open.problems, [
    {
      line: 3,
      column: "room",
      message:
        'this row leads to no space, and it is not known who "x@acme.example" is, which could not be looked up: 403; nobody is removed from "NOC", "Den" until the row is right',
    },
  ]);
});

test("a row without a room is not told of because of another group with the same name", () => {
  const eng = uncertain(group("eng", "ada"));
  const namesake = { ...group("eng", "zoe"), group: { ...group("eng").group, key: "SCIM_GROUP/other" } };
  const { differences, problems } = problemsOf(
    { desired: [feed(room("NOC"), [eng])], unmatchedRows: [{ group: namesake.group, line: 9 }] },
    [eng, namesake],
    { NOC: [own, member("kim")] },
  );
  assert.deepEqual([differences[0]?.uncertainties, problems], [["eng"], []]);
});

test("who might leave is described where somebody may be removed, who comes everywhere, in one order", () => {
  const eng = group("eng", "bob", "ada");
  const listing = complete(own, member("zoe"), member("eve"));
  const differences = [
    diffRoom(feed(noc, [eng]), [eng], listing, { owner }),
    diffRoom(feed(noc, [eng], { mode: "audit" }), [eng], complete(own, member("kim")), { owner }),
    diffRoom(feed(noc, [eng]), [uncertain(group("eng", "cyd"))], complete(own, member("mia")), { owner }),
  ];
  assert.deepEqual(listUndescribed(differences, new Map([["PEOPLE/zoe", described("zoe")]]), owner), {
    leavers: ["id-eve", "id-zoe"],
    newcomers: ["id-ada", "id-bob", "id-cyd"],
  });
});
