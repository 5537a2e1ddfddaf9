import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadRenderer, person, reportInput, room, runRecord, textOf } from "./build-record.ts";

const renderer = loadRenderer();
const index = "reports/README.md";
const page = "reports/runs/2026-11-22-4711.md";
const hostileNames = [
  "</td><script>alert(1)</script>",
  "| x |",
  "-->",
  "@everyone",
  "a`b",
  "two\nlines",
  "\u202Egnp.exe",
  "[x](javascript:alert(1))",
  "x".repeat(10_000),
  "\\",
  "",
];

/** Each row of a table has the cells of its heading: pipes that are not escaped. */
function assertTablesWhole(text: string): void {
  let cells = 0;
  for (const line of text.split("\n")) {
    const count = line.startsWith("|") ? line.split(/(?<!\\)\|/).length : 0;
    if (count > 0 && cells > 0) assert.equal(count, cells, line);
    cells = count;
  }
}

describe("hostile names", () => {
  const people = hostileNames.map((name) => ({ ...person(name), email: name || null }));
  const record = runRecord(
    hostileNames.map((name) =>
      room(name, {
        groups: [name],
        added: people,
        removed: people.map((one) => ({ ...one, wasModerator: false })),
        held: people.map((one) => ({ ...one, reason: "empty-group" as const })),
        failed: people.map((one) => ({
          ...one,
          action: "add" as const,
          error: one.displayName,
          trackingId: one.email,
        })),
        kept: people.map((one) => ({ ...one, reason: "bot" as const })),
        missing: people,
        frozen: name,
      }),
    ),
    {
      problems: hostileNames.map((message) => ({ line: 3, column: message, message })),
      notices: hostileNames,
      digest: "a1b2c3d4e5f6",
    },
  );
  const files = renderer.renderFiles(reportInput(record));
  const summary = renderer.renderSummary(
    { ...reportInput(record), notices: record.notices, mappingsAddress: null, reportAddress: null },
    1_000_000,
  );
  for (const [name, text] of [
    ["the index", textOf(files, index)],
    ["the run's page", textOf(files, page)],
    ["the summary", summary],
  ] as const) {
    // Code spans show everything as it is; outside of them nothing of GitHub's may be at work.
    const outsideCode = text.replace(/(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
    it(`break no table of ${name}`, () => assertTablesWhole(text));
    it(`inject no HTML into ${name}`, () => {
      const tags = outsideCode.match(/<[^>\s]*/g) ?? [];
      assert.deepEqual(new Set(tags.filter((tag) => !/^<\/?(details|summary|code)$/.test(tag))), new Set());
    });
    it(`mention nobody in ${name}`, () => assert.doesNotMatch(outsideCode, /@\w/));
    it(`link nowhere from ${name}`, () => assert.doesNotMatch(outsideCode, /(?<!\\)\]\(javascript/));
    it(`leave no line of ${name} turned, hidden or endless`, () => {
      assert.doesNotMatch(text, /[\u202A-\u202E\u200B]|x{700}/);
    });
  }
});
