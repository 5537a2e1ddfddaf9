import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressHolder } from "../../src/membership/directory.ts";
import type { Mapping } from "../../src/membership/mapping.ts";
import {
  explainRow,
  findPeople,
  judgeHolders,
  listRowAddresses,
  mayMean,
  type PersonRow,
} from "../../src/membership/person-rows.ts";
import { complete, holder, incomplete, member, owner } from "../support/builders.ts";

const judge = (...holders: readonly AddressHolder[]) => judgeHolders(complete(...holders), owner);

const row = (finding: PersonRow["finding"], facts: Partial<PersonRow> = {}): PersonRow => ({
  line: 2,
  address: "Gus@partner.example",
  finding,
  person: null,
  isGroupName: false,
  ...facts,
});

test("one person of the organisation is meant, however often the directory lists them", () => {
  const ada = { key: "PEOPLE/ada", personId: "id-ada", displayName: "ada", type: "user" };
  for (const facts of [{}, { mayLogIn: null }, { kind: null }, { orgKey: null }])
    assert.deepEqual(judge(holder("ada", facts), holder("ada", facts)), { kind: "person", person: ada });
});

test("nobody, or only people of other organisations, is to be looked for among the members", () => {
  assert.deepEqual(judge(), { kind: "elsewhere", keys: [] });
  assert.deepEqual(judge(holder("gus", { orgKey: "ORGANIZATION/partner" })), {
    kind: "elsewhere",
    keys: ["PEOPLE/gus"],
  });
});

test("without knowing its own organisation nobody is taken for somebody of another one", () => {
  const found = judgeHolders(complete(holder("gus", { orgKey: "ORGANIZATION/partner" })), {
    ...owner,
    orgKey: null,
  });
  assert.equal(found.kind, "person");
});

test("beside one of the organisation those of others do not count", () => {
  const found = judge(holder("gus", { orgKey: "ORGANIZATION/partner" }), holder("ada"));
  assert.ok(found.kind === "person");
  assert.equal(found.person.key, "PEOPLE/ada");
});

const unclear: readonly [fact: string, holders: readonly AddressHolder[], reason: string][] = [
  [
    "two people",
    [holder("bob"), holder("ada", { emails: ["a@acme.example", "ada@acme.example"] })],
    "is the address of 2 people: ada (a@acme.example, ada@acme.example); bob (bob@acme.example)",
  ],
  ["a bot", [holder("bot", { kind: "bot" })], "is the address of a bot, not of a person"],
  ["a device", [holder("tv", { kind: "device" })], "is the address of a device, not of a person"],
  [
    "something unheard of",
    [holder("x", { kind: "other" })],
    "is the address of something else, not of a person",
  ],
  ["a deactivated account", [holder("ada", { mayLogIn: false })], "is the address of a deactivated account"],
];
for (const [fact, holders, reason] of unclear) {
  test(`${fact} is nobody who may be taken for the person, but all of them might be`, () => {
    const finding = judge(...holders);
    assert.ok(finding.kind === "unclear");
    assert.equal(finding.reason, reason);
    assert.deepEqual(
      finding.keys,
      holders.map(({ key }) => key),
    );
  });
}

test("where the directory cannot be asked, anybody might be the person", () => {
  const finding = judgeHolders(incomplete("403"), owner);
  assert.deepEqual(finding, { kind: "unclear", reason: "could not be looked up: 403", keys: null });
});

test("somebody of another organisation is found among the members by address or key, and only if it is one", () => {
  const gus = member("gus", { email: "gus@PARTNER.example" });
  const found = findPeople([row({ kind: "elsewhere", keys: [] })], [member("ada"), gus]);
  const person = { key: "PEOPLE/gus", personId: "id-gus", displayName: "gus", type: "user" };
  assert.deepEqual([found.rows[0]?.person, found.faults], [person, []]);
  const byKey = findPeople([row({ kind: "elsewhere", keys: ["PEOPLE/ada"] })], [member("ada")]);
  assert.equal(byKey.rows[0]?.person?.key, "PEOPLE/ada");
  const several = findPeople([row({ kind: "elsewhere", keys: ["PEOPLE/ada"] })], [member("ada"), gus]);
  assert.deepEqual(
    [several.faults[0]?.reason, several.rows[0]?.person],
    ["is the address of 2 members of the space", null],
  );
  const none = findPeople([row({ kind: "elsewhere", keys: [] })], [member("ada")]);
  const reason = "is the address of nobody in the organisation, and of no member of the space";
  const unnamed = row({ kind: "elsewhere", keys: [] });
  assert.deepEqual(none, { rows: [unnamed], faults: [{ row: unnamed, reason }] });
});

