import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrganisationRoom } from "../../../sandbox/organisation.ts";
import { type Sandbox, startSandbox } from "../../../sandbox/server.ts";
import type { Quirks } from "../../../sandbox/webex/quirks.ts";
import { type Answer, list, signIn, small } from "../client.ts";

async function startWithRoom(room: Partial<OrganisationRoom> = {}, quirks: Quirks = {}) {
  const rooms = [{ title: "NOC", members: ["ann", "bob"], ...room }];
  const teams = [{ name: "Ops", members: ["ann"], moderators: ["ann"] }];
  const sandbox = await startSandbox({ ...small, rooms, teams }, quirks);
  return { sandbox, call: await signIn(sandbox), room: sandbox.roomId("NOC") };
}

function outcome({ status, body }: Answer) {
  return body.message === undefined ? [status] : [status, body.message];
}

async function membershipId(sandbox: Sandbox, key: string): Promise<unknown> {
  const call = await signIn(sandbox);
  const path = `/memberships?roomId=${sandbox.roomId("NOC")}&personId=${sandbox.personId(key)}`;
  return list(await call("GET", path))[0]?.id;
}

test("a membership has person, room, address, organisation and roles", async () => {
  const { sandbox, call, room } = await startWithRoom({ isLocked: true });
  await using _ = sandbox;
  const [ann] = list(await call("GET", `/memberships?roomId=${room}&personEmail=ANN@acme.example.com`));
  assert.deepEqual([ann?.roomId, ann?.personId], [room, sandbox.personId("ann")]);
  assert.deepEqual([ann?.personEmail, ann?.personDisplayName], ["ann@acme.example.com", "ann Example"]);
  assert.deepEqual([ann?.isModerator, ann?.roomType], [false, "group"]);
  const id = Buffer.from(String(ann?.id), "base64url").toString();
  assert.match(id, /^ciscospark:\/\/us\/MEMBERSHIP\/[\da-f-]{36}:[\da-f-]{36}$/);
});

test("adding a person answers 200 with the membership", async () => {
  const { sandbox, call, room } = await startWithRoom();
  await using _ = sandbox;
  const added = await call("POST", "/memberships", {
    roomId: room,
    personId: sandbox.personId("cat"),
    isModerator: true,
  });
  assert.deepEqual(
    [added.status, added.body.personEmail, added.body.isModerator],
    [200, "cat@acme.example.com", true],
  );
  assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "cat", "rollcall"]);
  assert.deepEqual(sandbox.moderators("NOC"), ["cat"]);
});

test("an addition that can't be made says why as Webex does", async () => {
  const { sandbox, call, room } = await startWithRoom();
  await using _ = sandbox;
  const add = async (body: object) => outcome(await call("POST", "/memberships", body));
  const personId = sandbox.personId("ann");
  assert.deepEqual(await add({ roomId: room, personId }), [409, "Person is already in the room."]);
  assert.deepEqual(await add({ personId }), [400, "roomId cannot be null"]);
  assert.deepEqual(await add({ roomId: room }), [400, "Must specify either personId or personEmail."]);
  assert.deepEqual(await add({ roomId: room, personId: "who" }), [400, "Expect base64 ID or UUID."]);
  assert.deepEqual(await add({ roomId: "which", personId }), [
    404,
    "Could not find a room with provided ID.",
  ]);
});

test("adding to a room that the caller isn't in is a 502", async () => {
  const { sandbox, call, room } = await startWithRoom({ ownerAbsent: true });
  await using _ = sandbox;
  const added = await call("POST", "/memberships", { roomId: room, personId: sandbox.personId("cat") });
  assert.deepEqual(outcome(added), [502, "Add participant failed."]);
});

test("an unknown address invites a stranger", async () => {
  const { sandbox, call, room } = await startWithRoom();
  await using _ = sandbox;
  await call("POST", "/memberships", { roomId: room, personEmail: "an@acme.example.com" });
  assert.deepEqual(sandbox.members("NOC"), ["an@acme.example.com", "ann", "bob", "rollcall"]);
});

test("in a moderated room only a moderator may add, change and remove", async () => {
  const { sandbox, call, room } = await startWithRoom({ isLocked: true, moderators: ["ann"] });
  await using _ = sandbox;
  const id = await membershipId(sandbox, "bob");
  const refusals = [
    await call("POST", "/memberships", { roomId: room, personId: sandbox.personId("cat") }),
    await call("PUT", `/memberships/${id}`, { isModerator: true, isRoomHidden: false }),
    await call("DELETE", `/memberships/${id}`),
  ];
  assert.deepEqual(
    refusals.map((refusal) => refusal.status),
    [403, 403, 403],
  );
  assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
});

