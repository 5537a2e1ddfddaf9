import assert from "node:assert/strict";
import { test } from "node:test";
import type { Group, Room } from "../../src/membership/directory.ts";
import type { Mapping, Mode } from "../../src/membership/mapping.ts";
import { createNameMemory, noNames } from "../../src/membership/names.ts";
import { findMappedRooms, findRoom, resolveMappings } from "../../src/membership/resolve.ts";
import { complete, group, incomplete, owner, room, user } from "../support/builders.ts";

const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
const encode = (uri: string) => Buffer.from(`ciscospark://${uri}`).toString("base64url");

const engineering = group("Engineering").group;
const support = group("Support").group;
const noc: Room = { ...room("NOC"), key: `ROOM/${uuid}`, id: encode(`us/ROOM/${uuid}`) };
const lobby = room("Lobby");

/** Rows of group, room and mode, from line 2 on. */
function rows(...cells: readonly [group: string, room: string, mode?: Mode][]): Mapping[] {
  return cells.map(([of, to, mode = "sync"], index) => ({ group: of, room: to, mode, line: index + 2 }));
}

function resolve(mappings: readonly Mapping[], groups: readonly Group[] = [engineering, support]) {
  const { desired, problems } = resolveMappings(mappings, complete(...groups), complete(noc, lobby), {
    owner,
    memory: noNames,
  });
  return { desired, problems };
}

function feedOf(
  to: Room,
  groups: readonly Group[],
  lines: readonly number[],
  obstacle: string | null = null,
) {
  return { room: to, mode: "sync", groups, people: [], lines, obstacle };
}

test("nothing mapped resolves to nothing", () => {
  assert.deepEqual(resolve([]), { desired: [], problems: [] });
});

test("rows of one room become one feed, and one group may feed several rooms", () => {
  assert.deepEqual(resolve(rows(["Engineering", "NOC"], ["Engineering", "Lobby"], ["Support", "NOC"])), {
    desired: [feedOf(noc, [engineering, support], [2, 4]), feedOf(lobby, [engineering], [3])],
    problems: [],
  });
});

const references: readonly [fact: string, cell: string][] = [
  ["its title", "NOC"],
  ["its id", noc.id],
  ["its id in another cluster", encode(`urn:TEAM:us-west-2_r/ROOM/${uuid}`)],
  ["its id in capitals", encode(`us/ROOM/${uuid.toUpperCase()}`)],
  ["the app's link", `webexteams://im?space=${uuid}`],
  ["the app's link with more in it", `webexteams://im?source=app&space=${uuid.toUpperCase()}&message=1`],
  ["the link of the web app", `https://web.webex.com/spaces/${uuid}`],
  ["the link of the web app with more in it", `https://web.webex.com/spaces/${uuid}/chat`],
  ["the older link", `https://teams.webex.com/spaces/${uuid}/chat?x=1`],
  ["its bare uuid", uuid],
  ["its bare uuid in capitals", uuid.toUpperCase()],
];
for (const [fact, cell] of references) {
  test(`a room is found by ${fact}`, () => {
    assert.deepEqual(resolve(rows(["Engineering", cell])), {
      desired: [feedOf(noc, [engineering], [2])],
      problems: [],
    });
  });
}

test("a group is found by its id in any spelling, and by an opaque id", () => {
  const home = "bbbbbbbb-0000-11f0-9000-0000000000b2";
  const key = `SCIM_GROUP/${uuid}:${home}`;
  const plain: Group = { key, id: encode(`us/${key}`), displayName: "Plain" };
  const cells = [
    encode(`eu/SCIM_GROUP/${uuid.toUpperCase()}:${home.toUpperCase()}`),
    plain.id,
    "id-Support",
    uuid,
    `${uuid.toUpperCase()}:${home}`,
  ];
  const opaque = { ...support, key: "id-Support" };
  const { desired, problems } = resolve(rows(...cells.map((cell): [string, string] => [cell, "NOC"])), [
    plain,
    opaque,
  ]);
  assert.deepEqual(
    { desired, problems },
    { desired: [feedOf(noc, [plain, opaque], [2, 3, 4, 5, 6])], problems: [] },
  );
});