test("whom the directory finds is the person of the row, member or not; who is unclear is nobody", () => {
  const ada = holder("ada");
  const rows = [row(judge(ada)), row(judge({ ...ada, mayLogIn: false }), { line: 3 })];
  for (const members of [[], [member("ada", { email: "gus@partner.example" })]]) {
    const found = findPeople(rows, members);
    assert.deepEqual(
      found.rows.map(({ line, person }) => [line, person?.key]),
      [
        [2, "PEOPLE/ada"],
        [3, undefined],
      ],
    );
    assert.deepEqual(
      found.faults.map(({ row: { line }, reason }) => [line, reason]),
      [[3, "is the address of a deactivated account"]],
    );
  }
});

test("a group's name is clear only while nobody bears it", () => {
  const clear = row({ kind: "elsewhere", keys: [] }, { isGroupName: true });
  assert.deepEqual(findPeople([clear], [member("ada")]), { rows: [clear], faults: [] });
  const guest = member("gus", { email: "gus@partner.example" });
  const remedy = "; write the group's id, or another address of the person";
  for (const [finding, members, reason] of [
    [judge(holder("gus")), [], "and somebody's address, too"],
    [
      judge(holder("gus", { mayLogIn: false })),
      [],
      "and somebody's address, too (it is the address of a deactivated account)",
    ],
    [
      judgeHolders(incomplete("403"), owner),
      [],
      "and may be somebody's address, too (it could not be looked up: 403)",
    ],
    [clear.finding, [guest], "and somebody's address, too"],
  ] as const) {
    const given = row(finding, { isGroupName: true });
    const fault = { row: given, reason: `is a group's name, ${reason}${remedy}` };
    assert.deepEqual(findPeople([given], members), { rows: [given], faults: [fault] });
  }
});

test("a member may be the person by key, or by address where the directory knows nobody for certain", () => {
  const gus = member("gus", { email: "gus@partner.example" });
  assert.equal(mayMean(row(judge(holder("ada"))), member("ada")), true);
  assert.equal(mayMean(row(judge(holder("ada"))), gus), false);
  assert.equal(mayMean(row(judge()), gus), true);
  assert.equal(mayMean(row(judge()), member("gus", { email: null })), false);
  assert.equal(mayMean(row(judge()), member("ada")), false);
  assert.equal(mayMean(row(judgeHolders(incomplete("403"), owner)), member("ada")), false);
  assert.equal(mayMean(row(judgeHolders(incomplete("403"), owner)), gus), true);
  assert.equal(mayMean(row(judge(holder("ada", { mayLogIn: false }))), member("ada")), true);
});

test("the nearest other address is named, whatever its case, and none for a group's name", () => {
  const fault = { row: row(judge(), { address: "adda@acme.example" }), reason: "is nobody's" };
  const near = ["Ada@acme.example", "ADDA@acme.example", "ada@acme.example", "zoe@acme.example"];
  assert.deepEqual(explainRow(fault, near), {
    line: 2,
    column: "group",
    message: '"adda@acme.example" is nobody\'s; did you mean "ada@acme.example"?',
  });
  const ofGroup = { ...fault, row: { ...fault.row, isGroupName: true } };
  assert.equal(explainRow(ofGroup, near).message, '"adda@acme.example" is nobody\'s');
});

test("only rows that bring people have their addresses looked up, each once", () => {
  const of = (group: string, facts: Partial<Mapping> = {}): Mapping => {
    return { group, room: "NOC", mode: "sync", line: 2, ...facts };
  };
  const mappings = [
    of("Ada@acme.example"),
    of("ada@ACME.example"),
    of("eng"),
    of("old@acme.example", { kind: "ended" }),
    of("#no@acme.example", { kind: "comment" }),
  ];
  assert.deepEqual(listRowAddresses(mappings), ["ada@acme.example"]);
});
