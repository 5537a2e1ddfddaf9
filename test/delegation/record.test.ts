import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostOutcome } from "../../src/delegation/apply.ts";
import { buildDelegationRecord, countChanges, type DelegationFacts } from "../../src/delegation/record.ts";
import { outcome } from "../support/delegations.ts";

const facts: DelegationFacts = {
  command: "delegate",
  mode: "add",
  backend: "rest",
  actor: "ada",
  token: null,
  problems: [],
  startedAt: new Date("2026-11-22T05:17:09.900Z"),
  finishedAt: new Date("2026-11-22T05:17:31.100Z"),
  until: null,
  users: null,
  kept: [],
  notices: [],
  hasFailed: false,
};

const statusOf = (more: Partial<DelegationFacts>, ...outcomes: readonly HostOutcome[]) =>
  buildDelegationRecord({ ...facts, ...more }, outcomes).status;

test("the status is the worst of what happened", () => {
  const [added, removed] = [outcome({ added: ["ben"] }), outcome({ removed: ["ben"] })];
  const refused = outcome({ error: "no" });
  assert.deepEqual(
    [
      statusOf({}),
      statusOf({}, outcome()),
      statusOf({}, outcome(), added),
      statusOf({}, removed, outcome()),
      statusOf({}, added, refused),
      statusOf({ problems: ["look"] }, added),
      statusOf({ problems: ["look"], hasFailed: true }, added, refused),
    ],
    ["converged", "converged", "changed", "changed", "partial", "partial", "failed"],
  );
});

test("a record has sorted addresses, whole seconds, and only the keys that it needs", () => {
  const host = outcome({
    before: ["dan", "ben"],
    after: ["cat", "ben"],
    added: ["eve", "cat"],
    removed: ["fay", "dan"],
  });
  const unread = outcome({ host: "gus", before: null, after: null, error: "no answer" });
  assert.deepEqual(buildDelegationRecord(facts, [host, unread]), {
    version: 1,
    command: "delegate",
    mode: "add",
    backend: "rest",
    status: "partial",
    hosts: [
      {
        host: "ann",
        before: ["ben", "dan"],
        after: ["ben", "cat"],
        added: ["cat", "eve"],
        removed: ["dan", "fay"],
      },
      { host: "gus", before: null, after: null, added: [], removed: [], error: "no answer" },
    ],
    token: null,
    actor: "ada",
    startedAt: "2026-11-22T05:17:09Z",
    finishedAt: "2026-11-22T05:17:31Z",
    problems: [],
    notices: [],
  });
});

test("an end, the site's users and the rows that keep are told where there are any", () => {
  const user = { address: "ann", displayName: "Ann", isActive: true, canHost: null };
  const row = { host: "ann", delegate: "ben", until: null, line: 2, note: "for now" };
  const { until, users, kept } = buildDelegationRecord(
    { ...facts, until: "2026-12-01", users: [user], kept: [row] },
    [],
  );
  assert.deepEqual(
    [until, users, kept],
    [
      "2026-12-01",
      [{ address: "ann", displayName: "Ann", canHost: null }],
      [{ host: "ann", delegate: "ben", until: null, line: 2 }],
    ],
  );
});

test("a notice names its host once", () => {
  const outcomes = [outcome({ notices: ["ben is no delegate", "ann has nobody left"] })];
  assert.deepEqual(buildDelegationRecord({ ...facts, notices: ["first"] }, outcomes).notices, [
    "first",
    "ann: ben is no delegate",
    "ann has nobody left",
  ]);
});

test("changes are counted over all hosts", () => {
  const { hosts } = buildDelegationRecord(facts, [
    outcome({ added: ["ben", "cat"] }),
    outcome({ host: "dan", added: ["ben"], removed: ["eve"], error: "no" }),
    outcome({ host: "gus" }),
  ]);
  assert.deepEqual(countChanges({ hosts }), { added: 3, removed: 1, failed: 1 });
});
