import assert from "node:assert/strict";
import { test } from "node:test";
import { loadContracts } from "../support/contract.ts";
import { organisation } from "../support/organisation.ts";
import { type Ending, type Story, startStory } from "../support/story.ts";

const marker = "<!-- rollcall:attention -->";
const bot = "github-actions[bot]";
const check = loadContracts();
const acme = organisation({
  groups: { noc: ["ann"] },
  rooms: { NOC: ["ann", "bob", "cat", "dan", "eve", "fay"] },
});

/** The issues as GitHub has them, and what was said on each. */
function listIssues({ sandbox }: Story) {
  return sandbox.github.issues.all.map(({ title, state, login, comments }) => ({
    title,
    state,
    login,
    comments: comments.map((comment) => comment.body.replaceAll(sandbox.url, "https://github.example")),
  }));
}

/** What a run wrote about issues. */
function listWrites({ requests }: Ending): string[] {
  assert.deepEqual(requests.flatMap(check), []);
  return requests
    .filter(({ method, path }) => method !== "GET" && path.includes("/issues"))
    .map(({ method, path, status }) => `${method} ${path.replace(/^.*\/spaces/, "")}: ${status}`);
}

test("one issue tells what waits: opened once, not repeated, brought up to date, closed with a last word", async () => {
  await using story = await startStory(acme, ["noc,NOC"]);
  const { sandbox } = story;
  const first = await story.run(["sync"]);
  assert.deepEqual([first.code, listWrites(first)], [2, ["POST /issues: 201"]]);
  const title = "Rollcall: 5 removals wait for approval";
  assert.deepEqual(listIssues(story), [{ title, state: "open", login: bot, comments: [] }]);
  const body = sandbox.github.issues.find(1).body;
  assert.ok(body.startsWith(`${marker}\n✋ **5 removals wait for approval.**\n`));
  assert.ok(body.includes(`gh workflow run sync.yml -f approve=${first.record.digest}`));
  assert.ok(body.includes(`[The report](${sandbox.url}/acme/spaces/blob/main/reports/README.md)`));
  assert.ok(body.includes(`/acme/spaces/actions/runs/1001)`));

  assert.deepEqual(listWrites(await story.run(["sync"])), [], "the same state is told once");
  assert.equal(sandbox.github.issues.find(1).body, body);

  sandbox.removeFromRoom("NOC", "fay");
  const third = await story.run(["sync"]);
  assert.deepEqual(listWrites(third), ["PATCH /issues/1: 200"]);
  assert.equal(sandbox.github.issues.find(1).title, "Rollcall: 4 removals wait for approval");

  const approved = await story.run(["sync", "--approve", third.record.digest ?? ""]);
  assert.deepEqual(
    [approved.code, listWrites(approved)],
    [0, ["POST /issues/1/comments: 201", "PATCH /issues/1: 200"]],
  );
  assert.deepEqual(listIssues(story), [
    {
      title: "Rollcall: 4 removals wait for approval",
      state: "closed",
      login: bot,
      comments: [
        "✅ [The last run](https://github.example/acme/spaces/actions/runs/1004) left nothing for a person to do: Every space is as declared: 4 people were removed.",
      ],
    },
  ]);
  assert.deepEqual(listWrites(await story.run(["sync"])), []);

  sandbox.setGroup("noc", []);
  await story.run(["sync"]);
  assert.deepEqual(
    listIssues(story).map(({ state }) => state),
    ["closed", "open"],
  );
});

test("a run that failed at set-up is told as well: a faulty CSV, a dead token", async () => {
  await using story = await startStory(acme, ["noc,"]);
  const faulty = await story.run(["sync"]);
  assert.deepEqual([faulty.code, listWrites(faulty)], [1, ["POST /issues: 201"]]);
  const { issues } = story.sandbox.github;
  assert.match(issues.find(1).title, /^Rollcall: The run stopped and changed nothing$/);
  assert.match(
    issues.find(1).body,
    /\[line 2\]\([^)]*rooms\.csv\?plain=1#L2\), column room.*the cell is empty/,
  );
  assert.doesNotMatch(issues.find(1).body, /README\.md/);

  await story.folder.write("mappings/rooms.csv", "group,room\nnoc,NOC\n");
  const dead = await story.run(["sync"], { env: { WEBEX_REFRESH_TOKEN: "not-the-token" } });
  assert.deepEqual([dead.code, listWrites(dead)], [1, ["PATCH /issues/1: 200"]]);
  assert.match(issues.find(1).body, /npm run login/);
  for (const secret of [...story.sandbox.secrets(), "not-the-token"])
    assert.ok(!issues.find(1).body.includes(secret));
});

