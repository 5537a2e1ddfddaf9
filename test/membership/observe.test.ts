import assert from "node:assert/strict";
import { test } from "node:test";
import type { KnownPerson } from "../../src/membership/directory.ts";
import type { Mapping } from "../../src/membership/mapping.ts";
import { createNameMemory } from "../../src/membership/names.ts";
import { type ObserveOptions, observe } from "../../src/membership/observe.ts";
import { complete, described, group, holder, incomplete, member, owner, user } from "../support/builders.ts";
import { createReader } from "../support/webex-reader.ts";

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

test("how much is read is told, and counted step by step", async () => {
  const { reader } = createReader({
    groups: [group("eng"), group("ops"), group("other")],
    rooms: { NOC: complete(own), Lobby: complete(own), Cellar: complete(own), Other: complete(own) },
  });
  const told: string[] = [];
  const options: ObserveOptions = {
    log: (progress) => told.push(progress),
    count(what, total) {
      told.push(`${what}: ${total}`);
      return () => told.push(what);
    },
  };
  await observe(reader, [rows(["eng", "NOC"], ["ops", "Lobby"]), rows(["eng", "Cellar"])], options);
  const [groups, spaces] = ["Read the members of # groups", "Read the members of # spaces"];
  assert.deepEqual(told, [
    "Read 4 spaces and 3 groups; 3 spaces are mapped",
    ...[`${groups}: 2`, groups, groups],
    ...[`${spaces}: 3`, spaces, spaces, spaces],
  ]);
});

test("newcomers are not looked up where nobody wants to know who they are, leavers always are", async () => {
  const { reader, asked } = createReader({
    groups: [group("eng", "ada")],
    rooms: { NOC: complete(own, member("zed")) },
  });
  await observe(reader, [rows(["eng", "NOC"])], { describesNewcomers: false });
  assert.deepEqual(asked, ["group eng", "room NOC", "people id-zed"]);
});

test("members whose address the list leaves out are described without one", async () => {
  const { reader } = createReader({
    groups: [group("eng", "ada")],
    rooms: { NOC: complete(own, member("ada", { email: null })) },
  });
  const [{ people }] = await observe(reader, [rows(["eng", "NOC"])]);
  assert.deepEqual(people.get("PEOPLE/ada"), { displayName: "ada", emails: [], kind: null });
  assert.deepEqual(people.get("PEOPLE/rollcall"), described("rollcall", { kind: null }));
});

test("a name is remembered only once what it led to could be read, on the side that has it", async () => {
  const { reader } = createReader({
    groups: [group("eng", "ada"), group("half", "bob"), group("void"), group("hidden")],
    rooms: { NOC: complete(own), Lobby: incomplete("503", own), Cellar: complete(own) },
    sizes: { half: 2, hidden: 3 },
  });
  const sides = [
    rows(["eng", "NOC"], ["half", "NOC"], ["void", "Lobby"], ["hidden", "NOC"]),
    rows(["void", "Cellar"]),
  ];
  const observations = await observe(reader, sides);
  assert.deepEqual(
    observations.map(({ names }) => names.map(({ column, name, id }) => `${column} ${name}: ${id}`)),
    [
      ["room NOC: id-NOC", "group eng: id-eng", "group half: id-half", "group void: id-void"],
      ["room Cellar: id-Cellar", "group void: id-void"],
    ],
  );
});

test("a name that led elsewhere on earlier runs changes nothing", async () => {
  const { reader } = createReader({ groups: [group("eng", "ada")], rooms: { NOC: complete(own) } });
  const memory = createNameMemory([{ column: "room", name: "NOC", id: "id-of-old" }]);
  const [{ differences, problems, names }] = await observe(reader, [rows(["eng", "NOC"])], { memory });
  assert.deepEqual([differences[0]?.absent, names.map(({ name }) => name)], [[], ["eng"]]);
  assert.match(problems[0]?.message ?? "", /led to another space on earlier runs/);
});

test("members that came along with their group are not read again", async () => {
  const id = Buffer.from("ciscospark://us/SCIM_GROUP/aaaaaaaa-0000-11f0-9000-0000000000a1").toString(
    "base64url",
  );
  const key = "SCIM_GROUP/aaaaaaaa-0000-11f0-9000-0000000000a1";
  const heads = [{ key, displayName: "eng", memberSize: 1, lastModified: null }];
  const { reader, asked } = createReader({
    rooms: { NOC: complete(own) },
    single: {
      groups: {
        [id]: {
          group: { key, id, displayName: "eng" },
          listing: { heads, members: complete(user("ada")) },
        },
      },
    },
  });
  const [{ differences }] = await observe(reader, [rows([id, "NOC"])]);
  assert.deepEqual(differences[0]?.absent, [user("ada")]);
  assert.deepEqual(asked, ["room NOC", "people id-ada"]);
});

