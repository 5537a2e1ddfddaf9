import assert from "node:assert/strict";
import { test } from "node:test";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../../sandbox/server.ts";
import { createCall, small } from "../client.ts";

const query =
  "mutation($input:CreateCommitOnBranchInput!){createCommitOnBranch(input:$input){commit{oid url}}}";
const base64 = (text: string) => Buffer.from(text).toString("base64");

async function start(github: SandboxOptions["github"] = {}) {
  const sandbox = await startSandbox(small, { github });
  return { sandbox, head: sandbox.githubEnvironment().GITHUB_SHA ?? "" };
}

async function ask(sandbox: Sandbox, body: object) {
  const { GITHUB_GRAPHQL_URL = "", GITHUB_TOKEN } = sandbox.githubEnvironment();
  const answer = await createCall("", `bearer ${GITHUB_TOKEN}`)("POST", GITHUB_GRAPHQL_URL, body);
  assert.equal(answer.status, 200);
  return answer.body;
}

async function commit(sandbox: Sandbox, input: object) {
  const branch = { repositoryNameWithOwner: "acme/spaces", branchName: "main" };
  const body = await ask(sandbox, {
    query,
    variables: { input: { branch, message: { headline: "Report" }, ...input } },
  });
  const [error] = (body.errors ?? []) as { type: string; message: string }[];
  return { error, data: body.data };
}

test("a commit adds and deletes files and moves the branch", async () => {
  const { sandbox, head } = await start({ files: { "old.md": "old", "kept.md": "kept" } });
  await using _ = sandbox;
  const { data, error } = await commit(sandbox, {
    expectedHeadOid: head,
    message: { headline: "Rollcall: 1 added", body: "More." },
    fileChanges: {
      additions: [{ path: "reports/README.md", contents: base64("# Räume\n") }],
      deletions: [{ path: "old.md" }],
    },
  });
  assert.equal(error, undefined);
  assert.deepEqual(
    [...sandbox.github.files()],
    [
      ["kept.md", "kept"],
      ["reports/README.md", "# Räume\n"],
    ],
  );
  const [made] = sandbox.github.commits;
  assert.deepEqual([made?.branch, made?.message], ["main", "Rollcall: 1 added\n\nMore."]);
  assert.deepEqual(made?.paths, ["reports/README.md", "old.md"]);
  const oid = made?.oid;
  assert.deepEqual(data, {
    createCommitOnBranch: { commit: { oid, url: `${sandbox.url}/acme/spaces/commit/${oid}` } },
  });
  assert.equal(sandbox.githubEnvironment().GITHUB_SHA, oid);
});

test("a commit on a head that somebody has moved is STALE_DATA within a 200", async () => {
  const { sandbox, head } = await start();
  await using _ = sandbox;
  sandbox.github.writeFile("README.md", "somebody else's");
  const { data, error } = await commit(sandbox, { expectedHeadOid: head, fileChanges: { additions: [] } });
  assert.deepEqual(data, { createCommitOnBranch: null });
  assert.equal(error?.type, "STALE_DATA");
  // What the caller expected, not what is there; with two spaces, as GitHub has it.
  assert.equal(error?.message, `Expected branch to point to "${head}" but it did not.  Pull and try again.`);
  assert.equal(sandbox.github.commits.length, 1);
});

test("a missing or malformed head, and contents that are not base64, are refused before anything is run", async () => {
  const { sandbox, head } = await start();
  await using _ = sandbox;
  const named = /^Variable \$input of type CreateCommitOnBranchInput! was provided invalid value for /;
  const additions = [{ path: "a.md", contents: "no-base64_" }];
  for (const [input, place] of [
    [{}, "expectedHeadOid (Expected value to not be null)"],
    [{ expectedHeadOid: "main" }, "expectedHeadOid (Could not coerce"],
    [
      { expectedHeadOid: head, fileChanges: { additions } },
      "fileChanges.additions.0.contents (Could not coerce",
    ],
  ] as const) {
    const { data, error } = await commit(sandbox, input);
    assert.equal(data, undefined);
    assert.match(error?.message ?? "", named);
    assert.ok(error?.message.includes(place), error?.message);
  }
  assert.deepEqual(sandbox.github.commits, []);
});

test("a token that may not write contents is told so inside of a 200; some tokens see no repository", async () => {
  const input = (head: string) => ({ expectedHeadOid: head, fileChanges: { additions: [] } });
  for (const [refusedWith, type, message] of [
    [403, "FORBIDDEN", /^Resource not accessible by integration$/],
    [404, "NOT_FOUND", /^Could not resolve to a Repository with the name 'acme\/spaces'\.$/],
  ] as const) {
    const workflow = { permissions: { contents: "read" as const }, refusedWith };
    const { sandbox, head } = await start({ tokens: { workflow } });
    await using _ = sandbox;
    const { error } = await commit(sandbox, input(head));
    assert.equal(error?.type, type);
    assert.match(error?.message ?? "", message);
  }
});

test("the repository's name may be written in capitals", async () => {
  const { sandbox, head } = await start();
  await using _ = sandbox;
  const branch = { repositoryNameWithOwner: "ACME/Spaces", branchName: "main" };
  assert.equal((await commit(sandbox, { branch, expectedHeadOid: head })).error, undefined);
});

test("a protected branch refuses commits, with an error of its kind of protection", async () => {
  for (const [protection, type] of [
    ["branch protection", "BRANCH_PROTECTION_RULE_VIOLATION"],
    ["ruleset", "UNPROCESSABLE"],
  ] as const) {
    const { sandbox, head } = await start({ protection });
    await using _ = sandbox;
    const { error } = await commit(sandbox, { expectedHeadOid: head });
    assert.equal(error?.type, type);
    assert.match(error?.message ?? "", /must be made through a pull request/);
    assert.deepEqual(sandbox.github.commits, []);
  }
});

test("another branch takes commits of its own, one that doesn't exist takes none", async () => {
  const { sandbox, head } = await start({ branches: ["main", "reports"] });
  await using _ = sandbox;
  const fileChanges = { additions: [{ path: "a.md", contents: base64("a") }] };
  const on = (branchName: string) =>
    commit(sandbox, {
      branch: { repositoryNameWithOwner: "acme/spaces", branchName },
      expectedHeadOid: head,
      fileChanges,
    });
  assert.equal((await on("reports")).error, undefined);
  assert.deepEqual([...sandbox.github.files("reports").keys()], ["a.md"]);
  assert.deepEqual([...sandbox.github.files().keys()], []);
  assert.equal((await on("none")).error?.type, "NOT_FOUND");
});

test("a deletion of a file that isn't there is an error", async () => {
  const { sandbox, head } = await start();
  await using _ = sandbox;
  const { error } = await commit(sandbox, {
    expectedHeadOid: head,
    fileChanges: { deletions: [{ path: "none.md" }] },
  });
  assert.equal(error?.type, "UNPROCESSABLE");
});

test("viewer is the workflow's bot, and an unknown query is an error", async () => {
  const { sandbox } = await start();
  await using _ = sandbox;
  const { data } = await ask(sandbox, { query: "{ viewer { login } }" });
  assert.deepEqual(data, { viewer: { login: "github-actions[bot]" } });
  assert.ok("errors" in (await ask(sandbox, { query: "{ rateLimit { cost } }" })));
});