test("the marker in somebody else's issue or in a pull request is left alone; a duplicate is closed", async () => {
  await using story = await startStory(acme, ["noc,NOC"]);
  const { issues, pulls } = story.sandbox.github;
  for (let count = 0; count < 110; count += 1) issues.open("ann", `issue ${count}`, "Something else");
  const stranger = issues.open("mallory", "Rollcall: all is well", `${marker}\nnothing to do`);
  const pull = issues.find(pulls.open({ files: {}, login: bot, title: "Change" }));
  pull.body = `${marker}\na pull request`;
  const own = issues.open(bot, "Rollcall: old", `${marker}\nold`);
  const duplicate = issues.open(bot, "Rollcall: older", `${marker}\nolder`);
  const writes = listWrites(await story.run(["sync"]));
  assert.deepEqual(writes, [`PATCH /issues/${duplicate.number}: 200`, `PATCH /issues/${own.number}: 200`]);
  assert.deepEqual(
    [stranger.body, pull.body, pull.state],
    [`${marker}\nnothing to do`, `${marker}\na pull request`, "open"],
  );
  assert.deepEqual(
    [own.state, own.title, duplicate.state],
    ["open", "Rollcall: 5 removals wait for approval", "closed"],
  );
});

for (const [status, hint] of [
  [403, 'give the workflow "permissions: issues: write"'],
  [404, 'give the workflow "permissions: issues: write"'],
  [410, "issues are turned off in this repository's settings"],
] as const) {
  test(`where GitHub answers ${status}, the issue is given up once, and the run ends as it would`, async () => {
    await using story = await startStory(acme, ["noc,NOC"]);
    story.sandbox.fault({ route: "POST /repos/{owner}/{repo}/issues", status });
    const end = await story.run(["sync"], { env: { GITHUB_ACTIONS: "true" } });
    assert.deepEqual([end.code, end.record.status, end.commits], [2, "held", 1]);
    assert.equal(end.stderr.split(hint).length - 1, 1);
    assert.match(end.stdout, /^::warning title=Rollcall::the issue that tells what needs a person/m);
  });
}

test("a plan, a dry run, an undo and a local run touch no issue", async () => {
  await using story = await startStory(acme, ["noc,NOC"]);
  await story.folder.write("token", story.sandbox.currentRefreshToken);
  for (const args of [["plan"], ["sync", "--dry-run"], ["restore", "--record", "none.json"]])
    assert.deepEqual(
      (await story.run(args)).requests.filter(({ path }) => path.includes("/issues")),
      [],
    );
  await story.folder.write("token", story.sandbox.currentRefreshToken);
  const local = await story.run(["sync"], { local: true });
  assert.deepEqual([local.code, local.requests.filter(({ half }) => half === "github")], [2, []]);
});

test("a scheduled run keeps the schedule of a public repository enabled, and tells when it may not", async () => {
  const acme = organisation({ groups: { noc: ["ann"] }, rooms: { NOC: ["ann"] } });
  const listEnables = ({ requests }: Ending) =>
    requests
      .filter(({ path }) => path.endsWith("/enable"))
      .map(({ method, path, status }) => `${method} ${path}: ${status}`);
  const scheduled = { env: { GITHUB_EVENT_NAME: "schedule" } };
  const enable = "PUT /repos/acme/spaces/actions/workflows/sync.yml/enable";

  await using open = await startStory(acme, ["noc,NOC"], { github: { private: false } });
  assert.deepEqual(listEnables(await open.run(["sync"])), [], "who starts a run by hand is activity enough");
  const kept = await open.run(["sync"], scheduled);
  assert.deepEqual([kept.code, listEnables(kept)], [0, [`${enable}: 204`]]);
  open.sandbox.fault({
    route: "PUT /repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable",
    status: 403,
  });
  const refused = await open.run(["sync"], scheduled);
  assert.deepEqual([refused.code, listEnables(refused)], [0, [`${enable}: 403`]]);
  assert.match(refused.stderr, /the schedule could not be kept enabled: .*permissions: actions: write/);

  await using closed = await startStory(acme, ["noc,NOC"]);
  assert.deepEqual(listEnables(await closed.run(["sync"], scheduled)), []);
});
