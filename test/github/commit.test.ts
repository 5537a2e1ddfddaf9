import assert from "node:assert/strict";
import { test } from "node:test";
import type { GithubOptions } from "../../sandbox/github/github.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { readConfig } from "../../src/config/settings.ts";
import { commitReport, ReportRefused } from "../../src/github/commit.ts";

const empty = { name: "acme", people: [], groups: [], rooms: [] };
const memory = "reports/history.json";
const graphql = "POST /graphql";

async function start(github: GithubOptions = {}, branch = "main") {
  const sandbox = await startSandbox(empty, { github });
  const { reportTarget } = readConfig(sandbox.githubEnvironment({ REPORT_BRANCH: branch }));
  if (reportTarget.kind !== "branch") throw new Error("the report must go to a branch");
  type Draft = Parameters<typeof commitReport>[2];
  const commit = (draft: Draft) => commitReport(reportTarget, memory, draft, async () => {});
  return { sandbox, commit };
}

/** A report that holds the memory and one more line. */
function extend(text: string | undefined) {
  return { headline: "Rollcall: 1 added", files: [{ path: memory, text: `${text ?? ""}line\n` }] };
}

test("without anything to tell there is no commit", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  assert.equal(await commit(() => null), null);
  assert.deepEqual(sandbox.github.commits, []);
});

test("a report is one commit on the branch, with all its files", async () => {
  const { sandbox, commit } = await start({ branches: ["main", "reports/all"] }, "reports/all");
  await using _ = sandbox;
  const files = [
    { path: "reports/README.md", text: "# Räume 🚪\n" },
    { path: memory, text: "{}\n" },
  ];
  const oid = await commit(() => ({ headline: "Rollcall: converged", files }));
  assert.deepEqual(
    sandbox.github.commits.map(({ oid: id, branch, message, paths }) => [id, branch, message, paths]),
    [[oid, "reports/all", "Rollcall: converged", ["reports/README.md", memory]]],
  );
  assert.equal(sandbox.github.files("reports/all").get("reports/README.md"), "# Räume 🚪\n");
  assert.equal(sandbox.github.files("main").has(memory), false);
});

test("the draft is given the memory that the branch holds, whatever its characters; undefined where there is none", async () => {
  const { sandbox, commit } = await start({ files: { [memory]: "é🚪\n".repeat(100) } });
  await using _ = sandbox;
  await commit((text) => {
    assert.equal(text, "é🚪\n".repeat(100));
    return null;
  });
  const other = await start();
  await using __ = other.sandbox;
  await other.commit((text) => {
    assert.equal(text, undefined);
    return null;
  });
});

test("when somebody else's commit comes in between, the report is drafted again on top of it", async () => {
  const { sandbox, commit } = await start({ files: { [memory]: "first\n" } });
  await using _ = sandbox;
  const drafts: (string | undefined)[] = [];
  await commit((text) => {
    drafts.push(text);
    if (drafts.length === 1) sandbox.github.writeFile(memory, "theirs\n");
    return extend(text);
  });
  assert.deepEqual(drafts, ["first\n", "theirs\n"]);
  assert.equal(sandbox.github.files().get(memory), "theirs\nline\n");
});

test("a branch that moves every time is given up after five attempts", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  let drafts = 0;
  const race = commit((text) => {
    drafts += 1;
    sandbox.github.writeFile("other.txt", String(drafts));
    return extend(text);
  });
  await assert.rejects(race, ReportRefused);
  assert.equal(drafts, 5);
});

test("a commit whose answer got lost is not made twice: the draft sees it and has nothing to tell", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: graphql, dropAfter: true });
  const oid = await commit((text) => (text === undefined ? extend(text) : null));
  assert.equal(oid, null);
  assert.equal(sandbox.github.commits.length, 1);
});

test("a 5xx is tried again", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: graphql, status: 502 });
  assert.ok(await commit(extend));
});

const remedy =
  "Let the workflow's token write to that branch (permissions: contents: write), or set REPORT_BRANCH to a branch without protection";
for (const protection of ["branch protection", "ruleset"] as const) {
  test(`a branch that a ${protection} keeps is refused at once, inside an HTTP 200, with what to do`, async () => {
    const { sandbox, commit } = await start({ protection });
    await using _ = sandbox;
    await assert.rejects(commit(extend), (error: Error) => {
      assert.ok(error instanceof ReportRefused);
      assert.match(
        error.message,
        /^the report was not committed to main: .*Changes must be made through a pull request/s,
      );
      assert.ok(error.message.endsWith(remedy));
      return true;
    });
    assert.equal(sandbox.requests.filter(({ route }) => route === graphql).length, 1);
    assert.deepEqual(sandbox.github.commits, []);
  });
}

test("a branch that does not exist is refused", async () => {
  const { sandbox, commit } = await start({}, "nowhere");
  await using _ = sandbox;
  await assert.rejects(commit(extend), /^ReportRefused: the report was not committed to nowhere: /);
});

test("an answer without a commit and without an error is no success", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: graphql, status: 200, body: { data: { createCommitOnBranch: null } } });
  await assert.rejects(commit(extend), /GitHub's answer holds no commit/);
});

test("a memory that cannot be read is no empty memory", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: "GET /repos/{owner}/{repo}/contents/{path}", status: 403 });
  await assert.rejects(commit(extend), ReportRefused);
  assert.deepEqual(sandbox.github.commits, []);
});
