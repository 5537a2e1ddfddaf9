import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const local = { local: true };
const kept = ["Rollcall: self"];
const surplus = ["old", "older", "oldest", "ancient"];

function startHeldStory() {
  return startStory(
    organisation({
      groups: { eng: ["ann"], nobody: [] },
      rooms: { NOC: ["ann", ...surplus], Orphaned: ["eve"] },
    }),
    ["eng,NOC", "nobody,Orphaned"],
  );
}

describe("held removals wait for the digest that names them", { concurrency: 2 }, () => {
  test("the digest applies exactly what is held, once; another one applies nothing and names the right one", async () => {
    await using story = await startHeldStory();
    const wrong = await story.run(["sync", "--approve", "0123456789ab"], local);
    const digest = wrong.record.digest ?? "";
    assert.deepEqual([wrong.code, wrong.record.status, wrong.writes], [2, "held", []]);
    assert.deepEqual(wrong.record.notices, [
      `the approval names 0123456789ab, but what is held now has the digest ${digest}; look at it again and approve that`,
    ]);
    assert.ok(wrong.stdout.includes(wrong.record.notices[0] ?? "-"));

    const approved = await story.run(["sync", "--approve", digest], local);
    assert.deepEqual(approved.rooms, {
      NOC: { members: "6 → 2", removed: ["Ancient", "Old", "Older", "Oldest"], kept },
      Orphaned: { members: "2 → 1", removed: ["Eve"], kept },
    });
    assert.deepEqual([approved.code, approved.record.status, approved.record.digest], [0, "changed", null]);

    const late = await story.run(["sync", "--approve", digest], local);
    assert.deepEqual([late.code, late.record.status, late.writes], [0, "converged", []]);
    assert.deepEqual(late.record.notices, [
      `nothing is held, so the approval of ${digest} had nothing to apply`,
    ]);
  });

  test("an approval of what has changed since applies nothing that is held, but everything else", async () => {
    await using story = await startHeldStory();
    const planned = await story.run(["sync", "--dry-run"], local);
    story.sandbox.setGroup("eng", ["ann", "eve"]);
    story.sandbox.addToRoom("Orphaned", "ann");
    const ending = await story.run(["sync", "--approve", planned.record.digest ?? ""], local);
    assert.deepEqual([ending.code, ending.writes], [2, ["add eve to NOC: 200"]]);
    assert.notEqual(ending.record.digest, planned.record.digest);
    assert.ok(ending.stdout.includes(`--approve ${ending.record.digest}`));
  });

  test("a malformed digest is refused in one line before any request", async () => {
    await using story = await startHeldStory();
    for (const digest of ["0123456789xy", "0123456789abc"]) {
      const { code, stdout, stderr } = await story.folder.run(
        ["sync", "--approve", digest],
        story.sandbox.environment({ WEBEX_TOKEN_FILE: "token" }),
      );
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /^[^\n]*--approve[^\n]*malformed[^\n]*\n$/);
    }
    assert.deepEqual(story.sandbox.requests, []);
  });
});
