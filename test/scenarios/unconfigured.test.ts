import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { type Story, startStory } from "../support/story.ts";

const firstPage = await readFile(new URL("../../reports/README.md", import.meta.url), "utf8");
const acme = organisation({ groups: { noc: ["ann"] }, rooms: { NOC: ["ann"] } });

/** The variables of a run in a copy of the repository in which nobody has set anything up. */
async function startCopy(eventName: string) {
  const story = await startStory(acme, []);
  await story.folder.write(".summary.md", "");
  // As every copy has it from the start.
  await story.folder.write("reports/README.md", firstPage);
  story.sandbox.github.writeFile("reports/README.md", firstPage);
  const { WEBEX_CLIENT_ID, WEBEX_CLIENT_SECRET, WEBEX_REFRESH_TOKEN, SECRETS_TOKEN, ...env } =
    story.sandbox.githubEnvironment({
      GITHUB_SERVER_URL: "https://github.example",
      GITHUB_STEP_SUMMARY: join(story.folder.path, ".summary.md"),
      GITHUB_EVENT_NAME: eventName,
      WEBEX_ENVIRONMENT: "webex",
    });
  const set = { WEBEX_CLIENT_ID: WEBEX_CLIENT_ID ?? "", WEBEX_CLIENT_SECRET: WEBEX_CLIENT_SECRET ?? "" };
  return { story, env, set };
}

/** GitHub was asked for the reports of an earlier run at most. */
function assertOnlyLooked({ sandbox }: Story): void {
  for (const { half, method, path } of sandbox.requests) {
    assert.deepEqual([half, method], ["github", "GET"]);
    assert.match(path, /\/(contents\/reports\/history\.json|git\/trees\/)/);
  }
}

const list = `# Rollcall is not set up yet

Nothing has been read or changed in Webex. What is left to do:

- [ ] Create the environment \`webex\` in [Settings → Environments](https://github.example/acme/spaces/settings/environments), and let only the default branch use it: nothing else protects the token.
- [ ] \`WEBEX_CLIENT_ID\`: create an integration at [developer.webex.com](https://developer.webex.com/my-apps/new/integration), and store its client id as a variable ([Settings → Secrets and variables → Actions](https://github.example/acme/spaces/settings/variables/actions)).
- [ ] \`WEBEX_CLIENT_SECRET\`: store the integration's client secret as a secret ([Settings → Environments](https://github.example/acme/spaces/settings/environments) → \`webex\` → Environment secrets).
- [ ] \`SECRETS_TOKEN\`: create a [fine-grained token](https://github.com/settings/personal-access-tokens/new) for this repository only, with Environments: Read and write, and store it as a secret ([Settings → Environments](https://github.example/acme/spaces/settings/environments) → \`webex\` → Environment secrets). Each run uses it to store the refresh token that Webex issues.
- [ ] \`WEBEX_REFRESH_TOKEN\`: run \`npm run login\` on your machine. It opens Webex in a browser and stores the secret.
- [ ] \`mappings/rooms.csv\`: add rows in a pull request: a group, and the space its members belong in.
- [ ] Run \`npm run doctor\`: it checks all of this and says what is still wrong.
`;

test("a scheduled run of a fresh copy ends green, with a to-do list in its summary, and Webex is not asked", async () => {
  const { story, env } = await startCopy("schedule");
  await using _ = story;
  const { code, stderr } = await story.folder.run(["sync"], env);
  assert.equal(code, 0);
  assert.equal((await story.folder.read(".summary.md")).trimEnd(), list.trimEnd());
  assert.ok(stderr.includes(list.trimEnd()), "the log has it too");
  assertOnlyLooked(story);
});

