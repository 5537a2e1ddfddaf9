import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { loadOrganisation } from "../../sandbox/organisation.ts";
import { buildLargeOrganisation } from "../support/large-organisation.ts";
import { assertSettles } from "../support/settle.ts";
import { startStory } from "../support/story.ts";

const bundled = new URL("../../sandbox/demo/", import.meta.url);

test("a large organisation gets what its groups say; once what is held is approved it is converged", async () => {
  const { organisation, rows } = buildLargeOrganisation(20261122);
  const { record } = await assertSettles(organisation, rows);
  assert.deepEqual(record.totals, { rooms: 144, added: 56, removed: 40, held: 68, failed: 0, kept: 195 });
  const reasons = new Set(
    record.rooms.flatMap(({ held, kept }) => [...held, ...kept].map(({ reason }) => reason)),
  );
  assert.deepEqual([...reasons].sort(), ["bot", "empty-group", "external", "removals-per-room", "self"]);
});

test("the bundled organisation settles likewise, all but the typing error in its CSV", async () => {
  const organisation = await loadOrganisation(new URL("organisation.json", bundled));
  await using story = await startStory(organisation, []);
  await story.folder.write("mappings/rooms.csv", await readFile(new URL("rooms.csv", bundled)));

  const first = await story.run(["sync"]);
  assert.deepEqual([first.code, first.record.status, first.commits], [3, "partial", 1]);
  assert.ok(first.record.totals.added > 0 && first.record.totals.removed > 0 && first.record.totals.held > 0);
  assert.equal(first.writes.length, first.record.totals.added + first.record.totals.removed);

  const second = await story.run(["sync"]);
  assert.deepEqual([second.code, second.writes, second.commits], [3, [], 0]);
  assert.equal(second.record.digest, first.record.digest);

  const approved = await story.run(["sync", "--approve", first.record.digest ?? ""]);
  assert.equal(approved.writes.length, first.record.totals.held);
  assert.equal(approved.record.totals.removed, first.record.totals.held);

  const last = await story.run(["sync"]);
  assert.deepEqual([last.record.totals.held, last.writes, last.commits], [0, [], 0]);
  assert.deepEqual(last.record.problems, first.record.problems);
});
