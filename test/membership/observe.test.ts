import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import type { GroupReading } from "../../src/membership/diff.ts";
import type { KnownPerson, MembershipReader, RoomMember } from "../../src/membership/directory.ts";
import type { Mapping } from "../../src/membership/mapping.ts";
import { observe } from "../../src/membership/observe.ts";
import { complete, described, group, incomplete, member, owner, room, user } from "../support/builders.ts";
import { listingsOnly } from "../support/listings-only.ts";

interface World {
  readonly groups: readonly GroupReading[];
  readonly rooms: Readonly<Record<string, Listing<RoomMember>>>;
  readonly people?: Readonly<Record<string, KnownPerson>>;
  /** What Webex says a group's size is, where it is not the number of its members. */
  readonly sizes?: Readonly<Record<string, number | null>>;
}

/** A reader of a made-up Webex, and what was asked of it. */
function createReader({ groups, rooms, people = {}, sizes = {} }: World) {
  const asked: string[] = [];
  const reader: MembershipReader = {
    ...listingsOnly,
    readOwner: async () => owner,
    listGroups: async () => complete(...groups.map((reading) => reading.group)),
    listRooms: async () => complete(...Object.keys(rooms).map((title) => room(title))),
    async listGroupMembers({ displayName }) {
      asked.push(`group ${displayName}`);
      const members = groups.find((reading) => reading.group.displayName === displayName)?.members;
      const items = [...(members?.values() ?? [])];
      const size = sizes[displayName];
      const memberSize = size === undefined ? items.length : size;
      const heads = [{ key: null, displayName, memberSize, lastModified: null }];
      return { heads, members: complete(...items) };
    },
    async listRoomMembers({ title }) {
      asked.push(`room ${title}`);
      return rooms[title] ?? incomplete("no such room");
    },
    findHolders: async () => complete(),
    async lookUpPeople(personIds) {
      if (personIds.length > 0) asked.push(`people ${personIds.join(" ")}`);
      const known = personIds.flatMap((id) => {
        const name = id.replace(/^id-/, "");
        const found = people[name];
        return found ? [[`PEOPLE/${name}`, found] as const] : [];
      });
      return { people: new Map(known), failure: null };
    },
  };
  return { reader, asked };
}

const own = member("rollcall");

function rows(...cells: readonly [group: string, room: string, mode?: Mapping["mode"]][]): Mapping[] {
  return cells.map(([of, to, mode = "sync"], index) => ({ group: of, room: to, mode, line: index + 2 }));
}

test("without mappings no group and no room is read", async () => {
  const { reader, asked } = createReader({ groups: [group("eng", "ada")], rooms: { NOC: complete(own) } });
  const [observation] = await observe(reader, [[]]);
  const { compareAgain: _, ...rest } = observation;
  const nothing = { owner, differences: [], people: new Map(), lookUpFailure: null, problems: [], names: [] };
  assert.deepEqual(rest, nothing);
  assert.deepEqual(asked, []);
});

test("each mapped group and room is read once, and nothing else", async () => {
  const { reader, asked } = createReader({
    groups: [group("eng"), group("ops"), group("other")],
    rooms: { NOC: complete(own), Lobby: complete(own), Other: complete(own) },
  });
  await observe(reader, [rows(["eng", "NOC"], ["ops", "NOC"], ["eng", "Lobby"])]);
  assert.deepEqual(asked, ["group eng", "group ops", "room NOC", "room Lobby"]);
});

test("differences come in the order of the rows, with what is wrong with the rows", async () => {
  const { reader } = createReader({
    groups: [group("eng", "ada")],
    rooms: { NOC: complete(own, member("ada")), Lobby: complete(own) },
  });
  const [{ differences, problems }] = await observe(reader, [
    rows(["eng", "Lobby"], ["eng", "NOC"], ["eng", "Cellar"]),
  ]);
  assert.deepEqual(
    differences.map(({ feed, absent }) => [feed.room.title, absent]),
    [
      ["Lobby", [user("ada")]],
      ["NOC", []],
    ],
  );
  assert.deepEqual(
    problems.map(({ line, column }) => [line, column]),
    [[4, "room"]],
  );
});