test("somebody whom a row names by address is found, described and added without another look-up", async () => {
  const { reader, asked } = createReader({
    rooms: { NOC: complete(own), Lobby: complete(own, member("ada", { displayName: "Other" })) },
    holders: { "ada@acme.example": complete(holder("ada", { displayName: "Ada L." })) },
  });
  const [{ differences, people, problems }] = await observe(reader, [
    rows(["Ada@acme.example", "NOC"], ["ada@acme.example", "Lobby"]),
  ]);
  assert.deepEqual(
    differences.map(({ absent }) => absent.map(({ key }) => key)),
    [["PEOPLE/ada"], []],
  );
  // As the directory describes them, not as a space's list does.
  assert.deepEqual(people.get("PEOPLE/ada"), described("ada", { displayName: "Ada L." }));
  assert.deepEqual(asked, ["address ada@acme.example", "room NOC", "room Lobby"]);
  assert.deepEqual(problems, []);
});

test("an address of nobody is told with the nearest one of the space and its groups, whom else nobody asks for", async () => {
  const { reader, asked } = createReader({
    groups: [group("eng", "ada", "bob"), group("ops", "zoe")],
    rooms: { NOC: complete(own, member("bob")), Lobby: complete(own) },
    people: { ada: described("ada"), zoe: described("zoe") },
  });
  const options = { describesNewcomers: false };
  const [{ problems }] = await observe(
    reader,
    [rows(["adda@acme.example", "NOC"], ["boob@acme.example", "NOC"], ["eng", "NOC"], ["ops", "Lobby"])],
    options,
  );
  assert.deepEqual(
    problems.map(({ line, message }) => [line, message.replace(/^.*(?=did you mean)/, "")]),
    [
      [2, 'did you mean "ada@acme.example"?'],
      [3, 'did you mean "bob@acme.example"?'],
    ],
  );
  assert.equal(asked.at(-1), "people id-ada");
});

test("at most 850 people are looked up for the sake of a wrong address", async () => {
  const crowd = Array.from({ length: 900 }, (_, index) => `p${index}`);
  const { reader } = createReader({ groups: [group("all", ...crowd)], rooms: { NOC: complete(own) } });
  let lookedUp = 0;
  const counting: typeof reader = {
    ...reader,
    async lookUpPeople(ids) {
      lookedUp += ids.length;
      return reader.lookUpPeople(ids);
    },
  };
  await observe(counting, [rows(["x@acme.example", "NOC"], ["all", "NOC"])], { describesNewcomers: false });
  assert.equal(lookedUp, 850);
});

/** A world whose groups and addresses change after the first look. */
async function lookTwice(
  mappings: readonly Mapping[],
  members = complete(own, member("eve", { email: "e@acme.example" })),
) {
  const world = {
    rooms: { NOC: members },
    people: { eve: described("eve") },
  };
  const now = {
    groups: [group("eng", "ada"), group("leads", "bob"), group("ops", "cyd")],
    holders: { "lead@acme.example": complete(holder("zed")) },
  };
  const later = {
    groups: [group("eng", "ada", "eve"), group("leads", "bob", "eve"), group("ops", "cyd")],
    holders: {
      "eve@acme.example": complete(holder("eve")),
      "lead@acme.example": complete(holder("eve")),
    },
  };
  const first = createReader({ ...world, ...now });
  const second = createReader({ ...world, ...later });
  let hasChanged = false;
  const reader: typeof first.reader = {
    ...first.reader,
    listGroupMembers: (of) => (hasChanged ? second : first).reader.listGroupMembers(of),
    findHolders: (address) => (hasChanged ? second : first).reader.findHolders(address),
  };
  const [{ differences, compareAgain }] = await observe(reader, [mappings]);
  hasChanged = true;
  const before = differences[0];
  assert.ok(before);
  const after = await compareAgain(before.feed, members);
  const surplus = [before, after].map((one) => one.surplus.map(({ displayName }) => displayName));
  return { surplus, after, asked: second.asked };
}

test("a second look reads the groups of the space again, and only those", async () => {
  const { surplus, asked } = await lookTwice(rows(["eng", "NOC"]));
  assert.deepEqual(surplus, [["rollcall", "eve"], ["rollcall"]]);
  assert.deepEqual(asked, ["group eng"]);
});

test("a second look asks again whom the addresses of the space's rows lead to", async () => {
  const { surplus, after, asked } = await lookTwice(rows(["ops", "NOC"], ["lead@acme.example", "NOC"]));
  assert.deepEqual(surplus, [["rollcall", "eve"], ["rollcall"]]);
  assert.equal(after.feed.people[0]?.person?.key, "PEOPLE/eve");
  assert.deepEqual(asked.sort(), ["address lead@acme.example", "group ops"]);
});

test("a second look reads again what the rows without a space mean, be it a group or a person", async () => {
  for (const [cell, asked] of [
    ["leads", "group leads"],
    ["eve@acme.example", "address eve@acme.example"],
  ] as const) {
    const found = await lookTwice(rows(["ops", "NOC"], [cell, "N0C"]));
    assert.deepEqual(found.surplus, [["rollcall", "eve"], ["rollcall"]]);
    assert.deepEqual(
      found.after.exempt.map(({ line, name }) => [line, name]),
      [[3, cell]],
    );
    assert.deepEqual(found.asked.sort(), [asked, "group ops"].sort());
  }
});

