import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrganisationRoom } from "../../../sandbox/organisation.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { list, signIn, small } from "../client.ts";

async function start(rooms: readonly OrganisationRoom[]) {
  const sandbox = await startSandbox({ ...small, rooms, teams: [{ name: "Ops", members: ["ann"] }] });
  return { sandbox, call: await signIn(sandbox) };
}

test("only the rooms that the token's owner is in are listed and answered", async () => {
  const { sandbox, call } = await start([
    { title: "In", members: [] },
    { title: "Out", members: ["ann"], ownerAbsent: true },
  ]);
  await using _ = sandbox;
  const titles = list(await call("GET", "/rooms")).map((room) => room.title);
  assert.deepEqual(titles, ["In"]);
  assert.equal((await call("GET", `/rooms/${sandbox.roomId("In")}`)).body.title, "In");
  const { status, body } = await call("GET", `/rooms/${sandbox.roomId("Out")}`);
  assert.deepEqual([status, body.message], [404, "Could not find a room with provided ID."]);
});

test("rooms are listed in the order of their ids, of one type when asked", async () => {
  const { sandbox, call } = await start([
    ...["A", "B", "C", "D"].map((title) => ({ title, members: [] })),
    { title: "ann Example", members: ["ann"], type: "direct" },
  ]);
  await using _ = sandbox;
  const ids = list(await call("GET", "/rooms")).map((room) => String(room.id));
  assert.equal(ids.length, 5);
  assert.deepEqual(ids, [...ids].sort());
  assert.equal(list(await call("GET", "/rooms?type=group")).length, 4);
  assert.equal(list(await call("GET", "/rooms?type=direct")).length, 1);
});

test("rooms with one title have ids of their own", async () => {
  const { sandbox, call } = await start([
    { title: "Twin", members: [] },
    { title: "Twin", members: [] },
  ]);
  await using _ = sandbox;
  assert.equal(new Set(list(await call("GET", "/rooms")).map((room) => room.id)).size, 2);
});

test("a room shows what it is: locked, public, of a team, of another organisation, of another cluster", async () => {
  const { sandbox, call } = await start([
    { title: "Plain", members: [] },
    { title: "Locked", members: [], isLocked: true },
    { title: "Public", members: [], isPublic: true },
    { title: "Team", members: [], team: "Ops" },
    { title: "Foreign", members: [], organisation: "partner", cluster: "urn:TEAM:us-west-2_r" },
  ]);
  await using _ = sandbox;
  const room = async (title: string) => (await call("GET", `/rooms/${sandbox.roomId(title)}`)).body;
  const plain = await room("Plain");
  assert.deepEqual([plain.isLocked, plain.isPublic, "teamId" in plain], [false, false, false]);
  assert.equal((await room("Locked")).isLocked, true);
  assert.equal((await room("Public")).isPublic, true);
  assert.equal((await room("Team")).teamId, list(await call("GET", "/teams"))[0]?.id);
  assert.notEqual((await room("Foreign")).ownerId, plain.ownerId);
  const id = Buffer.from(sandbox.roomId("Foreign"), "base64url").toString();
  assert.match(id, /^ciscospark:\/\/urn:TEAM:us-west-2_r\/ROOM\/[\da-f-]{36}$/);
});

test("the same organisation has the same ids in every sandbox", async () => {
  await using one = await startSandbox(small);
  await using two = await startSandbox(small);
  assert.equal(one.roomId("NOC"), two.roomId("NOC"));
  assert.equal(one.personId("ann"), two.personId("ann"));
  assert.equal(one.groupId("on-call"), two.groupId("on-call"));
});