test("the owner moderates a locked room when nobody else is said to", async () => {
  const { sandbox, call, room } = await startWithRoom({ isLocked: true });
  await using _ = sandbox;
  assert.equal(
    (await call("POST", "/memberships", { roomId: room, personId: sandbox.personId("cat") })).status,
    200,
  );
});

test("a member can be made a moderator and be made none again", async () => {
  const { sandbox, call } = await startWithRoom();
  await using _ = sandbox;
  const id = await membershipId(sandbox, "bob");
  assert.equal((await call("PUT", `/memberships/${id}`, { isModerator: true })).body.isModerator, true);
  assert.deepEqual(sandbox.moderators("NOC"), ["bob"]);
  await call("PUT", `/memberships/${id}`, { isModerator: false });
  assert.deepEqual(sandbox.moderators("NOC"), []);
  assert.equal((await call("PUT", `/memberships/${id}`, {})).status, 400);
});

test("removing a member answers 204, and 404 once they are gone", async () => {
  const { sandbox, call } = await startWithRoom();
  await using _ = sandbox;
  const id = await membershipId(sandbox, "bob");
  assert.deepEqual(outcome(await call("DELETE", `/memberships/${id}`)), [204]);
  assert.deepEqual(sandbox.members("NOC"), ["ann", "rollcall"]);
  assert.deepEqual(outcome(await call("DELETE", `/memberships/${id}`)), [
    404,
    "User is not a participant of the room.",
  ]);
});

test("an id that names no membership is a 400", async () => {
  const { sandbox, call } = await startWithRoom();
  await using _ = sandbox;
  assert.deepEqual(outcome(await call("DELETE", "/memberships/nonsense")), [400, "Failed to leave room."]);
});

test("a locked room's last moderator can't be removed", async () => {
  const { sandbox, call } = await startWithRoom({ isLocked: true });
  await using _ = sandbox;
  const removed = await call("DELETE", `/memberships/${await membershipId(sandbox, "rollcall")}`);
  assert.deepEqual(outcome(removed), [403, "The last moderator of the space can't be removed."]);
});

test("who is in the team but not in its moderated room sees the moderators only", async () => {
  const { sandbox, call, room } = await startWithRoom({
    team: "Ops",
    isLocked: true,
    moderators: ["ann"],
    ownerAbsent: true,
  });
  await using _ = sandbox;
  const seen = list(await call("GET", `/memberships?roomId=${room}`)).map(
    (membership) => membership.personEmail,
  );
  assert.deepEqual(seen, ["ann@acme.example.com"]);
});

test("the members of another room that the caller isn't in are a 404", async () => {
  const { sandbox, call, room } = await startWithRoom({ ownerAbsent: true });
  await using _ = sandbox;
  assert.equal((await call("GET", `/memberships?roomId=${room}`)).status, 404);
});

test("listedRoomIs404 hides the members of a room that is listed", async () => {
  const { sandbox, call, room } = await startWithRoom({}, { listedRoomIs404: ["NOC"] });
  await using _ = sandbox;
  assert.deepEqual(
    list(await call("GET", "/rooms")).map((listed) => listed.id),
    [room],
  );
  assert.equal((await call("GET", `/memberships?roomId=${room}`)).status, 404);
});

test("addsWithoutEffect answers 200 and adds nobody", async () => {
  const { sandbox, call, room } = await startWithRoom({}, { addsWithoutEffect: ["cat"] });
  await using _ = sandbox;
  for (const key of ["cat", "dan"]) {
    assert.equal(
      (await call("POST", "/memberships", { roomId: room, personId: sandbox.personId(key) })).status,
      200,
    );
  }
  assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "dan", "rollcall"]);
});

test("addVisibleAfterReads shows a new member only after so many readings", async () => {
  const { sandbox, call, room } = await startWithRoom({}, { addVisibleAfterReads: 2 });
  await using _ = sandbox;
  await call("POST", "/memberships", { roomId: room, personId: sandbox.personId("cat") });
  const sizes: number[] = [];
  for (let reading = 0; reading < 4; reading += 1) {
    sizes.push(list(await call("GET", `/memberships?roomId=${room}`)).length);
  }
  assert.deepEqual(sizes, [3, 3, 4, 4]);
});
