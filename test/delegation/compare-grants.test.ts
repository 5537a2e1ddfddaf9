import assert from "node:assert/strict";
import { test } from "node:test";
import { compareGrants, type GrantEffect, type GrantPlan } from "../../src/delegation/compare-grants.ts";
import { mail, pair, row } from "../support/delegations.ts";

type Host = GrantPlan["hosts"][number];

/** What a run would do to a host's delegates, by name. */
function host(
  name: string,
  facts: { readonly grant?: string[]; readonly revoke?: string[]; readonly hold?: string[]; error?: string },
): Host {
  const { grant = [], revoke = [], hold = [], error } = facts;
  return {
    host: name.includes("@") ? name : mail(name),
    added: grant.map(mail),
    removed: revoke.map(mail),
    held: hold.map((delegate) => ({ delegate: mail(delegate) })),
    ...(error !== undefined && { error }),
  };
}

const nothing: GrantPlan = { rows: [], hosts: [] };

const effect = (names: string, more: Partial<GrantEffect>): GrantEffect => ({
  ...pair(names),
  without: null,
  with: null,
  before: null,
  after: null,
  isRefused: false,
  ...more,
});

test("two empty plans differ in nothing", () => {
  assert.deepEqual(compareGrants(nothing, nothing), { changes: [], drift: [] });
});

test("a new row is a change, with what a run would do because of it", () => {
  const proposed = { rows: [row("ann/cat")], hosts: [host("ann", { grant: ["cat"] })] };
  assert.deepEqual(compareGrants(proposed, nothing), {
    changes: [effect("ann/cat", { with: "grant", after: row("ann/cat") })],
    drift: [],
  });
});

test("a new row for somebody who is a delegate already is a change, although a run would do nothing", () => {
  for (const until of [null, "2026-12-01"]) {
    const { changes, drift } = compareGrants({ rows: [row("ann/cat", until)], hosts: [] }, nothing);
    assert.deepEqual([changes, drift], [[effect("ann/cat", { after: row("ann/cat", until) })], []]);
  }
});

test("a row taken out is a change, whatever a run would do because of it", () => {
  const present = { rows: [row("ann/cat")], hosts: [] };
  const verdicts: readonly [Host[], GrantEffect["with"]][] = [
    [[], null],
    [[host("ann", { revoke: ["cat"] })], "revoke"],
    [[host("ann", { hold: ["cat"] })], "hold"],
  ];
  for (const [hosts, verdict] of verdicts) {
    assert.deepEqual(compareGrants({ rows: [], hosts }, present), {
      changes: [effect("ann/cat", { with: verdict, before: row("ann/cat") })],
      drift: [],
    });
  }
});

test("another last day is a change, and so is an end where there was none", () => {
  const days: readonly [string | null, string | null][] = [
    ["2026-12-01", "2026-12-02"],
    [null, "2026-12-01"],
    ["2026-12-01", null],
  ];
  for (const [was, becomes] of days) {
    const [before, after] = [row("ann/cat", was), row("ann/cat", becomes)];
    assert.deepEqual(compareGrants({ rows: [after], hosts: [] }, { rows: [before], hosts: [] }), {
      changes: [effect("ann/cat", { before, after })],
      drift: [],
    });
  }
});

test("a row that only moved, or has another note, is not a change", () => {
  const moved = { ...row("ann/cat", "2026-12-01", 9), note: "for the winter" };
  const plans = [moved, row("ann/cat", "2026-12-01")].map((one) => ({ rows: [one], hosts: [] }));
  const [proposed = nothing, present = nothing] = plans;
  assert.deepEqual(compareGrants(proposed, present), { changes: [], drift: [] });
});

test("what a run would do in any case is not laid at the proposal's door", () => {
  const both = {
    rows: [row("ann/cat")],
    hosts: [host("ann", { grant: ["cat"], revoke: ["dan"], hold: ["eve"] })],
  };
  const { changes, drift } = compareGrants(both, both);
  assert.deepEqual(changes, []);
  assert.deepEqual(drift, [
    effect("ann/cat", { without: "grant", with: "grant", before: row("ann/cat"), after: row("ann/cat") }),
    effect("ann/dan", { without: "revoke", with: "revoke" }),
    effect("ann/eve", { without: "hold", with: "hold" }),
  ]);
});

test("what the proposal prevents, or turns into something else, is a change", () => {
  const present = { rows: [], hosts: [host("ann", { revoke: ["cat", "dan"] })] };
  const proposed = { rows: [], hosts: [host("ann", { hold: ["dan"] })] };
  assert.deepEqual(compareGrants(proposed, present), {
    changes: [
      effect("ann/cat", { without: "revoke", with: null }),
      effect("ann/dan", { without: "revoke", with: "hold" }),
    ],
    drift: [],
  });
});

test("a host with an error in the proposal's plan is refused, and no other, and not for an error of today", () => {
  const proposed = {
    rows: [row("ann/cat"), row("ben/cat"), row("gus/cat")],
    hosts: [host("ANN@acme.example", { error: "no such user" }), host("ben", {})],
  };
  const present = { rows: [], hosts: [host("gus", { error: "no answer" })] };
  const { changes } = compareGrants(proposed, present);
  assert.deepEqual(
    changes.map(({ host: of, isRefused }) => [of, isRefused]),
    [
      [mail("ann"), true],
      [mail("ben"), false],
      [mail("gus"), false],
    ],
  );
});

test("people are compared whatever the case in which Webex spells them, and told in order", () => {
  const proposed = {
    rows: [row("ben/cat"), row("ann/zoe"), row("ann/cat")],
    hosts: [host("Ben@acme.example", { grant: ["CAT"] })],
  };
  assert.deepEqual(
    compareGrants(proposed, nothing).changes.map((one) => [one.host, one.delegate, one.with]),
    [
      [mail("ann"), mail("cat"), null],
      [mail("ann"), mail("zoe"), null],
      [mail("ben"), mail("cat"), "grant"],
    ],
  );
});
