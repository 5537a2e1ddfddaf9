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

const unclear: readonly [fact: string, holders: readonly AddressHolder[], reason: RegExp][] = [
  ["two people", [holder("ada"), holder("bob")], /2 people: ada \(ada@acme\.example\); bob/],
  ["a bot", [holder("bot", { kind: "bot" })], /a bot, not of a person/],
  ["something unheard of", [holder("x", { kind: "other" })], /something else, not of a person/],
  ["a deactivated account", [holder("ada", { mayLogIn: false })], /a deactivated account/],
];
for (const [fact, holders, reason] of unclear) {
  test(`${fact} is nobody who may be taken for the person, but all of them might be`, () => {
    const finding = judge(...holders);
    assert.ok(finding.kind === "unclear");
    assert.match(finding.reason, reason);
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
  assert.deepEqual([found.rows[0]?.person?.key, found.faults], ["PEOPLE/gus", []]);
  const byKey = findPeople([row({ kind: "elsewhere", keys: ["PEOPLE/ada"] })], [member("ada")]);
  assert.equal(byKey.rows[0]?.person?.key, "PEOPLE/ada");
  const several = findPeople([row({ kind: "elsewhere", keys: ["PEOPLE/ada"] })], [member("ada"), gus]);
  assert.match(several.faults[0]?.reason ?? "", /2 members/);
  const none = findPeople([row({ kind: "elsewhere", keys: [] })], [member("ada")]);
  assert.match(none.faults[0]?.reason ?? "", /nobody in the organisation, and of no member/);
});

test("a group's name is clear only while nobody bears it", () => {
  const clear = row({ kind: "elsewhere", keys: [] }, { isGroupName: true });
  assert.deepEqual(findPeople([clear], [member("ada")]), { rows: [clear], faults: [] });
  const guest = member("gus", { email: "gus@partner.example" });
  for (const [finding, members] of [
    [judge(holder("gus")), []],
    [judge(holder("gus", { mayLogIn: false })), []],
    [judgeHolders(incomplete("403"), owner), []],
    [clear.finding, [guest]],
  ] as const)
    assert.equal(findPeople([row(finding, { isGroupName: true })], members).faults.length, 1);
});

test("a member may be the person by key, or by address where the directory knows nobody for certain", () => {
  const gus = member("gus", { email: "gus@partner.example" });
  assert.equal(mayMean(row(judge(holder("ada"))), member("ada")), true);
  assert.equal(mayMean(row(judge(holder("ada"))), gus), false);
  assert.equal(mayMean(row(judge()), gus), true);
  assert.equal(mayMean(row(judge(holder("ada", { mayLogIn: false }))), member("ada")), true);
});

test("the nearest other address is named, whatever its case, and none for a group's name", () => {
  const fault = { row: row(judge(), { address: "adda@acme.example" }), reason: "is nobody's" };
  const near = ["Ada@acme.example", "adda@acme.example", "zoe@acme.example"];
  assert.deepEqual(explainRow(fault, near), {
    line: 2,
    column: "group",
    message: '"adda@acme.example" is nobody\'s; did you mean "ada@acme.example"?',
  });
  const ofGroup = { ...fault, row: { ...fault.row, isGroupName: true } };
  assert.doesNotMatch(explainRow(ofGroup, near).message, /did you mean/);
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
