import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertNoSecretShown,
  assertTokenKept,
  countMembershipWrites,
  findRecord,
  needsAct,
  startNoc,
  startThree,
  three,
  tokenOf,
  useActRepository,
} from "./act-story.ts";

const repository = useActRepository("template");

test(
  "in a repository made from the template, a scheduled Sync does all that a copy's does",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    const ending = await repository.run(sandbox, { workflow: "sync", event: "schedule" });
    assert.equal(ending.succeeded, true, ending.log);
    assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
    assertTokenKept(sandbox);
    assert.deepEqual(
      sandbox.github.commits.map(({ branch, message }) => [branch, message]),
      [["main", "Rollcall: 1 added, 1 removed"]],
    );
    assert.match(sandbox.github.files().get(findRecord(sandbox)) ?? "", /"status": "changed"/);
    assert.match(ending.log, /uploaded rollcall-record\.json as rollcall-record-1/);
    assert.doesNotMatch(ending.log, /as rollcall-owed/);
    assert.match(ending.log, /looked for the cache rollcall-npm-.*\n(.*\n)*.*kept the cache rollcall-npm-/);
    assertNoSecretShown(sandbox, ending.log);
  },
);

test(
  "held removals are applied with the digest that a person types into the template's Sync",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    sandbox.setGroup("NOC", []);
    const held = await repository.run(sandbox, { workflow: "sync", event: "schedule" });
    assert.equal(held.succeeded, false);
    const { digest } = JSON.parse(sandbox.github.files().get(findRecord(sandbox)) ?? "{}");
    const inputs = { dry_run: "false", approve: digest };
    const approved = await repository.run(sandbox, {
      workflow: "sync",
      event: "workflow_dispatch",
      payload: { inputs },
    });
    assert.equal(approved.succeeded, true, approved.log);
    assert.deepEqual(sandbox.members("NOC"), ["rollcall"]);
    assertTokenKept(sandbox);
  },
);

test("a comment approves what is held in a repository made from the template", needsAct, async () => {
  await using sandbox = await startNoc({ collaborators: { will: "write" } });
  sandbox.setGroup("NOC", []);
  await repository.run(sandbox, { workflow: "sync", event: "schedule" });
  const issue = sandbox.github.issues.find(1);
  const digest = /\/approve ([0-9a-f]{12})/.exec(issue.body)?.[1] ?? assert.fail(issue.body);
  const approve = async (login: string, body: string) => {
    const { id, reactions } = sandbox.github.issues.comment(1, login, body);
    const comment = { id, body, user: { login, type: "User" } };
    const payload = { action: "created", issue: { number: 1 }, comment };
    const before = issue.comments.length;
    const ending = await repository.run(sandbox, { workflow: "approve", event: "issue_comment", payload });
    const answers = issue.comments.slice(before).map((answer) => answer.body);
    return { ...ending, answers, reactions: reactions.map(({ content }) => content) };
  };
  const refused = await approve("mallory", `/approve ${digest}`);
  assert.deepEqual([refused.reactions, sandbox.members("NOC")], [["-1"], ["bob", "cy", "rollcall"]]);
  const wrong = await approve("will", "/approve 0123456789ab");
  assert.match(wrong.answers.join("\n"), new RegExp(`2 changes are held with the code \`${digest}\``));
  const followed = await approve("will", `/approve ${digest}`);
  assert.equal(followed.succeeded, true, followed.log);
  assert.deepEqual([followed.reactions, sandbox.members("NOC")], [["eyes"], ["rollcall"]]);
  assert.match(followed.answers.at(-1) ?? "", /^✅ Nothing is held any more\. 2 people were removed\./);
  assertTokenKept(sandbox);
  assertNoSecretShown(sandbox, followed.log);
});

test(
  "what a person types into the template's Sync is one argument, and never run as a script",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    const inputs = { dry_run: "true", approve: '"; touch injected; $(touch injected) --policy x `id`' };
    const ending = await repository.run(sandbox, {
      workflow: "sync",
      event: "workflow_dispatch",
      payload: { inputs },
    });
    assert.equal(ending.succeeded, false);
    assert.match(ending.log, /--approve .*touch injected.* is malformed/);
    assert.deepEqual(sandbox.requests, []);
  },
);

test(
  "the template's Check marks an error on its line, without a secret, and keeps no cache",
  needsAct,
  async () => {
    await using sandbox = await startNoc();
    sandbox.github.writeFile("mappings/rooms.csv", "group,room,mode\nNOC,NOC,sometimes\n");
    const ending = await repository.run(sandbox, { workflow: "check", event: "pull_request" });
    assert.equal(ending.succeeded, false);
    assert.match(ending.log, /::error .*file=mappings\/rooms\.csv,line=2/);
    assert.doesNotMatch(ending.log, /kept the cache/);
    assert.deepEqual(sandbox.requests, []);
  },
);

