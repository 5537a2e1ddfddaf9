import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";
import { noTerminal, startInTerminal } from "../support/terminal.ts";

const titles = Array.from({ length: 40 }, (_, index) => `Space ${String(index).padStart(2, "0")}`);
const people = ["ann", "bob", "cat"];
const crowd = organisation({
  groups: { eng: people },
  rooms: Object.fromEntries(titles.map((title) => [title, ["eve"]])),
});
const rows = titles.map((title) => `eng,${title}`);

/** The lines behind the last folded group of a runner's log, without its own commands. */
function endOf(stdout: string): readonly string[] {
  const end = stdout.slice(stdout.lastIndexOf("::endgroup::") + "::endgroup::".length).trim();
  return end.split("\n").filter((line) => !line.startsWith("::"));
}

describe("a run of many changes", { concurrency: 2 }, () => {
  test("on a runner ends in fifteen lines, everybody is in a folded group, and each tenth has a line", async () => {
    await using story = await startStory(crowd, rows);
    const ending = await story.run(["sync"], { env: { GITHUB_ACTIONS: "true" } });
    assert.deepEqual([ending.code, ending.record.totals.added, ending.record.totals.removed], [0, 120, 40]);
    const groups = ending.stdout.match(/^::group::.*$/gm);
    assert.deepEqual(groups, ["::group::Changes, as they were made", "::group::All people of this run"]);
    const lines = endOf(ending.stdout);
    assert.ok(lines.length <= 15, lines.join("\n"));
    assert.match(lines.join("\n"), /^Space 00: \+3 \(Ann, Bob, Cat\) −1 \(Eve\)$/m);
    assert.equal(
      lines.at(-1),
      "changed: Every space is as declared: 120 people were added and 40 people were removed.",
    );
    const counted = ending.stderr.match(/^Made .* changes.*$/gm) ?? [];
    assert.deepEqual(
      [counted.length, counted[0], counted.at(-1)],
      [10, "Made 16 of 160 changes, 144 left", "Made 160 changes"],
    );
    assert.equal(ending.stderr.match(/^Read the members of .*spaces/gm)?.length, 10);
  });

  test("elsewhere names everybody only with --verbose; a plan too", async () => {
    await using story = await startStory(crowd, rows);
    const plan = await story.run(["plan"], { local: true });
    assert.ok(plan.stdout.trimEnd().split("\n").length <= 15, plan.stdout);
    assert.match(plan.stdout, /^--verbose names everybody\.$/m);
    const all = await story.run(["plan", "--verbose"], { local: true });
    assert.equal(all.stdout.match(/^ {2}\+ /gm)?.length, 120);
    assert.doesNotMatch(plan.stderr, /Webex login/);
    assert.match(all.stderr, /Webex login valid until/);
  });

  test("in a terminal shows one line that counts, and takes it away", { skip: noTerminal }, async () => {
    await using story = await startStory(crowd, rows, { latencyMs: 20 });
    const env = story.sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
    const terminal = startInTerminal(story.folder.path, ["sync"], env);
    assert.equal(await terminal.ended, 0);
    // A terminal that draws over its line has no line for each tenth.
    assert.match(terminal.text, /Made \d+ of 160 changes, \d+ left/);
    assert.doesNotMatch(terminal.text, /^Made 160 changes$/m);
    assert.match(terminal.text, /^changed: Every space is as declared: 120 people were added/m);
  });
});
