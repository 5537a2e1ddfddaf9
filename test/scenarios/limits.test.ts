import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crowd, organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const local = { local: true };
const kept = ["Rollcall: self"];
const strangers = ["old1", "old2", "old3", "old4"];

describe("limits", { concurrency: 2 }, () => {
  test("let small changes through and hold a room's removals as a whole, with the first reason that applies", async () => {
    const people = crowd(12);
    const groups = { eng: ["ann"], many: people, self: ["rollcall"], nobody: [] };
    await using story = await startStory(
      organisation({
        groups,
        people: { bell: { type: "bot" } },
        rooms: {
          "Up to three": ["ann", "old1", "old2", "old3"],
          "More than three": ["ann", ...strangers],
          // Twelve people, four strangers and the owner are 17: a quarter of them is more than four.
          "A quarter": [...people, ...strangers],
          "Only the owner": ["old1", "bell"],
          "Two reasons": strangers,
        },
      }),
      [
        "eng,Up to three",
        "eng,More than three",
        "many,A quarter",
        "self,Only the owner",
        "nobody,Two reasons",
      ],
    );
    const ending = await story.run(["sync"], local);
    const removed = (names: readonly string[]) => names.map((key) => key.replace("o", "O"));
    const held = (names: readonly string[], reason: string) =>
      removed(names).map((name) => `${name}: ${reason}`);
    assert.deepEqual(ending.rooms, {
      "Up to three": { members: "5 → 2", removed: removed(strangers.slice(0, 3)), kept },
      "More than three": { members: "6 → 6", held: held(strangers, "removals-per-room"), kept },
      "A quarter": { members: "17 → 13", removed: removed(strangers), kept },
      "Only the owner": {
        members: "3 → 3",
        held: held(["old1"], "empties-room"),
        kept: ["Bell: bot"],
      },
      "Two reasons": { members: "5 → 5", held: held(strangers, "empty-group"), kept },
    });
    assert.deepEqual([ending.code, ending.record.status, ending.record.totals.held], [2, "held", 9]);
  });

  test("are what the policy says", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], nobody: [] },
        people: { chair: {} },
        rooms: [
          { title: "NOC", members: ["ann", ...strangers] },
          { title: "Orphaned", members: ["old1", "chair"], moderators: ["chair", "rollcall"] },
        ],
      }),
      ["eng,NOC", "nobody,Orphaned"],
    );
    const limits = { removalsPerRoom: { count: 4, share: 0 }, emptyGroup: "apply" };
    await story.folder.write("strict/policy.json", JSON.stringify({ limits }));
    const ending = await story.run(["sync", "--policy", "strict/policy.json"], local);
    assert.deepEqual(ending.rooms, {
      NOC: { members: "6 → 2", removed: ["Old1", "Old2", "Old3", "Old4"], kept },
      Orphaned: { members: "3 → 2", removed: ["Old1"], kept: ["Chair: moderator", ...kept] },
    });
    assert.equal(ending.code, 0);
  });

  test("count on the additions: where these fail, nobody is removed from a room that would be empty", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["old1"] } }),
      ["eng,NOC"],
    );
    story.sandbox.fault({ route: "POST /memberships", status: 403 });
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms.NOC?.failed, [
      "add Ann: [POST] /memberships: 403: Forbidden, as declared by the test",
      "remove Old1: not tried: the additions failed, so nobody would be left in the space",
    ]);
    assert.deepEqual([ending.code, story.sandbox.members("NOC")], [3, ["old1", "rollcall"]]);
  });
});
