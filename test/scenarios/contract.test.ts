import assert from "node:assert/strict";
import { test } from "node:test";
import { loadContracts } from "../support/contract.ts";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const checkExchange = loadContracts();

test("every request of a run keeps to the contracts", async () => {
  await using story = await startStory(
    organisation({
      groups: { eng: ["ann", "new"], crew: ["ann", "bob"] },
      teams: [{ name: "Ship", members: ["ann"] }],
      rooms: [
        { title: "NOC", members: ["ann", "old", "bob", "cat"] },
        { title: "Ship", members: [], team: "Ship", general: true },
      ],
    }),
    ["eng,NOC", "crew,Ship"],
    { pageCaps: { rooms: 1, memberships: 2, groups: 1, groupMembers: 1 }, bareBefore: true },
  );
  const ending = await story.run(["sync"]);
  assert.deepEqual([ending.code, ending.commits], [0, 1], ending.stderr);
  const kinds = new Set(ending.requests.map(({ method, half }) => `${half} ${method}`));
  for (const kind of ["webex GET", "webex POST", "webex DELETE", "github GET", "github PUT", "github POST"]) {
    assert.ok(kinds.has(kind), `${kind} among ${[...kinds]}`);
  }
  assert.deepEqual(ending.requests.flatMap(checkExchange), []);
});
