import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { GithubOptions } from "../../sandbox/github/github.ts";
import { loadContracts } from "../support/contract.ts";
import { organisation } from "../support/organisation.ts";
import { parseOutputs, type Story, startStory } from "../support/story.ts";

const bot = "github-actions[bot]";
const check = loadContracts();
const acme = organisation({
  groups: { noc: ["ann"] },
  rooms: { NOC: ["ann", "bob", "cat", "dan", "eve", "fay"] },
});
const collaborators = { ada: "admin", max: "maintain", will: "write", tia: "triage", rea: "read" } as const;

/** A public repository whose last run holds five removals; the digest is the tracking issue's. */
async function startHeld(github: GithubOptions = {}) {
  const options = { github: { private: false, collaborators, ...github } };
  const story = await startStory(acme, ["noc,NOC"], options);
  const { record } = await story.run(["sync"]);
  return { story, digest: record.digest ?? assert.fail("nothing is held") };
}

interface Post {
  readonly login?: string;
  readonly body: string;
  readonly number?: number;
  /** What happens between the comment and the workflow's first step. */
  readonly meanwhile?: (story: Story, commentId: number) => void;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Posts a comment, as GitHub tells the workflow of it, and runs what the workflow runs. */
async function post(
  story: Story,
  { login = "will", body, number = 1, meanwhile, env = {}, args = [] }: Post,
) {
  const { sandbox, folder } = story;
  const { issues } = sandbox.github;
  const comment = issues.comment(number, login, body);
  const event = { action: "created", issue: { number }, comment: { id: comment.id, body } };
  await folder.write("event.json", JSON.stringify(event));
  await folder.write("outputs", "");
  meanwhile?.(story, comment.id);
  const before = { requests: sandbox.requests.length, comments: issues.find(number).comments.length };
  const { code, stdout, stderr } = await folder.run(["approval", ...args], {
    ...sandbox.githubEnvironment(),
    GITHUB_EVENT_NAME: "issue_comment",
    GITHUB_EVENT_PATH: join(folder.path, "event.json"),
    GITHUB_OUTPUT: join(folder.path, "outputs"),
    ...env,
  });
  const requests = sandbox.requests.slice(before.requests);
  assert.deepEqual(
    requests.flatMap((exchange) => check(exchange)),
    [],
  );
  assert.ok(
    requests.every(({ half }) => half === "github"),
    "what decides never reaches Webex",
  );
  const outputs = parseOutputs(await folder.read("outputs"));
  return {
    code,
    told: stdout + stderr,
    digest: outputs.digest ?? null,
    organisation: outputs.organisation ?? null,
    reactions: comment.reactions.map(({ content }) => content),
    answers: issues
      .find(number)
      .comments.slice(before.comments)
      .map((answer) => answer.body),
  };
}

describe("a comment on the tracking issue", { concurrency: 2 }, () => {
  test("by somebody who may write is followed: a reaction at once, and the digest for the run", async () => {
    const { story, digest } = await startHeld();
    await using _ = story;
    for (const login of ["ada", "max", "will"]) {
      const { code, reactions, answers, ...decision } = await post(story, {
        login,
        body: `/approve ${digest}`,
      });
      assert.deepEqual([code, decision.digest, reactions, answers], [0, digest, ["eyes"], []], login);
    }
    // As a browser and a phone write it.
    for (const body of [`/approve  ${digest}\r\n`, `/Approve ${digest.toUpperCase()}`])
      assert.equal((await post(story, { body })).digest, digest, JSON.stringify(body));
    assert.ok(story.sandbox.github.issues.find(1).body.includes(`/approve ${digest}`));
  });

  test("by somebody who may not write is refused, whatever else they are", async () => {
    const { story, digest } = await startHeld();
    await using _ = story;
    for (const login of ["tia", "rea", "stranger"]) {
      const ending = await post(story, { login, body: `/approve ${digest}` });
      assert.deepEqual([ending.code, ending.digest, ending.reactions], [0, null, ["-1"]], login);
      assert.deepEqual(ending.answers, [
        "Nothing was approved. Only people who may write to this repository can approve.",
      ]);
    }
  });

  test("with anything but one digest on one line is refused, and nothing of it is repeated", async () => {
    const { story, digest } = await startHeld();
    await using _ = story;
    const bodies = [
      "/approve",
      `/approve ${digest.slice(1)}`,
      `/approve ${digest}0`,
      `/approve ${digest} ${digest}`,
      `/approve ${digest}\n/approve 0123456789ab`,
      `/approve ${digest}\nbut not yet`,
      `/approve\n${digest}`,
      `/approve \u202e${digest}`,
      `/approve ${digest.slice(0, 6)}\u200b${digest.slice(6)}`,
      `/approve\u00a0${digest}`,
      `/approve \`${digest}\``,
      `/approve [${digest}](https://evil.example)`,
      `/approve ${digest}<!-- rollcall:attention -->`,
      `/approve "; touch injected; echo "$(touch injected)\`id\``,
      `/approve ${digest}\n::set-output name=digest::0123456789ab`,
      `/approve ${"\uff11".repeat(12)}`,
      `/approve ${"a".repeat(60_000)}`,
    ];
    for (const body of bodies) {
      const ending = await post(story, { body });
      const shown = JSON.stringify(body.slice(0, 80));
      assert.deepEqual([ending.code, ending.digest, ending.reactions], [0, null, ["confused"]], shown);
      assert.deepEqual(
        ending.answers,
        [
          "Nothing was approved. The comment must be one line: `/approve` and the 12 characters that this issue shows, nothing else.",
        ],
        shown,
      );
      assert.doesNotMatch(ending.told, /injected|evil|set-output/);
    }
  });

  test("that was edited or deleted before it was read is not followed", async () => {
    const { story, digest } = await startHeld();
    await using _ = story;
    const body = `/approve ${digest}`;
    const edited = await post(story, {
      body,
      meanwhile: ({ sandbox }, id) => {
        sandbox.github.issues.findComment(id).comment.body = "No, wait.";
      },
    });
    assert.deepEqual([edited.code, edited.digest, edited.reactions], [0, null, ["confused"]]);
    assert.match(edited.answers.join("\n"), /edited after it was posted/);
    const deleted = await post(story, {
      body,
      meanwhile: ({ sandbox }, id) => {
        const { issue, comment } = sandbox.github.issues.findComment(id);
        issue.comments.splice(issue.comments.indexOf(comment), 1);
      },
    });
    assert.deepEqual([deleted.code, deleted.digest], [1, null]);
  });

  test("that is closed by now is answered: nothing in it waits", async () => {
    const { story, digest } = await startHeld();
    await using _ = story;
    story.sandbox.github.issues.find(1).state = "closed";
    const ending = await post(story, { body: `/approve ${digest}` });
    assert.deepEqual([ending.digest, ending.reactions], [null, ["confused"]]);
    assert.match(ending.answers.join("\n"), /This issue is closed/);
  });

  test("by a bot, or about something else, is left alone", async () => {
    const { story, digest } = await startHeld({
      collaborators: { ...collaborators, "helper[bot]": "write" },
    });
    await using _ = story;
    for (const one of [
      { login: "helper[bot]", body: `/approve ${digest}` },
      { body: `/approved ${digest}` },
      { body: `/approve-all ${digest}` },
      { body: `> /approve ${digest}` },
      { body: `Please /approve ${digest}` },
    ]) {
      const { code, reactions, answers, ...decision } = await post(story, one);
      assert.deepEqual([code, decision.digest, reactions, answers], [0, null, [], []], one.body);
    }
  });

  test("cannot be checked while GitHub does not answer: nothing is approved, and it says so", async () => {
    const { story, digest } = await startHeld();
    await using _ = story;
    story.sandbox.fault({
      route: "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
      status: 403,
    });
    const ending = await post(story, { body: `/approve ${digest}` });
    assert.deepEqual([ending.code, ending.digest, ending.reactions], [1, null, ["confused"]]);
    assert.match(ending.answers.join("\n"), /could not check the comment/);
    // What is only said does not stop what is done.
    story.sandbox.fault({
      route: "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
      status: 403,
    });
    assert.equal((await post(story, { body: `/approve ${digest}` })).digest, digest);
  });
});

test("only the issue that Rollcall opened counts: no copy of its mark, no pull request, no other App's", async () => {
  const { story, digest } = await startHeld();
  await using _ = story;
  const { sandbox } = story;
  const { issues, pulls } = sandbox.github;
  const text = issues.find(1).body;
  const copy = issues.open("will", "Rollcall: 5 removals wait for approval", text);
  const quoted = issues.open(bot, "A digest of the week", `Look at this:\n${text}`);
  const ofOther = issues.open("helper[bot]", "Rollcall", text, { app: "Iv23other" });
  const pull = issues.find(pulls.open({ files: {}, login: bot }));
  pull.body = text;
  const env = { ROLLCALL_APP_CLIENT_ID: "Iv23ours" };
  for (const { number } of [copy, quoted, ofOther, pull]) {
    const { code, reactions, answers, ...decision } = await post(story, {
      number,
      body: `/approve ${digest}`,
      env,
    });
    assert.deepEqual([code, decision.digest, reactions, answers], [0, null, [], []], `#${number}`);
  }
  const ofOrganisation = issues.open(bot, "Rollcall (emea)", text.replace("attention", "attention emea"));
  const followedThere = await post(story, { number: ofOrganisation.number, body: `/approve ${digest}` });
  assert.deepEqual([followedThere.digest, followedThere.organisation], [digest, "emea"]);
  const ofOurApp = issues.open("rollcall-acme[bot]", "Rollcall", text, { app: "Iv23ours" });
  const followed = await post(story, { number: ofOurApp.number, body: `/approve ${digest}`, env });
  assert.deepEqual([followed.digest, followed.organisation], [digest, ""]);
  // Somebody for whom the App acts is not the App.
  const byPerson = issues.open("will", "Rollcall", text, { app: "Iv23ours" });
  assert.equal(
    (await post(story, { number: byPerson.number, body: `/approve ${digest}`, env })).digest,
    null,
  );
});

const approved = "0123456789ab";
const other = "ba9876543210";

for (const [title, outputs, answer] of [
  [
    "that applied what was held",
    { status: "changed", added: "1", removed: "4", held: "0", failed: "0", digest: "" },
    "✅ Nothing is held any more. 1 person was added and 4 people were removed. [See the run](RUN).",
  ],
  [
    "of another digest",
    { status: "held", added: "0", removed: "0", held: "5", failed: "0", digest: other },
    `✋ \`${approved}\` is not the code of what is held now, so none of it was applied. 5 changes are held with the code \`${other}\`. Look at the list again, and approve that code if it is right. [See the run](RUN).`,
  ],
  [
    "of which something failed",
    { status: "partial", added: "0", removed: "3", held: "0", failed: "1", digest: "" },
    "⚠️ Nothing is held any more. 3 people were removed. 1 change failed. [See the run](RUN).",
  ],
  [
    "that an error stopped",
    { status: "failed", added: "0", removed: "0", held: "0", failed: "0", digest: "" },
    `❌ An error stopped the run that \`${approved}\` started. [See the run](RUN).`,
  ],
  [
    "that was cut off",
    {},
    `⚠️ [The run](RUN) that \`${approved}\` started did not come to its end, so it is not known what was applied. The next run of Sync tells what is still held.`,
  ],
] as const) {
  test(`a run ${title} is answered on the issue`, async () => {
    const { story } = await startHeld();
    await using _ = story;
    const needs = {
      decide: { result: "success", outputs: { digest: approved } },
      sync: { result: "failure", outputs },
    };
    const args = ["--outcome", JSON.stringify(needs)];
    const ending = await post(story, { body: `/approve ${approved}`, args });
    const answers = ending.answers.map((text) => text.replace(/\(https?:[^)]*\/runs\/\d+\)/g, "(RUN)"));
    assert.deepEqual([ending.code, answers, ending.reactions], [0, [answer], []]);
  });
}

test("where the copy of the token is stale, Sync takes the approval over", async () => {
  const { story, digest } = await startHeld({ environments: ["webex"], tokenIn: "repository" });
  await using _ = story;
  const waiting = story.sandbox.githubEnvironment({ GITHUB_EVENT_NAME: "issue_comment" });
  await story.run(["sync"]);
  const ending = await story.run(["sync", "--approve", digest], { env: waiting });
  assert.equal(ending.record.status, "failed");
  const dispatched = ending.requests.filter(({ route }) => route.endsWith("/dispatches"));
  assert.deepEqual(
    dispatched.map(({ path, body }) => [path, body]),
    [
      [
        "/repos/acme/spaces/actions/workflows/sync.yml/dispatches",
        { ref: "main", inputs: { approve: digest } },
      ],
    ],
  );
});
