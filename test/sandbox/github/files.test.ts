import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { byApi } from "../../../sandbox/github/github.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { type Answer, createCall, nextOf, small } from "../client.ts";

const files = {
  "README.md": "Read me\n",
  "mappings/rooms.csv": "group,room\n",
  "reports/runs/1.md": "é\n",
  "reports.md": "",
};

async function start() {
  const sandbox = await startSandbox(small, { github: { files, branches: ["main", "reports/all"] } });
  const { GITHUB_TOKEN } = sandbox.githubEnvironment();
  return {
    sandbox,
    call: createCall(`${sandbox.url}/api/v3/repos/acme/spaces`, `token ${GITHUB_TOKEN}`),
  };
}

interface Entry {
  readonly path: string;
  readonly type: string;
  readonly sha: string;
}

function entries(answer: Answer): string[] {
  return (answer.body.tree as Entry[]).map(({ path, type }) => `${type} ${path}`);
}

test("a file's id is that of git's blob, in its contents, in its tree and when it is made", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const sha = execFileSync("git", ["hash-object", "--stdin"], { input: "é\n" }).toString().trim();
  assert.equal((await call("GET", "/contents/reports/runs/1.md")).body.sha, sha);
  const tree = await call("GET", "/git/trees/main?recursive=1");
  assert.equal((tree.body.tree as Entry[]).find(({ path }) => path === "reports/runs/1.md")?.sha, sha);
  for (const blob of [{ content: "é\n" }, { content: "w6kK", encoding: "base64" }]) {
    assert.equal((await call("POST", "/git/blobs", blob)).body.sha, sha);
  }
  const wrong = { content: "w6k_", encoding: "base64" };
  assert.equal((await call("POST", "/git/blobs", wrong)).status, 422);
});

test("the tree of a branch, a commit or a tree lists its files in git's order, with all folders when asked", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const top = ["blob README.md", "tree mappings", "blob reports.md", "tree reports"];
  const head = sandbox.githubEnvironment().GITHUB_SHA ?? "";
  const answer = await call("GET", "/git/trees/main");
  assert.deepEqual([entries(answer), answer.body.truncated], [top, false]);
  for (const ref of [head, answer.body.sha, "reports%2Fall"]) {
    assert.deepEqual(entries(await call("GET", `/git/trees/${ref}`)), top);
  }
  assert.deepEqual(entries(await call("GET", `/git/trees/${head}?recursive=1`)), [
    "blob README.md",
    "tree mappings",
    "blob mappings/rooms.csv",
    "blob reports.md",
    "tree reports",
    "tree reports/runs",
    "blob reports/runs/1.md",
  ]);
  const folder = (answer.body.tree as Entry[]).find(({ path }) => path === "reports")?.sha;
  assert.deepEqual(entries(await call("GET", `/git/trees/${folder}`)), ["tree runs"]);
  assert.equal((await call("GET", "/git/trees/none")).status, 404);
});

test("the tree's id is the one that git gives to these files", async () => {
  await using sandbox = await startSandbox(small, { github: { files: { "a/b.md": "b\n", "a.md": "a\n" } } });
  const { tree } = sandbox.github.head("main");
  const hash = (type: string, input: string | Buffer) =>
    execFileSync("git", ["hash-object", "-t", type, "--stdin"], { input }).toString().trim();
  const line = (mode: string, name: string, id: string) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]);
  const inner = hash("tree", line("100644", "b.md", hash("blob", "b\n")));
  const whole = Buffer.concat([line("100644", "a.md", hash("blob", "a\n")), line("40000", "a", inner)]);
  assert.equal(tree, hash("tree", whole));
});

