import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunRecord } from "../../src/membership/record.ts";
import { emptyHistory, extendHistory, findFlapping, type History } from "../../src/report/history.ts";
import { person, room, runRecord } from "./build-record.ts";

const page = "runs/2026-11-22-4711.md";

const quiet = runRecord([room("NOC")]);

function at(startedAt: string, record: RunRecord = quiet): RunRecord {
  return { ...record, startedAt };
}

describe("findFlapping", () => {
  const add = runRecord([room("NOC", { added: [person("Ada")] })]);
  const remove = runRecord([room("NOC", { removed: [{ ...person("Ada"), wasModerator: false }] })]);
  const twice = [at("2026-11-20T05:00:00Z", add), at("2026-11-21T05:00:00Z", remove)].reduce<History>(
    (history, record) => extendHistory(history, record, page),
    emptyHistory,
  );

  it("names somebody who is added, removed and added again", () => {
    assert.deepEqual(findFlapping(twice, add), [
      'Ada keeps being added to and removed from "NOC": 3 changes in 30 days, the latest an addition. Somebody or something else seems to manage this space too; let only one of them decide.',
    ]);
  });
  it("says nothing of a mistake that was put right", () => {
    assert.deepEqual(findFlapping(extendHistory(emptyHistory, add, page), remove), []);
  });
  it("counts no restore, which somebody has decided", () => {
    assert.deepEqual(findFlapping(twice, { ...add, command: "restore" }), []);
    const restored = extendHistory(emptyHistory, { ...remove, command: "restore" }, page);
    assert.deepEqual(findFlapping(extendHistory(restored, add, page), remove), []);
  });
  it("forgets after 30 days", () => {
    assert.deepEqual(findFlapping(twice, at("2026-12-22T05:17:09Z", add)), []);
  });
  it("knows one person under two spellings of the id", () => {
    const spell = (cluster: string) =>
      Buffer.from(`ciscospark://${cluster}/PEOPLE/ada-key`).toString("base64url");
    const addSpelled = (cluster: string) =>
      runRecord([room("NOC", { added: [{ ...person("Ada"), personId: spell(cluster) }] })]);
    const history = ["us", "urn:TEAM:us-east-2_a"].reduce<History>(
      (memory, cluster) => extendHistory(memory, addSpelled(cluster), page),
      emptyHistory,
    );
    assert.equal(findFlapping(history, addSpelled("us")).length, 1);
  });
  it("stays short, in the memory and on the page", () => {
    const many = runRecord([room("All", { added: Array.from({ length: 1500 }, (_, n) => person(`P${n}`)) })]);
    const history = [many, many].reduce<History>(
      (memory, record) => extendHistory(memory, record, page),
      emptyHistory,
    );
    assert.equal(history.recent.length, 2000);
    const notices = findFlapping(history, many);
    assert.equal(notices.length, 11);
    assert.equal(notices.at(-1), "The same is true of 490 other people.");
  });
});