test("members of the room's groups need no look-up", async () => {
  const { reader, asked } = createReader({
    groups: [group("eng", "ada"), group("ops", "bob")],
    rooms: { NOC: complete(own, member("ada"), member("bob")) },
  });
  await observe(reader, [rows(["eng", "NOC"], ["ops", "NOC"])]);
  assert.deepEqual(asked, ["group eng", "group ops", "room NOC"]);
});

test("everybody who might be removed is looked up, once for all rooms, whatever a group or an address says", async () => {
  const bell: KnownPerson = { displayName: "Bell", emails: [], kind: "bot" };
  const { reader, asked } = createReader({
    groups: [group("eng", "ada"), group("bots", "bell")],
    rooms: {
      NOC: complete(own, member("zed"), member("bell", { suggestedKind: "bot" })),
      Lobby: complete(own, member("bell")),
      Bots: complete(own, member("bell")),
    },
    people: { bell },
  });
  const [{ people }] = await observe(reader, [rows(["eng", "NOC"], ["eng", "Lobby"], ["bots", "Bots"])]);
  // Newcomers apart from them: one whom Webex cannot describe must not hide the others.
  assert.deepEqual(asked.slice(-2), ["people id-bell id-zed", "people id-ada"]);
  assert.deepEqual(people.get("PEOPLE/bell"), bell);
  assert.equal(people.get("PEOPLE/zed")?.kind, null);
});

test("a look-up that fails is told", async () => {
  const { reader } = createReader({ groups: [group("eng")], rooms: { NOC: complete(own, member("zed")) } });
  const lookUpPeople = async () => ({ people: new Map(), failure: "403" });
  const [{ lookUpFailure }] = await observe({ ...reader, lookUpPeople }, [rows(["eng", "NOC"])]);
  assert.equal(lookUpFailure, "403");
});

test("a newcomer is looked up for the report unless another room shows them", async () => {
  const { reader, asked } = createReader({
    groups: [group("eng", "ada", "bob")],
    rooms: { NOC: complete(own, member("bob")), Lobby: complete(own) },
    people: { ada: described("ada") },
  });
  const [{ people }] = await observe(reader, [rows(["eng", "NOC"], ["eng", "Lobby"])]);
  assert.equal(asked.at(-1), "people id-ada");
  assert.deepEqual(people.get("PEOPLE/ada"), described("ada"));
});

test("in rooms that remove nobody, nobody is looked up for what they are", async () => {
  const { reader, asked } = createReader({
    groups: [group("eng", "ada")],
    rooms: { NOC: complete(own, member("ada"), member("zed")), Lobby: complete(own, member("zed")) },
  });
  await observe(reader, [rows(["eng", "NOC", "audit"], ["eng", "Lobby", "add-only"])]);
  assert.deepEqual(asked, ["group eng", "room NOC", "room Lobby"]);
});

test("a group that is not surely known is one problem, at the first line that names it", async () => {
  const { reader } = createReader({
    groups: [group("eng", "ada"), group("ops")],
    rooms: { NOC: complete(own, member("ada")), Lobby: complete(own, member("ada")) },
    sizes: { eng: 2 },
  });
  const [{ differences, problems }] = await observe(reader, [
    rows(["ops", "NOC"], ["eng", "NOC"], ["eng", "Lobby"]),
  ]);
  const message =
    'the members of group "eng" are not known for certain: 1 of 2 members arrived; nobody is removed from "NOC", "Lobby"';
  assert.deepEqual(problems, [{ line: 3, column: "group", message }]);
  assert.deepEqual(
    differences.map(({ uncertainties }) => uncertainties),
    [["eng"], ["eng"]],
  );
});

