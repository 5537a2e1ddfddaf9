import assert from "node:assert/strict";
import { test } from "node:test";
import { comparePlans, type LastDay } from "../../src/membership/compare-plans.ts";
import type { RoomRecord } from "../../src/membership/record.ts";
import type { PlanCommentInput } from "../../src/report/plan-comment.ts";
import { createRenderer, isSameNote, noteMarkers } from "../../src/report/renderer.ts";
import { person, room, runRecord } from "./build-record.ts";

const notes = createRenderer();

const runUrl = "https://github.com/acme/rooms/actions/runs/4711";

/** The comment about a plan with these rooms, where the default branch's plan has those. */
function comment(
  proposed: readonly RoomRecord[],
  present: readonly RoomRecord[] = [],
  facts: Partial<PlanCommentInput> = {},
): string {
  const record = runRecord(proposed, { command: "plan" });
  return notes.renderPlanComment({
    record,
    effect: comparePlans(record, runRecord(present, { command: "plan" })),
    policyChanges: [],
    grants: { changes: [], drift: [] },
    headSha: "0123456789abcdef0123456789abcdef01234567",
    mappingsAddress: "https://github.com/acme/rooms/blob/0123/mappings/rooms.csv?plain=1",
    runUrl,
    ...facts,
  });
}

test("a pull request that changes nothing is told in one line", () => {
  assert.equal(
    comment([room("NOC")], [room("NOC")]),
    `${noteMarkers.planComment}
### ✅ Rollcall plan: +0 −0, nobody is added or removed

*Planned for \`0123456789ab\` ([rooms.csv](https://github.com/acme/rooms/blob/0123/mappings/rooms.csv?plain=1)) by [this run](${runUrl}), whose summary has the whole plan. Nothing has been changed in Webex. After the merge, Rollcall plans again.*
`,
  );
});

test("1,000 changed rooms are cut between rows, under 60,000 characters, with the number of those left out", () => {
  const rooms = Array.from({ length: 1000 }, (_, index) =>
    room(`Room ${String(index).padStart(4, "0")}`, {
      lines: [index + 2],
      added: Array.from({ length: 20 }, (_, one) => person(`Newcomer ${index}-${one}`)),
    }),
  );
  const present = rooms.map((one) => ({ ...one, added: one.added.slice(0, 10) }));
  const text = comment(rooms, present);
  assert.ok(text.length > 30_000 && text.length < 60_000, `${text.length} characters`);
  assert.match(text, /Rollcall plan: \+10,000 −0 in 1,000 spaces\n/);
  const blocks = text.split("```diff\n").slice(1);
  assert.equal(blocks.length, 2);
  for (const block of blocks) {
    const [lines = "", after = ""] = block.split("\n```\n");
    const missing =
      /\*([\d,]+) more rows are not shown here\.\*\n\n\[The run's summary\]\((.*)\) has the whole plan\./.exec(
        after,
      );
    // 1,000 headings, ten people below each, and an empty line between two spaces.
    const whole = 1000 + 10_000 + 999;
    const shown = lines.split("\n").length;
    assert.deepEqual([shown + Number(missing?.[1]?.replace(",", "")), missing?.[2]], [whole, runUrl]);
  }
});

const held = room("NOC", {
  held: [{ ...person("Ada"), reason: "removals-per-room" }],
  holds: [{ reason: "removals-per-room", message: "4 removals planned; the limit for this space is 3" }],
});
const removed = room("NOC", { removed: [{ ...person("Ada"), wasModerator: false }] });

test("a removal that was held so far and would now go through says so; the other way round as well", () => {
  assert.match(
    comment([removed], [held]),
    /^@@ NOC ← NOC group \(line 2\) @@\n- Ada \(ada@example\.com\) was held until now: Over the limit for this space$/m,
  );
  assert.match(
    comment([held], [removed]),
    /^! would wait for approval: 4 removals planned; the limit for this space is 3\n! {3}Ada \(ada@example\.com\), until now removed without approval$/m,
  );
});

