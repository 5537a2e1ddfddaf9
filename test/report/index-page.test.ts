import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunRecord } from "../../src/membership/record.ts";
import { eventfulRun, loadRenderer, person, reportInput, room, runRecord, textOf } from "./build-record.ts";

const renderer = loadRenderer();
const index = "reports/README.md";

function renderIndex(record: RunRecord): string {
  return textOf(renderer.renderFiles(reportInput(record)), index);
}

describe("the index", () => {
  it("says in one line what is true", () => {
    assert.match(
      renderIndex(eventfulRun),
      /^## ⚠️ Needs you: 1 failed change, 1 removal to approve, 1 problem to fix$/m,
    );
  });
  it("says that all is well when it is", () => {
    const two = runRecord([room("NOC"), room("Eng")]);
    assert.match(
      renderIndex(two),
      /^## ✅ All 2 spaces are in sync\n\n🟢 \*\*2\*\* in sync · checked 2026-11-22/m,
    );
  });
  it("names who waits, why with the numbers, and one way to approve; the others are folded", () => {
    const why = "5 removals planned; the limit for this space is 3 (the larger of 3 and 25 % of 10 members)";
    const held = room("Crew", {
      held: [{ ...person("Dan"), reason: "removals-per-room" }],
      holds: [{ reason: "removals-per-room", message: why }],
    });
    const text = renderIndex(runRecord([held]));
    assert.ok(text.includes(`- **Crew**: Dan. ${why}.\n`), text);
    const [open = "", folded = ""] = text.split("<details>");
    assert.match(open, /\[Run Sync\]\(.*sync\.yml\) with approve = `a1b2c3d4e5f6`/);
    assert.match(folded, /Comment `\/approve a1b2c3d4e5f6` on \[the issue/);
    assert.match(folded, /`gh workflow run sync\.yml -f approve=a1b2c3d4e5f6`/);
    assert.match(folded, /`npm run sync -- --approve a1b2c3d4e5f6`/);
  });
  it("names at most thirty people of a space; its run's page names all", () => {
    const people = Array.from({ length: 50 }, (_, n) => ({
      ...person(`Person ${n}`),
      reason: "empty-group" as const,
    }));
    const files = renderer.renderFiles(reportInput(runRecord([room("Crew", { held: people })])));
    assert.match(textOf(files, index), /Person 9 and 20 more\. A group|and 20 more\. A group/);
    assert.equal(textOf(files, "reports/runs/2026-11-22-4711.md").match(/^- Person \d+ `/gm)?.length, 50);
  });
  it("links a problem to its line", () => {
    assert.match(
      renderIndex(eventfulRun),
      /^- \[rooms\.csv line 4\]\(\.\.\/mappings\/rooms\.csv#L4\): no group/m,
    );
  });
  it("links to no file that lies elsewhere", () => {
    const files = renderer.renderFiles(reportInput(eventfulRun, { reportsDir: "/elsewhere/demo" }));
    assert.match(textOf(files, "/elsewhere/demo/README.md"), /^- rooms\.csv line 4: no group/m);
  });
  it("tells what to do about a failed change", () => {
    assert.match(
      renderIndex(eventfulRun),
      /^- \*\*Leads\*\*, add Eve: .*403 Forbidden \(tracking id `ROUTER_1`\)\. Webex forbids it: make the token's owner/m,
    );
  });
  it("lists what needs a person first, then by title, each with its state", () => {
    const rows = renderIndex(eventfulRun).match(/^- \S+ \*\*\w+\*\*/gm);
    assert.deepEqual(rows, [
      "- ✋ **Bridge**",
      "- 🧊 **Huge**",
      "- ❌ **Leads**",
      "- 👀 **Audited**",
      "- 🟢 **NOC**",
      "- 🟢 **Quiet**",
    ]);
  });
  it("says nothing of the token's owner, who is in every space", () => {
    const kept = [
      { ...person("Rollcall"), reason: "self" as const },
      { ...person("Bell"), reason: "bot" as const },
    ];
    const text = renderIndex(runRecord([room("NOC", { kept })]));
    assert.match(text, /^- 🟢 \*\*NOC\*\* · 12 members · NOC group · kept: 1 bot$/m);
  });
  it("leads from a group to its row, and shows a cell that leads to nothing as it was typed", () => {
    const rows = [
      { line: 2, group: "NOC group", room: "NOC" },
      { line: 3, group: "Y2lzY29", room: "NOC" },
      { line: 4, group: "NOC Oncall", room: "Desk" },
      { line: 5, group: "Ops", room: "Lobby | <b>" },
    ];
    const problems = [
      { line: 4, column: "group", message: 'no group is named "NOC Oncall"; did you mean "NOC"?' },
      { line: 5, column: "room", message: "2 spaces are titled so" },
    ];
    const rooms = [
      room("NOC", { groups: ["NOC group", "Leads"], lines: [2, 3] }),
      room("Desk", { groups: [], lines: [4], frozen: "line 4 names no single group" }),
    ];
    const record = runRecord(rooms, { problems, status: "partial" });
    const text = textOf(renderer.renderFiles(reportInput(record, { rows })), index);
    const row = (line: number) => `../mappings/rooms.csv#L${line}`;
    for (const expected of [
      `- 🟢 **NOC** · 12 members · [NOC group](${row(2)}) · [Leads](${row(3)})`,
      `- 🧊 **Desk** · 12 members · ❓ [NOC Oncall](${row(4)}) · frozen: nobody is removed`,
      `- ❓ **Lobby \\| &lt;b&gt;** · leads to no single space · Ops ([line 5](${row(5)}))`,
      `did you mean "NOC"? Until then **Desk** is frozen.`,
    ])
      assert.ok(text.includes(expected), `${expected}\n${text}`);
  });
  it("leads to all runs, to the rows, and to who may schedule for whom where there is such a page", () => {
    assert.match(
      renderIndex(eventfulRun),
      /^\[All runs\]\(runs\/\) · \[rooms\.csv\]\(\.\.\/mappings\/rooms\.csv\) · Webex/m,
    );
    const files = renderer.renderFiles(reportInput(eventfulRun, { hasSchedulingPage: true }));
    assert.match(textOf(files, index), /· \[Who may schedule for whom\]\(delegations\/README\.md\) ·/);
  });
  it("leads to the run's own page for what that run changed, and folds what an earlier one did", () => {
    const files = renderer.renderFiles(reportInput(eventfulRun));
    assert.match(textOf(files, index), /\(\[\+2 −1\]\(runs\/2026-11-22-4711\.md\)\)$/m);
    const later = { ...runRecord([room("NOC")]), startedAt: "2026-11-24T05:00:00Z" };
    const historyText = textOf(files, "reports/history.json");
    const quiet = textOf(renderer.renderFiles(reportInput(later, { historyText })), index);
    assert.match(
      quiet,
      /<summary>Last change, 2026-11-22 05:17 UTC: 2 people were added and 1 person was removed</,
    );
    assert.match(quiet, /^- \*\*NOC\*\*: added Ada · Cleo; removed Bob$/m);
  });
  it("is there before the first run, made by the same template", () => {
    const text = renderer.renderFirstIndex({ reportsDir: "reports", mappingsFile: "mappings/rooms.csv" });
    assert.match(text, /^## ⚪ No run yet\n\nThe first run of Sync writes this page/);
    assert.match(text, /Add rows to \[rooms\.csv\]\(\.\.\/mappings\/rooms\.csv\)/);
  });
  it("says what to do when no room is managed yet", () => {
    const text = renderIndex(runRecord([]));
    assert.match(text, /No space is managed yet/);
    assert.match(text, /Add rows to rooms\.csv/);
    assert.doesNotMatch(text, /mermaid/);
  });
  it("does not call a run that stopped a room without need", () => {
    const text = renderIndex(
      runRecord([], { status: "failed", problems: [{ line: null, column: null, message: "No token." }] }),
    );
    assert.match(text, /^## ❌ The run stopped and changed nothing\.$/m);
    assert.match(text, /^- No token\.$/m);
    assert.doesNotMatch(text, /all others are managed as usual/);
  });
  it("warns while the refresh token has less than the policy's days", () => {
    const token = { refreshed: true, rotated: true, refreshTokenExpiresAt: "2026-12-06T05:17:30Z" };
    assert.match(
      renderIndex(runRecord([], { token })),
      /> \[!WARNING\]\n> Webex login valid until 2026-12-06, 13 days from/,
    );
    assert.doesNotMatch(renderIndex(runRecord([])), /WARNING/);
  });
  it("says when its own age means that the schedule stopped", () => {
    assert.match(
      renderIndex(eventfulRun),
      /Checked more than 2 days ago\? The schedule has stopped: \[Actions → Sync\]/,
    );
  });
  it("mentions a damaged memory", () => {
    const files = renderer.renderFiles(reportInput(eventfulRun, { historyText: "{" }));
    assert.match(textOf(files, index), /^- history\.json could not be read/m);
  });
  it("shows what needs attention first when the rooms are many, and folds the rest", () => {
    const rooms = Array.from({ length: 1000 }, (_, n) =>
      room(`Room ${n}`, n === 500 ? { frozen: "why" } : {}),
    );
    const text = renderIndex(runRecord(rooms));
    assert.match(text, /<summary>999 spaces in sync<\/summary>\n\n- 🟢/);
    assert.ok(text.indexOf("Room 500*") < text.indexOf("<details>"));
    assert.ok(Buffer.byteLength(text) < 512_000);
  });
  it("stays within what GitHub shows, and counts the rows it leaves out", () => {
    const rooms = Array.from({ length: 15_000 }, (_, n) => room(`Room ${n}`));
    const text = renderIndex(runRecord(rooms));
    assert.ok(Buffer.byteLength(text) <= 512_000);
    const shown = text.match(/^- 🟢/gm)?.length ?? 0;
    assert.match(
      text,
      new RegExp(`\\*${(15_000 - shown).toLocaleString("en")} more rows are not shown here\\.\\*`),
    );
    assert.match(text, /^\[All runs\]/m);
  });
});
