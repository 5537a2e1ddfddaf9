import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeReturn,
  findEndings,
  heldKeyOf,
  type KeptGrant,
  listReturns,
  parseKept,
  splitByPresence,
  stillEnded,
  updateKept,
} from "../../src/delegation/kept.ts";
import { pair, row } from "../support/delegations.ts";

const file = "mappings/delegations.csv";
const now = "2026-11-22T05:17:09Z";

const kept = (text: string, returned?: readonly string[]): KeptGrant => ({
  file,
  ...pair(text),
  ...(returned && { returned }),
});

test("nothing stored is nothing kept, and no damage", () => {
  assert.deepEqual(parseKept(undefined), { kept: [], damage: null });
  assert.deepEqual(parseKept([]), { kept: [], damage: null });
});

test("what is stored is read, with when it came back", () => {
  const stored = [kept("ann/cat"), kept("ben/dan", [now])];
  assert.deepEqual(parseKept(JSON.parse(JSON.stringify(stored))), { kept: stored, damage: null });
});

const damages: readonly [fact: string, stored: unknown, damage: string][] = [
  ["no list", "ann", "delegations"],
  ["a grant without a host", [{ file, delegate: "cat@acme.example" }], "delegations.0.host"],
  [
    "a time that is none",
    [kept("ann/cat"), { ...kept("ben/dan"), returned: ["soon"] }],
    "delegations.1.returned.0",
  ],
  ["more than a grant has", [{ ...kept("ann/cat"), until: null }], "delegations.0.until"],
];
for (const [fact, stored, damage] of damages) {
  test(`${fact} is damage, named by its place, and nothing of it counts`, () => {
    assert.deepEqual(parseKept(stored), { kept: [], damage });
  });
}

test("the memory gains what is listed and loses what has ended, sorted, and each pair once", () => {
  const update = {
    listed: [kept("ben/dan"), kept("ann/cat")],
    ended: [kept("eve/zoe"), kept("ANN/Bob")],
    returned: [],
  };
  const before = [kept("eve/zoe"), kept("ann/bob"), kept("ben/dan", [now])];
  assert.deepEqual(updateKept(before, update), [kept("ann/cat"), kept("ben/dan", [now])]);
});

test("another file's grants are left alone", () => {
  const other = { ...kept("ann/cat"), file: "other/delegations.csv" };
  const update = { listed: [], ended: [kept("ann/cat")], returned: [] };
  assert.deepEqual(updateKept([other], update), [other]);
});

test("a grant that came back is remembered with the times of 30 days", () => {
  const [old, recent] = ["2026-10-22T00:00:00Z", "2026-11-01T00:00:00Z"];
  const update = { listed: [kept("ann/cat")], ended: [], returned: [kept("ann/cat", [now])] };
  assert.deepEqual(updateKept([kept("ann/cat", [old, recent])], update), [kept("ann/cat", [recent, now])]);
  assert.deepEqual(updateKept([], update), [kept("ann/cat", [now])]);
  assert.deepEqual(listReturns(kept("ann/cat", [old, recent]), now), [recent]);
  assert.deepEqual(listReturns(undefined, now), []);
  const exactly = "2026-10-23T05:17:09Z";
  assert.deepEqual(listReturns(kept("ann/cat", [exactly]), now), [exactly]);
});

test("coming back once is told, and twice in 30 days that it keeps coming and going", () => {
  assert.match(
    describeReturn(kept("ann/cat", ["2026-10-22T00:00:00Z"]), now),
    /cat@acme\.example was no longer/,
  );
  assert.match(describeReturn(kept("ann/cat", ["2026-11-21T00:00:00Z"]), now), /again 2 times in 30 days/);
});

test("what has ended is what has expired, and what was kept and is listed no longer", () => {
  const [expired, lasting] = [row("ann/cat", "2026-11-21"), row("ann/dan", "2026-11-22")];
  const grants = [expired, lasting, row("ben/eve")];
  const before = [kept("Ben/EVE"), kept("ben/zoe"), kept("ann/cat")];
  assert.deepEqual(findEndings(grants, before, "2026-11-22"), [
    { ...pair("ann/cat"), row: expired },
    { ...pair("ben/zoe"), row: null },
  ]);
  assert.deepEqual(findEndings([], [], "2026-11-22"), []);
});

test("an ending holds as long as its row is as it was, or still deleted", () => {
  const expired = row("ann/cat", "2026-11-21");
  const endings = [
    { ...pair("ann/cat"), row: expired },
    { ...pair("ben/zoe"), row: null },
  ];
  assert.deepEqual(stillEnded(endings, [expired]), endings);
  assert.deepEqual(stillEnded(endings, [row("ann/cat", "2026-12-31")]), endings.slice(1));
  assert.deepEqual(stillEnded(endings, [row("Ann/Cat")]), endings.slice(1));
  assert.deepEqual(stillEnded(endings, [row("ben/zoe"), expired]), endings.slice(0, 1));
  assert.deepEqual(stillEnded(endings, []), endings.slice(1), "an expired row that is gone was deleted");
});

test("a held right is named host/delegate, in lower case", () => {
  assert.equal(heldKeyOf({ ...pair("Ann/CAT"), row: null }), "ann@acme.example/cat@acme.example");
});

test("an unknown list neither has nor lacks anybody", () => {
  const lists = new Map([[pair("ann/x").host, ["CAT@acme.example"]]]);
  const grants = [row("ann/cat"), row("ann/dan"), row("ben/eve")];
  assert.deepEqual(splitByPresence(grants, lists), { present: [grants[0]], absent: [grants[1]] });
});
