import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exchange } from "../../sandbox/http.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { list, signIn, small } from "../sandbox/client.ts";
import { loadContracts } from "../support/contract.ts";

const check = loadContracts();

function findings(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap(check);
}

const request = { number: 1, at: 0, half: "webex", route: "", headers: {}, body: undefined } as const;

test("every operation of the sandbox's Webex answers as the contract says", async () => {
  const rooms = [
    { title: "NOC", members: ["ann", "bob"], isLocked: true },
    { title: "Ops", members: [], team: "Ops", general: true },
  ];
  const organisation = { ...small, rooms, teams: [{ name: "Ops", members: ["ann"] }] };
  await using sandbox = await startSandbox(organisation, { pageCaps: { memberships: 1 }, bareBefore: true });
  const call = await signIn(sandbox);
  const [roomId, personId] = [sandbox.roomId("NOC"), sandbox.personId("cat")];
  const teamId = list(await call("GET", "/teams?max=100"))[0]?.id;
  for (const path of [
    "/people/me",
    `/people/${personId}`,
    `/people?id=${personId},nobody`,
    "/people?email=ann@acme.example.com&max=10&excludeStatus=true",
    "/groups?filter=displayName%20sw%20%22on%22&startIndex=1&count=100",
    `/groups/${sandbox.groupId("on-call")}`,
    `/groups/${sandbox.groupId("on-call")}/members?startIndex=1&count=500`,
    `/groups/${sandbox.groupId("empty")}/members`,
    `/groups/${sandbox.groupId("on-call")}?includeMembers=true`,
    "/rooms?type=group&sortBy=id&max=1000",
    `/rooms/${roomId}`,
    `/memberships?roomId=${roomId}&max=1000`,
    `/teams/${teamId}`,
    `/team/memberships?teamId=${teamId}&max=100`,
    "/rooms/unknown",
  ]) {
    await call("GET", path);
  }
  const member = await call("POST", "/memberships", { roomId, personId, isModerator: false });
  await call("POST", "/memberships", { roomId, personId });
  await call("GET", `/memberships/${member.body.id}`);
  await call("PUT", `/memberships/${member.body.id}`, { isModerator: true, isRoomHidden: false });
  await call("DELETE", `/memberships/${member.body.id}`);
  const inTeam = await call("POST", "/team/memberships", { teamId, personId });
  await call("DELETE", `/team/memberships/${inTeam.body.id}`);
  const next = /<.*\/v1(.*)>/.exec(
    (await call("GET", `/memberships?roomId=${roomId}`)).headers.get("link") ?? "",
  )?.[1];
  assert.equal((await call("GET", next ?? "")).status, 200);
  assert.deepEqual(findings(sandbox.requests), []);
  assert.deepEqual(
    sandbox.requests.filter((exchange) => exchange.status === undefined),
    [],
  );
});

test("the checker finds what Webex's contract doesn't have", () => {
  const wrong: [Partial<Exchange> & { method: string; path: string }, RegExp][] = [
    [{ method: "GET", path: "/spaces" }, /operation is not in the contract/],
    [{ method: "GET", path: "/rooms?size=3" }, /query parameter size is not in the contract/],
    [{ method: "GET", path: "/rooms?max=many" }, /query parameter max: .*must be number/],
    [{ method: "GET", path: "/rooms?sortBy=title" }, /query parameter sortBy: .*must be equal to one of/],
    [{ method: "GET", path: "/team/memberships" }, /query parameter teamId is missing/],
    [{ method: "POST", path: "/memberships", body: { personId: "x" } }, /request body: .*roomId/],
    [{ method: "POST", path: "/memberships", body: { roomId: "x", person: "y" } }, /request body: .*person/],
    [{ method: "GET", path: "/rooms", body: {} }, /request body: the contract has none/],
    [{ method: "GET", path: "/rooms", status: 201, response: {} }, /status 201 is not in the contract/],
    [{ method: "GET", path: "/people/me", status: 200, response: { mail: "x" } }, /body of 200: .*mail/],
    [
      { method: "DELETE", path: "/memberships/x", status: 204, response: {} },
      /body of 204: the contract has none/,
    ],
  ];
  for (const [exchange, expected] of wrong) {
    const found = findings([{ ...request, ...exchange }]);
    assert.equal(found.length, 1, exchange.path);
    assert.match(found[0] ?? "", expected);
  }
});

test("invitePending and loginEnabled may be booleans, which the contract denies", () => {
  const response = { invitePending: false, loginEnabled: "true" };
  assert.deepEqual(findings([{ ...request, method: "GET", path: "/people/me", status: 200, response }]), []);
});
