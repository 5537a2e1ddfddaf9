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
import { checkedRoom, feed, group, member, person, room } from "../support/builders.ts";

const eng = group("eng", "ada");

const mappings: readonly Mapping[] = [
  { group: "eng", room: "NOC", mode: "sync", line: 2 },
  { group: "ada@acme.example", room: "NOC", mode: "sync", line: 3 },
  { group: "ADA@acme.example", room: "NOC", mode: "sync", line: 4, kind: "ended" },
  { group: "eng", room: "Lab", mode: "sync", line: 5 },
];

const finding = { kind: "elsewhere", keys: [] } as const;

const noc = feed(room("NOC"), [eng], {
  lines: [2, 3, 4],
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
});

test("the rows are those of groups and addresses that lead to them, not the ended ones or another space's", () => {
  const plan = checkedRoom("NOC", {}, { feed: noc });
  const found = explainRoom(plan, mappings, { ...sight([], true), key: "PEOPLE/ada" });
  assert.deepEqual(found?.rows, [
    { line: 2, group: "eng" },
    { line: 3, group: "ada@acme.example" },
  ]);
  assert.deepEqual([found?.isMember, found?.isModerator], [false, false]);
});

test("what a plan says of somebody is the decision, with its reason", () => {
  assert.deepEqual(decide(["NOC", { add: ["ada"] }]), ["would-be-added", null]);
  assert.deepEqual(decide(["NOC", { remove: ["ada"] }]), ["would-be-removed", null]);
  const kept = [{ ...person("ada"), reason: "moderator" as const }];
  assert.deepEqual(decide(["NOC", {}, { kept }]), ["stays", "moderator"]);
  assert.deepEqual(decide(["NOC", {}, { missing: [person("ada")] }]), ["frozen", "audit"]);
  assert.deepEqual(decide(["NOC", {}, { frozen: "line 4 names no single group" }]), ["frozen", null]);
  assert.deepEqual(decide(["NOC"]), ["stays", null]);
});

test("a space that no row names is unmanaged", () => {
  const { decision, isModerator } = explainUnmanaged(room("Attic"), member("ada", { isModerator: true }));
  assert.deepEqual([decision, isModerator], ["unmanaged", true]);
});

test("of several runs the latest that added them counts, and none that a later one undid", () => {
  const change = (at: string, action: PastChange["action"], of = "ROOM/NOC"): PastChange => {
    return { run: at, date: at, at, action, room: of };
  };
  const added = [change("2026-11-02", "add"), change("2026-11-01", "add")];
  assert.deepEqual(findSince(added, "ROOM/NOC"), { run: "2026-11-02", date: "2026-11-02" });
  assert.equal(findSince([...added, change("2026-11-03", "remove")], "ROOM/NOC"), null);
  assert.equal(findSince([change("2026-11-03", "add", "ROOM/Lab")], "ROOM/NOC"), null);
});

test("an empty past holds nothing, and a record only what concerns the person", async () => {
  const { runRecord, room: recorded } = await import("../report/build-record.ts");
  const ada = { personId: "id-ada", displayName: "Ada", email: null };
  const record = runRecord([recorded("NOC", { added: [ada] }), recorded("Lab", { removed: [] })]);
  const run = { run: "4711", date: "2026-11-22" };
  assert.deepEqual(
    findPastChanges(record, "id-ada", run).map(({ action, run: id }) => [action, id]),
    [["add", "4711"]],
  );
  assert.deepEqual(findPastChanges(record, "id-bob", run), []);
});

test("the rows that name somebody are found whatever became of them, comments left out", () => {
  const comment: Mapping = { group: "ada@acme.example", room: "", mode: "audit", line: 9, kind: "comment" };
  const isTheirs = (address: string) => address.toLowerCase() === "ada@acme.example";
  assert.deepEqual(
    findOwnRows([...mappings, comment], isTheirs).map(({ line }) => line),
    [3, 4],
  );
});
