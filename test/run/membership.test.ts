import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Context } from "../../src/cli/context.ts";
import type { Annotation } from "../../src/github/runner.ts";
import { noNames } from "../../src/membership/names.ts";
import { defaultPolicy } from "../../src/membership/policy.ts";
import { InputError } from "../../src/run/inputs.ts";
import { runMembership } from "../../src/run/membership.ts";
import type { Memory } from "../../src/run/memory.ts";
import type { Decision, MembershipTask } from "../../src/run/reconcile.ts";
import {
  type Answer,
  type Asked,
  answerGithub,
  answerRequests,
  answerSecret,
  listDispatches,
  withSecret,
} from "../support/answered-requests.ts";
import { roomPlan } from "../support/builders.ts";
import { openContext, openFolder } from "../support/open-context.ts";

const webex = {
  WEBEX_API_URL: "https://webex.example/v1",
  WEBEX_CLIENT_ID: "client",
  WEBEX_CLIENT_SECRET: "not-a-client-secret",
};

interface Case {
  readonly task?: Partial<MembershipTask>;
  readonly decision?: Partial<Decision>;
  readonly env?: Readonly<Record<string, string>>;
  /** Files beside the token's, from the folder of the run. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the refreshed token may do; null where Webex does not say. */
  readonly scope?: string | null;
  readonly answer?: (asked: Asked) => Answer | null;
  readonly organisation?: string;
  readonly site?: string;
}

/** Runs a command that decides just that; without `env` with a token file, and reports on disk. */
async function run({
  task = {},
  decision = {},
  files = {},
  scope = "spark:all identity:groups_read",
  ...rest
}: Case) {
  await using folder = await openFolder({ "refresh-token": "made-up-refresh", ...files });
  const { env = { WEBEX_TOKEN_FILE: join(folder.path, "refresh-token") }, organisation = null } = rest;
  const { answer = () => ({ status: 404, body: {} }) } = rest;
  let refreshes = 0;
  using network = answerRequests((asked) => {
    if (asked.path !== "/v1/access_token") return answer(asked);
    refreshes += 1;
    const tokens = { access_token: `made-up-access-${refreshes}`, ...(scope === null ? {} : { scope }) };
    return { body: tokens };
  });
  const { context, lines } = await openContext(
    { ...webex, WEBEX_SITE_URL: rest.site ?? "", ...env },
    { reports: join(folder.path, "reports") },
  );
  const annotations: Annotation[] = [];
  const told: Context = {
    ...context,
    runner: { ...context.runner, annotate: (some) => annotations.push(...some) },
    paths: { ...context.paths, organisation },
  };
  const decide = async (): Promise<Decision> => ({
    ownerKey: "PEOPLE/rollcall",
    ...{ rooms: [], problems: [], notices: [], names: [] },
    planAgain: () => Promise.reject(new Error("nothing is planned again")),
    ...decision,
  });
  const load = async () => ({ policy: defaultPolicy, rows: [], delegations: null, decide });
  const record = await runMembership({ command: "sync", approval: null, load, ...task }, told);
  const stored = await readdir(join(folder.path, "reports")).catch((): string[] => []);
  const dispatched = listDispatches(network.asked);
  return { record, annotations, lines, stored, refreshes, dispatched };
}

const noted = (message: string, line: number | null = null) => ({ line, column: null, message });