test("a run by hand of a fresh copy ends red with the same list, and opens no issue", async () => {
  const { story, env } = await startCopy("workflow_dispatch");
  await using _ = story;
  const { code, stderr } = await story.folder.run(["sync", "--json", "record.json"], env);
  assert.equal(code, 1);
  assert.ok((await story.folder.read(".summary.md")).startsWith(list.trimEnd()));
  const { status, problems } = await story.folder.readRecord();
  assert.deepEqual([status, problems.length], ["failed", 1]);
  for (const name of ["WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN"]) {
    assert.ok(problems[0]?.message.includes(name), `one error names ${name}`);
    assert.ok(stderr.includes(name));
  }
  assertOnlyLooked(story);
});

test("a copy that is half set up is broken, not new: even a scheduled run ends red", async () => {
  const { story, env, set } = await startCopy("schedule");
  await using _ = story;
  const { code, stderr } = await story.folder.run(["sync"], { ...env, ...set });
  assert.equal(code, 1);
  assert.match(stderr, /WEBEX_REFRESH_TOKEN is missing/);
  assert.doesNotMatch(stderr, /not set up yet/);
});

test("on a person's machine there is no to-do list for GitHub", async () => {
  await using story = await startStory(acme, []);
  const { code, stderr } = await story.folder.run(["sync"]);
  assert.equal(code, 1);
  assert.doesNotMatch(stderr, /not set up yet/);
});

const webexVariables = ["WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN"];

for (const place of ["the branch of the reports", "the check-out"]) {
  for (const gone of [webexVariables, ["WEBEX_REFRESH_TOKEN"]]) {
    test(`a set-up that is gone (${gone.length} variables) is a failure by schedule, as ${place} tells of an earlier run`, async () => {
      await using story = await startStory(acme, ["noc,NOC"]);
      const { sandbox, folder } = story;
      const first = await story.run(["sync"]);
      assert.equal(first.code, 0);
      if (place === "the check-out") {
        for (const [path, text] of sandbox.github.files()) await folder.write(path, text);
        sandbox.github.writeFile("reports/history.json", null);
      }
      const env = Object.fromEntries(gone.map((name) => [name, ""]));
      const schedule = { env: { GITHUB_EVENT_NAME: "schedule", ...env } };
      const second = await story.run(["sync"], schedule);
      assert.deepEqual([second.code, second.record.status, second.outputs.status], [1, "failed", "failed"]);
      const { message } = second.record.problems[0] ?? assert.fail("no problem is told");
      const day = first.record.startedAt.slice(0, 10);
      assert.ok(
        message.startsWith(`the set-up is no longer complete, and since the last check (${day})`),
        message,
      );
      for (const name of gone) assert.ok(message.includes(`${name} is missing`), message);
      const [issue, ...others] = sandbox.github.issues.all;
      assert.deepEqual([issue?.state, others], ["open", []]);
      for (const said of [day, ...gone]) assert.ok(issue?.body.replaceAll("\\", "").includes(said), said);
      // The same state is told once.
      const issueWrites = (await story.run(["sync"], schedule)).requests.filter(
        ({ method, path }) => method !== "GET" && path.includes("/issues"),
      );
      assert.deepEqual(issueWrites, []);
    });
  }
}

test("whether there was an earlier run cannot be read: that is no fresh copy", async () => {
  const { story, env } = await startCopy("schedule");
  await using _ = story;
  const route = "GET /repos/{owner}/{repo}/contents/{path}";
  story.sandbox.fault({ route, status: 403, times: Number.POSITIVE_INFINITY });
  const { code, stderr } = await story.folder.run(["sync"], env);
  assert.equal(code, 1);
  assert.match(stderr, /Whether there was an earlier run cannot be read: /);
});

test("the first run replaces the page that says there was none, and misses nothing of an earlier one", async () => {
  await using story = await startStory(acme, ["noc,NOC"]);
  story.sandbox.github.writeFile("reports/README.md", firstPage);
  const { code, record } = await story.run(["sync"]);
  assert.deepEqual([code, record.problems, record.notices], [0, [], []]);
  const page = story.sandbox.github.files().get("reports/README.md") ?? "";
  assert.doesNotMatch(page, /No run yet/);
  assert.match(page, /checked \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
});
