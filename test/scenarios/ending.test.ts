import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { killAt } from "../support/kill-at.ts";
import { crowd, organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const acme = organisation({ groups: { eng: ["ann", "bob"] }, rooms: { NOC: ["old"] } });
const secrets = "/repos/{owner}/{repo}/actions/secrets";

interface Hang {
  readonly fact: string;
  readonly route: string;
  readonly count?: number;
  readonly code: number;
  readonly commits: number;
  /** In the step's summary. */
  readonly summary: RegExp;
}

const hangs: readonly Hang[] = [
  {
    fact: "the place of the token is looked at",
    route: `GET ${secrets}/public-key`,
    code: 1,
    commits: 0,
    summary: /given up 3 s after the run was stopped/,
  },
  {
    fact: "the token is refreshed",
    route: "POST /access_token",
    code: 1,
    commits: 0,
    summary: /changed nothing/,
  },
  {
    fact: "the new token is stored",
    route: `PUT ${secrets}/{secret_name}`,
    count: 2,
    code: 1,
    commits: 0,
    summary: /gh api .*-X PUT .*encrypted_value=/,
  },
  { fact: "Webex is read", route: "GET /memberships", code: 1, commits: 1, summary: /changed nothing/ },
  {
    fact: "a space is changed",
    route: "POST /memberships",
    count: 2,
    code: 3,
    commits: 1,
    summary: /^\+ Ann /m,
  },
  { fact: "the report is committed", route: "POST /graphql", code: 3, commits: 0, summary: /^\+ Ann /m },
  {
    fact: "the report's branch is read",
    route: "GET /repos/{owner}/{repo}/git/ref/{ref}",
    count: 2,
    code: 3,
    commits: 0,
    summary: /^\+ Ann /m,
  },
];

describe("a signal ends a run within nine seconds", { concurrency: 2 }, () => {
  for (const { fact, route, count = 1, code, commits, summary } of hangs) {
    test(`with a request hanging while ${fact}: what is known is told`, async () => {
      await using story = await startStory(acme, ["eng,NOC"]);
      const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
      const onStart = killAt(story.sandbox, { route, count, signals, hang: true });
      const ending = await story.run(["sync"], { onStart });
      assert.equal(ending.code, code, ending.stderr);
      assert.equal(ending.commits, commits);
      assert.match(ending.summary, summary);
      assert.equal(ending.record.status, code === 1 ? "failed" : "partial");
      assert.equal(ending.outputs.status, ending.record.status);
      assert.match(ending.stderr, /^SIGINT: nothing new begins/m);
      // Only the first of several signals is told.
      assert.doesNotMatch(ending.stderr, /^SIG(TERM|HUP)/m);
    });
  }

  for (const signal of ["SIGHUP", "SIGTERM"] as const) {
    test(`${signal} while changing: the next run goes on`, async () => {
      await using story = await startStory(
        organisation({ groups: { eng: crowd(100) }, rooms: { NOC: [] } }),
        ["eng,NOC"],
      );
      const { sandbox } = story;
      const onStart = killAt(sandbox, { route: "POST /memberships", signals: [signal], delayMs: 1500 });
      const stopped = await story.run(["sync"], { onStart, local: true });
      const { added } = stopped.record.totals;
      assert.deepEqual([stopped.code, added < 100, added], [3, true, stopped.writes.length]);
      const next = await story.run(["sync"], { local: true });
      assert.deepEqual([next.code, next.record.totals.added], [0, 100 - added]);
    });
  }
});

test("a run ends by itself when its time is over, and says what it did not begin", async () => {
  await using story = await startStory(organisation({ groups: { eng: crowd(400) }, rooms: { NOC: [] } }), [
    "eng,NOC",
  ]);
  story.sandbox.fault({ route: "POST /memberships", delayMs: 1500, times: Number.POSITIVE_INFINITY });
  const ending = await story.run(["sync", "--max-minutes", "0.2"]);
  assert.deepEqual([ending.code, ending.record.status, ending.commits], [3, "partial", 1]);
  assert.match(ending.stderr, /^the run's time is over \(0\.2 minutes, --max-minutes\)/m);
  assert.equal(ending.record.totals.added, ending.writes.length);
  assert.match(
    ending.record.problems[0]?.message ?? "",
    /^\d+ changes in space "NOC" were not made because the run was stopped/,
  );
});

test("nobody reading stdout or stderr changes nothing", async () => {
  await using story = await startStory(acme, ["eng,NOC"]);
  const ending = await story.run(["sync", "--verbose"], {
    onStart: (_, child) => {
      child?.stdout.destroy();
      child?.stderr.destroy();
    },
  });
  assert.deepEqual([ending.code, ending.record.status, ending.commits], [0, "changed", 1]);
  assert.deepEqual([ending.stdout, ending.stderr], ["", ""]);
  assert.match(ending.summary, /^\+ Ann /m);
});

describe("each change is logged when it is made", { concurrency: 2 }, () => {
  const lines = [
    'added "Ann <ann@acme.example>" to "NOC"',
    'added "Bob <bob@acme.example>" to "NOC"',
    'removed "Old <old@acme.example>" from "NOC"',
  ];

  test("on a runner in a folded group, that is there also when the process is killed", async () => {
    await using story = await startStory(acme, ["eng,NOC"]);
    const env = { GITHUB_ACTIONS: "true" };
    const ending = await story.run(["sync"], { env });
    const [, group] =
      /^::group::Changes, as they were made\n([\s\S]*?)\n::endgroup::$/m.exec(ending.stdout) ?? [];
    assert.deepEqual(group?.split("\n"), lines);

    story.sandbox.addToRoom("NOC", "old");
    story.sandbox.removeFromRoom("NOC", "bob");
    const { sandbox, folder } = story;
    const route = "GET /memberships";
    let isKilled = false;
    const killed = await folder.run(["sync"], sandbox.githubEnvironment(env), (kill) => {
      // The second look, after the addition.
      sandbox.fault({
        route,
        match: () => sandbox.members("NOC").includes("bob"),
        changeBefore: () => {
          isKilled = true;
          kill("SIGKILL");
        },
        hang: true,
      });
    });
    assert.ok(isKilled);
    assert.equal(killed.code, null);
    assert.ok(killed.stdout.includes(`${lines[1]}\n`), killed.stdout);
  });

  test("elsewhere for those who ask for more, with the requests and the token's life", async () => {
    await using story = await startStory(acme, ["eng,NOC"]);
    const told = /^added |requests to Webex|refresh token lives/m;
    const ending = await story.run(["sync", "--verbose"], { local: true });
    for (const line of lines) assert.ok(ending.stderr.includes(line), line);
    assert.match(ending.stderr, /^\d+ requests to Webex$/m);
    assert.match(ending.stderr, /^Webex login valid until \d{4}-\d\d-\d\d/m);
    story.sandbox.addToRoom("NOC", "old");
    const quiet = await story.run(["sync"], { local: true });
    assert.equal(quiet.writes.length, 1);
    assert.doesNotMatch(quiet.stderr, told);
  });
});
