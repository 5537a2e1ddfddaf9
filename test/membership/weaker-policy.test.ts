import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeaker } from "../../src/membership/weaker-policy.ts";

const changes: readonly [key: string, without: unknown, later: unknown, isWeaker: boolean][] = [
  ["limits.emptyGroup", "hold", "apply", true],
  ["limits.emptyGroup", "apply", "hold", false],
  ["limits.emptyGroup", "hold", "hold", false],
  ["limits.removalsPerRoom.count", 3, 4, true],
  ["limits.removalsPerRoom.count", 4, 3, false],
  ["limits.removalsPerRun.share", 0.1, 0.1, false],
  ["protect.moderators", true, false, true],
  ["protect.moderators", false, true, false],
  ["protect.bots", true, true, false],
  ["protect.people", ["ada@acme.example"], [], true],
  ["protect.people", ["ada@acme.example"], ["bob@acme.example"], true],
  ["protect.people", ["ada@acme.example"], ["bob@acme.example", "ada@acme.example"], false],
  ["protect.people", [], ["ada@acme.example"], false],
  ["protect.people", null, ["ada@acme.example"], false],
  ["protect.people", ["ada@acme.example"], null, true],
  ["report.emoji", true, false, false],
  ["tokenWarningDays", 1, 2, false],
];
for (const [key, without, later, weakens] of changes) {
  const [before, after] = [without, later].map((value) => JSON.stringify(value));
  test(`${key} from ${before} to ${after} ${weakens ? "lets more through" : "lets no more through"}`, () => {
    assert.equal(isWeaker({ key, without: before ?? "", with: after ?? "" }), weakens);
  });
}
