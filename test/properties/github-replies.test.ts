import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Sandbox } from "../../sandbox/server.ts";
import { startSandbox } from "../../sandbox/server.ts";
import type { RepositoryAccess } from "../../src/config/actions.ts";
import { type Config, readConfig } from "../../src/config/settings.ts";
import { readApprovalComment } from "../../src/github/approval-comment.ts";
import { listArtifacts } from "../../src/github/artifacts.ts";
import { readRunBranch } from "../../src/github/branch-files.ts";
import { createGithubClient, readViewer, statusOf } from "../../src/github/client.ts";
import { checkReportBranch, commitReport } from "../../src/github/commit.ts";
import { listChangedFiles, readHeadFile, readPullRequest } from "../../src/github/pull-request.ts";
import { findForeignOrigin } from "../../src/github/record-origin.ts";
import { createRepositoryReader } from "../../src/github/repository.ts";
import { createRepositorySetup } from "../../src/github/repository-setup.ts";
import { createSecretStore } from "../../src/github/secret-store.ts";
import { writeStickyComment } from "../../src/github/sticky-comment.ts";
import { keepTrackingIssue } from "../../src/github/tracking-issue.ts";
import { keepScheduleEnabled, readRun } from "../../src/github/workflows.ts";
import { cases, check } from "./check.ts";
import { assertNoCrash, type Change, changeReply, changes } from "./hostile-replies.ts";

const acme = { name: "acme", people: [], groups: [], rooms: [] };
const memory = "reports/history.json";
const marker = "<!-- mine -->";
const environment = "webex";
const noSleep = async () => undefined;

let sandbox: Sandbox;
let access: RepositoryAccess;
let store: Extract<Config["tokenStore"], { readonly kind: "secret" }>;
let pull = 0;

let made = 0;
/** Another number each time: what is written anew is never the same. */
const next = () => {
  made += 1;
  return made;
};
let approval = { issueNumber: 0, commentId: 0, posted: "/approve" };

before(async () => {
  const files = { [memory]: "{}\n", "mappings/rooms.csv": "group,room\n" };
  sandbox = await startSandbox(acme, { github: { files, environments: [environment], private: false } });
  const { reportTarget, tokenStore } = readConfig(
    sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: environment }),
  );
  assert.ok(reportTarget.kind === "branch" && tokenStore.kind === "secret");
  access = reportTarget;
  store = tokenStore;
  const { github } = sandbox;
  pull = github.pulls.open({ files: { "mappings/rooms.csv": "group,room\na,b\n" } });
  const issue = github.issues.open("github-actions[bot]", "Rollcall", `${marker}\nold`);
  const comment = github.issues.comment(issue.number, "octo-admin", "/approve");
  approval = { issueNumber: issue.number, commentId: comment.id, posted: comment.body };
  github.uploadArtifact({
    name: "owed",
    file: "owed.json",
    text: "{}",
    runId: store.run?.id.toString() ?? "1",
  });
});
after(() => sandbox[Symbol.asyncDispose]());

const client = () => createGithubClient(access.repository.apiUrl, access.token, noSleep);

