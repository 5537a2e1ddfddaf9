import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mapping } from "../../src/membership/mapping.ts";
import {
  explainRoom,
  explainUnmanaged,
  findOwnRows,
  findPastChanges,
  findSince,
  type PastChange,
  type Sight,
} from "../../src/membership/why.ts";
import { room as recorded, runRecord } from "../report/build-record.ts";
import { addition, checkedRoom, feed, group, member, person, removal, room } from "../support/builders.ts";

const eng = group("eng", "ada");

const mappings: readonly Mapping[] = [
  { group: "eng", room: "NOC", mode: "sync", line: 2 },
  { group: "ada@acme.example", room: "NOC", mode: "sync", line: 3 },
  { group: "ADA@acme.example", room: "NOC", mode: "sync", line: 4, kind: "ended" },
  { group: "eng", room: "Lab", mode: "sync", line: 5 },
  { group: "eng", room: "NOC", mode: "sync", line: 6, kind: "ended" },
];

const finding = { kind: "elsewhere", keys: [] } as const;

const noc = feed(room("NOC"), [eng], {
  lines: [2, 3, 4, 6],
  people: [
    {
      line: 3,
      address: "ada@acme.example",
      finding,
      isGroupName: false,
      person: { key: "PEOPLE/ada", personId: "id-ada", displayName: "ada", type: "user" },
    },
  ],
});

/** Ada as she was seen: in these spaces, and in "eng" or not. */
const sight = (rooms: readonly string[], isInGroup = false): Sight => ({
  key: "id-ada",
  memberships: new Map(rooms.map((title) => [`ROOM/${title}`, member("ada")])),
  groups: new Set(isInGroup ? [eng.group.key] : []),
});

const decide = (plan: Parameters<typeof checkedRoom>, isInGroup = false) => {
  const found = explainRoom(checkedRoom(...plan), mappings, sight(["NOC"], isInGroup));
  return [found?.decision, found?.reason];
};

test("somebody whom neither a list nor a row has is not told of", () => {
  assert.equal(explainRoom(checkedRoom("NOC", {}, { feed: noc }), [], sight([])), null);
  const bob = { ...sight([]), key: "PEOPLE/bob" };
  assert.equal(explainRoom(checkedRoom("NOC", {}, { feed: noc }), mappings, bob), null);
});

test("the rows are those of groups and addresses that lead to them, not the ended ones or another space's", () => {
  const plan = checkedRoom("NOC", {}, { feed: noc });
  const found = explainRoom(plan, mappings, { ...sight([], true), key: "PEOPLE/ada" });
  assert.deepEqual(found?.rows, [
    { line: 2, group: "eng" },
    { line: 3, group: "ada@acme.example" },
  ]);
  assert.deepEqual([found?.isMember, found?.isModerator], [false, false]);
  assert.deepEqual([found?.roomId, found?.title], ["id-NOC", "NOC"]);
});

test("a member is told as one, with the right to moderate, also where no row has them", () => {
  const memberships = new Map([["ROOM/NOC", member("ada", { isModerator: true })]]);
  const found = explainRoom(checkedRoom("NOC"), mappings, { ...sight([]), memberships });
  assert.deepEqual(found, {
    roomId: "id-NOC",
    title: "NOC",
    isMember: true,
    isModerator: true,
    rows: [],
    decision: "stays",
    reason: null,
  });
  assert.equal(explainRoom(checkedRoom("NOC"), mappings, sight(["NOC"]))?.isModerator, false);
});

test("a row leads to its group by name or id in any spelling, and to no other group of the space", () => {
  const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
  const home = "bbbbbbbb-0000-11f0-9000-0000000000b2";
  const encode = (uri: string) => Buffer.from(`ciscospark://${uri}`).toString("base64url");
  const leads = { key: `SCIM_GROUP/${uuid}:${home}`, id: encode(`us/SCIM_GROUP/${uuid}:${home}`) };
  const opaque = { key: "opaque", id: "opaque", displayName: "Opaque" };
  const cells = ["NOC\u00A0leads ", leads.id, uuid, "opaque", "eng", "noc leads"];
  const of = {
    ...feed(room("NOC"), [eng]),
    groups: [eng.group, { ...leads, displayName: "NOC leads" }, opaque],
    lines: cells.map((_, index) => index + 2),
  };
  const rows = cells.map((cell, index): Mapping => {
    return { group: cell, room: "NOC", mode: "sync", line: index + 2 };
  });
  const inLeads = { ...sight([]), groups: new Set([leads.key, opaque.key]) };
  const found = explainRoom(checkedRoom("NOC", {}, { feed: of }), rows, inLeads);
  assert.deepEqual(
    found?.rows.map(({ line }) => line),
    [2, 3, 4, 5],
  );
});

