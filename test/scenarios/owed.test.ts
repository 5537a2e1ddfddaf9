import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { type Story, startStory } from "../support/story.ts";

function startSmallStory(): Promise<Story> {
  return startStory(organisation({ groups: { eng: ["ann", "new"] }, rooms: { NOC: ["ann", "old"] } }), [
    "eng,NOC",
  ]);
}

/** GitHub refuses the next commit for good. */
function refuseCommit({ sandbox }: Story): void {
  const errors = [{ type: "UNPROCESSABLE", message: "A rule of the day refuses this" }];
  sandbox.fault({ route: "POST /graphql", status: 200, body: { data: null, errors } });
}

const owed = (story: Story) => story.sandbox.github.artifacts.list("rollcall-owed");

describe("a report that could not be committed is owed", { concurrency: 2 }, () => {
  test("it is in the summary and the artifact, and the next sync commits it with its own", async () => {
    await using story = await startSmallStory();
    const { github } = story.sandbox;
    refuseCommit(story);
    const first = await story.run(["sync"]);
    assert.deepEqual([first.code, first.record.status, first.commits], [3, "partial", 0]);
    assert.match(first.summary, /^\+ New /m);
    assert.match(first.summary, /A rule of the day refuses this/);
    assert.match(first.summary, /kept in this run's summary and its artifact, and the next sync commits it/);
    assert.equal(owed(story).length, 1);

    const second = await story.run(["sync"]);
    assert.deepEqual([second.code, second.record.status, second.commits], [0, "converged", 1]);
    const page = `reports/runs/${first.record.startedAt.slice(0, 10)}-1001`;
    const files = github.files();
    assert.deepEqual(JSON.parse(files.get(`${page}.json`) ?? ""), first.record);
    assert.match(files.get(`${page}.md`) ?? "", /New/);
    assert.match(files.get("reports/README.md") ?? "", new RegExp(`runs/${page.split("/").at(-1)}\\.md`));
    assert.match(
      second.record.notices.join("\n"),
      /The report of run 1001 \(.*\) could not be committed then/,
    );
    assert.deepEqual(owed(story), []);

    const third = await story.run(["sync"]);
    assert.deepEqual([third.code, third.commits, third.record.notices], [0, 0, []]);
  });

  test("two runs in a row that could not commit are both told by the third, in their order", async () => {
    await using story = await startSmallStory();
    refuseCommit(story);
    const first = await story.run(["sync"]);
    story.sandbox.addToRoom("NOC", "old");
    // The tracking issue of the first run asks by GraphQL who it is; the commit comes before.
    refuseCommit(story);
    const second = await story.run(["sync"]);
    assert.deepEqual([first.code, second.code, second.commits], [3, 3, 0]);
    const third = await story.run(["sync"]);
    assert.equal(third.commits, 1);
    const records = [...story.sandbox.github.files()].filter(([path]) => /\/runs\/.*\.json$/.test(path));
    assert.deepEqual(
      records.map(([, text]) => JSON.parse(text)).map(({ status, totals }) => [status, totals.removed]),
      [
        ["partial", 1],
        ["partial", 1],
      ],
    );
    const { lastChange } = JSON.parse(story.sandbox.github.files().get("reports/history.json") ?? "{}");
    assert.equal(lastChange.at, second.record.startedAt);
  });

  test("two that did not know of each other are told in the order of their runs", async () => {
    await using story = await startSmallStory();
    refuseCommit(story);
    const first = await story.run(["sync"]);
    story.sandbox.addToRoom("NOC", "old");
    refuseCommit(story);
    story.sandbox.fault({ route: "GET /artifact-store/{artifact_id}", status: 403 });
    const second = await story.run(["sync"]);
    assert.deepEqual([first.code, second.code, owed(story).length], [3, 3, 2]);
    const third = await story.run(["sync"]);
    const told = third.record.notices.map((notice) => /^The report of run (\d+) /.exec(notice)?.[1]);
    assert.deepEqual([third.commits, told], [1, ["1001", "1002"]]);
    assert.deepEqual(owed(story), []);
  });

  test("an artifact of a fork, of another branch, or that is damaged is not believed", async () => {
    await using story = await startSmallStory();
    refuseCommit(story);
    const first = await story.run(["sync"]);
    const { github } = story.sandbox;
    const [own] = owed(story);
    assert.ok(own);
    github.artifacts.delete(own);
    const record = { ...first.record, startedAt: "2026-01-01T00:00:00Z" };
    const report = { kind: "membership", runId: "9", runUrl: null, record };
    const text = JSON.stringify({ version: 1, reports: [report] });
    const forged = { name: "rollcall-owed", file: "record.owed.json", text, runId: "9" };
    github.uploadArtifact({ ...forged, isForks: true });
    github.uploadArtifact({ ...forged, branch: "feature" });
    github.uploadArtifact({ ...forged, text: text.replace('"reports"', '"more"') });
    const second = await story.run(["sync"]);
    assert.equal(second.code, 0);
    assert.match(second.stderr, /the artifact of run 9 is not as Rollcall writes it/);
    assert.ok(![...github.files().keys()].some((path) => path.includes("2026-01-01")));
  });

  test("what cannot be looked for now is found by a later run", async () => {
    await using story = await startSmallStory();
    refuseCommit(story);
    await story.run(["sync"]);
    story.sandbox.fault({ route: "GET /artifact-store/{artifact_id}", status: 403 });
    const second = await story.run(["sync"]);
    assert.equal(second.code, 0);
    assert.match(second.stderr, /whether an earlier run owes its report could not be looked at/);
    assert.equal(owed(story).length, 1);
    const third = await story.run(["sync"]);
    assert.equal(third.commits, 1);
    assert.deepEqual(owed(story), []);
  });

  test("a token that may not delete artifacts commits it once all the same", async () => {
    await using story = await startSmallStory();
    refuseCommit(story);
    await story.run(["sync"]);
    const route = "DELETE /repos/{owner}/{repo}/actions/artifacts/{artifact_id}";
    story.sandbox.fault({ route, status: 403, times: Number.POSITIVE_INFINITY });
    assert.equal((await story.run(["sync"])).commits, 1);
    assert.equal(owed(story).length, 1);
    assert.equal((await story.run(["sync"])).commits, 0);
  });
});
