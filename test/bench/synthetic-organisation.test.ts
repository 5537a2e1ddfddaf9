import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSyntheticOrganisation, type SyntheticSize } from "../../bench/synthetic-organisation.ts";
import { startSandbox } from "../../sandbox/server.ts";

function countDrift(size: SyntheticSize) {
  const built = buildSyntheticOrganisation(size);
  const { groups, rooms } = built.organisation;
  const membersOf = new Map(groups.map((group) => [group.name, group.members]));
  const rows = built.mappings.trimEnd().split("\n").slice(1);
  const perRoom = rows.map((row, index) => {
    const group = new Set(membersOf.get(row.split(",")[0] ?? ""));
    const room = new Set(rooms[index]?.members);
    return {
      additions: [...group].filter((key) => !room.has(key)),
      removals: [...room].filter((key) => !group.has(key)),
    };
  });
  return { built, perRoom, inGroups: new Set(groups.flatMap((group) => group.members)) };
}

test("the drift is the asked share of the members, half additions and half removals", () => {
  const { built, perRoom } = countDrift({ rooms: 40, membersPerRoom: 100, drift: 0.05 });
  assert.deepEqual([built.additions, built.removals], [100, 100]);
  assert.equal(perRoom.flatMap((room) => room.additions).length, 100);
  assert.equal(perRoom.flatMap((room) => room.removals).length, 100);
});

test("no room has more removals than three or a quarter, and who is to be removed is in some group", () => {
  for (const membersPerRoom of [10, 100, 200]) {
    const { perRoom, inGroups } = countDrift({ rooms: 40, membersPerRoom });
    for (const { removals } of perRoom) {
      assert.ok(removals.length <= Math.max(3, membersPerRoom / 4));
      assert.ok(removals.every((key) => inGroups.has(key)));
    }
  }
});

test("several rooms can share a group", () => {
  const { built, perRoom } = countDrift({ rooms: 6, membersPerRoom: 20, groups: 2, people: 60, drift: 0.1 });
  assert.equal(built.organisation.groups.length, 2);
  assert.equal(built.mappings.split("\n")[5], "Group 1,Room 5");
  assert.ok(perRoom.every((room) => room.additions.length === 1 && room.removals.length === 1));
});

test("the same size and seed give the same organisation, another seed another one", () => {
  const size = { rooms: 5, membersPerRoom: 10 };
  assert.deepEqual(buildSyntheticOrganisation(size), buildSyntheticOrganisation(size));
  assert.notDeepEqual(buildSyntheticOrganisation(size), buildSyntheticOrganisation({ ...size, seed: 2 }));
});

test("without drift rooms and groups agree", () => {
  const { built } = countDrift({ rooms: 5, membersPerRoom: 10, drift: 0 });
  assert.deepEqual([built.additions, built.removals], [0, 0]);
});

test("a sandbox starts with it", async () => {
  const { organisation } = buildSyntheticOrganisation({ rooms: 3, membersPerRoom: 20, drift: 0.1 });
  await using sandbox = await startSandbox(organisation);
  assert.equal(sandbox.members("Room 3").length, 21);
});
