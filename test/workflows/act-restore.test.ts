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
const membersAtFirst = ["bob", "cy", "rollcall"];

test(
  "Restore first shows the changes, then returns the room to its state before the run",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    await repository.run(sandbox, { workflow: "sync", event: "schedule" });
    const record = findRecord(sandbox);
    assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
    const before = { writes: countMembershipWrites(sandbox), commits: sandbox.github.commits.length };

    const shown = await repository.run(sandbox, {
      workflow: "restore",
      event: "workflow_dispatch",
      payload: { inputs: { record } },
      actor: "dora",
    });
    assert.equal(shown.succeeded, true, shown.log);
    // Nobody typed anything for dry_run: the form's default is to show only.
    assert.deepEqual(
      { writes: countMembershipWrites(sandbox), commits: sandbox.github.commits.length },
      before,
    );
    assert.match(shown.log, /Requested by dora, started by dora\./);
    assertTokenKept(sandbox);

    const restored = await repository.run(sandbox, {
      workflow: "restore",
      event: "workflow_dispatch",
      payload: { inputs: { record, dry_run: "false" } },
    });
    assert.equal(restored.succeeded, true, restored.log);
    assert.deepEqual(sandbox.members("NOC"), membersAtFirst);
    assert.equal(sandbox.github.commits.length, before.commits + 1);
    assert.match(sandbox.github.files().get(findRecord(sandbox)) ?? "", /"command": "restore"/);
    assertTokenKept(sandbox);
    assertNoSecretShown(sandbox, restored.log);
  },
);

test("Restore reads the record from REPORT_BRANCH when the reports are there", needsAct, async () => {
  await using sandbox = await startNoc({ branches: ["main", "reports"] });
  const variables = { REPORT_BRANCH: "reports" };
  await repository.run(sandbox, { workflow: "sync", event: "schedule", variables });
  const record = findRecord(sandbox, "reports");
  assert.equal(sandbox.github.files().has(record), false);
  const restored = await repository.run(sandbox, {
    workflow: "restore",
    event: "workflow_dispatch",
    payload: { inputs: { record, dry_run: "false" } },
    variables,
  });
  assert.equal(restored.succeeded, true, restored.log);
  assert.equal(restored.steps["Get the reports' branch"], "success");
  assert.deepEqual(sandbox.members("NOC"), membersAtFirst);
  assert.deepEqual(
    sandbox.github.commits.map(({ branch }) => branch),
    ["reports", "reports"],
  );
});

test("Restore refuses a missing record and leaves Webex alone", needsAct, async () => {
  await using sandbox = await startNoc();
  const payload = { inputs: { record: "reports/runs/none.json", dry_run: "false" } };
  const ending = await repository.run(sandbox, { workflow: "restore", event: "workflow_dispatch", payload });
  assert.equal(ending.succeeded, false);
  assert.match(ending.log, /reports\/runs\/none\.json cannot be read: there is no such file/);
  assert.equal(countMembershipWrites(sandbox), 0);
  assert.deepEqual(sandbox.members("NOC"), membersAtFirst);
});