/** Second looks at several spaces fed by one group, whose readings end only when they are told to. */
async function lookAtSeveral() {
  const titles = ["A", "B", "C"];
  const rooms = Object.fromEntries(titles.map((title) => [title, complete(own)]));
  const { reader } = createReader({ groups: [group("eng", "ada")], rooms });
  const ends: ((fault?: Error) => void)[] = [];
  let isFirstLook = true;
  const slow: typeof reader = {
    ...reader,
    async listGroupMembers(of) {
      const fault = isFirstLook
        ? undefined
        : await new Promise<Error | undefined>((end) => {
            ends.push(end);
          });
      if (fault) throw fault;
      return reader.listGroupMembers(of);
    },
  };
  const [{ differences, compareAgain }] = await observe(slow, [
    titles.map((title, index): Mapping => ({ group: "eng", room: title, mode: "sync", line: index + 2 })),
  ]);
  isFirstLook = false;
  const look = (index: number) => {
    const feed = differences[index]?.feed ?? assert.fail("no such space");
    return compareAgain(feed, complete(own)).then(({ absent }) => absent.length);
  };
  /** Ends the reading that is under way, once it is. */
  const end = async (fault?: Error) => {
    while (ends.length === 0) await Promise.resolve();
    ends.shift()?.(fault);
  };
  const begun = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    return ends.length;
  };
  return { look, end, begun };
}

test("spaces that look a second time at the same moment share one reading of their group", async () => {
  const { look, end, begun } = await lookAtSeveral();
  const looks = [look(0), look(1), look(2)];
  assert.equal(await begun(), 1);
  await end();
  assert.deepEqual(await Promise.all(looks), [1, 1, 1]);
});

test("a space that asks while a group is read waits for the next reading, as the one under way is older", async () => {
  const { look, end, begun } = await lookAtSeveral();
  const first = look(0);
  assert.equal(await begun(), 1);
  const later = [look(1), look(2)];
  assert.equal(await begun(), 1);
  await end();
  assert.equal(await first, 1);
  assert.equal(await begun(), 1);
  await end();
  assert.deepEqual(await Promise.all(later), [1, 1]);
  const last = look(0);
  assert.equal(await begun(), 1);
  await end();
  assert.equal(await last, 1);
});

test("a reading that fails fails for those who asked for it only", async () => {
  const { look, end, begun } = await lookAtSeveral();
  const first = assert.rejects(look(0), /^Error: stopped$/);
  assert.equal(await begun(), 1);
  const second = look(1);
  await end(new Error("stopped"));
  await first;
  await end();
  assert.equal(await second, 1);
});

test("no more than 64 spaces, and 64 groups, are read at once", async () => {
  const names = Array.from({ length: 70 }, (_, index) => `n${index}`);
  const { reader } = createReader({
    groups: names.map((name) => group(name)),
    rooms: Object.fromEntries(names.map((name) => [name, complete(own)])),
  });
  const most = { groups: 0, rooms: 0, addresses: 0 };
  const underWay = { ...most };
  async function counted<T>(what: keyof typeof most, read: () => Promise<T>): Promise<T> {
    underWay[what] += 1;
    most[what] = Math.max(most[what], underWay[what]);
    await new Promise((resolve) => setImmediate(resolve));
    underWay[what] -= 1;
    return read();
  }
  const counting: typeof reader = {
    ...reader,
    listGroupMembers: (of) => counted("groups", () => reader.listGroupMembers(of)),
    listRoomMembers: (of) => counted("rooms", () => reader.listRoomMembers(of)),
    findHolders: (address) => counted("addresses", () => reader.findHolders(address)),
  };
  const mappings = names.flatMap((name) => rows([name, name], [`${name}@acme.example`, name]));
  const [{ differences }] = await observe(counting, [mappings]);
  assert.deepEqual([most, differences.length], [{ groups: 64, rooms: 64, addresses: 64 }, 70]);
});

test("of spaces whose groups are big fewer are read at once, by the bigger of two mappings", async () => {
  const titles = Array.from({ length: 40 }, (_, index) => `S${index}`);
  const crowd = Array.from({ length: 4_000 }, (_, index) => `p${index}`);
  const { reader } = createReader({
    groups: [group("big", ...crowd), group("small", "ada")],
    rooms: Object.fromEntries(titles.map((title) => [title, complete(own)])),
  });
  let [underWay, most] = [0, 0];
  const counting: typeof reader = {
    ...reader,
    async listRoomMembers(of) {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return reader.listRoomMembers(of);
    },
  };
  const mapping = (name: string) => rows(...titles.map((title): [string, string] => [name, title]));
  await observe(counting, [mapping("small"), mapping("big"), mapping("small")], {
    describesNewcomers: false,
  });
  assert.equal(most, 16);
});
