import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { loadContracts } from "../support/contract.ts";
import { playReach, type Station } from "../support/reach-story.ts";

const check = loadContracts();
const story = await playReach();

const endingOf = ({ code, record, writes }: Station) => [code, record?.status, writes];

function stateOf(overview: string): string[] {
  return overview
    .split("\n")
    .filter((line) => line.startsWith("| ["))
    .map((row) => row.split(" | ").slice(0, 4).join(" | "));
}

test("before it, three organisations are kept side by side", () => {
  const { acme, globex, hooli } = story.before;
  assert.deepEqual(endingOf(acme), [0, "changed", ["insert ada: ben"]]);
  assert.deepEqual(endingOf(globex), [0, "converged", []]);
  assert.deepEqual(endingOf(hooli), [2, "held", ["add lee to Sales: 200"]]);
  assert.deepEqual(stateOf(hooli.overview), [
    "| [hooli](hooli/README.md) | ✋ 4 held | 1 | 7",
    "| [acme](acme/README.md) | ✅ as declared | 2 | 8",
    "| [globex](globex/README.md) | ✅ as declared | 1 | 3",
  ]);
});

test("the pull request gets a comment for each organisation that it changes, with what it brings and until when", () => {
  assert.deepEqual(story.concerned, ["acme", "globex"]);
  for (const plan of story.plans) assert.deepEqual(endingOf(plan), [0, "changed", []]);
  const [acme = "", globex = "", ...others] = story.comments;
  assert.deepEqual(others, []);
  assert.match(
    acme,
    /^### ✅ Rollcall plan: \+1 −0 in 1 space; 1 space changes how it is managed; 1 delegation granted \(acme\)$/m,
  );
  assert.match(
    acme,
    /^@@ Incident 4711 ← On-call, ines@acme\.example \(lines 3, 4\) @@\n! now also fed by ines@acme\.example\n! until 2026-12-18: ines@acme\.example\n\+ Ines Weber \(ines@acme\.example\)$/m,
  );
  assert.match(
    acme,
    /^@@ meetings of ben@acme\.example @@\n\+ ines@acme\.example may schedule \(line 3 of delegations\.csv, until 2026-12-18\)$/m,
  );
  assert.match(globex, /^### ✅ Rollcall plan: \+1 −0 in 1 space; .* \(globex\)$/m);
  assert.match(globex, /^@@ Releases ← Engineering \(line 3\) @@\n! newly managed: .*\n\+ Gil Moreau /m);
  assert.doesNotMatch(acme, /Gil|Releases/);
  assert.doesNotMatch(globex, /Ines|Incident/);
});

test("the merge brings exactly what the comments said", () => {
  const { acme, globex, hooli } = story.merged;
  assert.deepEqual(endingOf(acme), [0, "changed", ["insert ben: ines", "add ines to Incident 4711: 200"]]);
  assert.deepEqual(endingOf(globex), [0, "changed", ["add gil to Releases: 200"]]);
  assert.deepEqual(endingOf(hooli), [2, "held", []]);
  assert.deepEqual(acme.incident, ["ada", "ben", "cleo", "ines", "rollcall"]);
  assert.deepEqual(acme.delegates, ["ines@acme.example"]);
  assert.match(acme.page, /may now schedule meetings for ben@acme\.example, until 2026-12-18/);
});

test("why says which row brings the person, since which run, and what they may schedule", () => {
  const { code, stdout, writes } = story.why;
  const [, run] = /\(runs\/2026-12-07-(\d+)\.md\)/.exec(story.merged.acme.page) ?? [];
  assert.deepEqual([code, writes], [0, []]);
  assert.match(
    stdout,
    new RegExp(
      `^ {2}Incident 4711: stays, because of line 4 \\(ines@acme\\.example\\); added by run ${run} of 2026-12-07$`,
      "m",
    ),
  );
  assert.match(
    stdout,
    /^ {2}may schedule for ben@acme\.example until 2026-12-18, kept by line 3 of delegations\.csv$/m,
  );
});

test("a week before the last day the report says so, and nothing changes", () => {
  const { warned } = story;
  assert.deepEqual(endingOf(warned), [0, "converged", []]);
  assert.match(
    warned.page,
    /line 4 of the mappings, "ines@acme\.example" in "Incident 4711", holds until 2026-12-18 \(7 days left\)/,
  );
  assert.match(
    warned.page,
    /ines@acme\.example may schedule meetings for ben@acme\.example until 2026-12-18 \(7 days left\)/,
  );
});

test("the day after, the grant is gone, the removal waits as the policy says, and the report asks to delete the row", () => {
  const { acme, globex, hooli } = story.ended;
  assert.deepEqual(endingOf(acme), [2, "held", ["delete ben: ines"]]);
  assert.deepEqual(acme.incident, ["ada", "ben", "cleo", "ines", "rollcall"], "nobody is removed unasked");
  assert.deepEqual(acme.delegates, []);
  assert.match(acme.page, /^## ✋ Needs you: 1 removal to approve \(acme\)$/m);
  assert.match(
    acme.page,
    /^- \*\*Incident 4711\*\*: Ines Weber\. 1 removal planned; the limit for this space is 0/m,
  );
  assert.match(
    acme.page,
    /ended on 2026-12-18 and brings nobody any more; delete the line: \[edit the file\]\(https:\/\/github\.com\/acme\/spaces\/edit\/main\/mappings\/acme\/rooms\.csv\)/,
  );
  assert.match(acme.page, /may no longer schedule meetings for ben@acme\.example: ended 2026-12-18/);
  // The row of the grant is Rollcall's to take out, and no other line of the file changes.
  assert.equal(story.grants, "host,delegate,until\nada@acme.example,ben@acme.example,\n");
  assert.deepEqual(
    [endingOf(globex), endingOf(hooli)],
    [
      [0, "converged", []],
      [2, "held", []],
    ],
  );
  assert.match(hooli.overview, /^⚠️ \*\*2 organisations need a person\.\*\*$/m);
  assert.deepEqual(stateOf(hooli.overview), [
    "| [acme](acme/README.md) | ✋ 1 held | 2 | 9",
    "| [hooli](hooli/README.md) | ✋ 4 held | 1 | 7",
    "| [globex](globex/README.md) | ✅ as declared | 2 | 6",
  ]);
});

test("why then says that the removal waits and which row has ended, and what to do when somebody leaves", () => {
  const { whyHeld, leaving } = story;
  assert.deepEqual([whyHeld.code, whyHeld.writes, leaving.code, leaving.writes], [0, [], 0, []]);
  assert.match(
    whyHeld.stdout,
    /^ {2}Incident 4711: the removal waits for approval \(Over the limit for this space\)/m,
  );
  assert.match(
    whyHeld.stdout,
    /^Rows that have ended\n {2}line 4 \(ines@acme\.example\) in Incident 4711: the last day was 2026-12-18$/m,
  );
  assert.doesNotMatch(whyHeld.stdout, /may schedule/);
  assert.match(
    leaving.stdout,
    /^Rows to delete\n {2}\[ \] rooms\.csv, line 4: ines@acme\.example in Incident 4711$/m,
  );
  assert.match(leaving.stdout, /^ {2}\[ \] Incident 4711: the removal waits for approval/m);
});

test("the approved removal is made, and why finds the person nowhere", () => {
  const { approved, whyGone } = story;
  assert.deepEqual(endingOf(approved), [0, "changed", ["remove ines from Incident 4711: 204"]]);
  assert.deepEqual(approved.incident, ["ada", "ben", "cleo", "rollcall"]);
  assert.match(whyGone.stdout, /^ {2}in none of the spaces that Rollcall sees$/m);
  assert.match(whyGone.stdout, /^ {2}line 4 .* the last day was 2026-12-18$/m);
});

test("restore brings the person back and says what keeps them; with a later day in the row nothing is undone", () => {
  const { restored, extended } = story;
  assert.deepEqual(endingOf(restored), [0, "changed", ["add ines to Incident 4711: 200"]]);
  assert.deepEqual(restored.incident, ["ada", "ben", "cleo", "ines", "rollcall"]);
  assert.match(restored.stdout, /The next sync compares these spaces .* correct them first/);
  assert.doesNotMatch(restored.stdout, /keeps being added/);
  assert.match(
    story.extension,
    /^! until 2027-01-29 \(before: until 2026-12-18\): ines@acme\.example\n! Ines Weber .* will no longer be removed: a row brings them$/m,
  );
  assert.deepEqual(endingOf(extended), [0, "converged", []]);
  assert.deepEqual(extended.incident, ["ada", "ben", "cleo", "ines", "rollcall"]);
});

test("docs/one-pull-request.md quotes what people read at these stations", async () => {
  const page = await readFile(new URL("../../docs/one-pull-request.md", import.meta.url), "utf8");
  const linesOf = (text: string) => text.split("\n").filter((line) => /^( {2}\S|! )/.test(line));
  for (const text of [story.why.stdout, story.whyHeld.stdout, story.extension]) {
    assert.ok(linesOf(text).length >= 2, text);
    for (const line of linesOf(text)) assert.ok(page.includes(`\n${line}\n`), line);
  }
  assert.ok(page.includes(`/approve ${story.ended.acme.record?.digest}`));
});

test("every request is one that Webex and GitHub document", () => {
  assert.deepEqual(
    story.jobs.flatMap(({ requests }) => requests).flatMap((exchange) => check?.(exchange) ?? []),
    [],
  );
});
