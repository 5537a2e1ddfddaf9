import assert from "node:assert/strict";
import { test } from "node:test";
import { renderBrief, shareLines } from "../../src/report/brief.ts";
import { person, room, runRecord } from "./build-record.ts";

const brief = (record: Parameters<typeof renderBrief>[0]) =>
  renderBrief(record, "mappings/rooms.csv", "--verbose names everybody.", (_, text) => text).split("\n");

const crowd = (prefix: string, size: number) =>
  Array.from({ length: size }, (_, index) => person(`${prefix} ${String(index).padStart(2, "0")}`));

test("5,000 changes end in 14 lines, with the numbers, the first names, and where all of it is", () => {
  const rooms = Array.from({ length: 100 }, (_, index) =>
    room(`Room ${String(index).padStart(2, "0")}`, {
      added: crowd("New", 50),
      ...(index < 40
        ? {
            held: crowd("Old", 5).map((one) => ({ ...one, reason: "removals-per-room" as const })),
            holds: [{ reason: "removals-per-room" as const, message: "5 removals planned; the limit is 3" }],
          }
        : {}),
    }),
  );
  const problems = Array.from({ length: 30 }, (_, index) => ({
    line: index + 2,
    column: "group",
    message: `no group is named "g${index}"`,
  }));
  const lines = brief(runRecord(rooms, { problems, status: "partial" }));
  assert.equal(lines.length, 14);
  assert.equal(lines[0], '! mappings/rooms.csv:2: no group is named "g0"');
  assert.match(lines.join("\n"), /^~ Room 00: 5 removals planned; the limit is 3$/m);
  assert.match(lines.join("\n"), /^Room 00: \+50 \(New 00, New 01, New 02, New 03 and 46 more\)$/m);
  assert.match(lines.join("\n"), /^ {2}… 27 more like ! mappings\/rooms\.csv:5: no group/m);
  assert.deepEqual(lines.slice(-3), [
    "To approve what is held: npm run sync -- --approve a1b2c3d4e5f6",
    "--verbose names everybody.",
    "partial: 30 problems need fixing. 200 removals wait for approval. 5,000 people were added.",
  ]);
});

test("no line is endless, and nothing in it steers a terminal", () => {
  const lines = brief(runRecord([room(`\u001b[31m${"x".repeat(900)}`, { added: [person("A\nB")] })]));
  assert.ok(lines.every((line) => line.length <= 200 && !line.includes("\u001b")));
});

test("lines are shared in turn, and what is left out is counted", () => {
  assert.deepEqual(shareLines([["a", "b"], ["1", "2", "3", "4"], []], 5), [
    "a",
    "b",
    "1",
    "2",
    "  … 2 more like 3",
  ]);
  assert.deepEqual(shareLines([["a"], ["1"]], 9), ["a", "1"]);
});