test("a folder is a list of what is in it; 404 is only for what is not there", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const names = async (path: string) => {
    const { body } = await call("GET", path);
    return Object.values(body).map((entry) => `${(entry as Entry).type} ${(entry as Entry).path}`);
  };
  assert.deepEqual(await names("/contents/"), [
    "file README.md",
    "dir mappings",
    "file reports.md",
    "dir reports",
  ]);
  assert.deepEqual(await names("/contents/reports"), ["dir reports/runs"]);
  assert.deepEqual(await names("/contents/reports/runs?ref=reports/all"), ["file reports/runs/1.md"]);
  assert.equal((await call("GET", "/contents/report")).body.message, "Not Found");
  const { status, body } = await call("GET", "/contents/README.md?ref=none");
  assert.deepEqual([status, body.message], [404, "No commit found for the ref none"]);
  assert.equal((await call("GET", "/git/ref/main")).status, 404);
});

test("the commits of a path tell who wrote it, who committed it, and whether the signature is good", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const path = "reports/runs/1.md";
  sandbox.github.writeFile(path, "by Rollcall", "main", byApi("github-actions[bot]"));
  sandbox.github.writeFile("README.md", "something else");
  sandbox.github.writeFile(path, "by hand");
  const { body } = await call("GET", `/commits?path=${path}`);
  const shown = Object.values(body).map((entry) => {
    const { author, committer, commit } = entry as {
      author: { login: string };
      committer: { login: string };
      commit: { verification: { verified: boolean; reason: string } };
    };
    return [author.login, committer.login, commit.verification.verified, commit.verification.reason];
  });
  assert.deepEqual(shown, [
    ["octo-admin", "octo-admin", false, "unsigned"],
    ["github-actions[bot]", "web-flow", true, "valid"],
    ["octo-admin", "octo-admin", false, "unsigned"],
  ]);
  const [first] = Object.values((await call("GET", "/commits?path=reports&per_page=1")).body);
  assert.deepEqual(first, Object.values(body)[0]);
  assert.deepEqual((await call("GET", "/commits?path=none")).body, []);
});

test("the commits of a branch are its own, the newest first, in pages", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  sandbox.github.writeFile("a.md", "a", "reports/all");
  sandbox.github.writeFile("a.md", null, "reports/all");
  const messages = (answer: Answer) =>
    Object.values(answer.body).map((entry) => (entry as { commit: { message: string } }).commit.message);
  const page = await call("GET", "/commits?sha=reports/all&per_page=2");
  assert.deepEqual(messages(page), ["Delete a.md", "Write a.md"]);
  assert.deepEqual(messages(await call("GET", nextOf(page) ?? "")), ["Start"]);
  assert.deepEqual(messages(await call("GET", "/commits")), ["Start"]);
  const whole = await call("GET", "/commits/reports/all");
  assert.deepEqual(whole.body, Object.values(page.body)[0]);
  assert.equal((await call("GET", "/commits?sha=none")).status, 404);
});

test("owner and name of the repository are the same in capitals", async () => {
  const { sandbox } = await start();
  await using _ = sandbox;
  const { GITHUB_TOKEN } = sandbox.githubEnvironment();
  const call = createCall(`${sandbox.url}/api/v3/repos/ACME/Spaces`, `token ${GITHUB_TOKEN}`);
  assert.equal((await call("GET", "/contents/README.md")).status, 200);
  assert.equal((await call("GET", "")).body.full_name, "acme/spaces");
});

test("a dispatch takes a branch that exists and a workflow that is active", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const dispatch = async (body: object) => {
    const { status, body: answer } = await call("POST", "/actions/workflows/sync.yml/dispatches", body);
    return [status, answer.message];
  };
  assert.deepEqual(await dispatch({ ref: "main" }), [204, undefined]);
  assert.deepEqual(await dispatch({ ref: "refs/heads/reports/all" }), [204, undefined]);
  const started = await call("POST", "/actions/workflows/sync.yml/dispatches", {
    ref: "main",
    return_run_details: true,
  });
  assert.equal((await call("GET", String(started.body.run_url))).body.id, started.body.workflow_run_id);
  assert.deepEqual(await dispatch({ ref: "x" }), [422, "No ref found for: x"]);
  assert.equal((await dispatch({}))[0], 422);
  sandbox.github.workflowState = "disabled_inactivity";
  assert.equal((await dispatch({ ref: "main" }))[0], 422);
});
