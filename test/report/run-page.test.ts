import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventfulRun, loadRenderer, reportInput, textOf } from "./build-record.ts";

const renderer = loadRenderer();
const page = "reports/runs/2026-11-22-4711.md";

describe("the page of a run", () => {
  const text = textOf(renderer.renderFiles(reportInput(eventfulRun)), page);
  it("gives the reason for each change, with the lines of rooms.csv", () => {
    const source =
      "NOC On-call · NOC leads \\(\\[line 2\\]\\(../../mappings/rooms.csv#L2\\), \\[line 7\\]\\(.*?#L7\\)\\)";
    assert.match(text, new RegExp(`\\| ➕ added \\| Ada \\| .* \\| In one of ${source} \\|`));
    assert.match(
      text,
      new RegExp(`\\| ➖ removed \\| Bob \\| .* \\| In none of ${source}; was a moderator \\|`),
    );
    assert.match(text, /\| 👀 missing \| Fay \|/);
    assert.match(text, /\| NOC \| Bot \| `bot@example\.com` \| Bot \|/);
    assert.match(text, /🧊 Frozen: 499 of 500 members were listed/);
  });
  it("leads back to all rooms, to its record and to the workflow run", () => {
    assert.match(
      text,
      /\[← All rooms\]\(\.\.\/README\.md\) · \[record \(JSON\)\]\(2026-11-22-4711\.json\) · \[workflow run\]/,
    );
  });
  it("has its totals in a table", () => {
    assert.match(text, /^\| sync \| partial \| 22 s \| 6 \| 2 \| 1 \| 1 \| 1 \| 1 \|$/m);
  });
});