describe("the record of a membership run", () => {
  test("says what it undoes, and whose it is, only where that is so", async () => {
    const undoes = "reports/runs/2026-11-01-1001.json";
    const restore = await run({ task: { command: "restore", undoes }, organisation: "acme" });
    assert.deepEqual([restore.record.undoes, restore.record.organisation], [undoes, "acme"]);
    assert.equal(restore.record.status, "converged");
    const { record } = await run({});
    assert.deepEqual(["undoes" in record, "organisation" in record], [false, false]);
    assert.deepEqual(record.token, { refreshed: true, rotated: false, refreshTokenExpiresAt: null });
  });

  test("of a run that never came as far as the token has none", async () => {
    const { record, refreshes } = await run({
      task: { load: () => Promise.reject(new Error("no such file")) },
    });
    assert.deepEqual(
      [record.status, record.problems, record.token],
      ["failed", [noted("no such file")], null],
    );
    assert.equal(refreshes, 0);
  });

  test("has the faults of the mappings by their lines, and says of all others where they are", async () => {
    const problems = [
      { ...noted("no group", 3), file: "mappings/rooms.csv" },
      { ...noted("it is empty"), file: "mappings/rooms.csv" },
      { ...noted("no number", 3), file: "mappings/policy.json" },
    ];
    const load = () => Promise.reject(new InputError(problems));
    const { record, annotations } = await run({ task: { load } });
    assert.deepEqual(record.problems, [
      noted("no group", 3),
      noted("mappings/rooms.csv: it is empty"),
      noted("mappings/policy.json:3: no number"),
    ]);
    assert.deepEqual(annotations, problems, "each is shown at its place");
  });

  test("has what was decided, and what is wrong is shown at the line of the mappings", async () => {
    const problems = [noted("no group is named that", 7)];
    const { record, annotations } = await run({ decision: { problems, notices: ["one came late"] } });
    assert.deepEqual([record.status, record.problems], ["partial", problems]);
    assert.deepEqual(record.notices, ["one came late"]);
    assert.deepEqual(annotations, [{ ...noted("no group is named that", 7), file: "mappings/rooms.csv" }]);
  });

  test("fails where Webex no longer accepts the access token, and says what was done", async () => {
    const decision = { rooms: [roomPlan("NOC", { add: ["ann"] })] };
    const problems = [noted("one row is wrong", 2)];
    const { record, refreshes } = await run({
      decision: { ...decision, problems },
      answer: () => ({ status: 401, body: {} }),
    });
    assert.equal(refreshes, 2);
    assert.deepEqual([record.status, record.totals.failed], ["failed", 1]);
    assert.deepEqual(record.problems[0], problems[0]);
    assert.match(record.problems.at(-1)?.message ?? "", /^the run was ended: .*401/);
  });
});

describe("what a membership run leaves", () => {
  test("is a report, and where names lead to only after a sync", async () => {
    const names = [{ column: "room", name: "NOC", id: "id-NOC" }] as const;
    const problems = [noted("worth a report")];
    const sync = await run({ decision: { names, problems } });
    assert.ok(sync.stored.includes("README.md") && sync.stored.includes("state.json"));
    // Webex answers 404, so the addition fails, and that is worth a page.
    const rooms = [roomPlan("NOC", { add: ["ann"] })];
    const restore = await run({ task: { command: "restore" }, decision: { rooms, names } });
    assert.deepEqual(restore.stored, ["history.json", "runs"]);
  });

  test("needs a place that can be written before the token is refreshed, but for a plan, which leaves none", async () => {
    const files = { reports: "no folder" };
    const sync = await run({ files });
    assert.deepEqual([sync.record.status, sync.refreshes], ["failed", 0]);
    const plan = await run({ files, task: { command: "plan" } });
    assert.deepEqual([plan.record.status, plan.refreshes], ["converged", 1]);
  });
});

