import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNoSecretShown, assertTokenKept, needsAct, startNoc, useActRepository } from "./act-story.ts";

const repository = useActRepository();

test("Doctor finds a complete set-up in order and writes only the token", needsAct, async () => {
  await using sandbox = await startNoc();
  const ending = await repository.run(sandbox, { workflow: "doctor", event: "workflow_dispatch" });
  assert.equal(ending.succeeded, true, ending.log);
  assert.deepEqual(sandbox.members("NOC"), ["bob", "cy", "rollcall"]);
  assert.deepEqual(sandbox.github.commits, []);
  assertTokenKept(sandbox);
  assertNoSecretShown(sandbox, ending.log);
});

test("Why answers in the run's summary, and writes only the token", needsAct, async () => {
  await using sandbox = await startNoc();
  const payload = { inputs: { person: "ann@acme.example", space: "", leaving: "false" } };
  const ending = await repository.run(sandbox, { workflow: "why", event: "workflow_dispatch", payload });
  assert.equal(ending.succeeded, true, ending.log);
  assert.match(ending.log, /NOC: would be added, because of line 2 \(NOC\)/);
  assert.deepEqual(sandbox.members("NOC"), ["bob", "cy", "rollcall"]);
  assert.deepEqual(sandbox.github.commits, []);
  assertTokenKept(sandbox);
  assertNoSecretShown(sandbox, ending.log);
});

test("Check marks an error on its line of the CSV, without any secret", needsAct, async () => {
  await using sandbox = await startNoc();
  sandbox.github.writeFile("mappings/rooms.csv", "group,room,mode\nNOC,NOC,sometimes\n");
  const ending = await repository.run(sandbox, { workflow: "check", event: "pull_request", job: "mappings" });
  assert.equal(ending.succeeded, false);
  assert.equal(ending.steps.Validate, "failure");
  assert.match(ending.log, /::error .*file=mappings\/rooms\.csv,line=2/);
  assert.deepEqual(sandbox.requests, []);
});

const rows = "group,room\nNOC,NOC\n";

test(
  "Check of a pull request that changes rows validates them, and its suite is skipped",
  needsAct,
  async () => {
    await using sandbox = await startNoc({ files: { "mappings/rooms.csv": `${rows}NOC,Ops\n` } });
    const ending = await repository.run(sandbox, { workflow: "check", event: "pull_request" });
    assert.equal(ending.succeeded, true, ending.log);
    assert.equal(ending.steps.Validate, "success");
    assert.equal(ending.steps["Require the suite, if code changes"], "success");
    for (const name of ["Types", "Lint", "Tests"]) assert.equal(name in ending.steps, false, name);
  },
);

test("Check of a pull request that changes code runs the suite on three Nodes", needsAct, async () => {
  await using sandbox = await startNoc({
    files: { "mappings/rooms.csv": rows, "src/new.ts": "export {};\n" },
  });
  const ending = await repository.run(sandbox, { workflow: "check", event: "pull_request" });
  assert.equal(ending.succeeded, true, ending.log);
  for (const name of ["Validate", "Types", "Lint", "Tests"])
    assert.equal(ending.steps[name], "success", name);
  assert.equal(ending.log.match(/ran npm test/g)?.length, 3);
  assert.match(ending.log, /Changes of the code: true; suite: success/);
});

test("Check fails when it cannot be told what a pull request changes", needsAct, async () => {
  await using sandbox = await startNoc();
  // A file that no Check can leave out: git itself.
  const ending = await repository.run(sandbox, {
    workflow: "check",
    event: "pull_request",
    env: { GIT_DIR: "/none" },
  });
  assert.equal(ending.succeeded, false);
  // What a failing step printed last may be lost in act's log.
  assert.match(ending.log, /❌ {2}Failure - Main Require the suite, if code changes/);
});