test("names are compared after Unicode normalisation and without the spaces around them, but by case", () => {
  const cafe = group(" Cafe\u0301 ").group;
  assert.deepEqual(resolve(rows(["Caf\u00e9", "NOC"]), [cafe]).desired, [feedOf(noc, [cafe], [2])]);
  assert.equal(resolve(rows(["caf\u00e9", "NOC"]), [cafe]).problems.length, 1);
});

test("a group that is listed twice, as pages may overlap, is one group", () => {
  assert.deepEqual(resolve(rows(["Support", "NOC"]), [support, { ...support }]).desired, [
    feedOf(noc, [support], [2]),
  ]);
});

test("a group that nobody finds freezes its room only and is told with the nearest names", () => {
  assert.deepEqual(resolve(rows(["Enginering", "NOC"], ["Support", "NOC"], ["Support", "Lobby"])), {
    desired: [feedOf(noc, [support], [2, 3], "line 2 names no single group"), feedOf(lobby, [support], [4])],
    problems: [
      { line: 2, column: "group", message: 'no group is named "Enginering"; did you mean "Engineering"?' },
    ],
  });
});

test("a room that nobody finds is told, and the other rooms go on", () => {
  assert.deepEqual(resolve(rows(["Support", "Lobbi"], ["Support", "NOC"])), {
    desired: [feedOf(noc, [support], [3])],
    problems: [{ line: 2, column: "room", message: 'no space is titled "Lobbi"; did you mean "Lobby"?' }],
  });
});

test("where nothing is near, the problem tells what has to be so", () => {
  assert.deepEqual(
    resolve(rows(["zzzzzz", "qqqqqq"])).problems.map((problem) => problem.message),
    [
      'no space is titled "qqqqqq"; rollcall@acme.example must be in it',
      `no group is named "zzzzzz"; the token's owner must be allowed to see it`,
    ],
  );
});

test("a name that several have freezes the row and tells the ids to choose from", () => {
  const twin: Group = { key: "SCIM_GROUP/twin", id: "id-Another", displayName: "Support" };
  assert.deepEqual(resolve(rows(["Support", "NOC"]), [support, twin]), {
    desired: [feedOf(noc, [], [2], "line 2 names no single group")],
    problems: [
      {
        line: 2,
        column: "group",
        message: '2 groups are named "Support"; write the id of the one you mean: id-Another, id-Support',
      },
    ],
  });
});

test("an id or a link that names no visible room is never taken for a title", () => {
  const other = uuid.replace("a1", "b2");
  const cells = [
    encode(`us/ROOM/${other}`),
    `webexteams://im?space=${other}`,
    `https://teams.webex.com/spaces/${other}/chat`,
    other,
  ];
  assert.deepEqual(resolve(rows(...cells.map((cell): [string, string] => ["Support", cell]))), {
    desired: [],
    problems: [2, 3, 4, 5].map((line) => ({
      line,
      column: "room",
      message: "no space with this id is visible; rollcall@acme.example must be in it",
    })),
  });
});

test("a name is not looked up in a list that is incomplete, because a namesake may be missing from it", () => {
  const rooms = incomplete("503", noc, lobby);
  const { desired, problems } = resolveMappings(
    rows(["Support", "Lobby"], ["Support", noc.id]),
    complete(support),
    rooms,
    { owner, memory: noNames },
  );
  assert.deepEqual(desired, [feedOf(noc, [support], [3])]);
  assert.deepEqual(problems, [
    {
      line: 2,
      column: "room",
      message: '"Lobby" cannot be looked up by name; the list of spaces is incomplete: 503',
    },
  ]);
});

