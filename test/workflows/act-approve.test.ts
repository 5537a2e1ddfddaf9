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

/** A sandbox whose removals are held because their group is empty, and the digest in its tracking issue. */
async function startHeld() {
  const sandbox = await startNoc({ private: false, collaborators: { will: "write", rea: "read" } });
  sandbox.setGroup("NOC", []);
  await repository.run(sandbox, { workflow: "sync", event: "schedule" });
  const [issue] = sandbox.github.issues.all;
  const digest = /\/approve ([0-9a-f]{12})/.exec(issue?.body ?? "")?.[1] ?? assert.fail("no tracking issue");
  return { sandbox, digest, token: sandbox.currentRefreshToken };
}

/** Posts a comment on the tracking issue, and runs what GitHub starts then. */
async function approve(sandbox: Sandbox, login: string, body: string) {
  const issue = sandbox.github.issues.find(1);
  const posted = sandbox.github.issues.comment(1, login, body);
  const before = issue.comments.length;
  const type = login.endsWith("[bot]") ? "Bot" : "User";
  const ending = await repository.run(sandbox, {
    workflow: "approve",
    event: "issue_comment",
    payload: {
      action: "created",
      issue: { number: 1, state: issue.state },
      comment: { id: posted.id, body, user: { login, type } },
    },
    actor: login,
  });
  const answers = issue.comments.slice(before).map((answer) => answer.body);
  return { ...ending, answers, reactions: posted.reactions.map(({ content }) => content) };
}

test("a comment by somebody who may write applies what is held, and is answered", needsAct, async () => {
  const { sandbox, digest } = await startHeld();
  await using _ = sandbox;
  const ending = await approve(sandbox, "will", `/approve ${digest}`);
  assert.equal(ending.succeeded, true, ending.log);
  assert.deepEqual(sandbox.members("NOC"), ["rollcall"]);
  assert.deepEqual(ending.reactions, ["eyes"]);
  const [lastWord = "", answer = "", ...more] = ending.answers;
  assert.match(lastWord, /^✅ .*left nothing for a person to do/);
  assert.match(answer, /^✅ Nothing is held any more\. 2 people were removed\. \[See the run\]/);
  assert.deepEqual([more, sandbox.github.issues.find(1).state], [[], "closed"]);
  assert.match(ending.log, /Requested by will, started by will\./);
  assertTokenKept(sandbox);
  assertNoSecretShown(sandbox, `${ending.log}\n${ending.answers.join("\n")}`);
});

test("a comment by somebody who may only read starts no run and touches no token", needsAct, async () => {
  const { sandbox, digest, token } = await startHeld();
  await using _ = sandbox;
  const writes = countMembershipWrites(sandbox);
  const ending = await approve(sandbox, "rea", `/approve ${digest}`);
  assert.equal(ending.steps.Sync, undefined);
  assert.deepEqual([ending.reactions, ending.answers.length], [["-1"], 1]);
  assert.match(ending.answers[0] ?? "", /Only people who may write/);
  assert.deepEqual([countMembershipWrites(sandbox), sandbox.currentRefreshToken], [writes, token]);
});

test(
  "a wrong digest applies nothing that is held, and the answer names the right one",
  needsAct,
  async () => {
    const { sandbox, digest } = await startHeld();
    await using _ = sandbox;
    const ending = await approve(sandbox, "will", "/approve 0123456789ab");
    assert.equal(ending.steps.Sync, "failure");
    assert.deepEqual(sandbox.members("NOC"), ["bob", "cy", "rollcall"]);
    assert.equal(ending.answers.length, 1);
    assert.ok(ending.answers[0]?.includes(`2 changes are held with the code \`${digest}\``));
    assertTokenKept(sandbox);
  },
);

test("hostile comments reach no shell, start no run and are not repeated", needsAct, async () => {
  const { sandbox, digest, token } = await startHeld();
  await using _ = sandbox;
  const writes = countMembershipWrites(sandbox);
  for (const body of [
    `/approve "; touch injected; echo "$(touch injected)\`id\` \${{ secrets.SECRETS_TOKEN }}`,
    `/approve ${digest}\n::set-output name=digest::${digest}\n\u202e<img src=x onerror=alert(1)>`,
  ]) {
    const ending = await approve(sandbox, "will", body);
    assert.equal(ending.steps.Decide, "success", ending.log);
    assert.equal(ending.steps.Sync, undefined);
    assert.deepEqual(ending.reactions, ["confused"]);
    assert.doesNotMatch(`${ending.answers.join("\n")}\n${ending.log}`, /injected|onerror/);
  }
  for (const [login, body] of [
    ["will", `Please /approve ${digest}`],
    ["helper[bot]", `/approve ${digest}`],
  ] as const) {
    const before = sandbox.requests.length;
    const ending = await approve(sandbox, login, body);
    assert.deepEqual([ending.steps, sandbox.requests.length], [{}, before], body);
  }
  assert.deepEqual([countMembershipWrites(sandbox), sandbox.currentRefreshToken], [writes, token]);
});
