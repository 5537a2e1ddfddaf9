import assert from "node:assert/strict";
import { test } from "node:test";
import type { Permissions } from "../../../sandbox/github/permissions.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { createCall, small } from "../client.ts";

/** The operations by what they take, as GitHub's documentation has it. */
const operations: readonly [accepted: string, method: string, path: string][] = [
  ["contents=read", "GET", "/branches/main"],
  ["contents=read", "GET", "/git/ref/heads/main"],
  ["contents=read", "GET", "/contents/README.md"],
  ["contents=read", "GET", "/git/trees/main"],
  ["contents=read", "GET", "/commits"],
  ["contents=write", "POST", "/git/blobs"],
  ["actions=read", "GET", "/actions/runs/1001"],
  ["actions=read", "GET", "/actions/workflows"],
  ["actions=read", "GET", "/environments/webex"],
  ["actions=write", "PUT", "/actions/workflows/sync.yml/enable"],
  ["actions=write", "POST", "/actions/workflows/sync.yml/dispatches"],
  ["issues=read; pull_requests=read", "GET", "/issues"],
  ["issues=write; pull_requests=write", "POST", "/issues"],
  ["pull_requests=read", "GET", "/pulls/1"],
  ["secrets=read", "GET", "/actions/secrets/public-key"],
  ["secrets=write", "DELETE", "/actions/secrets/WEBEX_REFRESH_TOKEN"],
  ["environments=read", "GET", "/environments/webex/secrets/WEBEX_REFRESH_TOKEN"],
  ["environments=write", "DELETE", "/environments/webex/secrets/WEBEX_REFRESH_TOKEN"],
];

async function start(permissions: Permissions, refusedWith?: 403 | 404, isPrivate = true) {
  const sandbox = await startSandbox(small, {
    github: { files: { "README.md": "" }, environments: ["webex"], private: isPrivate },
  });
  sandbox.githubEnvironment();
  const refusal = refusedWith === undefined ? {} : { refusedWith };
  const grant = { kind: "fine-grained", login: "ann", permissions, ...refusal } as const;
  const token = sandbox.github.issueToken(grant);
  const call = createCall(`${sandbox.url}/api/v3/repos/acme/spaces`, `token ${token}`);
  const ask = (method: string, path: string) =>
    call(method, path, method === "POST" || method === "PUT" ? { ref: "main", title: "t" } : undefined);
  return { sandbox, ask };
}

test("each operation names what it takes, and refuses a token that lacks it", async () => {
  const { sandbox, ask } = await start({});
  await using _ = sandbox;
  for (const [accepted, method, path] of operations) {
    const { status, headers, body } = await ask(method, path);
    assert.deepEqual(
      [status, body.message, headers.get("x-accepted-github-permissions")],
      [403, "Resource not accessible by personal access token", accepted],
      `${method} ${path}`,
    );
  }
  // Every token that sees the repository may read what it is.
  assert.equal((await ask("GET", "")).status, 200);
});

test("a token with just that permission may; one for reading may not write", async () => {
  for (const [accepted, method, path] of operations) {
    const [name = "", access = ""] = (accepted.split("; ")[0] ?? "").split("=");
    const { sandbox, ask } = await start({ [name]: access === "write" ? "write" : "read" });
    await using _ = sandbox;
    assert.notEqual((await ask(method, path)).status, 403, `${method} ${path}`);
    if (access !== "write") continue;
    const reading = await start({ [name]: "read" });
    await using __ = reading.sandbox;
    assert.equal((await reading.ask(method, path)).status, 403, `${method} ${path}`);
  }
});

test("some tokens are told that nothing is there, and what is public may be read by all but the secrets", async () => {
  const hidden = await start({}, 404);
  await using _ = hidden.sandbox;
  const { status, body, headers } = await hidden.ask("GET", "/actions/secrets/public-key");
  assert.deepEqual([status, body.message], [404, "Not Found"]);
  assert.equal(headers.get("x-accepted-github-permissions"), "secrets=read");

  const open = await start({}, 403, false);
  await using __ = open.sandbox;
  assert.equal((await open.ask("GET", "/contents/README.md")).status, 200);
  assert.equal((await open.ask("POST", "/git/blobs")).status, 403);
  assert.equal((await open.ask("GET", "/actions/secrets/public-key")).status, 403);
});

test("the workflow's token and the one for secrets can be narrowed, and a new one is among the secrets", async () => {
  const tokens = {
    workflow: { permissions: { contents: "read" } },
    secrets: { permissions: {}, refusedWith: 404 },
  } as const;
  await using sandbox = await startSandbox(small, { github: { tokens } });
  const { GITHUB_TOKEN, SECRETS_TOKEN } = sandbox.githubEnvironment();
  const ask = async (token: string | undefined, path: string) =>
    (await createCall(`${sandbox.url}/api/v3/repos/acme/spaces`, `token ${token}`)("GET", path)).status;
  assert.equal(await ask(GITHUB_TOKEN, "/branches/main"), 200);
  assert.equal(await ask(GITHUB_TOKEN, "/actions/workflows"), 403);
  assert.equal(await ask(SECRETS_TOKEN, "/actions/secrets/public-key"), 404);
  const made = sandbox.github.issueToken({ kind: "installation", login: "app[bot]", permissions: {} });
  assert.ok(sandbox.secrets().includes(made));
});
