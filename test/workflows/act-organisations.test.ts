import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sandbox } from "../../sandbox/server.ts";
import {
  assertNoSecretShown,
  countMembershipWrites,
  needsAct,
  startThree,
  three,
  tokenOf,
  useActRepository,
} from "./act-story.ts";

const repository = useActRepository();

function listHeadlines({ github }: Sandbox): string[] {
  return github.commits.map(({ message }) => message).filter((message) => message.startsWith("Rollcall"));
}

test(
  "Sync works for three organisations at once; one that fails stops no other, and is named",
  needsAct,
  async () => {
    await using sandbox = await startThree({
      files: { "mappings/globex/rooms.csv": "group,room\nEng\n" },
    });
    const ending = await repository.run(sandbox, {
      workflow: "sync",
      event: "schedule",
      secrets: tokenOf(sandbox),
    });
    assert.equal(ending.succeeded, false);
    assert.deepEqual(
      ["NOC", "Eng", "Ops"].map((room) => sandbox.members(room)),
      [
        ["ann", "rollcall"],
        ["old", "rollcall"],
        ["cat", "rollcall"],
      ],
    );
    assert.deepEqual(listHeadlines(sandbox).sort(), [
      "Rollcall: 1 added, 1 removed (acme)",
      "Rollcall: 1 added, 1 removed (initech)",
    ]);
    const files = sandbox.github.files();
    for (const name of ["acme", "initech"])
      assert.match(files.get(`reports/${name}/README.md`) ?? "", new RegExp(`\\(${name}\\)`));
    assert.equal(files.has("reports/globex/README.md"), false);
    assert.match(files.get("reports/README.md") ?? "", /^\| globex \| no run yet \|/m);
    // In the run's summary, and as the organisation's own issue.
    assert.match(ending.log, /# Rollcall sync \(globex\)/);
    assert.match(ending.log, /\*\*globex\*\*: this job did not end well/);
    assert.doesNotMatch(ending.log, /\*\*(acme|initech)\*\*: this job/);
    assert.deepEqual(
      sandbox.github.issues.all.map(({ title }) => title.slice(0, 18)),
      ["Rollcall (globex):"],
    );
    for (const name of three)
      assert.match(ending.log, new RegExp(`uploaded rollcall-record\\.json as rollcall-record-${name}-1`));
    assertNoSecretShown(sandbox, ending.log);
  },
);

test(
  "Sync by hand works for the organisation that is named alone, and refuses a name that is none",
  needsAct,
  async () => {
    await using sandbox = await startThree();
    const run = (name: string) => {
      const payload = { inputs: { dry_run: "false", approve: "", organisation: name } };
      return repository.run(sandbox, {
        workflow: "sync",
        event: "workflow_dispatch",
        payload,
        secrets: tokenOf(sandbox),
      });
    };
    const wrong = await run("acne");
    assert.equal(wrong.succeeded, false);
    assert.match(wrong.log, /there is no mappings\/acne\/rooms\.csv; did you mean "acme"\?/);
    assert.equal(countMembershipWrites(sandbox), 0);
    const right = await run("globex");
    assert.equal(right.succeeded, true, right.log);
    assert.deepEqual(listHeadlines(sandbox), ["Rollcall: 1 added, 1 removed (globex)"]);
  },
);

test(
  "Plan comments for each organisation that the pull request changes, and for no other",
  needsAct,
  async () => {
    await using sandbox = await startThree();
    const number = sandbox.github.pulls.open({
      files: {
        "mappings/acme/rooms.csv": "group,room\nNOC,NOC\nEng,NOC\n",
        "mappings/initech/policy.json": "{}",
      },
    });
    const payload = { number, pull_request: { number, head: { repo: { full_name: "acme/spaces" } } } };
    const trigger = { workflow: "plan", event: "pull_request_target", payload } as const;
    const ending = await repository.run(sandbox, { ...trigger, secrets: tokenOf(sandbox) });
    assert.equal(ending.succeeded, true, ending.log);
    const comments = sandbox.github.issues.find(number).comments.map(({ body }) => body.split("\n", 1)[0]);
    assert.deepEqual(comments.sort(), ["<!-- rollcall:plan acme -->", "<!-- rollcall:plan initech -->"]);
    assert.equal(countMembershipWrites(sandbox), 0);
  },
);

test("Restore works for the organisation whose record it is", needsAct, async () => {
  await using sandbox = await startThree();
  const secrets = tokenOf(sandbox);
  await repository.run(sandbox, { workflow: "sync", event: "schedule", secrets });
  const record = [...sandbox.github.files().keys()].find((path) =>
    /^reports\/initech\/runs\/.*\.json$/.test(path),
  );
  const payload = { inputs: { record, dry_run: "false", approve: "", organisation: "" } };
  const ending = await repository.run(sandbox, {
    workflow: "restore",
    event: "workflow_dispatch",
    payload,
    secrets,
  });
  assert.equal(ending.succeeded, true, ending.log);
  assert.deepEqual(
    ["NOC", "Ops"].map((room) => sandbox.members(room)),
    [
      ["ann", "rollcall"],
      ["old", "rollcall"],
    ],
  );
  assert.equal(listHeadlines(sandbox).at(-1), "Rollcall: 1 added, 1 removed (initech)");
});

test(
  "a comment on an organisation's own issue approves what is held there, and nowhere else",
  needsAct,
  async () => {
    await using sandbox = await startThree({ private: false, collaborators: { will: "write" } });
    for (const group of ["NOC", "Eng"]) sandbox.setGroup(group, []);
    const secrets = tokenOf(sandbox);
    await repository.run(sandbox, { workflow: "sync", event: "schedule", secrets });
    const issue = sandbox.github.issues.all.find(({ title }) => title.startsWith("Rollcall (globex)"));
    assert.ok(issue);
    const [, digest] = /\/approve ([0-9a-f]{12})/.exec(issue.body) ?? [];
    const body = `/approve ${digest}`;
    const { id } = sandbox.github.issues.comment(issue.number, "will", body);
    const payload = {
      action: "created",
      issue: { number: issue.number, state: "open" },
      comment: { id, body, user: { login: "will", type: "User" } },
    };
    const trigger = { workflow: "approve", event: "issue_comment", payload, actor: "will" } as const;
    const ending = await repository.run(sandbox, { ...trigger, secrets });
    assert.equal(ending.succeeded, true, ending.log);
    assert.deepEqual(
      ["NOC", "Eng"].map((room) => sandbox.members(room)),
      [["old", "rollcall"], ["rollcall"]],
    );
    assert.match(ending.log, /as rollcall-record-globex-1/);
    assert.deepEqual(
      sandbox.github.issues.all.map(({ title, state }) => [title.slice(0, 18), state]).sort(),
      [
        ["Rollcall (acme): 1", "open"],
        ["Rollcall (globex):", "closed"],
      ],
    );
  },
);

test("Check looks at every organisation's files, and three the faults of all", needsAct, async () => {
  await using sandbox = await startThree({
    files: { "mappings/acme/rooms.csv": "group,room\n,NOC\n", "mappings/Bad/rooms.csv": "group,room\n" },
  });
  const ending = await repository.run(sandbox, { workflow: "check", event: "pull_request", job: "mappings" });
  assert.equal(ending.succeeded, false);
  assert.match(ending.log, /mappings\/acme\/rooms\.csv:2: group: the cell is empty/);
  assert.match(ending.log, /"Bad" cannot be the name of an organisation/);
  assert.match(ending.log, /1 mappings of 1 spaces, and the policy: no fault found/);
});
