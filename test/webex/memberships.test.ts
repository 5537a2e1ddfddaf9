import assert from "node:assert/strict";
import { test } from "node:test";
import type { Organisation } from "../../sandbox/organisation.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import { identityOf } from "../../src/lib/webex-id.ts";
import type { Room } from "../../src/membership/directory.ts";
import type { Addition, Removal } from "../../src/membership/plan.ts";
import { createWebexReader, createWebexWriter } from "../../src/webex/directory.ts";
import { listRoomMembers } from "../../src/webex/memberships.ts";
import { openClient, openWebex } from "../support/open-webex.ts";
import { startScript } from "../support/scripted-server.ts";

const acme: Organisation = {
  name: "acme",
  people: [
    { key: "ann", displayName: "Ann", email: "ann@acme.example" },
    { key: "bob", displayName: "Bob", email: "bob@acme.example" },
    { key: "bell", displayName: "Bell", email: "Bell@Webex.bot", type: "bot" },
    { key: "old", displayName: "Old", email: "old@sparkbot.io", type: "bot" },
    { key: "gus", displayName: "Gus", email: "a1@appid.ciscospark.com", type: "appuser" },
    { key: "xena", displayName: "Xena", email: "xena@crane.example", organisation: "crane" },
  ],
  groups: [],
  teams: [{ name: "Ops", members: [] }],
  rooms: [
    { title: "NOC", members: ["ann", "bell", "old", "gus", "xena"], moderators: ["ann"] },
    { title: "General", members: [], team: "Ops", general: true },
    { title: "Away", members: ["ann"], ownerAbsent: true },
    { title: "Locked", members: ["ann"], moderators: ["ann"], isLocked: true },
  ],
};

async function start(options: SandboxOptions = {}) {
  const sandbox = await startSandbox(acme, options);
  const { client, pauses } = await openWebex(sandbox);
  const writer = createWebexWriter(client);
  const roomOf = (title: string): Room => ({
    key: identityOf(sandbox.roomId(title), "ROOM"),
    id: sandbox.roomId(title),
    title,
    orgKey: null,
    generalOfTeamId: null,
    isModerated: false,
  });
  return {
    sandbox,
    client,
    pauses,
    roomOf,
    add: (title: string, name: string) => writer.addMember(roomOf(title), additionOf(sandbox, name)),
    async remove(title: string, name: string) {
      const { items } = await createWebexReader(client).listRoomMembers(roomOf(title));
      const known = items.find(({ personId }) => personId === sandbox.personId(name));
      const membershipId = known?.membershipId ?? "none";
      const removal = { ...additionOf(sandbox, name), ...known, membershipId, wasModerator: false };
      return (of: Partial<Removal> = {}) => writer.removeMember(roomOf(title), { ...removal, ...of });
    },
    routes: () => sandbox.requests.slice(1).map(({ route, status }) => `${route} ${status ?? "no answer"}`),
  };
}

function additionOf(sandbox: Sandbox, name: string): Addition {
  const personId = sandbox.personId(name);
  return { key: identityOf(personId, "PEOPLE"), personId, displayName: `label of ${name}`, email: null };
}

const post = "POST /memberships";

const drop = "DELETE /memberships/{membershipId}";

const list = "GET /memberships";

test("a room's members have decoded ids and moderator flags, and bots and guests are recognised by address", async () => {
  const { sandbox, client, roomOf } = await start({ pageCaps: { memberships: 2 } });
  await using _ = sandbox;
  const { complete, items } = await listRoomMembers(client, roomOf("NOC"), identityOf);
  assert.equal(complete, true);
  assert.deepEqual(
    items.map(({ displayName, suggestedKind, isModerator }) => [displayName, suggestedKind, isModerator]),
    [
      ["Ann", null, true],
      ["Bell", "bot", false],
      ["Old", "bot", false],
      ["Gus", "guest", false],
      ["Xena", null, false],
      ["Rollcall", null, false],
    ],
  );
  const [ann, , , , xena] = items;
  assert.equal(ann?.key, identityOf(sandbox.personId("ann"), "PEOPLE"));
  assert.notEqual(ann?.orgKey, xena?.orgKey);
});

