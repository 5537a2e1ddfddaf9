import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertNoSecretShown,
  assertTokenKept,
  countMembershipWrites,
  findRecord,
  needsAct,
  startNoc,
  useActRepository,
} from "./act-story.ts";

const repository = useActRepository();

test("a scheduled Sync updates the room, stores the new token and commits the report", needsAct, async () => {
  await using sandbox = await startNoc();
  const first = sandbox.currentRefreshToken;
  const ending = await repository.run(sandbox, { workflow: "sync", event: "schedule" });
  assert.equal(ending.succeeded, true, ending.log);
  // Checkout, set-up (of both jobs), for whom, who asked, the run itself, its record, and what it owes.
  assert.deepEqual(
    Object.values(ending.steps),
    Array.from({ length: 7 }, () => "success"),
  );
  assert.match(ending.log, /uploaded rollcall-record\.json as rollcall-record-1/);
  assert.doesNotMatch(ending.log, /as rollcall-owed/);
  assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
  assert.notEqual(sandbox.currentRefreshToken, first);
  assertTokenKept(sandbox);
  // The repository has no secret of that name, and was given none.
  assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), undefined);
  assert.deepEqual(
    sandbox.github.commits.map(({ branch, message }) => [branch, message]),
    [["main", "Rollcall: 1 added, 1 removed"]],
  );
  assert.match(sandbox.github.files().get("reports/README.md") ?? "", /NOC/);
  assert.match(sandbox.github.files().get(findRecord(sandbox)) ?? "", /"status": "changed"/);
  assertNoSecretShown(sandbox, ending.log);
});

test("a second scheduled Sync finds nothing to do and makes no commit", needsAct, async () => {
  await using sandbox = await startNoc();
  await repository.run(sandbox, { workflow: "sync", event: "schedule" });
  const before = { writes: countMembershipWrites(sandbox), commits: sandbox.github.commits.length };
  const ending = await repository.run(sandbox, { workflow: "sync", event: "schedule" });
  assert.equal(ending.succeeded, true, ending.log);
  assert.deepEqual(
    { writes: countMembershipWrites(sandbox), commits: sandbox.github.commits.length },
    before,
  );
  assertTokenKept(sandbox);
});

test("a push to the mappings is applied immediately", needsAct, async () => {
  await using sandbox = await startNoc();
  sandbox.github.writeFile("mappings/rooms.csv", "group,room,mode\nNOC,NOC,add-only\n");
  const ending = await repository.run(sandbox, { workflow: "sync", event: "push" });
  assert.equal(ending.succeeded, true, ending.log);
  // add-only: cy is in no group and stays.
  assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "cy", "rollcall"]);
  assert.equal(sandbox.github.commits.at(-1)?.message, "Rollcall: 1 added");
  assertTokenKept(sandbox);
});

test("a manual Sync with dry_run shows the plan and writes only the token", needsAct, async () => {
  await using sandbox = await startNoc();
  const payload = { inputs: { dry_run: "true" } };
  const ending = await repository.run(sandbox, { workflow: "sync", event: "workflow_dispatch", payload });
  assert.equal(ending.succeeded, true, ending.log);
  assert.match(ending.log, /Ann <ann@acme\.example>/);
  assert.equal(countMembershipWrites(sandbox), 0);
  assert.deepEqual(sandbox.members("NOC"), ["bob", "cy", "rollcall"]);
  assert.deepEqual(sandbox.github.commits, []);
  assertTokenKept(sandbox);
});

test(
  "held removals make the run fail, and a manual run with their digest applies them",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    sandbox.setGroup("NOC", []);
    const held = await repository.run(sandbox, { workflow: "sync", event: "schedule" });
    assert.equal(held.succeeded, false);
    assert.equal(held.steps.Sync, "failure");
    assert.deepEqual(sandbox.members("NOC"), ["bob", "cy", "rollcall"]);
    const { digest } = JSON.parse(sandbox.github.files().get(findRecord(sandbox)) ?? "{}");
    assert.match(digest, /^[0-9a-f]{12}$/);
    const [issue, ...others] = sandbox.github.issues.all;
    assert.deepEqual([issue?.state, issue?.body.includes(digest), others], ["open", true, []]);
    assertTokenKept(sandbox);

    const payload = { inputs: { dry_run: "false", approve: digest } };
    const approved = await repository.run(sandbox, { workflow: "sync", event: "workflow_dispatch", payload });
    assert.equal(approved.succeeded, true, approved.log);
    assert.deepEqual(sandbox.members("NOC"), ["rollcall"]);
    assert.equal(sandbox.github.commits.at(-1)?.message, "Rollcall: 2 removed");
    assert.deepEqual(
      sandbox.github.issues.all.map(({ state }) => state),
      ["closed"],
    );
    assertTokenKept(sandbox);
  },
);

test("in a public repository the schedule is kept enabled without a commit", needsAct, async () => {
  await using sandbox = await startNoc({ private: false, workflowState: "disabled_inactivity" });
  await repository.run(sandbox, { workflow: "sync", event: "schedule" });
  assert.equal(sandbox.github.workflowState, "active");
  assert.equal(sandbox.github.commits.length, 1);
});

test("a typed digest is never run as a script", needsAct, async () => {
  await using sandbox = await startNoc();
  const payload = { inputs: { dry_run: "false", approve: '"; touch injected; echo "$(touch injected)`id`' } };
  const ending = await repository.run(sandbox, { workflow: "sync", event: "workflow_dispatch", payload });
  assert.equal(ending.succeeded, false);
  assert.match(ending.log, /--approve .* is malformed/);
  assert.deepEqual(sandbox.requests, []);
});

test(
  "with REPORT_BRANCH the report is committed there, and the protected branch is left alone",
  needsAct,
  async () => {
    await using sandbox = await startNoc({ branches: ["main", "reports"] });
    const variables = { REPORT_BRANCH: "reports" };
    const ending = await repository.run(sandbox, { workflow: "sync", event: "schedule", variables });
    assert.equal(ending.succeeded, true, ending.log);
    assert.deepEqual(
      sandbox.github.commits.map(({ branch }) => branch),
      ["reports"],
    );
  },
);

test("with a GitHub App, its token replaces both other tokens", needsAct, async () => {
  await using sandbox = await startNoc();
  const ending = await repository.run(sandbox, {
    workflow: "sync",
    event: "schedule",
    variables: { ROLLCALL_APP_CLIENT_ID: "Iv23li0123456789abcd" },
    // The stand-in's token is its key.
    secrets: { ROLLCALL_APP_PRIVATE_KEY: sandbox.github.secretsToken, SECRETS_TOKEN: "" },
  });
  assert.equal(ending.succeeded, true, ending.log);
  assertTokenKept(sandbox);
  const commit = sandbox.requests.find(({ route, status }) => route === "POST /graphql" && status === 200);
  assert.match(commit?.headers.authorization ?? "", new RegExp(` ${sandbox.github.secretsToken}$`));
  assert.equal(sandbox.github.commits.length, 1);
});

test("without environments, the repository secret is read and rotated", needsAct, async () => {
  await using sandbox = await startNoc({ environments: [] });
  const variables = { WEBEX_SECRET_PLACE: "repository" };
  const ending = await repository.run(sandbox, { workflow: "sync", event: "schedule", variables });
  assert.equal(ending.succeeded, true, ending.log);
  assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), sandbox.currentRefreshToken);
});
