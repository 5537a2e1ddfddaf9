import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunRecord } from "../../src/membership/record.ts";
import {
  decideReport,
  emptyHistory,
  extendHistory,
  type History,
  parseHistory,
} from "../../src/report/history.ts";
import { person, room, runRecord } from "./build-record.ts";

const page = "runs/2026-11-22-4711.md";
const quiet = runRecord([room("NOC")]);
const changed = runRecord([
  room("NOC", { added: [person("Ada")], removed: [{ ...person("Bob"), wasModerator: false }] }),
]);
const held = runRecord([room("NOC", { held: [{ ...person("Ada"), reason: "empty-group" }] })]);
const problem = { line: 4, column: "group", message: 'no group is named "NOC"' };

function at(startedAt: string, record: RunRecord = quiet): RunRecord {
  return { ...record, startedAt };
}

describe("parseHistory", () => {
  it("takes a missing file for an empty memory, without a notice", () => {
    assert.deepEqual(parseHistory(undefined), { history: emptyHistory, notice: null });
  });
  it("reads back what was written", () => {
    const history = extendHistory(emptyHistory, changed, page);
    assert.deepEqual(parseHistory(JSON.stringify(history)), { history, notice: null });
  });
  for (const damaged of ["", "{", "[]", '{"version":2}', '{"version":1,"members":[{"date":"today"}]}']) {
    it(`replaces ${damaged || "an empty file"} and says so`, () => {
      const { history, notice } = parseHistory(damaged);
      assert.deepEqual(history, emptyHistory);
      assert.match(notice ?? "", /^history\.json could not be read/);
    });
  }
  it("refuses a page's address that leads out of the runs", () => {
    const history = extendHistory(emptyHistory, changed, "javascript:alert(1)");
    assert.match(parseHistory(JSON.stringify(history)).notice ?? "", /lastChange\.page/);
  });
});

describe("extendHistory", () => {
  it("remembers what changed last, with names, over a quiet run", () => {
    const history = extendHistory(
      extendHistory(emptyHistory, changed, page),
      at("2026-11-23T05:17:09Z"),
      "runs/x.md",
    );
    assert.deepEqual(history.lastChange, {
      at: "2026-11-22T05:17:09Z",
      page,
      added: 1,
      removed: 1,
      rooms: [{ title: "NOC", added: ["Ada"], removed: ["Bob"] }],
    });
    assert.equal(history.checkedAt, "2026-11-23T05:17:09Z");
  });
  it("keeps one point a day, the last of the day", () => {
    const later = at("2026-11-22T17:00:00Z", runRecord([room("NOC", { after: 14 })]));
    const history = extendHistory(extendHistory(emptyHistory, quiet, page), later, page);
    assert.deepEqual(history.members, [{ date: "2026-11-22", members: 14, rooms: 1 }]);
  });
  it("keeps 180 days", () => {
    const members = Array.from({ length: 180 }, (_, day) => ({
      date: new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
      members: 1,
      rooms: 1,
    }));
    const history = extendHistory({ ...emptyHistory, members }, quiet, page);
    assert.equal(history.members.length, 180);
    assert.equal(history.members[0]?.date, "2026-01-02");
    assert.equal(history.members.at(-1)?.date, "2026-11-22");
  });
  it("draws no zero for a run that read no room", () => {
    assert.deepEqual(extendHistory(emptyHistory, runRecord([], { status: "failed" }), page).members, []);
  });
  it("does not take an undo for a check", () => {
    const history = extendHistory(emptyHistory, { ...changed, command: "restore" }, page);
    assert.equal(history.checkedAt, null);
    assert.equal(history.lastChange?.added, 1);
  });
});

describe("decideReport", () => {
  const checked = extendHistory(emptyHistory, quiet, page);
  const afterHeld = extendHistory(emptyHistory, held, page);

  const decisions: readonly [string, History, RunRecord, number, { page: boolean; commit: boolean }][] = [
    ["the first run is committed", emptyHistory, quiet, 1, { page: false, commit: true }],
    ["a run with nothing new is not", checked, at("2026-11-22T06:17:09Z"), 1, { page: false, commit: false }],
    ["a change gets a page", checked, at("2026-11-22T06:17:09Z", changed), 1, { page: true, commit: true }],
    [
      "removals newly held get a page",
      checked,
      at("2026-11-22T06:17:09Z", held),
      1,
      { page: true, commit: true },
    ],
    [
      "removals held as before do not",
      afterHeld,
      at("2026-11-22T06:17:09Z", held),
      1,
      { page: false, commit: false },
    ],
    [
      "other removals held do",
      afterHeld,
      at("2026-11-22T06:17:09Z", { ...held, digest: "0" }),
      1,
      { page: true, commit: true },
    ],
    [
      "what is no longer held updates the index",
      afterHeld,
      at("2026-11-22T06:17:09Z"),
      1,
      { page: false, commit: true },
    ],
    [
      "a new problem gets a page",
      checked,
      { ...quiet, problems: [problem] },
      1,
      { page: true, commit: true },
    ],
    [
      "a heartbeat comes after a day less an hour",
      checked,
      at("2026-11-23T04:17:09Z"),
      1,
      { page: false, commit: true },
    ],
    ["and not before", checked, at("2026-11-23T04:17:08Z"), 1, { page: false, commit: false }],
    [
      "zero heartbeat days commit every run",
      checked,
      at("2026-11-22T05:17:10Z"),
      0,
      { page: false, commit: true },
    ],
    [
      "a plan writes nothing",
      emptyHistory,
      { ...changed, command: "plan" },
      0,
      { page: false, commit: false },
    ],
    ["an undo gets a page", checked, { ...changed, command: "restore" }, 1, { page: true, commit: true }],
  ];
  for (const [fact, history, record, days, expected] of decisions) {
    it(fact, () => assert.deepEqual(decideReport(history, record, days), expected));
  }
  it("brings the index up to date with the first check after an undo", () => {
    const restored = extendHistory(
      checked,
      at("2026-11-22T06:00:00Z", { ...changed, command: "restore" }),
      page,
    );
    assert.equal(decideReport(restored, at("2026-11-22T06:17:09Z"), 1).commit, true);
  });
  it("does not mind the order of the problems", () => {
    const other = { ...problem, line: 5 };
    const history = extendHistory(emptyHistory, { ...quiet, problems: [problem, other] }, page);
    assert.equal(decideReport(history, { ...quiet, problems: [other, problem] }, 1).commit, false);
  });
});
