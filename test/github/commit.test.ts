import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Fault } from "../../sandbox/faults.ts";
import type { GithubOptions } from "../../sandbox/github/github.ts";
import type { ApiRequest } from "../../sandbox/router.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { readConfig } from "../../src/config/settings.ts";
import { checkReportBranch, commitReport, ReportRefused } from "../../src/github/commit.ts";

const empty = { name: "acme", people: [], groups: [], rooms: [] };
const memory = "reports/history.json";
const graphql = "POST /graphql";

async function start(github: GithubOptions = {}, branch = "main") {
  const sandbox = await startSandbox(empty, { github });
  const { reportTarget } = readConfig(sandbox.githubEnvironment({ REPORT_BRANCH: branch }));
  if (reportTarget.kind !== "branch") throw new Error("the report must go to a branch");
  type Draft = Parameters<typeof commitReport>[2];
  const commit = (draft: Draft) => commitReport(reportTarget, memory, draft, { sleep: async () => {} });
  return { sandbox, commit, reportTarget };
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

test("a branch that moves every time is given up after three minutes, with pauses that grow and differ", async () => {
  const { sandbox, reportTarget } = await start();
  await using _ = sandbox;
  const pauses: number[] = [];
  const draft = (text: string | undefined) => {
    sandbox.github.writeFile("other.txt", String(pauses.length));
    return extend(text);
  };
  const sleep = async (ms: number) => {
    pauses.push(ms);
  };
  await assert.rejects(commitReport(reportTarget, memory, draft, { sleep }), ReportRefused);
  const slept = pauses.reduce((sum, ms) => sum + ms, 0);
  assert.ok(slept > 175_000 && slept <= 180_000, String(slept));
  assert.ok(pauses.every((ms, index) => ms <= Math.min(3000 * 2 ** index, 20_000)));
  assert.equal(new Set(pauses).size, pauses.length);
});

test("twenty commits at once all get in, and none undoes another", async () => {
  const { sandbox, reportTarget } = await start();
  await using _ = sandbox;
  const path = "reports/organisations.json";
  const names = Array.from({ length: 20 }, (_, index) => `organisation-${index}`);
  const commitOne = (name: string) =>
    commitReport(
      reportTarget,
      `reports/${name}/history.json`,
      async (_, { read }) => {
        const all = `${(await read(path)) ?? ""}${name}\n`;
        return { headline: `Rollcall: ${name}`, files: [{ path, text: all }] };
      },
      // As long as it says, a thousand times faster.
      { sleep: (ms) => delay(ms / 1000) },
    );
  await Promise.all(names.map(commitOne));
  assert.equal(sandbox.github.commits.length, 20);
  assert.deepEqual((sandbox.github.files().get(path) ?? "").trim().split("\n").sort(), [...names].sort());
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
  "To let it in, set REPORT_BRANCH to a branch without protection, or let a GitHub App that may bypass it write the report";
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
  await assert.rejects(
    commit(extend),
    /^ReportRefused: the report was not committed to nowhere: there is no branch nowhere\. What was changed in Webex is as this run reports it$/,
  );
});

test("an answer without a commit and without an error is no success", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: graphql, status: 200, body: { data: { createCommitOnBranch: null } }, times: 99 });
  await assert.rejects(commit(extend), /GitHub's answer holds no commit/);
});

test("a memory that cannot be read is no empty memory", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: "GET /repos/{owner}/{repo}/contents/{path}", status: 403, times: 99 });
  await assert.rejects(commit(extend), ReportRefused);
  assert.deepEqual(sandbox.github.commits, []);
});

const html = { headers: { "content-type": "text/html" }, body: "<html>" };
const graphqlError = (type: string | undefined, message: string) => ({
  status: 200,
  body: { data: { createCommitOnBranch: null }, errors: [{ ...(type && { type }), message }] },
});

const passing: readonly [fact: string, fault: Omit<Fault, "route">][] = [
  ["a 401", { status: 401 }],
  ["a 403", { status: 403 }],
  ["a 403 that asks to wait", { status: 403, headers: { "retry-after": "2" } }],
  ["a 404", { status: 404 }],
  ["a 409", { status: 409 }],
  ["a 429 for an hour", { status: 429, headers: { "retry-after": "3600" } }],
  ["a 502", { status: 502 }],
  ["a lost answer", { dropAfter: true }],
  ["a page of HTML with a 200", { status: 200, ...html }],
  ["an empty 200", { status: 200, body: undefined }],
  ["a 204", { status: 204, body: undefined }],
  ["a redirect", { status: 302, headers: { location: "http://localhost:9/" }, body: undefined }],
];
for (const route of [
  graphql,
  "GET /repos/{owner}/{repo}/git/ref/{ref}",
  "GET /repos/{owner}/{repo}/contents/{path}",
]) {
  for (const [fact, fault] of passing) {
    test(`${fact} to ${route} does not lose the report`, async () => {
      const { sandbox, commit } = await start({ files: { [memory]: "first\n" } });
      await using _ = sandbox;
      sandbox.fault({ route, ...fault });
      await commit((text) => (text?.includes("line") ? null : extend(text)));
      assert.equal(sandbox.github.files().get(memory), "first\nline\n");
      assert.equal(sandbox.github.commits.length, 1);
    });
  }
}