test("members of another room make the listing incomplete", async () => {
  const { sandbox, client, roomOf } = await start({ pageCaps: { memberships: 1 }, lostFilters: true });
  await using _ = sandbox;
  const listing = await listRoomMembers(client, roomOf("NOC"), identityOf);
  assert.deepEqual([listing.complete, listing.items.length], [false, 1]);
});

test("a listed room whose members answer 404 has an incomplete listing, not an empty one", async () => {
  const { sandbox, client, roomOf } = await start({ listedRoomIs404: ["NOC"] });
  await using _ = sandbox;
  assert.equal((await listRoomMembers(client, roomOf("NOC"), identityOf)).complete, false);
});

test("a person is added once, by id, and recorded as Webex describes them", async () => {
  const { sandbox, add } = await start();
  await using _ = sandbox;
  const personId = sandbox.personId("bob");
  assert.deepEqual(await add("NOC", "bob"), { personId, displayName: "Bob", email: "bob@acme.example" });
  assert.deepEqual(sandbox.requests.at(-1)?.body, { roomId: sandbox.roomId("NOC"), personId });
  assert.ok(sandbox.members("NOC").includes("bob"));
});

test("somebody who is in the room already was not added by us", async () => {
  const { sandbox, add, routes } = await start();
  await using _ = sandbox;
  assert.equal(await add("NOC", "ann"), null);
  assert.deepEqual(routes(), [`${post} 409`]);
});

test("an addition whose answer got lost is sent again, and the 409 counts as added by us", async () => {
  const { sandbox, add, routes } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: post, dropAfter: true });
  assert.deepEqual(await add("NOC", "bob"), additionOf(sandbox, "bob"));
  assert.deepEqual(routes(), [`${post} no answer`, `${post} 409`]);
});

test("an addition that had to wait changed nothing: a 409 after it is not ours", async () => {
  const { sandbox, add } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: post, status: 429 });
  assert.equal(await add("NOC", "ann"), null);
});

test("an addition that fails says whether one of its tries may have worked", async () => {
  const { sandbox, add } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: post, dropAfter: true });
  sandbox.fault({ route: post, status: 403 });
  await assert.rejects(add("NOC", "bob"), { status: 403, mayHaveWorked: true });
  sandbox.fault({ route: post, status: 403 });
  await assert.rejects(add("NOC", "bob"), { status: 403, mayHaveWorked: false });
});

test("a member of whom only what informs is missing is a member; one who cannot be identified spoils nobody else", async () => {
  const roomId = "r1";
  const items = [
    {
      id: "m1",
      roomId,
      personId: "p1",
      personEmail: null,
      personDisplayName: null,
      personOrgId: 7,
      isModerator: true,
    },
    { id: "m2", roomId, personId: null, isModerator: false },
    { id: null, roomId, personId: "p3", isModerator: false },
    { id: "m4", roomId, personId: "p4" },
    { id: "m5", roomId, personId: "", isModerator: false },
    { id: "", roomId, personId: "p6", isModerator: false },
  ];
  await using server = await startScript(() => ({ body: { items } }));
  const { client } = openClient({ baseUrl: server.url });
  const room = {
    key: roomId,
    id: roomId,
    title: "",
    orgKey: null,
    generalOfTeamId: null,
    isModerated: false,
  };
  const { complete, items: members } = await listRoomMembers(client, room, identityOf);
  assert.equal(complete, true);
  assert.deepEqual(
    members.map(({ key, membershipId, isModerator }) => [key, membershipId, isModerator]),
    [
      ["p1", "m1", true],
      ["p3", null, false],
      ["p4", null, false],
      ["p6", null, false],
    ],
  );
});

test("an addition is repeated after a 503", async () => {
  const { sandbox, add, pauses } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: post, status: 503 });
  await add("NOC", "bob");
  assert.deepEqual(pauses, [1000]);
});

test("the 502 that says the token's owner is not in the room is not repeated", async () => {
  const { sandbox, add, routes } = await start();
  await using _ = sandbox;
  await assert.rejects(add("Away", "bob"), { message: "[POST] /memberships: 502: Add participant failed" });
  assert.deepEqual(routes(), [`${post} 502`]);
});

