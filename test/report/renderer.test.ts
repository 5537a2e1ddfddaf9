import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunRecord } from "../../src/membership/record.ts";
import { eventfulRun, loadRenderer, reportInput, room, runRecord, textOf } from "./build-record.ts";

const renderer = loadRenderer();
const index = "reports/README.md";
const page = "reports/runs/2026-11-22-4711.md";

describe("the files of a report", () => {
  it("are the index, the memory, and the run's page with its record", () => {
    const files = renderer.renderFiles(reportInput(eventfulRun));
    assert.deepEqual(files.map((file) => file.path).sort(), [
      "reports/README.md",
      "reports/history.json",
      "reports/runs/2026-11-22-4711.json",
      page,
    ]);
    assert.deepEqual(JSON.parse(textOf(files, "reports/runs/2026-11-22-4711.json")), eventfulRun);
  });
  it("are none when nothing is new", () => {
    const quiet = runRecord([room("NOC")]);
    const historyText = textOf(renderer.renderFiles(reportInput(quiet)), "reports/history.json");
    assert.deepEqual(renderer.renderFiles(reportInput(quiet, { historyText })), []);
  });
  it("are the same bytes for the same run, whatever the order of rooms and people", () => {
    const shuffle = (record: RunRecord): RunRecord => ({
      ...record,
      rooms: record.rooms.map((one) => ({ ...one, added: one.added.toReversed() })).toReversed(),
    });
    const pages = (record: RunRecord) =>
      renderer.renderFiles(reportInput(record)).filter(({ path }) => path !== page.replace("md", "json"));
    assert.deepEqual(pages(shuffle(eventfulRun)), pages(eventfulRun));
  });
  it("write a record's keys in the contract's order", () => {
    const { version, command, ...others } = eventfulRun;
    const mixed = { ...others, command, version };
    const text = textOf(renderer.renderFiles(reportInput(mixed)), page.replace("md", "json"));
    assert.deepEqual(Object.keys(JSON.parse(text)), Object.keys(eventfulRun));
    assert.ok(text.endsWith("}\n"));
  });
  it("leave the index to the next check after an undo", () => {
    const paths = renderer
      .renderFiles(reportInput({ ...eventfulRun, command: "restore" }))
      .map((file) => file.path);
    assert.equal(paths.includes(index), false);
  });
  it("lie beside each other with any run id", () => {
    const paths = renderer
      .renderFiles(reportInput(eventfulRun, { runId: "../../x y" }))
      .map((file) => file.path);
    assert.ok(paths.includes("reports/runs/2026-11-22-x-y.md"));
  });
});
