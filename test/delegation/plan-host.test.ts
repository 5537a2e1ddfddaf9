import assert from "node:assert/strict";
import { test } from "node:test";
import { planHost } from "../../src/delegation/plan.ts";
import type { DelegationMode } from "../../src/delegation/request.ts";

const host = "ann@acme.example";

const [cat, dan, eve] = ["cat@acme.example", "dan@acme.example", "eve@acme.example"] as const;

function plan(mode: DelegationMode, delegates: readonly string[], before: readonly string[]) {
  return planHost({ host, mode, delegates }, before);
}

function addresses(count: number, prefix = "d"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}@acme.example`);
}

test("when nothing differs, nothing is changed", () => {
  for (const [mode, delegates, before] of [
    ["show", [], [cat]],
    ["add", [cat], [cat, dan]],
    ["remove", [eve], [cat, dan]],
    ["replace", [dan, cat], [cat, dan]],
    ["replace", [], []],
  ] as const) {
    assert.deepEqual(plan(mode, delegates, before), {
      request: { host, mode, delegates },
      before,
      change: null,
      refusal: null,
      notices: [],
    });
  }
});

test("the change is the difference, and delegates who stay keep Webex's spelling", () => {
  assert.deepEqual(plan("add", [cat, eve], ["Cat@Acme.example", dan]).change, {
    host,
    before: ["Cat@Acme.example", dan],
    add: [eve],
    remove: [],
    after: ["Cat@Acme.example", dan, eve],
    makeRoom: [],
  });
  assert.deepEqual(plan("remove", [cat, eve], ["Cat@Acme.example", dan]).change, {
    host,
    before: ["Cat@Acme.example", dan],
    add: [],
    remove: ["Cat@Acme.example"],
    after: [dan],
    makeRoom: [],
  });
  assert.deepEqual(plan("replace", [cat, eve], ["Cat@Acme.example", dan]).change, {
    host,
    before: ["Cat@Acme.example", dan],
    add: [eve],
    remove: [dan],
    after: ["Cat@Acme.example", eve],
    makeRoom: [],
  });
});

test("a host is never their own delegate, and naming them as one does not empty the list", () => {
  const both = plan("add", [host, cat], []);
  assert.deepEqual(
    [both.change?.add, both.notices],
    [[cat], [`${host} was left out of their own delegates`]],
  );
  const refusal = "a host is never their own delegate; name somebody else";
  assert.deepEqual([plan("add", [host], [cat]).refusal, plan("add", [host], [cat]).change], [refusal, null]);
  assert.deepEqual(
    [plan("replace", [host], [cat]).refusal, plan("replace", [host], [cat]).change],
    [refusal, null],
  );
  assert.deepEqual(plan("remove", [host], ["ANN@acme.example", cat]).change?.remove, ["ANN@acme.example"]);
  assert.deepEqual(plan("replace", [cat], [host, cat]).change?.remove, [host]);
  assert.deepEqual(plan("replace", [host, cat], [host, cat]).change?.remove, [host]);
});

test("an address that Webex lists twice in different case counts once", () => {
  assert.deepEqual(plan("add", [eve], ["Cat@acme.example", cat]).change?.after, ["Cat@acme.example", eve]);
});

test("20 delegates are allowed, 21 are refused with the numbers, and removing is always possible", () => {
  assert.equal(plan("add", [eve], addresses(19)).change?.after.length, 20);
  const full = plan("add", [eve], addresses(20));
  assert.deepEqual(
    [full.change, full.refusal],
    [
      null,
      "21 delegates would be too many (20 now, 1 more): Webex allows a host at most 20; remove some first",
    ],
  );
  const fewer = plan("remove", ["d0@acme.example", "d1@acme.example"], addresses(25)).change;
  assert.deepEqual([fewer?.after.length, fewer?.makeRoom], [23, []]);
});

test("only so many removals go first as the additions need room", () => {
  const makeRoom = (more: number, now: number) =>
    plan("replace", addresses(more), addresses(now, "e")).change?.makeRoom;
  assert.deepEqual(makeRoom(10, 10), []);
  assert.deepEqual(makeRoom(11, 10), ["e0@acme.example"]);
  assert.deepEqual(makeRoom(1, 20), ["e0@acme.example"]);
  assert.deepEqual(plan("replace", [], addresses(20)).change?.makeRoom, []);
});

test("an addition to a list that is too long already is refused, and one that changes nothing is not", () => {
  assert.match(
    plan("add", [eve], addresses(25)).refusal ?? "",
    /^26 delegates would be too many \(25 now, 1 more\)/,
  );
  assert.equal(plan("add", ["d0@acme.example"], addresses(25)).refusal, null);
  assert.equal(plan("replace", addresses(21), addresses(25)).change?.after.length, 21);
});

test("showing a host never names them as their own delegate, nor does removing", () => {
  assert.deepEqual(plan("show", [host], [cat]).refusal, null);
  assert.deepEqual(
    [plan("remove", [host], [cat]).refusal, plan("remove", [host], [cat]).notices],
    [null, []],
  );
});
