import assert from "node:assert/strict";
import { test } from "node:test";
import type { Organisation } from "../../sandbox/organisation.ts";
import { type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import { identityOf } from "../../src/lib/webex-id.ts";
import { listRooms } from "../../src/webex/rooms.ts";
import { openClient, openWebex } from "../support/open-webex.ts";
import { startScript } from "../support/scripted-server.ts";

const cluster = "urn:TEAM:us-west-2_r";
const acme: Organisation = {
  name: "acme",
  people: [{ key: "ann", displayName: "Ann", email: "ann@acme.example" }],
  groups: [],
  teams: [{ name: "Ops", members: ["ann"] }],
  rooms: [
    { title: "NOC", members: ["ann"] },
    { title: "NOC", members: [] },
    { title: "Ann", members: ["ann"], type: "direct" },
    { title: "Hidden", members: ["ann"], ownerAbsent: true },
    { title: "General", members: [], team: "Ops", general: true, cluster },
    { title: "Alerts", members: ["ann"], team: "Ops" },
    { title: "Shared", members: ["ann"], organisation: "crane-works" },
  ],
};

async function list(options: SandboxOptions = {}) {
  await using sandbox = await startSandbox(acme, options);
  const { client } = await openWebex(sandbox);
  const listing = await listRooms(client);
  return { ...listing, requests: sandbox.requests, idOf: sandbox.roomId };
}

test("the owner's group rooms are listed, including those with the same title, without direct rooms", async () => {
  const { complete, items, requests } = await list();
  assert.equal(complete, true);
  assert.deepEqual(items.map(({ title }) => title).sort(), ["Alerts", "General", "NOC", "NOC", "Shared"]);
  assert.equal(requests.at(-1)?.path, "/rooms?type=group&sortBy=id&max=1000");
});

test("a room's key is its decoded id, and its organisation is its owner's", async () => {
  const { items, idOf } = await list();
  const general = items.find(({ title }) => title === "General");
  assert.equal(general?.id, idOf("General"));
  assert.equal(general?.key, identityOf(idOf("General"), "ROOM"));
  const orgs = new Map(items.map(({ title, orgKey }) => [title, orgKey]));
  assert.notEqual(orgs.get("Shared"), orgs.get("Alerts"));
  assert.match(String(orgs.get("Alerts")), /^ORGANIZATION\//);
});

test("a team's General space is recognised by its uuid in any cluster; the team's other rooms are not General", async () => {
  const { items } = await list();
  const generals = items.filter(({ generalOfTeamId }) => generalOfTeamId !== null);
  assert.deepEqual(
    generals.map(({ title }) => title),
    ["General"],
  );
});

test("rooms are read page by page", async () => {
  const { complete, items } = await list({ pageCaps: { rooms: 2 }, bareBefore: true });
  assert.deepEqual([complete, items.length], [true, 5]);
});

test("a direct room on a next page that lost the filter is left out", async () => {
  const { complete, items } = await list({ pageCaps: { rooms: 1 }, lostFilters: true });
  assert.equal(complete, true);
  assert.ok(items.every(({ title }) => title !== "Ann"));
});

test("what Webex may leave out of a room is unknown", async () => {
  await using server = await startScript(() => ({
    body: { items: [{ id: "r1", type: "group", title: null, teamId: null, isLocked: null }] },
  }));
  const { client } = openClient({ baseUrl: server.url });
  assert.deepEqual(await listRooms(client), {
    complete: true,
    items: [{ key: "r1", id: "r1", title: "", orgKey: null, generalOfTeamId: null, isModerated: false }],
  });
});