test("what a plan says of somebody is the decision, with its reason", () => {
  assert.deepEqual(decide(["NOC", { add: ["ada"] }]), ["would-be-added", null]);
  assert.deepEqual(decide(["NOC", { remove: ["ada"] }]), ["would-be-removed", null]);
  const held = [{ ...removal("ada"), reason: "removals-per-room" as const }];
  const found = explainRoom({ ...checkedRoom("NOC"), held }, mappings, sight(["NOC"]));
  assert.deepEqual([found?.decision, found?.reason], ["held", "removals-per-room"]);
  const kept = [{ ...person("ada"), reason: "moderator" as const }];
  assert.deepEqual(decide(["NOC", {}, { kept }]), ["stays", "moderator"]);
  assert.deepEqual(decide(["NOC", {}, { missing: [person("ada")] }]), ["frozen", "audit"]);
  assert.deepEqual(decide(["NOC", {}, { frozen: "line 4 names no single group" }]), ["frozen", null]);
  assert.deepEqual(decide(["NOC"]), ["stays", null]);
});

test("what a plan says of others is nobody's decision but theirs", () => {
  const others = [{ ...removal("bob"), reason: "removals-per-room" as const }];
  const kept = [{ ...person("cyd"), reason: "moderator" as const }];
  const plan = {
    ...checkedRoom("NOC", { add: ["dan"], remove: ["eve"] }, { kept, missing: [addition("fay")] }),
    held: others,
  };
  const found = explainRoom(plan, mappings, sight(["NOC"]));
  assert.deepEqual([found?.decision, found?.reason], ["stays", null]);
});

test("a space that no row names is unmanaged", () => {
  assert.deepEqual(explainUnmanaged(room("Attic"), member("ada", { isModerator: true })), {
    roomId: "id-Attic",
    title: "Attic",
    isMember: true,
    isModerator: true,
    rows: [],
    decision: "unmanaged",
    reason: null,
  });
});

test("of several runs the latest that added them counts, and none that a later one undid", () => {
  const change = (at: string, action: PastChange["action"], of = "ROOM/NOC"): PastChange => {
    return { run: at, date: at, at, action, room: of };
  };
  const added = [change("2026-11-02", "add"), change("2026-11-01", "add")];
  assert.deepEqual(findSince(added, "ROOM/NOC"), { run: "2026-11-02", date: "2026-11-02" });
  assert.equal(findSince([...added, change("2026-11-03", "remove")], "ROOM/NOC"), null);
  assert.equal(findSince([change("2026-11-03", "add", "ROOM/Lab")], "ROOM/NOC"), null);
  const again = [change("2026-11-04", "add"), change("2026-11-03", "remove"), ...added];
  assert.deepEqual(findSince(again, "ROOM/NOC"), { run: "2026-11-04", date: "2026-11-04" });
  assert.equal(findSince([], "ROOM/NOC"), null);
});

test("people and spaces are known by bare ids, too", () => {
  const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
  const ada = { personId: uuid, displayName: "Ada", email: null };
  const plan = checkedRoom("NOC", {}, { missing: [ada] });
  const found = explainRoom(plan, mappings, { ...sight(["NOC"]), key: `PEOPLE/${uuid}` });
  assert.equal(found?.decision, "frozen");
  const record = runRecord([recorded("NOC", { roomId: uuid, added: [ada] })]);
  const changes = findPastChanges(record, `PEOPLE/${uuid}`, { run: "4711", date: "2026-11-22" });
  assert.deepEqual(
    changes.map((change) => change.room),
    [`ROOM/${uuid}`],
  );
});

test("a row whose person nobody has found yet brings nobody", () => {
  const people = noc.people.map((row) => ({ ...row, person: null }));
  const found = explainRoom(checkedRoom("NOC", {}, { feed: { ...noc, people } }), mappings, sight(["NOC"]));
  assert.deepEqual(found?.rows, []);
});

test("an empty past holds nothing, and a record only what concerns the person", () => {
  const ada = { personId: "id-ada", displayName: "Ada", email: null };
  const bob = { ...ada, personId: "id-bob", wasModerator: false };
  const record = runRecord([
    recorded("NOC", { added: [ada] }),
    recorded("Lab", { removed: [{ ...ada, wasModerator: false }] }),
    recorded("Attic", { added: [ada], removed: [{ ...ada, wasModerator: false }] }),
    recorded("Den", { added: [{ ...ada, personId: "id-eve" }], removed: [bob] }),
  ]);
  const run = { run: "4711", date: "2026-11-22" };
  const change = { ...run, at: record.startedAt };
  assert.deepEqual(findPastChanges(record, "id-ada", run), [
    { ...change, room: "room-NOC", action: "add" },
    { ...change, room: "room-Lab", action: "remove" },
    { ...change, room: "room-Attic", action: "add" },
    { ...change, room: "room-Attic", action: "remove" },
  ]);
  assert.deepEqual(findPastChanges(record, "id-zoe", run), []);
});

test("the rows that name somebody are found whatever became of them, comments left out", () => {
  const comment: Mapping = { group: "ada@acme.example", room: "", mode: "audit", line: 9, kind: "comment" };
  const isTheirs = (address: string) => address.toLowerCase() === "ada@acme.example";
  assert.deepEqual(
    findOwnRows([...mappings, comment], isTheirs).map(({ line }) => line),
    [3, 4],
  );
});