for (const [type, message] of [
  ["RATE_LIMITED", "API rate limit exceeded"],
  ["SERVICE_UNAVAILABLE", "Try again later"],
  ["FORBIDDEN", "Resource not accessible by integration"],
  [undefined, "Something went wrong while executing your query."],
] as const) {
  test(`an error of GraphQL that is not about the request is repeated (${type ?? "without a type"})`, async () => {
    const { sandbox, commit } = await start();
    await using _ = sandbox;
    sandbox.fault({ route: graphql, ...graphqlError(type, message) });
    assert.ok(await commit(extend));
    assert.equal(sandbox.github.commits.length, 1);
  });
}

test("what GitHub refuses with a reason is told in its words, without a guess; without one the permission is named", async () => {
  const refuse = async (message: string) => {
    const { sandbox, commit } = await start();
    await using _ = sandbox;
    const body = { message, documentation_url: "https://docs.github.com/saml" };
    sandbox.fault({ route: graphql, status: 403, body, times: 99 });
    return await commit(extend).then(
      () => "",
      (error: Error) => error.message,
    );
  };
  const reason = "Resource protected by organization SAML enforcement.";
  assert.equal(
    await refuse(reason),
    `the report was not committed to main: ${reason} - https://docs.github.com/saml. What was changed in Webex is as this run reports it`,
  );
  assert.match(
    await refuse("Resource not accessible by integration"),
    /What was changed .*\. Let the workflow's token write to that branch \(permissions: contents: write\)$/,
  );
});

test("a draft that fails of itself is not asked again", async () => {
  const { sandbox, commit } = await start();
  await using _ = sandbox;
  let drafts = 0;
  const broken = commit(() => {
    drafts += 1;
    throw new Error("no template");
  });
  await assert.rejects(broken, /no template/);
  assert.equal(drafts, 1);
});

test("not found is not empty: a file that the commit lists is read again, and one it does not list is missing", async () => {
  const path = "reports/runs/a b.json";
  const { sandbox, commit } = await start({ files: { [memory]: "{}", [path]: "known", folder: "a file" } });
  await using _ = sandbox;
  const contents = "GET /repos/{owner}/{repo}/contents/{path}";
  const read = (file: string) => {
    let found: string | undefined;
    const draft: Parameters<typeof commit>[0] = async (_, at) => {
      found = await at.read(file);
      return null;
    };
    return commit(draft).then(() => found);
  };
  const match = ({ parameters }: ApiRequest) => parameters.get("path") === path;
  sandbox.fault({ route: contents, status: 404, match });
  assert.equal(await read(path), "known");
  for (const absent of ["reports/none.md", "none/at/all.md", "folder/inside.md"])
    assert.equal(await read(absent), undefined);
  sandbox.fault({ route: contents, status: 404, match, times: 99 });
  await assert.rejects(
    read(path),
    /GitHub does not find reports\/runs\/a b\.json, although its commit has it/,
  );
});

async function check(env: Readonly<Record<string, string>>, branches = ["main", "reports/all"]) {
  const sandbox = await startSandbox(empty, { github: { branches } });
  await using _ = sandbox;
  const { reportTarget } = readConfig(sandbox.githubEnvironment(env));
  assert.ok(reportTarget.kind === "branch");
  return (await checkReportBranch(reportTarget, async () => {})).branch;
}

test("the report goes to the branch that is named, in either spelling, else to the run's, else to the default one", async () => {
  assert.equal(await check({ REPORT_BRANCH: "reports/all" }), "reports/all");
  assert.equal(await check({ REPORT_BRANCH: "refs/heads/reports/all" }), "reports/all");
  assert.equal(await check({ GITHUB_REF_NAME: "reports/all" }), "reports/all");
  assert.equal(await check({ GITHUB_REF_NAME: "v1.0" }), "main");
  assert.equal(await check({ GITHUB_REF_NAME: "7/merge" }), "main");
  assert.equal(await check({ GITHUB_REF_NAME: "reports/all", GITHUB_REF_TYPE: "tag" }), "main");
});

test("a branch that is named and not there is refused before anything is changed", async () => {
  await assert.rejects(
    check({ REPORT_BRANCH: "refs/heads/nowhere" }),
    /^Error: there is no branch nowhere in acme\/spaces: make it, or set REPORT_BRANCH to another$/,
  );
});

test("a branch that is not found at one look only is there", async () => {
  const sandbox = await startSandbox(empty, { github: { branches: ["main"] } });
  await using _ = sandbox;
  sandbox.fault({ route: "GET /repos/{owner}/{repo}/git/ref/{ref}", status: 404 });
  const { reportTarget } = readConfig(sandbox.githubEnvironment({ REPORT_BRANCH: "main" }));
  assert.ok(reportTarget.kind === "branch");
  assert.equal((await checkReportBranch(reportTarget, async () => {})).branch, "main");
});
