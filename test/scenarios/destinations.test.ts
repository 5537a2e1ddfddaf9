import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { type Story, startStory } from "../support/story.ts";

const acme = organisation({ groups: { eng: ["ann", "new"] }, rooms: { NOC: ["ann", "old"] } });

interface Place {
  readonly fact: string;
  readonly args: readonly string[];
  readonly said: RegExp;
  readonly local?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  prepare?(story: Story): Promise<unknown>;
}

const folderInPlace =
  (path: string) =>
  async ({ folder }: Story) =>
    await mkdir(join(folder.path, path), { recursive: true });

const fileInPlace =
  (path: string) =>
  async ({ folder }: Story) =>
    await folder.write(path, "");

const places: readonly Place[] = [
  {
    fact: "the record's file is a folder",
    args: ["sync", "--json", "out"],
    prepare: folderInPlace("out"),
    said: /out cannot be written: it is a folder/,
  },
  {
    fact: "the record's folder is a file",
    args: ["sync", "--json", "mappings/rooms.csv/record.json"],
    said: /mappings\/rooms\.csv/,
  },
  {
    fact: "the record's file is a device",
    args: ["sync", "--json", "/dev/null"],
    said: /\/dev\/null cannot be written: it is not a file/,
  },
  {
    fact: "a plan's Markdown has no place",
    args: ["plan", "--markdown", "out"],
    prepare: folderInPlace("out"),
    said: /out cannot be written: it is a folder/,
  },
  {
    fact: "the reports folder is a file",
    args: ["sync", "--reports", "out"],
    prepare: fileInPlace("out"),
    local: true,
    said: /out/,
  },
  {
    fact: "a page of the reports is a folder",
    args: ["sync"],
    prepare: folderInPlace("reports/README.md"),
    local: true,
    said: /reports\/README\.md cannot be written: it is a folder/,
  },
  {
    fact: "the folder of the runs' pages is a file",
    args: ["sync"],
    prepare: fileInPlace("reports/runs"),
    local: true,
    said: /reports\/runs/,
  },
  {
    fact: "the branch does not exist",
    args: ["sync"],
    env: { REPORT_BRANCH: "nowhere" },
    said: /there is no branch nowhere in acme\/spaces/,
  },
];

describe("where the record goes is proved before anything is touched", { concurrency: 2 }, () => {
  for (const { fact, args, said, local = false, env = {}, prepare } of places) {
    test(`${fact}: exit 1, and the token is not refreshed`, async () => {
      await using story = await startStory(acme, ["eng,NOC"]);
      const { sandbox, folder } = story;
      await prepare?.(story);
      await Promise.all([folder.write(".outputs", ""), folder.write(".summary.md", "")]);
      const files = { GITHUB_OUTPUT: ".outputs", GITHUB_STEP_SUMMARY: ".summary.md" };
      const given = local
        ? sandbox.environment({ WEBEX_TOKEN_FILE: "token", ...files })
        : sandbox.githubEnvironment({ ...files, ...env });
      const { code, stderr } = await folder.run(args, given);
      assert.equal(code, 1, stderr);
      assert.match(stderr, said);
      assert.match(await folder.read(".outputs"), /^status<<.*\nfailed\n/m);
      assert.match(await folder.read(".summary.md"), /changed nothing/);
      assert.deepEqual(
        // The issue that says what to fix is all that may be written.
        sandbox.requests.filter(
          ({ half, method, path }) => half === "webex" || (method !== "GET" && !path.endsWith("/issues")),
        ),
        [],
      );
      assert.match(await folder.read("mappings/rooms.csv"), /^group,room\neng,NOC\n$/);
    });
  }

  for (const [option, file] of [
    ["--json", "./mappings/rooms.csv"],
    ["--json", "mappings/delegations.csv"],
    ["--markdown", "mappings/rooms.csv"],
  ] as const) {
    test(`${option} ${file} would be written over an input, so the run does not begin`, async () => {
      await using story = await startStory(acme, ["eng,NOC"]);
      const { sandbox, folder } = story;
      const env = sandbox.environment({ WEBEX_TOKEN_FILE: join(folder.path, "token") });
      await folder.write("token", sandbox.currentRefreshToken);
      const { code, stderr } = await folder.run(["plan", option, file], env);
      assert.equal(code, 1);
      assert.match(stderr, /is an input of this run, so nothing is written to it/);
      assert.equal(await folder.read("token"), sandbox.currentRefreshToken);
      assert.equal(await folder.read("mappings/rooms.csv"), "group,room\neng,NOC\n");
      assert.deepEqual(sandbox.requests, []);
    });
  }

  test("refs/heads/… names a branch, and what is missing on the way to a file is made", async () => {
    await using story = await startStory(acme, ["eng,NOC"], { github: { branches: ["main", "pages/all"] } });
    const { sandbox, folder } = story;
    const env = sandbox.githubEnvironment({ REPORT_BRANCH: "refs/heads/pages/all" });
    const { code } = await folder.run(["sync", "--json", "out/deep/record.json"], env);
    assert.equal(code, 0);
    assert.deepEqual(await readdir(join(folder.path, "out/deep")), ["record.json"]);
    assert.deepEqual(
      sandbox.github.commits.map(({ branch }) => branch),
      ["pages/all"],
    );
  });

  test("a run on a tag reports to the default branch", async () => {
    await using story = await startStory(acme, ["eng,NOC"]);
    const env = { GITHUB_REF_NAME: "v1.0.0", GITHUB_REF_TYPE: "tag" };
    const ending = await story.run(["sync"], { env });
    assert.deepEqual([ending.code, ending.commits], [0, 1]);
    assert.equal(story.sandbox.github.commits[0]?.branch, "main");
  });
});
