import assert from "node:assert/strict";
import { test } from "node:test";
import { Octokit } from "@octokit/rest";
import { type SandboxOptions, startSandbox } from "../../../sandbox/server.ts";
import { createCall, small } from "../client.ts";

async function start(github: SandboxOptions["github"] = {}) {
  const sandbox = await startSandbox(small, { github });
  const environment = sandbox.githubEnvironment();
  const call = createCall(
    `${environment.GITHUB_API_URL}/repos/acme/spaces`,
    `token ${environment.GITHUB_TOKEN}`,
  );
  return { sandbox, environment, call };
}

test("the environment of a run on GitHub has the runner's variables and the stored refresh token", async () => {
  const { sandbox, environment } = await start();
  await using _ = sandbox;
  assert.equal(environment.GITHUB_REPOSITORY, "acme/spaces");
  assert.equal(environment.GITHUB_REF_NAME, "main");
  assert.equal(environment.WEBEX_REFRESH_TOKEN, sandbox.currentRefreshToken);
  assert.equal(sandbox.githubEnvironment({ GITHUB_REF_NAME: "other" }).GITHUB_REF_NAME, "other");
  assert.notEqual(sandbox.githubEnvironment().GITHUB_RUN_ID, environment.GITHUB_RUN_ID);
});

test("wrong credentials are a 401 in GitHub's form", async () => {
  const { sandbox, environment } = await start();
  await using _ = sandbox;
  const call = createCall(environment.GITHUB_API_URL ?? "", "token wrong");
  const { status, body } = await call("GET", "/repos/acme/spaces");
  assert.equal(status, 401);
  assert.deepEqual(body, {
    message: "Bad credentials",
    documentation_url: "https://docs.github.com/rest",
    status: "401",
  });
});

test("a token is accepted as token and as Bearer", async () => {
  const { sandbox, environment, call } = await start();
  await using _ = sandbox;
  const bearer = createCall(
    `${environment.GITHUB_API_URL}/repos/acme/spaces`,
    `Bearer ${environment.GITHUB_TOKEN}`,
  );
  assert.equal((await call("GET", "")).status, 200);
  assert.equal((await bearer("GET", "")).body.default_branch, "main");
});

test("another repository is a 404", async () => {
  const { sandbox, environment, call } = await start({ repository: "acme/spaces" });
  await using _ = sandbox;
  assert.equal((await call("GET", `${environment.GITHUB_API_URL}/repos/acme/other`)).status, 404);
});

test("a branch is answered with its head, as a branch and as a ref", async () => {
  const { sandbox, environment, call } = await start({ branches: ["main", "reports/all"] });
  await using _ = sandbox;
  const branch = await call("GET", "/branches/main");
  assert.deepEqual(
    [branch.body.name, (branch.body.commit as { sha: string }).sha],
    ["main", environment.GITHUB_SHA],
  );
  const ref = await call("GET", "/git/ref/heads%2Freports%2Fall");
  assert.deepEqual(
    [ref.body.ref, (ref.body.object as { sha: string }).sha],
    ["refs/heads/reports/all", environment.GITHUB_SHA],
  );
  assert.equal((await call("GET", "/branches/none")).status, 404);
  assert.equal((await call("GET", "/git/ref/heads/none")).status, 404);
});

test("a file is answered as base64 in JSON or raw, from a branch or a commit", async () => {
  const text = `group,room\n${"NOC On-call,NOC\n".repeat(20)}`;
  const { sandbox, environment, call } = await start({ files: { "mappings/rooms.csv": text } });
  await using _ = sandbox;
  sandbox.github.writeFile("mappings/rooms.csv", "changed");
  const old = await call("GET", `/contents/mappings/rooms.csv?ref=${environment.GITHUB_SHA}`);
  assert.equal(Buffer.from(String(old.body.content), "base64").toString(), text);
  assert.match(String(old.body.content), /\n/);
  assert.deepEqual([old.body.size, old.body.name], [text.length, "rooms.csv"]);
  const raw = await fetch(
    `${environment.GITHUB_API_URL}/repos/acme/spaces/contents/mappings%2Frooms.csv?ref=main`,
    {
      headers: {
        authorization: `token ${environment.GITHUB_TOKEN}`,
        accept: "application/vnd.github.raw+json",
      },
    },
  );
  assert.equal(await raw.text(), "changed");
  assert.equal((await call("GET", "/contents/none.csv")).status, 404);
});

test("a run is later than what was stored before it and earlier than what is stored after it", async () => {
  const { sandbox, environment, call } = await start();
  await using _ = sandbox;
  const secrets = createCall(
    `${environment.GITHUB_API_URL}/repos/acme/spaces`,
    `token ${environment.SECRETS_TOKEN}`,
  );
  const secret = await secrets("GET", "/actions/secrets/WEBEX_REFRESH_TOKEN");
  const run = await call("GET", `/actions/runs/${environment.GITHUB_RUN_ID}`);
  assert.ok(String(secret.body.updated_at) < String(run.body.created_at));
  assert.deepEqual([run.body.run_attempt, run.body.head_sha], [1, environment.GITHUB_SHA]);
  assert.equal((await call("GET", "/actions/runs/1")).status, 404);
});

test("an environment exists when it was declared", async () => {
  const { sandbox, call } = await start({ environments: ["webex"] });
  await using _ = sandbox;
  assert.equal((await call("GET", "/environments/webex")).body.name, "webex");
  assert.equal((await call("GET", "/environments/other")).status, 404);
});

test("Octokit works with it as it is", async () => {
  const { sandbox, environment } = await start({ files: { "mappings/rooms.csv": "group,room" } });
  await using _ = sandbox;
  const octokit = new Octokit({ auth: environment.GITHUB_TOKEN, baseUrl: environment.GITHUB_API_URL ?? "" });
  const here = { owner: "acme", repo: "spaces" };
  assert.equal(
    (await octokit.rest.git.getRef({ ...here, ref: "heads/main" })).data.object.sha,
    environment.GITHUB_SHA,
  );
  const mediaType = { format: "raw" };
  const raw = await octokit.rest.repos.getContent({ ...here, path: "mappings/rooms.csv", mediaType });
  assert.equal(raw.data, "group,room");
  assert.deepEqual(await octokit.graphql("{ viewer { login } }"), {
    viewer: { login: "github-actions[bot]" },
  });
  const denied = octokit.rest.actions.getRepoPublicKey(here);
  await assert.rejects(denied, /Resource not accessible by integration/);
});