test("an addition is repeated after any other 502", async () => {
  const { sandbox, add, routes } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: post, status: 502 });
  await add("NOC", "bob");
  assert.deepEqual(routes(), [`${post} 502`, `${post} 200`]);
});

test("a refused addition fails with Webex's message and tracking id", async () => {
  const { sandbox, add } = await start();
  await using _ = sandbox;
  await assert.rejects(add("Locked", "bob"), {
    name: "WebexError",
    status: 403,
    message: "[POST] /memberships: 403: Only moderators may change the members of a moderated space",
    trackingId: "SANDBOX_2",
  });
});

test("a person is added to a team's General space through the team", async () => {
  const { sandbox, client, roomOf, routes } = await start();
  await using _ = sandbox;
  const { items } = await createWebexReader(client).listRooms();
  const general = items.find(({ title }) => title === "General");
  assert.ok(general?.generalOfTeamId);
  await createWebexWriter(client).addMember(general, additionOf(sandbox, "bob"));
  assert.deepEqual(sandbox.requests.at(-1)?.body, {
    teamId: general.generalOfTeamId,
    personId: sandbox.personId("bob"),
  });
  assert.equal(routes().at(-1), "POST /team/memberships 200");
  assert.deepEqual([general.key, sandbox.members("General")], [roomOf("General").key, ["bob", "rollcall"]]);
});

test("a membership is deleted", async () => {
  const { sandbox, remove, routes } = await start();
  await using _ = sandbox;
  const end = await remove("NOC", "xena");
  await end();
  assert.equal(sandbox.members("NOC").includes("xena"), false);
  assert.deepEqual(routes(), [`${list} 200`, `${drop} 204`]);
});

test("a membership that is gone was not ended by us, once a fresh look confirms it", async () => {
  const { sandbox, remove, routes } = await start();
  await using _ = sandbox;
  const end = await remove("NOC", "xena");
  sandbox.removeFromRoom("NOC", "xena");
  assert.equal(await end(), false);
  assert.deepEqual(routes(), [`${list} 200`, `${drop} 404`, `${list} 200`]);
});

test("a 404 is a failure while the person is still in the room", async () => {
  const { sandbox, remove } = await start();
  await using _ = sandbox;
  const end = await remove("NOC", "xena");
  sandbox.fault({ route: drop, status: 404 });
  await assert.rejects(end(), { status: 404 });
});

test("a 404 is a failure when the members cannot be listed", async () => {
  const { sandbox, remove } = await start();
  await using _ = sandbox;
  const end = await remove("NOC", "xena");
  sandbox.removeFromRoom("NOC", "xena");
  sandbox.fault({ route: list, status: 403 });
  await assert.rejects(end(), { status: 404 });
});

test("a removal is sent again after a lost answer, and counts as done when the person is gone", async () => {
  const { sandbox, remove, routes } = await start();
  await using _ = sandbox;
  const end = await remove("NOC", "xena");
  sandbox.fault({ route: drop, dropAfter: true });
  assert.equal(await end(), true);
  assert.deepEqual(routes(), [`${list} 200`, `${drop} no answer`, `${drop} 404`, `${list} 200`]);
});

test("a 400 counts as done only for a repeated request, and only when the person is gone", async () => {
  const { sandbox, remove } = await start();
  await using _ = sandbox;
  const end = await remove("NOC", "xena");
  await assert.rejects(end({ membershipId: "unknown" }), { status: 400 });
  sandbox.fault({ route: drop, dropAfter: true });
  sandbox.fault({ route: drop, status: 400 });
  await end();
  const other = await remove("NOC", "gus");
  sandbox.fault({ route: drop, drop: true });
  sandbox.fault({ route: drop, status: 400 });
  await assert.rejects(other(), { status: 400 });
});

test("a refused removal fails without a new listing", async () => {
  const { sandbox, remove, routes } = await start();
  await using _ = sandbox;
  const end = await remove("Locked", "ann");
  await assert.rejects(end(), { status: 403 });
  assert.deepEqual(routes(), [`${list} 200`, `${drop} 403`]);
});