describe("a membership run that keeps delegates", () => {
  const grant = { file: "mappings/delegations.csv", host: "ann@acme.example", delegate: "eve@acme.example" };
  const policy = { ...defaultPolicy, report: { ...defaultPolicy.report, notify: "Alerts" } };

  /** A sync whose memory is that; the checkout has no delegations.csv. */
  async function keep(recall: () => Promise<Memory>) {
    const decide = async (): Promise<Decision> => ({
      ...{ ownerKey: "PEOPLE/rollcall", rooms: [], problems: [], notices: [], names: [] },
      planAgain: () => Promise.reject(new Error("nothing is planned again")),
    });
    const load = async () => ({ policy, rows: [], delegations: { grants: [], recall }, decide });
    return await run({ task: { load }, site: "acme.webex.com" });
  }

  test("leaves those of deleted rows where the file is gone at the second look", async () => {
    const delegations = { kept: [grant], damage: null };
    const { record } = await keep(async () => ({ names: noNames, told: null, notices: [], delegations }));
    assert.match(record.problems[0]?.message ?? "", /delegations\.csv was looked at again, and is not there/);
    assert.match(record.notices.join(), /^The space "Alerts" could not be told/);
  });

  test("tells nobody where it is not known what was told before, and the record says why", async () => {
    const { record } = await keep(() => Promise.reject(new Error("the memory cannot be read")));
    assert.match(record.problems[0]?.message ?? "", /the memory cannot be read$/);
    assert.deepEqual([record.status, record.notices], ["partial", []]);
  });
});

describe("a login that lacks scopes", () => {
  const lacking = /^The Webex login lacks spark:memberships_write, .*: tick them at developer\.webex\.com/;
  const scope = "spark:rooms_read spark:memberships_read";

  test("is told where something went wrong", async () => {
    const { record } = await run({ scope, decision: { problems: [noted("it was refused")] } });
    assert.match(record.notices.join("\n"), lacking);
    const failed = await run({ scope, decision: { rooms: [roomPlan("NOC", { add: ["ann"] })] } });
    assert.equal(failed.record.totals.failed, 1);
    assert.match(failed.record.notices.join("\n"), lacking);
  });

  test("is not told where all went well, where it lacks none, and where Webex does not say", async () => {
    const problems = [noted("it was refused")];
    for (const facts of [{ scope }, { decision: { problems } }, { scope: null, decision: { problems } }]) {
      const { record } = await run(facts);
      assert.deepEqual(record.notices, []);
      assert.equal(record.problems.length, facts.decision === undefined ? 0 : 1);
    }
  });
});

describe("a membership run with its token in a secret", () => {
  const stale = { storedAt: "05:00", queuedAt: "04:00" };
  const current = { storedAt: "03:00", queuedAt: "04:00" };
  const onBranch = answerGithub({ "README.md": "" });

  test("warns of a token for secrets that ends soon, in the log and in the record", async () => {
    const env = { ...withSecret, GITHUB_ACTIONS: "" };
    const plan = { task: { command: "plan" }, env, answer: answerSecret(current, onBranch) } as const;
    const { record, lines } = await run(plan);
    assert.equal(record.notices.length, 1);
    assert.match(record.notices[0] ?? "", /^SECRETS_TOKEN expires on 2026-11-05,/);
    assert.ok(lines.includes(`warn: ${record.notices[0]}`));
  });

  test("starts a fresh one where its copy is stale, of the same organisation", async () => {
    const runStale = async (facts: Case) => {
      const env = { ...withSecret, ...facts.env };
      const found = await run({ ...facts, env, answer: answerSecret(stale, onBranch) });
      assert.match(found.record.problems[0]?.message ?? "", /a fresh run was started by dispatch$/);
      return found.dispatched;
    };
    const own = { workflow: "7", ref: "main" };
    assert.deepEqual(await runStale({}), [{ ...own, inputs: {} }]);
    assert.deepEqual(await runStale({ organisation: "acme" }), [
      { ...own, inputs: { organisation: "acme" } },
    ]);
    const approval = "a1b2c3d4e5f6";
    assert.deepEqual(await runStale({ task: { approval } }), [{ ...own, inputs: {} }]);
    const env = { GITHUB_EVENT_NAME: "issue_comment" };
    assert.deepEqual(await runStale({ env }), [{ ...own, inputs: {} }]);
    assert.deepEqual(
      await runStale({ env, task: { approval }, organisation: "acme" }),
      [{ workflow: "sync.yml", ref: "main", inputs: { organisation: "acme", approve: approval } }],
      "no comment can be posted once more",
    );
  });
});
