import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunRecord } from "../../src/membership/record.ts";
import { eventfulRun, loadRenderer, person, reportInput, room, runRecord } from "./build-record.ts";

const renderer = loadRenderer();

describe("the summary", () => {
  const summarise = (record: RunRecord, maxBytes = 1_000_000) =>
    renderer.renderSummary(
      { ...reportInput(record), notices: record.notices, mappingsAddress: null, reportAddress: null },
      maxBytes,
    );
  it("speaks of a plan as of what would be", () => {
    const text = summarise({ ...eventfulRun, command: "plan" });
    assert.match(
      text,
      /\*\*\+2 −1 in 1 space; 1 failed change; 1 removal would wait for approval; 1 problem to fix\*\*/,
    );
    assert.match(
      text,
      /^### What would change\n\n```diff\n@@ NOC ← NOC On-call, NOC leads · 13 members \(\+2 −1\) @@\n\+ Ada \(ada@example\.com\)\n\+ Cleo .*\n- Bob /m,
    );
  });
  it("is short when there is nothing to say", () => {
    assert.equal(
      summarise(runRecord([room("NOC")])),
      "# Rollcall sync\n\n✅ **Every space is as declared.**\n\n1 space\n\n",
    );
  });
  it("is cut between rows to the bytes allowed, and says how many rows are missing", () => {
    const rooms = Array.from({ length: 2000 }, (_, n) =>
      room(`Zimmer für ${n}`, {
        added: [person(`Zoë ${n}`)],
        held: [{ ...person(`Dan ${n}`), reason: "empty-group" }],
      }),
    );
    const text = summarise(runRecord(rooms), 60_000);
    assert.ok(Buffer.byteLength(text) <= 60_000 && Buffer.byteLength(text) > 50_000);
    const block = text.slice(text.indexOf("```diff\n") + 8);
    const shown = block.slice(0, block.indexOf("\n```\n")).split("\n").length;
    // A heading and a person for each, and an empty line between two spaces.
    const missing = (2000 * 3 - 1 - shown).toLocaleString("en");
    assert.match(text, new RegExp(`^\\*${missing} more rows are not shown here\\.\\*$`, "m"));
    assert.match(text, /npm run sync -- --approve a1b2c3d4e5f6/);
  });
});