/** What a run asks GitHub, and the words by which a refusal tells what was asked. */
const calls: readonly (readonly [name: string, call: () => Promise<unknown>, about: RegExp])[] = [
  ["whose token it is", () => readViewer(client(), access.repository), /GraphQL|graphql/],
  ["a pull request", () => readPullRequest(client(), access.repository, pull), /pull request \d/],
  [
    "the files of a pull request",
    () => listChangedFiles(client(), access.repository, pull),
    /pull request \d/,
  ],
  [
    "a file of a pull request",
    async () => {
      const head = { number: pull, headSha: sandbox.github.head("change-1").oid, headRepository: null };
      const found = { ...head, defaultBranch: "main" };
      return await readHeadFile(client(), access.repository, found, "mappings/rooms.csv");
    },
    /mappings\/rooms\.csv|\/repos\//,
  ],
  [
    "the comment on a pull request",
    () => writeStickyComment(access, { number: pull, marker, body: marker, isSame: () => false }),
    /the comment on pull request \d/,
  ],
  [
    "the tracking issue",
    () => keepTrackingIssue(access, marker, { kind: "open", title: "x", body: marker, isSame: () => false }),
    /\/repos\/|GraphQL/,
  ],
  ["an approval", () => readApprovalComment(access, approval, null), /\/repos\/|GraphQL/],
  ["artifacts", () => listArtifacts(access, "owed", "main"), /\/repos\//],
  [
    "the files of a branch",
    async () => {
      const branch = await readRunBranch(access, { name: null, isBranch: null });
      await branch.list("mappings");
      await branch.findBlob("mappings/rooms.csv");
      return await branch.read("mappings/rooms.csv");
    },
    /\/repos\/|main|mappings|files of acme\/spaces/,
  ],
  [
    "the report's branch",
    () => checkReportBranch({ ...access, branch: "gone", isNamed: false }, noSleep),
    /branch/,
  ],
  [
    "a report that is committed",
    () => {
      const files = [{ path: memory, text: `${next()}\n` }];
      const draft = () => ({ headline: "Rollcall: 1 added", files });
      return commitReport({ ...access, branch: "main", isNamed: true }, memory, draft, { sleep: noSleep });
    },
    /the report was not committed to main/,
  ],
  [
    "a token that is stored",
    async () => {
      const secret = createSecretStore({ ...store, now: () => new Date(), sleep: noSleep });
      await secret.dateCopy();
      await secret.prove();
      const saved = await secret.save(`token ${next()}`);
      if (!saved.stored) throw new Error(saved.reason);
    },
    /secret|\/repos\//,
  ],
  [
    "the origin of a record",
    () => findForeignOrigin(access, { path: memory, branch: "main", bytes: Buffer.from("{}\n") }),
    /\/repos\/|main|GraphQL/,
  ],
  ["a run", () => readRun(client(), access.repository, store.run?.id ?? 1), /\/repos\//],
  ["the schedule", () => keepScheduleEnabled(access, "sync.yml"), /\/repos\//],
  ...(
    [
      ["the repository", (reader) => reader.readRepository()],
      ["an environment", (reader) => reader.readEnvironment(environment)],
      ["the state of a workflow", (reader) => reader.readWorkflowState("sync.yml")],
      ["the rules of a branch", (reader) => reader.readRules("main")],
      ["a text file", (reader) => reader.readText("mappings/rooms.csv", "main")],
      ["a proof that contents can be written", (reader) => reader.proveContentsWritable()],
    ] satisfies [string, (reader: ReturnType<typeof createRepositoryReader>) => Promise<unknown>][]
  ).map(
    ([name, ask]) =>
      [
        name,
        () => ask(createRepositoryReader(access.repository, access.token)),
        /\/repos\/|mappings\/rooms\.csv/,
      ] as const,
  ),
  ...(
    [
      ["the limits of an environment", (setup) => setup.limitEnvironment(`new-${next()}`, "main")],
      ["variables", (setup) => setup.readVariables(environment)],
      ["secrets", (setup) => setup.listSecrets(environment)],
      ["a secret that is set", (setup) => setup.setSecret(environment, "NAME", "value")],
      ["a branch that is made", (setup) => setup.makeBranch("main", "main")],
      ["an open pull request", (setup) => setup.findPull("change-1")],
    ] satisfies [string, (setup: ReturnType<typeof createRepositorySetup>) => Promise<unknown>][]
  ).map(
    ([name, ask]) =>
      [
        name,
        () => ask(createRepositorySetup({ repository: access.repository, token: store.secretsToken })),
        /\/repos\/|secret|branch/,
      ] as const,
  ),
];

function assertTold(error: unknown, about: RegExp): void {
  assertNoCrash(error);
  // A refusal is in GitHub's own words, and the command that asked says what for.
  if (statusOf(error) === null) assert.match(error.message, about);
}

function isUnpolluted(): boolean {
  return Reflect.get({}, "isAdmin") === undefined;
}

let current: Change | null = null;
let asked = 0;
let wanted = -1;

test("each call of GitHub's API ends, and tells what was asked where the reply is not as documented", async (t) => {
  sandbox.fault({
    times: Number.POSITIVE_INFINITY,
    match: (request) => {
      if (current === null || !/\/repos\/|graphql/.test(request.url.pathname)) return false;
      asked += 1;
      return asked - 1 === wanted;
    },
    edit: (body) => (current === null ? body : changeReply(body, current)),
  });
  for (const [name, call, about] of calls) {
    await t.test(name, async () => {
      const first = sandbox.requests.length;
      await call();
      const count = sandbox.requests.length - first;
      assert.ok(count > 0);
      await check(
        [changes],
        async (change) => {
          [current, asked, wanted] = [change, 0, change.request % count];
          try {
            await call().catch((error: unknown) => assertTold(error, about));
          } finally {
            current = null;
          }
          assert.ok(isUnpolluted());
        },
        Math.ceil(cases / 4),
      );
    });
  }
});
