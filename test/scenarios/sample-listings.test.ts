import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crowd, nameOf, organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const local = { local: true };

/** How often each listing was asked for. */
function countPages(requests: readonly { readonly route: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { route } of requests) {
    if (route.startsWith("GET")) counts[route] = (counts[route] ?? 0) + 1;
  }
  return counts;
}

// The faults of a sample application that come from reading one page and taking it for all.
describe("listings are read to their end", { concurrency: 2 }, () => {
  test("sample fault 1: of a group of 1,200 nobody is taken for absent, person 501 and after included", async () => {
    const people = crowd(1200);
    await using story = await startStory(
      organisation({ groups: { everyone: people }, rooms: { Hall: people.slice(0, 1195) } }),
      ["everyone,Hall"],
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      Hall: { members: "1196 → 1201", added: people.slice(1195).map(nameOf), kept: ["Rollcall: self"] },
    });
    assert.deepEqual([ending.code, ending.writes.length], [0, 5]);
    assert.equal(countPages(ending.requests)["GET /groups/{groupId}/members"], 3);
  });

  test("sample fault 2: an empty group, and a listing cut short, remove nobody", async () => {
    const people = crowd(8);
    await using story = await startStory(
      organisation({
        groups: { nobody: [], cut: people },
        rooms: { Orphaned: ["p0001", "p0002"], Partial: [...people.slice(1), "left"] },
      }),
      ["nobody,Orphaned", "cut,Partial"],
      { groupMembersCut: 3 },
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      Orphaned: {
        members: "3 → 3",
        held: ["P0001: empty-group", "P0002: empty-group"],
        kept: ["Rollcall: self"],
      },
      // Who arrived in the listing is surely in the group, so the addition goes on.
      Partial: {
        members: "9 → 10",
        added: ["P0001"],
        kept: [
          "Left: changed",
          ...["P0004", "P0005", "P0006", "P0007", "P0008"].map((name) => `${name}: changed`),
          "Rollcall: self",
        ],
        frozen: "not known for certain: cut",
      },
    });
    assert.deepEqual([ending.code, ending.record.status], [3, "partial"]);
    assert.deepEqual(ending.writes, ["add p0001 to Partial: 200"]);
    assert.deepEqual(ending.record.problems, [
      {
        line: 3,
        column: "group",
        message:
          'the members of group "cut" are not known for certain: 3 of 8 members arrived; nobody is removed from "Partial"',
      },
    ]);
  });

  test("sample fault 6: of a room of 1,100 nobody present is added again, and those on its second page are removed", async () => {
    const people = crowd(1100);
    await using story = await startStory(
      organisation({ groups: { everyone: people }, rooms: { Hall: [...people, "old", "older"] } }),
      ["everyone,Hall"],
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      Hall: { members: "1103 → 1101", removed: ["Old", "Older"], kept: ["Rollcall: self"] },
    });
    assert.equal(ending.code, 0);
    assert.deepEqual(ending.writes, ["remove old from Hall: 204", "remove older from Hall: 204"]);
  });

  test("sample fault 9: groups and rooms behind the first page are found", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `team ${index + 1}`);
    const groups = Object.fromEntries(names.map((name) => [name, ["ann"]]));
    const rooms = Object.fromEntries(names.map((name) => [name, ["ann"]]));
    await using story = await startStory(
      organisation({ groups, rooms }),
      names.map((name) => `${name},${name}`),
      { pageCaps: { groups: 5, rooms: 5 }, emptyPages: "between", bareBefore: true },
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.record.status, ending.record.problems], [0, "converged", []]);
    assert.deepEqual(Object.keys(ending.rooms), names);
    // Three full pages and, between them, two that are empty.
    assert.equal(countPages(ending.requests)["GET /rooms"], 5);
  });
});
