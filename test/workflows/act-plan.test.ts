import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sandbox } from "../../sandbox/server.ts";
import {
  assertNoSecretShown,
  assertTokenKept,
  countMembershipWrites,
  needsAct,
  startNoc,
  useActRepository,
} from "./act-story.ts";

const repository = useActRepository();
const proposal = "group,room,mode\nNOC,NOC,add-only\n";

function findComments({ github }: Sandbox, number: number): readonly string[] {
  return github.issues.find(number).comments.map(({ body }) => body);
}

/** What GitHub tells of a pull request whose branch is in that repository. */
function logOf(number: number, headRepository: string) {
  return { number, pull_request: { number, head: { repo: { full_name: headRepository } } } };
}

test(
  "a pull request from this repository gets its plan as one comment, updated in place",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    const number = sandbox.github.pulls.open({ files: { "mappings/rooms.csv": proposal } });
    const commits = sandbox.github.commits.length;
    const payload = logOf(number, "acme/spaces");
    const first = await repository.run(sandbox, { workflow: "plan", event: "pull_request_target", payload });
    assert.equal(first.succeeded, true, first.log);
    const [comment, ...others] = findComments(sandbox, number);
    assert.deepEqual(others, []);
    assert.match(comment ?? "", /^<!-- rollcall:plan -->/);
    assert.match(comment ?? "", /Ann/);
    assert.match(comment ?? "", /NOC/);
    // What would be done is told, and nothing of it is done.
    assert.equal(countMembershipWrites(sandbox), 0);
    assert.equal(sandbox.github.commits.length, commits);
    assertTokenKept(sandbox);
    assertNoSecretShown(sandbox, `${first.log}\n${comment}`);

    sandbox.addToRoom("NOC", "ann");
    const second = await repository.run(sandbox, { workflow: "plan", event: "pull_request_target", payload });
    assert.equal(second.succeeded, true, second.log);
    const [updated, ...more] = findComments(sandbox, number);
    assert.deepEqual(more, []);
    assert.notEqual(updated, comment);
    assertTokenKept(sandbox);
  },
);

test(
  "a pull request from a fork starts nothing automatically: no refresh and no request",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    const fork = "mallory/spaces";
    const number = sandbox.github.pulls.open({ files: { "mappings/rooms.csv": proposal }, fork });
    const ending = await repository.run(sandbox, {
      workflow: "plan",
      event: "pull_request_target",
      payload: logOf(number, fork),
    });
    assert.deepEqual(ending.steps, {});
    assert.deepEqual(sandbox.requests, []);
    assert.deepEqual(findComments(sandbox, number), []);
  },
);

test("a manual run plans a pull request from a fork and reads it only as data", needsAct, async () => {
  await using sandbox = await startNoc();
  const number = sandbox.github.pulls.open({
    // The script would be run if anything of the pull request were checked out.
    files: { "mappings/rooms.csv": proposal, "src/main.ts": "process.exit(42);" },
    fork: "mallory/spaces",
  });
  const payload = { inputs: { "pull-request": String(number) } };
  const ending = await repository.run(sandbox, { workflow: "plan", event: "workflow_dispatch", payload });
  assert.equal(ending.succeeded, true, ending.log);
  assert.equal(findComments(sandbox, number).length, 1);
  assert.equal(countMembershipWrites(sandbox), 0);
  assertTokenKept(sandbox);
});

test("a pull request with errors in its mappings gets them in the comment", needsAct, async () => {
  await using sandbox = await startNoc();
  const files = { "mappings/rooms.csv": "group,room,mode\nNOC,NOC,sometimes\n" };
  const number = sandbox.github.pulls.open({ files });
  const payload = logOf(number, "acme/spaces");
  await repository.run(sandbox, { workflow: "plan", event: "pull_request_target", payload });
  const [comment = ""] = findComments(sandbox, number);
  assert.match(comment, /sometimes/);
  assert.equal(countMembershipWrites(sandbox), 0);
});