test("of each group the first line is known that feeds a room with it", () => {
  const mappings = rows(
    ["Engineering", "Cellar"],
    ["Support", "NOC"],
    ["Engineering", "NOC"],
    ["Support", "Lobby"],
  );
  const { groupLines } = resolveMappings(mappings, complete(engineering, support), complete(noc, lobby), {
    owner,
    memory: noNames,
  });
  assert.deepEqual(
    groupLines,
    new Map([
      [support.key, 3],
      [engineering.key, 4],
    ]),
  );
});

test("modes that disagree only once title, id and link turn out to be one room freeze it", () => {
  const link = `webexteams://im?space=${uuid}`;
  const { desired, problems } = resolve(
    rows(["Support", "NOC", "audit"], ["Engineering", noc.id], ["Engineering", link, "audit"]),
  );
  assert.deepEqual(desired, [
    { ...feedOf(noc, [support, engineering], [2, 3, 4], "its rows disagree on the mode"), mode: "audit" },
  ]);
  assert.deepEqual(problems, [
    {
      line: 3,
      column: "mode",
      message: 'line 2 maps the same space with mode "audit", this line with "sync"; give both the same mode',
    },
  ]);
});

test("a bare uuid is a title only where a room is titled just so", () => {
  const other = uuid.replace("a1", "b2");
  const titled = room(other, { key: "ROOM/y" });
  const found = resolveMappings(rows(["Support", other]), complete(support), complete(noc, titled), {
    owner,
    memory: noNames,
  });
  assert.deepEqual(found.desired, [feedOf(titled, [support], [2])]);
  const taken = resolveMappings(
    rows(["Support", uuid]),
    complete(support),
    complete(noc, room(uuid, { key: "ROOM/x" })),
    { owner, memory: noNames },
  );
  assert.deepEqual(taken.desired, [feedOf(noc, [support], [2])]);
});

test("an id of something else is named as that, and a link without an id as a link", () => {
  const cells: [string, string][] = [
    ["Support", encode(`us/TEAM/${uuid}`)],
    [encode(`us/PEOPLE/${uuid}`), "NOC"],
    ["Support", "https://web.webex.com/meet/ann"],
    [noc.id, "NOC"],
    ["Support", encode(`us/ATTACHMENT_ACTION/${uuid}`)],
    ["Support", "zzz https://acme.example"],
  ];
  assert.deepEqual(
    resolve(rows(...cells)).problems.map(({ message }) => message),
    [
      "this is the id of a team, not of a space",
      "this is the id of a person, not of a group",
      'no space is titled "https://web.webex.com/meet/ann"; this link holds no id of a space',
      "this is the id of a space, not of a group",
      "this is the id of an attachment action, not of a space",
      'no space is titled "zzz https://acme.example"; rollcall@acme.example must be in it',
    ],
  );
});

test("names that differ in nothing visible are one name, and two things with it are ambiguous", () => {
  const spaced = group("NOC\u00A0On-call").group;
  assert.deepEqual(resolve(rows(["NOC On-\u200Bcall", "NOC"]), [spaced]).desired, [
    feedOf(noc, [spaced], [2]),
  ]);
  const twin = { ...group("NOC On-call").group, key: "SCIM_GROUP/twin", id: "id-twin" };
  assert.deepEqual(
    resolve(rows(["NOC On-call", "NOC"]), [spaced, twin]).problems.map(({ message }) => message),
    [`2 groups are named "NOC On-call"; write the id of the one you mean: ${spaced.id}, id-twin`],
  );
});

test("a difference that nobody can see is told by code point", () => {
  assert.deepEqual(
    resolve(rows(["Supp\u043Ert", "NOC"])).problems.map(({ message }) => message),
    [
      'no group is named "Supp\u043Ert"; did you mean "Support"? "Support" has U+006F where U+043E is written',
    ],
  );
});