test("the headline speaks a plan's language, and how a space is managed is told before who is concerned", () => {
  const present = [
    room("Cargo", { added: [person("Ada")] }),
    room("Rustdoc"),
    room("Wg"),
    room("Infra", { added: [person("Fay")] }),
  ];
  const proposed = [
    room("Cargo", { mode: "audit", missing: [person("Ada")] }),
    room("Rustdoc", { groups: ["Rustdoc group", "Miri"], added: [person("Bob"), person("Cy")] }),
    room("Infra", { added: [person("Fay")] }),
  ];
  const text = comment(proposed, present);
  assert.match(
    text,
    /^### ✅ Rollcall plan: \+2 −0 in 1 space; 3 spaces change how they are managed; 1 change no longer made$/m,
  );
  const [changes = ""] = text.split("<details>");
  assert.match(changes, /^! mode sync → audit\n! Ada \(.*\) will no longer be added: .*audit/m);
  assert.match(changes, /^! now also fed by Miri\n\+ Bob \(bob@example\.com\)\n\+ Cy/m);
  assert.match(
    changes,
    /^! no row names this space any more: its 12 members stay, and nobody manages them$/m,
  );
  assert.doesNotMatch(changes, /Fay/);
  assert.match(
    text,
    /<summary>Pending regardless of this pull request: 1 to add \(1 space\)<\/summary>[\s\S]*^\+ Fay \(/m,
  );
});

const policyChanges: readonly [key: string, without: string, later: string, isWeaker: boolean][] = [
  ["limits.removalsPerRoom.count", "3", "4", true],
  ["limits.removalsPerRoom.count", "4", "3", false],
  ["limits.removalsPerRun.share", "0.2", "0.25", true],
  ["limits.emptyGroup", '"hold"', '"apply"', true],
  ["limits.emptyGroup", '"apply"', '"hold"', false],
  ["protect.bots", "true", "false", true],
  ["protect.bots", "false", "true", false],
  ["protect.people", '["a@b.example"]', "[]", true],
  ["protect.people", "[]", '["a@b.example"]', false],
  ["report.heartbeatDays", "1", "9", false],
];
for (const [key, without, later, isWeaker] of policyChanges) {
  test(`${key} from ${without} to ${later} ${isWeaker ? "weakens" : "does not weaken"} a limit`, () => {
    const text = comment([room("NOC")], [room("NOC")], {
      policyChanges: [{ key, without, with: later }],
    });
    const line = `- \`${key}\`: \`${without}\` → \`${later}\``;
    assert.ok(text.includes(isWeaker ? `> ${line}` : `\n${line}`), text);
    assert.equal(text.includes("> **Weakens a limit.**"), isWeaker);
  });
}

test("names and titles from Webex cannot end the block, close a comment or mention anybody", () => {
  const evil = `x | y\n\`\`\`\n<!-- ${noteMarkers.planComment} --> @octo-admin <b> \`c\` [l](http://evil.example)`;
  const text = comment([
    room(evil, { groups: [evil], added: [{ ...person("Ada"), displayName: evil }], frozen: evil }),
  ]);
  const body = text.slice(noteMarkers.planComment.length);
  assert.doesNotMatch(body, /<!--|-->|@octo|<b>|(?<!\\)\]\(http:\/\/evil/);
  assert.deepEqual(body.match(/^ {0,3}`{3,}.*$/gm), ["```diff", "```"]);
});

test("two notes that name only different runs say the same", () => {
  const one = comment([room("NOC")], [], { runUrl: "https://github.com/acme/rooms/actions/runs/1" });
  const other = comment([room("NOC")], [], { runUrl: "https://github.com/acme/rooms/actions/runs/22" });
  assert.notEqual(one, other);
  assert.ok(isSameNote(one, other.replaceAll("\n", "\r\n")));
  assert.ok(!isSameNote(one, comment([room("Eng")])));
});

test("the last day of a row is told, also where nothing but the day changes", () => {
  const noc = room("NOC", { lines: [2, 3] });
  const proposal = runRecord([noc], { command: "plan" });
  const tell = (lastDays: readonly LastDay[]) =>
    comment([noc], [noc], { effect: comparePlans(proposal, proposal, lastDays) });
  const moved = tell([{ line: 3, group: "ada@acme.com", with: "2027-01-29", without: "2026-12-18" }]);
  assert.match(moved, /^### ✅ Rollcall plan: 1 space changes how it is managed$/m);
  assert.match(moved, /^! until 2027-01-29 \(before: until 2026-12-18\): ada@acme\.com$/m);
  const fresh = tell([{ line: 3, group: "ada@acme.com", with: "2026-12-18" }]);
  assert.match(fresh, /^! until 2026-12-18: ada@acme\.com$/m);
  const elsewhere = tell([{ line: 9, group: "ada@acme.com", with: "2026-12-18" }]);
  assert.doesNotMatch(elsewhere, /^!/m);
});
