import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../../sandbox/server.ts";
import { list, signIn, small } from "../client.ts";

async function start(moderators?: readonly string[]) {
  const sandbox = await startSandbox({
    ...small,
    teams: [
      { name: "Ops", members: ["ann", "bob"], ...(moderators && { moderators }) },
      { name: "Others", members: ["cat"], ownerAbsent: true },
    ],
    rooms: [{ title: "Ops", members: [], team: "Ops", general: true }],
  });
  const call = await signIn(sandbox);
  const team = list(await call("GET", "/teams"))[0];
  return { sandbox, call, team };
}

test("the teams of the token's owner are listed", async () => {
  const { sandbox, call, team } = await start();
  await using _ = sandbox;
  assert.equal(team?.name, "Ops");
  assert.equal(list(await call("GET", "/teams")).length, 1);
});

test("a General space has the uuid of its team and the team's members", async () => {
  const { sandbox, team } = await start();
  await using _ = sandbox;
  const keyOf = (id: string) => Buffer.from(id, "base64url").toString().split("/").at(-1);
  assert.equal(keyOf(sandbox.roomId("Ops")), keyOf(String(team?.id)));
  assert.deepEqual(sandbox.members("Ops"), ["ann", "bob", "rollcall"]);
  assert.deepEqual(sandbox.moderators("Ops"), ["rollcall"]);
});

test("adding to the team puts the person into General, and the other way round", async () => {
  const { sandbox, call, team } = await start();
  await using _ = sandbox;
  const added = await call("POST", "/team/memberships", {
    teamId: team?.id,
    personId: sandbox.personId("cat"),
  });
  assert.deepEqual([added.status, added.body.personEmail], [200, "cat@acme.example.com"]);
  await call("POST", "/memberships", { roomId: sandbox.roomId("Ops"), personId: sandbox.personId("dan") });
  const everybody = ["ann", "bob", "cat", "dan", "rollcall"];
  assert.deepEqual(sandbox.members("Ops"), everybody);
  assert.deepEqual(sandbox.teamMembers("Ops"), everybody);
});

test("an addition to a team can be refused", async () => {
  const { sandbox, call, team } = await start();
  await using _ = sandbox;
  const add = async (body: object) => (await call("POST", "/team/memberships", body)).status;
  assert.equal(await add({ teamId: team?.id, personId: sandbox.personId("ann") }), 409);
  assert.equal(await add({ teamId: team?.id, personId: "who" }), 400);
  assert.equal(await add({ teamId: "which", personId: sandbox.personId("cat") }), 404);
});

test("a team membership can be listed and removed", async () => {
  const { sandbox, call, team } = await start();
  await using _ = sandbox;
  const memberships = list(await call("GET", `/team/memberships?teamId=${team?.id}`));
  const bob = memberships.find((membership) => membership.personId === sandbox.personId("bob"));
  assert.deepEqual([bob?.teamId, bob?.isModerator], [team?.id, false]);
  assert.equal((await call("DELETE", `/team/memberships/${bob?.id}`)).status, 204);
  assert.deepEqual(sandbox.teamMembers("Ops"), ["ann", "rollcall"]);
  assert.equal((await call("DELETE", `/team/memberships/${bob?.id}`)).status, 404);
});

test("the last moderator of a team and of its General space can't be removed", async () => {
  const { sandbox, call, team } = await start(["ann"]);
  await using _ = sandbox;
  const isAnn = (membership: Record<string, unknown>) => membership.personId === sandbox.personId("ann");
  const inTeam = list(await call("GET", `/team/memberships?teamId=${team?.id}`)).find(isAnn);
  const inRoom = list(await call("GET", `/memberships?roomId=${sandbox.roomId("Ops")}`)).find(isAnn);
  assert.equal((await call("DELETE", `/team/memberships/${inTeam?.id}`)).status, 403);
  assert.equal((await call("DELETE", `/memberships/${inRoom?.id}`)).status, 403);
});
