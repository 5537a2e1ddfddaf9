import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { type RunOptions, startStory } from "../support/story.ts";

// One room that would change, one with a held removal, and a row that names nothing.
function startMixedStory() {
  return startStory(
    organisation({
      groups: { eng: ["ann", "new"], nobody: [] },
      rooms: { NOC: ["ann", "old"], Orphaned: ["eve"] },
    }),
    ["eng,NOC", "nobody,Orphaned", "eng,Nowhere"],
  );
}

const planned = {
  NOC: { members: "3 → 3", added: ["New"], removed: ["Old"], kept: ["Rollcall: self"] },
  Orphaned: { members: "2 → 2", held: ["Eve: empty-group"], kept: ["Rollcall: self"] },
};

describe("a plan changes nothing and tells what sync would do", { concurrency: 2 }, () => {
  const runs: readonly { readonly args: readonly string[]; readonly options: RunOptions }[] = [
    { args: ["sync", "--dry-run"], options: {} },
    { args: ["plan"], options: { local: true } },
  ];
  for (const { args, options } of runs) {
    test(`sample fault 16: ${args.join(" ")} makes no membership write, no report and no commit, and exits 0`, async () => {
      await using story = await startMixedStory();
      const ending = await story.run(args, options);
      assert.deepEqual(ending.rooms, planned);
      assert.deepEqual([ending.code, ending.writes, ending.commits], [0, [], 0]);
      const { status, digest, totals, command, problems } = ending.record;
      assert.deepEqual([command, status], ["plan", "partial"]);
      assert.deepEqual(totals, { rooms: 2, added: 1, removed: 1, held: 1, failed: 0, kept: 2 });
      assert.deepEqual(
        problems.map(({ line, column }) => [line, column]),
        [[4, "room"]],
      );
      assert.match(digest ?? "", /^[0-9a-f]{12}$/);
      await assert.rejects(access(join(story.folder.path, "reports")), { code: "ENOENT" });

      if (options.local) return;
      const done = await story.run(["sync"], options);
      assert.deepEqual(done.rooms, planned);
      assert.deepEqual([done.code, done.record.status, done.record.digest], [3, status, digest]);
      assert.deepEqual(done.writes, ["add new to NOC: 200", "remove old from NOC: 204"]);
    });
  }

  test("a plan on GitHub tells its outputs and the step's summary what sync would do", async () => {
    await using story = await startMixedStory();
    const ending = await story.run(["plan", "--markdown", "out/plan.md"]);
    const { report: _, ...outputs } = ending.outputs;
    const digest = ending.record.digest ?? "";
    assert.deepEqual(outputs, {
      status: "partial",
      added: "1",
      removed: "1",
      held: "1",
      failed: "0",
      digest,
    });
    assert.equal(await story.folder.read("out/plan.md"), ending.summary);
    for (const said of [
      "# Rollcall plan",
      "+1 −1 in 1 space; 1 removal would wait for approval",
      digest,
      "What would change",
    ]) {
      assert.ok(ending.summary.includes(said), `${said} in ${ending.summary}`);
    }
    assert.deepEqual([ending.code, ending.writes, ending.commits], [0, [], 0]);
  });

  test("a plan that cannot be made exits 1", async () => {
    await using story = await startMixedStory();
    story.sandbox.fault({ route: "GET /people/me", status: 403 });
    const ending = await story.run(["plan"], { local: true });
    assert.deepEqual([ending.code, ending.record.status, ending.record.rooms], [1, "failed", []]);
    assert.match(ending.stderr, /\[GET\] \/people\/me: 403: Forbidden/);
  });
});