test("a comment that begins with a group's name is a problem, and its group counts as a row that leads nowhere", () => {
  const odd = group("#noc").group;
  const comment = (cell: string, line: number) =>
    ({ group: cell, room: "", mode: "audit", line, kind: "comment" }) as const;
  const mappings = [...rows(["Support", "NOC"]), comment("#noc", 3), comment("# the rest", 4)];
  const { desired, unmatchedRows, problems } = resolveMappings(
    mappings,
    complete(support, odd),
    complete(noc),
    { owner, memory: noNames },
  );
  assert.deepEqual([desired, unmatchedRows], [[feedOf(noc, [support], [2])], [{ group: odd, line: 3 }]]);
  assert.deepEqual(problems, [
    {
      line: 3,
      column: "group",
      message:
        'this line is a comment, but it begins with the name of the group "#noc", whose people nobody removes until that is clear; put the name in double quotes to make it a row, or begin the comment with other words',
    },
  ]);
});

test("a row that has ended keeps its room managed and brings nobody, whatever its cells lead to", () => {
  const ended = { mode: "sync", kind: "ended", until: "2026-11-01" } as const;
  const mappings: Mapping[] = [
    { group: "Nobody Knows", room: "NOC", line: 2, ...ended },
    { group: "Support", room: "Gone", line: 3, ...ended },
    { group: "Support", room: "Lobby", line: 4, ...ended },
    { group: "Engineering", room: "Lobby", mode: "sync", line: 5 },
  ];
  assert.deepEqual(resolve(mappings), {
    desired: [feedOf(noc, [], [2]), feedOf(lobby, [engineering], [4, 5])],
    problems: [],
  });
});

