import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadOrganisation } from "../../sandbox/organisation.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { list, signIn } from "../sandbox/client.ts";
import { contractFolder } from "../support/contract.ts";
import { assertSettles } from "../support/settle.ts";

const organisation = await loadOrganisation(join(contractFolder ?? "", "orgs/rust-lang.json"));

test("the organisation rust-lang has 399 people and 144 rooms with their members", async () => {
  await using sandbox = await startSandbox(organisation);
  const call = await signIn(sandbox);
  assert.equal(organisation.people.length, 399);
  assert.equal(list(await call("GET", "/rooms?max=1000")).length, 144);
  for (const { title, members } of organisation.rooms) {
    assert.deepEqual(sandbox.members(title), [...members, "rollcall"].sort());
  }
});

test("in rust-lang 122 are added, 50 removed and 16 held; once these are approved it is converged", async () => {
  const rows = organisation.rooms.map(({ title }) => [title, title] as const);
  const { record } = await assertSettles(organisation, rows);
  assert.deepEqual(record.totals, { rooms: 144, added: 122, removed: 50, held: 16, failed: 0, kept: 144 });
  const reasons = record.rooms.flatMap((room) => room.held.map((person) => person.reason));
  assert.equal(reasons.filter((reason) => reason === "empty-group").length, 1);
  assert.equal(reasons.filter((reason) => reason === "removals-per-room").length, 15);
});
