import assert from "node:assert/strict";
import { test } from "node:test";
import { comparePlans } from "../../src/membership/compare-plans.ts";
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
✅ **This pull request itself adds and removes nobody.**

*Planned for \`0123456789ab\` by [this run](${runUrl}), whose summary has the whole plan. Nothing has been changed in Webex. After the merge, Rollcall plans again.*
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
  assert.match(text, /This pull request changes what happens in 1,000 spaces: 10,000 people added\./);
  const tables = text.split("| --- | --- | --- | --- |");
  assert.equal(tables.length, 3);
  for (const table of tables.slice(1)) {
    const shown = table.split("\n").filter((line) => /^\| Room \d/.test(line));
    const missing =
      /\*(\d+) more rows are not shown here\.\* \[The run's summary\]\((.*)\) has the whole plan\./.exec(
        table,
      );
    assert.ok(
      shown.every((row) => row.endsWith(" |")),
      "no row is cut",
    );
    assert.deepEqual([shown.length + Number(missing?.[1]), missing?.[2]], [1000, runUrl]);
  }
});

test("a removal that was held so far and would now go through says so; the other way round as well", () => {
  const held = room("NOC", { held: [{ ...person("Ada"), reason: "removals-per-room" }] });
  const removed = room("NOC", { removed: [{ ...person("Ada"), wasModerator: false }] });
  const source = "[line 2](https://github.com/acme/rooms/blob/0123/mappings/rooms.csv?plain=1#L2)";
  assert.ok(
    comment([removed], [held]).includes(
      `| NOC | ➖ remove | Ada | Not in NOC group (${source}). **Held until now:** Over the limit for this space |`,
    ),
  );
  assert.ok(
    comment([held], [removed]).includes(
      "| NOC | ✋ hold | Ada | Over the limit for this space; until now removed without approval |",
    ),
  );
});

test("names and titles from Webex cannot break the table, close a comment or mention anybody", () => {
  const evil = `x | y\n<!-- ${noteMarkers.planComment} --> @octo-admin <b> \`c\` [l](http://evil.example)`;
  const text = comment([
    room(evil, { groups: [evil], added: [{ ...person("Ada"), displayName: evil }], frozen: evil }),
  ]);
  const body = text.slice(noteMarkers.planComment.length);
  assert.doesNotMatch(body, /<!--|-->|@octo|<b>|(?<!\\)\]\(http:\/\/evil/);
  for (const row of body.split("\n").filter((line) => line.startsWith("| x")))
    assert.equal(row.split(/(?<!\\)\|/).length, 6, row);
});

test("two notes that name only different runs say the same", () => {
  const one = comment([room("NOC")], [], { runUrl: "https://github.com/acme/rooms/actions/runs/1" });
  const other = comment([room("NOC")], [], { runUrl: "https://github.com/acme/rooms/actions/runs/22" });
  assert.notEqual(one, other);
  assert.ok(isSameNote(one, other.replaceAll("\n", "\r\n")));
  assert.ok(!isSameNote(one, comment([room("Eng")])));
});