test("the template's Plan writes its comment, and Doctor finds the set-up in order", needsAct, async () => {
  await using sandbox = await startNoc();
  const files = { "mappings/rooms.csv": "group,room,mode\nNOC,NOC,add-only\n" };
  const number = sandbox.github.pulls.open({ files });
  const payload = { number, pull_request: { number, head: { repo: { full_name: "acme/spaces" } } } };
  const plan = await repository.run(sandbox, { workflow: "plan", event: "pull_request_target", payload });
  assert.equal(plan.succeeded, true, plan.log);
  assert.equal(sandbox.github.issues.find(number).comments.length, 1);
  const doctor = await repository.run(sandbox, { workflow: "doctor", event: "workflow_dispatch" });
  assert.equal(doctor.succeeded, true, doctor.log);
  assert.equal(countMembershipWrites(sandbox), 0);
  assertTokenKept(sandbox);
});

test(
  "the template finds its organisations: Sync works for each, Plan for those that change, Check for all",
  needsAct,
  async () => {
    await using sandbox = await startThree({ files: { "mappings/globex/rooms.csv": "group,room\nEng\n" } });
    const secrets = tokenOf(sandbox);
    const sync = await repository.run(sandbox, { workflow: "sync", event: "schedule", secrets });
    assert.equal(sync.succeeded, false, "globex has a row too short");
    assert.deepEqual(
      ["NOC", "Eng", "Ops"].map((room) => sandbox.members(room)),
      [
        ["ann", "rollcall"],
        ["old", "rollcall"],
        ["cat", "rollcall"],
      ],
    );
    for (const name of three)
      assert.match(sync.log, new RegExp(`uploaded rollcall-record\\.json as rollcall-record-${name}-1`));
    assert.match(sandbox.github.files().get("reports/README.md") ?? "", /^\| globex \| no run yet \|/m);
    assertNoSecretShown(sandbox, sync.log);

    const files = { "mappings/acme/rooms.csv": "group,room\nNOC,NOC\nEng,NOC\n" };
    const number = sandbox.github.pulls.open({ files });
    const payload = { number, pull_request: { number, head: { repo: { full_name: "acme/spaces" } } } };
    const plan = { workflow: "plan", event: "pull_request_target", payload, secrets } as const;
    const ending = await repository.run(sandbox, plan);
    assert.equal(ending.succeeded, true, ending.log);
    assert.deepEqual(
      sandbox.github.issues.find(number).comments.map(({ body }) => body.split("\n", 1)[0]),
      ["<!-- rollcall:plan acme -->"],
    );
    const fork = { number, pull_request: { number, head: { repo: { full_name: "mallory/spaces" } } } };
    const seen = sandbox.requests.length;
    await repository.run(sandbox, { ...plan, payload: fork });
    assert.equal(sandbox.requests.length, seen, "a fork starts nothing");

    const check = await repository.run(sandbox, { workflow: "check", event: "pull_request" });
    assert.equal(check.succeeded, false);
    assert.match(check.log, /::error .*file=mappings\/globex\/rooms\.csv,line=2/);
    assert.equal(sandbox.requests.length, seen);
  },
);

test(
  "the template's Restore reads the record from REPORT_BRANCH when the reports are there",
  needsAct,
  async () => {
    await using sandbox = await startNoc({ branches: ["main", "reports"] });
    const variables = { REPORT_BRANCH: "reports" };
    await repository.run(sandbox, { workflow: "sync", event: "schedule", variables });
    const record = findRecord(sandbox, "reports");
    assert.equal(sandbox.github.files().has(record), false);
    const payload = { inputs: { record, dry_run: "false" } };
    const trigger = { workflow: "restore", event: "workflow_dispatch", payload, variables } as const;
    const restored = await repository.run(sandbox, trigger);
    assert.equal(restored.succeeded, true, restored.log);
    assert.deepEqual(sandbox.members("NOC"), ["bob", "cy", "rollcall"]);
    assert.deepEqual(
      sandbox.github.commits.map(({ branch }) => branch),
      ["reports", "reports"],
    );
  },
);

test(
  "the template's Discover proposes rows in mode audit, and nothing where there is none",
  needsAct,
  async () => {
    await using sandbox = await startNoc({ files: { "mappings/rooms.csv": "group,room,mode,note\n" } });
    const discover = { workflow: "discover", event: "workflow_dispatch" } as const;
    const ending = await repository.run(sandbox, discover);
    assert.equal(ending.succeeded, true, ending.log);
    const git = async (...args: readonly string[]) => await repository.remotes.git("acme/spaces", ...args);
    const branches = (await git("branch", "--format=%(refname:short)")).split("\n").filter(Boolean);
    const [branch = "", ...others] = branches;
    assert.deepEqual([branch.replace(/\d+$/, ""), others], ["rollcall/discover-", []]);
    const rows = await git("show", `${branch}:mappings/rooms.csv`);
    assert.match(rows, /^group,room,mode,note\nNOC,NOC,audit,/);
    assert.match(
      await repository.remotes.takeCalls(),
      /^gh pr create .*--title Suggest rows for rooms\.csv /m,
    );
    assertTokenKept(sandbox);
    assertNoSecretShown(sandbox, ending.log);

    sandbox.github.writeFile("mappings/rooms.csv", rows);
    const none = await repository.run(sandbox, discover);
    assert.equal(none.succeeded, true, none.log);
    assert.match(none.log, /There is no row to suggest/);
    assert.deepEqual((await git("branch", "--format=%(refname:short)")).split("\n").filter(Boolean), [
      branch,
    ]);
  },
);
