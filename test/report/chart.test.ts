import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadRenderer, reportInput, room, runRecord, textOf } from "./build-record.ts";

const renderer = loadRenderer();
const index = "reports/README.md";

describe("the chart", () => {
  const members = (days: number) =>
    Array.from({ length: days }, (_, day) => ({
      date: new Date(Date.UTC(2026, 10, 22 - days + day)).toISOString().slice(0, 10),
      members: 100 + day,
      rooms: 1,
    }));
  const draw = (points: unknown) => {
    const historyText = textOf(
      renderer.renderFiles(reportInput(runRecord([room("NOC")]))),
      "reports/history.json",
    );
    const history: object = { ...JSON.parse(historyText), checkedAt: null, members: points };
    return textOf(
      renderer.renderFiles(reportInput(runRecord([room("NOC")]), { historyText: JSON.stringify(history) })),
      index,
    );
  };
  it("is not drawn before there are seven points", () => {
    assert.doesNotMatch(draw(members(5)), /mermaid/);
    assert.match(draw(members(6)), /x-axis \["11-16", .*"11-22"\]\n.*\n {2}bar \[100, .*12\]/);
  });
  it("labels up to twelve days", () =>
    assert.match(draw(members(11)), /x-axis \["11-11", .*"11-22"\]\n.*\n {2}bar/));
  it("numbers more days", () => {
    assert.match(draw(members(60)), /x-axis "days before 2026-11-22" 60 --> 0\n.*\n {2}line/);
  });
  it("fills the days without a check", () => {
    const gap = members(8).filter(({ date }) => date !== "2026-11-17" && date !== "2026-11-18");
    assert.match(draw(gap), /bar \[100, 101, 102, 102, 102, 105, 106, 107, 12\]/);
  });
});