test("the nearest is looked for 200 times, and the others are told without it", () => {
  const cells = Array.from({ length: 202 }, (_, index): [string, string] => [`Support ${index}`, "NOC"]);
  const { problems } = resolve(rows(...cells));
  assert.deepEqual(
    [0, 199, 200, 201].map((index) => problems[index]?.message.replace(/^.*"; /, "")),
    [
      'did you mean "Support"?',
      'did you mean "Support"?',
      "so many match nothing that the nearest was looked for 200 times only",
      "so many match nothing that the nearest was looked for 200 times only",
    ],
  );
});

test("a title that led to another space freezes its row, and its group's people are spared", () => {
  const memory = createNameMemory([
    { column: "room", name: "NOC", id: lobby.id },
    { column: "room", name: "Lobby", id: lobby.id },
  ]);
  const mappings = rows(["Support", "NOC"], ["Engineering", "Lobby"], ["Engineering", noc.id]);
  const found = resolveMappings(mappings, complete(engineering, support), complete(noc, lobby), {
    owner,
    memory,
  });
  const obstacle = "the title on line 2 led to another space on earlier runs";
  assert.deepEqual(found.desired, [
    feedOf(noc, [support, engineering], [2, 4], obstacle),
    feedOf(lobby, [engineering], [3]),
  ]);
  assert.deepEqual(found.unmatchedRows, [{ group: support, line: 2 }]);
  const message = `"NOC" led to another space on earlier runs, so this row changes nothing until its cell holds the id of the one you mean: earlier id-Lobby (now titled "Lobby"), now ${noc.id}`;
  assert.deepEqual(found.problems, [{ line: 2, column: "room", message }]);
  assert.deepEqual(
    found.names.map(({ column, name }) => `${column} ${name}`),
    ["group Support", "room Lobby", "group Engineering"],
  );
  assert.deepEqual(
    [...findMappedRooms(mappings.slice(0, 2), complete(noc, lobby), { owner, memory })],
    [lobby.key],
  );
});

test("a name that led to another group freezes its row; both groups are spared where the space is not sure either", () => {
  const memory = createNameMemory([
    { column: "group", name: "Support", id: engineering.id },
    { column: "room", name: "Lobby", id: "a space that is gone" },
  ]);
  const mappings = rows(["Support", "NOC"], ["Support", "Lobby"]);
  const found = resolveMappings(mappings, complete(engineering, support), complete(noc, lobby), {
    owner,
    memory,
  });
  assert.deepEqual(found.desired, [
    feedOf(noc, [], [2], "the name of the group on line 2 led to another group on earlier runs"),
    feedOf(lobby, [], [3], "the title on line 3 led to another space on earlier runs"),
  ]);
  assert.deepEqual(found.unmatchedRows, [
    { group: support, line: 3 },
    { group: engineering, line: 3 },
  ]);
  assert.deepEqual(found.names, [{ column: "room", name: "NOC", id: noc.id }]);
  assert.match(found.problems[0]?.message ?? "", /\(now named "Engineering"\), now id-Support$/);
  assert.match(found.problems[1]?.message ?? "", /earlier a space that is gone, now id-Lobby$/);
});

test("an ended row keeps no stranger's space managed, and a cell that holds an id needs no memory", () => {
  const memory = createNameMemory([
    { column: "room", name: "Lobby", id: noc.id },
    { column: "room", name: noc.id, id: lobby.id },
  ]);
  const ended = { group: "Support", room: "Lobby", mode: "sync", line: 2, kind: "ended" } as const;
  const mappings = [ended, ...rows(["Support", "Lobby"], ["Support", noc.id]).slice(1)];
  const found = resolveMappings(mappings, complete(support), complete(noc, lobby), { owner, memory });
  assert.deepEqual(found.desired, [
    feedOf(lobby, [], [2], "the title on line 2 led to another space on earlier runs"),
    feedOf(noc, [support], [3]),
  ]);
  assert.deepEqual(
    found.problems.map(({ line, column }) => [line, column]),
    [[2, "room"]],
  );
  assert.match(found.problems[0]?.message ?? "", /^"Lobby" led to another space on earlier runs/);
});

test("a name that leads nowhere any more is told by what it led to", () => {
  const memory = createNameMemory([{ column: "room", name: "Cellar", id: lobby.id }]);
  const found = resolveMappings(rows(["Support", "Cellar"]), complete(support), complete(noc, lobby), {
    owner,
    memory,
  });
  const message =
    'no space is titled "Cellar"; on earlier runs it led to the space now titled "Lobby", whose id is id-Lobby';
  assert.deepEqual(found.problems, [{ line: 2, column: "room", message }]);
  assert.deepEqual([found.desired, found.unmatchedRows], [[], [{ group: support, line: 2 }]]);
});

test("what a name led to before is known by any spelling of its id", () => {
  const memory = createNameMemory([
    { column: "room", name: "Cellar", id: encode(`eu/ROOM/${uuid}`) },
    { column: "room", name: "Attic", id: "gone" },
  ]);
  const { problems } = resolveMappings(
    rows(["Support", "Cellar"], ["Support", "Attic"]),
    complete(support),
    complete(noc, lobby),
    { owner, memory },
  );
  assert.match(problems[0]?.message ?? "", /it led to the space now titled "NOC"/);
  assert.doesNotMatch(problems[1]?.message ?? "", /earlier runs/);
});

test("a row of which neither the space nor the group is found spares nobody", () => {
  const found = resolveMappings(rows(["Gone", "Gone"]), complete(support), complete(noc), {
    owner,
    memory: noNames,
  });
  assert.deepEqual([found.unmatchedRows, found.unmatchedPeople, found.problems.length], [[], [], 2]);
});

test("a comment line names no space, also where one has no title", () => {
  const untitled = room("", { key: "ROOM/untitled" });
  const comment = { group: "x", room: "", mode: "audit", line: 2, kind: "comment" } as const;
  const beholder = { owner, memory: noNames };
  assert.deepEqual([...findMappedRooms([comment], complete(untitled), beholder)], []);
});

test("one space is found by title, id or link, or the reason is told", () => {
  const beholder = { owner, memory: noNames };
  for (const cell of ["NOC", noc.id, `https://web.webex.com/spaces/${uuid}`]) {
    const found = findRoom(cell, complete(noc, lobby), beholder);
    assert.equal("found" in found && found.found, noc, cell);
  }
  const none = findRoom("Cellar", complete(noc, lobby), beholder);
  assert.match("failure" in none ? none.failure : "", /^no space is titled "Cellar"/);
});

const ada = { kind: "person", person: user("ada") } as const;

/** The rows of people that this address becomes in the space NOC. */
function resolvePerson(
  address: string,
  groups: Parameters<typeof resolveMappings>[1],
  facts: Partial<Parameters<typeof resolveMappings>[3]> = {},
) {
  const addresses = new Map([["ada@acme.example", ada]]);
  const beholder = { owner, memory: noNames, addresses, ...facts };
  const { desired, problems, unmatchedPeople, names } = resolveMappings(
    rows([address, "NOC"], [address, "Cellar"]),
    groups,
    complete(noc),
    beholder,
  );
  const [feed] = desired;
  return {
    people: feed?.people.map(({ line, finding, isGroupName }) => ({ line, finding, isGroupName })),
    groups: feed?.groups.map(({ displayName }) => displayName),
    obstacle: feed?.obstacle,
    unmatched: unmatchedPeople.map(({ line, address: of }) => [line, of]),
    columns: problems.map(({ line, column }) => `${line} ${column}`),
    names: names.map(({ column, name }) => `${column} ${name}`),
  };
}

test("a cell that is an address is a person, also where its row leads to no space", () => {
  assert.deepEqual(resolvePerson("Ada@acme.example", complete(support)), {
    people: [{ line: 2, finding: ada, isGroupName: false }],
    groups: [],
    obstacle: null,
    unmatched: [[3, "Ada@acme.example"]],
    columns: ["3 room"],
    names: ["room NOC"],
  });
});

test("an address that is a group's name, too, is both until that is clear", () => {
  const named = group("ada@acme.example").group;
  assert.deepEqual(resolvePerson("ada@acme.example", complete(named)), {
    people: [{ line: 2, finding: ada, isGroupName: true }],
    groups: ["ada@acme.example"],
    obstacle: null,
    unmatched: [[3, "ada@acme.example"]],
    columns: ["3 room"],
    names: ["room NOC", "group ada@acme.example"],
  });
});

test("while the list of groups is not whole an address may be a group's name: nobody is taken for the person", () => {
  const { people, obstacle, columns } = resolvePerson("ada@acme.example", incomplete("503", support));
  assert.deepEqual([people, obstacle], [[], "line 2 names no single group"]);
  assert.deepEqual(columns, ["2 group", "3 room", "3 group"]);
});

test("an address that led to a group on earlier runs, or was not looked up, leads to nobody", () => {
  const memory = createNameMemory([{ column: "group", name: "ada@acme.example", id: "id-old" }]);
  const unclear = (reason: string) => ({ kind: "unclear", reason, keys: null });
  const findingsOf = (address: string, facts: Parameters<typeof resolvePerson>[2]) =>
    resolvePerson(address, complete(support), facts).people?.map(({ finding }) => finding);
  assert.deepEqual(findingsOf("ada@acme.example", { memory }), [
    unclear("led to a group on earlier runs, which is gone or has another name now; write the group's id"),
  ]);
  const notAsked = [unclear("was not looked up")];
  assert.deepEqual(findingsOf("bob@acme.example", {}), notAsked);
  assert.deepEqual(findingsOf("ada@acme.example", { addresses: new Map() }), notAsked);
  const { desired } = resolve(rows(["ada@acme.example", "NOC"]));
  assert.deepEqual(
    desired[0]?.people.map(({ finding }) => finding),
    notAsked,
  );
  const named = group("ada@acme.example", "x").group;
  const same = createNameMemory([{ column: "group", name: "ada@acme.example", id: named.id }]);
  assert.deepEqual(
    resolvePerson("ada@acme.example", complete(named), { memory: same }).people?.map(
      ({ finding }) => finding,
    ),
    [ada],
  );
});