test("a group that contradicts itself is read three times, and one that was steady meanwhile is believed", async () => {
  const world = { groups: [group("eng", "ada")], rooms: { NOC: complete(own, member("ada")) } };
  const never = createReader({ ...world, sizes: { eng: 2 } });
  await observe(never.reader, [rows(["eng", "NOC"])]);
  assert.deepEqual(never.asked, ["group eng", "group eng", "group eng", "room NOC"]);

  const once = createReader(world);
  let readings = 0;
  const [{ problems }] = await observe(
    {
      ...once.reader,
      async listGroupMembers(of) {
        readings += 1;
        return (readings === 1 ? never : once).reader.listGroupMembers(of);
      },
    },
    [rows(["eng", "NOC"])],
  );
  assert.deepEqual([problems, readings], [[], 2]);
});

test("a row without a room whose group is not surely known might mean anybody: nobody is removed anywhere", async () => {
  const { reader } = createReader({
    groups: [group("eng", "ada"), group("leads")],
    rooms: { NOC: complete(own, member("eve")), Quiet: complete(own, member("ada")) },
    sizes: { leads: null },
  });
  const [{ differences, problems }] = await observe(reader, [
    rows(["eng", "NOC"], ["eng", "Quiet"], ["leads", "N0C"]),
  ]);
  assert.deepEqual(
    differences.map(({ uncertainties }) => uncertainties),
    [["leads"], []],
  );
  assert.equal(
    problems.at(-1)?.message,
    'this row leads to no space, and the members of its group "leads" are not known for certain: Webex does not say how many members it has; nobody is removed from "NOC" until the row is right',
  );
});

test("a room whose members cannot be read leaves the others to go on", async () => {
  const { reader } = createReader({
    groups: [group("eng", "ada")],
    rooms: { NOC: incomplete("404"), Lobby: complete(own) },
    people: { ada: described("ada") },
  });
  const [{ differences }] = await observe(reader, [rows(["eng", "NOC"], ["eng", "Lobby"])]);
  assert.deepEqual(
    differences.map(({ obstacle, absent }) => [obstacle, absent.length]),
    [
      ["its member list is incomplete: 404", 0],
      [null, 1],
    ],
  );
});

test("without knowing whose token it is nothing is decided", async () => {
  const { reader } = createReader({ groups: [], rooms: {} });
  const failing = { ...reader, readOwner: () => Promise.reject(new Error("401")) };
  await assert.rejects(observe(failing, [[]]), /^Error: 401$/);
});

test("two mappings are compared with one reading, and each has only its own problems", async () => {
  const { reader, asked } = createReader({
    groups: [group("eng", "ada"), group("ops")],
    rooms: { NOC: complete(own, member("ada")) },
    sizes: { ops: null },
  });
  const [first, second] = await observe(reader, [rows(["eng", "NOC"]), rows(["eng", "NOC"], ["ops", "NOC"])]);
  assert.deepEqual(asked, ["group eng", "group ops", "room NOC"]);
  assert.deepEqual(first.problems, []);
  assert.deepEqual(
    second.problems.map(({ line, column }) => [line, column]),
    [[3, "group"]],
  );
  const uncertainties = [first, second].map(({ differences }) => differences[0]?.uncertainties);
  assert.deepEqual(uncertainties, [[], ["ops"]]);
});

test("a row that leads to no room keeps its group's people where they are, and nobody else", async () => {
  const world = createReader({
    groups: [group("eng", "ada"), group("leads", "eve")],
    rooms: { NOC: complete(own, member("ada"), member("eve"), member("zoe")) },
    people: { zoe: described("zoe") },
  });
  const mappings: Mapping[] = [
    { group: "eng", room: "NOC", mode: "sync", line: 2 },
    { group: "leads", room: "N0C Berlin", mode: "sync", line: 3 },
  ];
  const [{ differences, problems }] = await observe(world.reader, [mappings]);
  const [noc] = differences;
  assert.deepEqual(
    noc?.surplus.map(({ displayName }) => displayName),
    ["rollcall", "zoe"],
  );
  assert.deepEqual(
    noc?.exempt.map(({ line }) => line),
    [3],
  );
  assert.equal(noc?.presentCount, 2);
  assert.deepEqual(
    problems.map(({ line, column }) => [line, column]),
    [
      [3, "room"],
      [3, "room"],
    ],
  );
  assert.equal(
    problems[1]?.message,
    'this row leads to no space, but people of its group "leads" are in "NOC"; they stay there until the row is right',
  );
});
