import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunRecord } from "../../src/membership/record.ts";
import { eventfulRun, loadRenderer, reportInput, room, runRecord, textOf } from "./build-record.ts";

const renderer = loadRenderer();
const index = "reports/README.md";

function renderIndex(record: RunRecord): string {
  return textOf(renderer.renderFiles(reportInput(record)), index);
}

describe("the index", () => {
  it("says in one line what is true", () => {
    assert.match(
      renderIndex(eventfulRun),
      /^⚠️ \*\*1 change failed\. 1 problem needs fixing\. 1 removal waits for approval\. 2 people were added and 1 person was removed\.\*\*$/m,
    );
  });
  it("says that all is well when it is", () => {
    assert.match(renderIndex(runRecord([room("NOC")])), /^✅ \*\*Every space is as declared\.\*\*$/m);
  });
  it("gives the commands that approve what is held", () => {
    const text = renderIndex(eventfulRun);
    assert.match(text, /\| Bridge \| Dan \| `dan@example\.com` \| Over the limit for this space \|/);
    assert.match(text, /Run workflow → approve: `a1b2c3d4e5f6`/);
    assert.match(text, /^ {2}gh workflow run sync\.yml -f approve=a1b2c3d4e5f6$/m);
    assert.match(text, /^ {2}npm run sync -- --approve a1b2c3d4e5f6$/m);
  });
  it("links a problem to its line", () => {
    assert.match(
      renderIndex(eventfulRun),
      /^- \*\*\[line 4\]\(\.\.\/mappings\/rooms\.csv#L4\), column group:\*\* no group/m,
    );
  });
  it("links to no file that lies elsewhere", () => {
    const files = renderer.renderFiles(reportInput(eventfulRun, { reportsDir: "/elsewhere/demo" }));
    assert.match(textOf(files, "/elsewhere/demo/README.md"), /^- \*\*line 4, column group:\*\*/m);
  });
  it("tells what to do about a failed change", () => {
    assert.match(
      renderIndex(eventfulRun),
      /403 Forbidden \(tracking id `ROUTER_1`\) \| Webex forbids it: make the token's owner/,
    );
  });
  it("sorts the rooms by title and shows each one's state", () => {
    const rows = renderIndex(eventfulRun).match(/^\| (\S+) \| (\w+) \| .*(sync|audit) \|/gm);
    assert.deepEqual(
      rows?.map((row) => row.split(" | ").slice(0, 2).join(" ")),
      ["| 👀 Audited", "| ✋ Bridge", "| 🧊 Huge", "| ❌ Leads", "| 🔄 NOC", "| ✅ Quiet"],
    );
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
    assert.match(text, /❌ \*\*The run stopped and changed nothing\.\*\*/);
    assert.match(text, /^- No token\.$/m);
    assert.doesNotMatch(text, /all others are managed as usual/);
  });
  it("warns while the refresh token has less than the policy's days", () => {
    const token = { refreshed: true, rotated: true, refreshTokenExpiresAt: "2026-12-06T05:17:30Z" };
    assert.match(
      renderIndex(runRecord([], { token })),
      /> \[!WARNING\]\n> .*\*\*2026-12-06\*\*, 13 days from/,
    );
    assert.doesNotMatch(renderIndex(runRecord([])), /WARNING/);
  });
  it("says when its own age means that the schedule stopped", () => {
    assert.match(
      renderIndex(eventfulRun),
      /Last checked 2026-11-22 05:17 UTC\. Older than 2 days\? Then the schedule has stopped/,
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
    assert.match(text, /<summary>999 spaces as declared<\/summary>\n\n\|/);
    assert.ok(text.indexOf("Room 500 ") < text.indexOf("<details>"));
    assert.ok(Buffer.byteLength(text) < 512_000);
  });
  it("stays within what GitHub shows, and counts the rows it leaves out", () => {
    const rooms = Array.from({ length: 9000 }, (_, n) => room(`Room ${n}`));
    const text = renderIndex(runRecord(rooms));
    assert.ok(Buffer.byteLength(text) <= 512_000);
    const shown = text.match(/^\| ✅/gm)?.length ?? 0;
    assert.match(
      text,
      new RegExp(`\\*${(9000 - shown).toLocaleString("en")} more rows are not shown here\\.\\*`),
    );
    assert.match(text, /^## About this page$/m);
  });
});
