import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultPolicy } from "../../src/membership/policy.ts";
import { type Decision, type MembershipTask, reconcile } from "../../src/run/reconcile.ts";
import type { Session } from "../../src/run/session.ts";
import { answerWebex, createSession } from "../support/answered-webex.ts";
import { roomPlan } from "../support/builders.ts";
import { openContext } from "../support/open-context.ts";

interface Case {
  readonly task?: Partial<MembershipTask>;
  readonly decision: Partial<Decision>;
  readonly session?: Partial<Session>;
}

/** Reconciles the rooms of a decision with a Webex that takes every addition and refuses all else. */
async function run({ task = {}, decision, session = {} }: Case) {
  const { client, sent } = answerWebex(({ method }) => (method === "POST" ? {} : null));
  const counts: { readonly what: string; readonly total: number; steps: number }[] = [];
  const { context } = await openContext();
  const decide = async (): Promise<Decision> => ({
    ownerKey: "PEOPLE/rollcall",
    ...{ rooms: [], problems: [], notices: [], names: [] },
    planAgain: async ({ room }) =>
      (decision.rooms ?? []).find(({ feed }) => feed.room === room) ?? assert.fail("no such room"),
    ...decision,
  });
  const loaded = { policy: defaultPolicy, rows: [], delegations: null, decide };
  const opened = {
    loaded,
    reportTarget: { kind: "folder" },
    session: createSession(client, session),
    delegations: null,
  } as const;
  const found = await reconcile(
    { command: "sync", approval: null, load: async () => loaded, ...task },
    opened,
    {
      ...context,
      count(what, total) {
        const count = { what, total, steps: 0 };
        counts.push(count);
        return () => {
          count.steps += 1;
        };
      },
    },
  );
  return { ...found, counts, writes: sent.filter(({ method }) => method !== "GET").length };
}

/** One removal too many for the limit of a space. */
const tooMany = roomPlan("NOC", { remove: ["ann", "bob", "cat", "dan"] });

describe("what was decided about spaces", () => {
  test("is done, and it is counted how far that is", async () => {
    const rooms = [roomPlan("NOC", { add: ["ann", "bob"] }), roomPlan("Desk", { add: ["cat"] })];
    const { outcomes, counts, notices } = await run({ decision: { rooms } });
    assert.equal([...(outcomes?.values() ?? [])].flatMap(({ added }) => added).length, 3);
    assert.deepEqual(counts, [{ what: "Made # changes", total: 3, steps: 3 }]);
    assert.deepEqual(notices, []);
    const mixed = [roomPlan("NOC", { add: ["ann"], remove: ["bob", "cat"] })];
    assert.equal((await run({ decision: { rooms: mixed } })).counts[0]?.total, 3);
  });

  test("is only told in a plan", async () => {
    const rooms = [roomPlan("NOC", { add: ["ann"] })];
    const { plan, outcomes, writes } = await run({ task: { command: "plan" }, decision: { rooms } });
    assert.deepEqual([plan.rooms[0]?.additions.length, outcomes, writes], [1, null, 0]);
  });

  test("is left where Webex no longer accepts the access token, or the run is to end", async () => {
    const rooms = [roomPlan("NOC", { add: ["ann"] })];
    const lostAccess = new Error("the access token is dead");
    await assert.rejects(run({ decision: { rooms }, session: { lostAccess } }), lostAccess);
    await assert.rejects(
      run({ decision: { rooms }, session: { stop: AbortSignal.abort() } }),
      /^Error: the run was stopped before it changed anything$/,
    );
  });

  test("waits for the approval of just that", async () => {
    const decide = (approval: string | null) =>
      run({
        task: { command: "plan", approval },
        decision: { rooms: [tooMany], notices: ["one came late"] },
      });
    const held = await decide(null);
    const digest = held.plan.digest ?? assert.fail("nothing is held");
    assert.deepEqual([held.plan.rooms[0]?.held.length, held.notices], [4, ["one came late"]]);
    const approved = await decide(digest.toUpperCase());
    assert.deepEqual([approved.plan.rooms[0]?.removals.length, approved.plan.digest], [4, null]);
    assert.deepEqual(approved.notices, ["one came late"]);
    const other = await decide("a1b2c3d4e5f6");
    assert.deepEqual([other.plan.rooms[0]?.held.length, other.notices.length], [4, 2]);
    assert.match(other.notices[1] ?? "", /^the approval names a1b2c3d4e5f6, but .* has the digest /);
    assert.ok(other.notices[1]?.includes(digest));
    const nothing = await run({ task: { approval: digest }, decision: {} });
    assert.deepEqual(nothing.notices, [`nothing is held, so the approval of ${digest} had nothing to apply`]);
  });
});
