import assert from "node:assert/strict";
import { test } from "node:test";
import sodium from "libsodium-wrappers";
import type { Exchange } from "../../sandbox/http.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { loadContracts } from "../support/contract.ts";
import { createCall, list, signIn, small } from "./client.ts";

const check = loadContracts();
const skip = check ? false : "../shared/contracts is not there";

function findings(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap((exchange) => check?.(exchange) ?? []);
}

const request = { number: 1, at: 0, half: "webex", route: "", headers: {}, body: undefined } as const;

test("every operation of the sandbox's Webex answers as the contract says", { skip }, async () => {
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

test("every operation of the sandbox's GitHub answers as the contract says", { skip }, async () => {
  const files = { "README.md": "Read me", "mappings/rooms.csv": "group,room" };
  const github = { environments: ["webex"], tokenIn: "both", files } as const;
  await using sandbox = await startSandbox(small, { github });
  const environment = sandbox.githubEnvironment();
  const base = `${environment.GITHUB_API_URL}/repos/acme/spaces`;
  const call = createCall(base, `token ${environment.SECRETS_TOKEN}`);
  sandbox.github.writeFile("other.md", "so that the head has a parent");
  for (const path of [
    "",
    "/branches/main",
    "/git/ref/heads/main",
    "/contents/README.md?ref=main",
    `/actions/runs/${environment.GITHUB_RUN_ID}`,
    "/environments/webex",
    "/contents/none.md",
    "/contents/mappings",
    "/git/trees/main?recursive=1",
    "/commits?path=README.md&sha=main&per_page=1",
    "/commits/main",
    "/commits/none",
    "/actions/workflows",
    "/actions/secrets",
  ]) {
    await call("GET", path);
  }
  for (const body of [{ ref: "main" }, { ref: "none" }, { ref: "main", return_run_details: true }]) {
    await call("POST", "/actions/workflows/sync.yml/dispatches", body);
  }
  await sodium.ready;
  for (const place of ["/actions/secrets", "/environments/webex/secrets"]) {
    const { body } = await call("GET", `${place}/public-key`);
    const box = sodium.crypto_box_seal("value", Buffer.from(String(body.key), "base64"));
    const sealed = { encrypted_value: Buffer.from(box).toString("base64"), key_id: body.key_id };
    await call("PUT", `${place}/PROBE`, sealed);
    await call("PUT", `${place}/PROBE`, sealed);
    await call("PUT", `${place}/1PROBE`, sealed);
    await call("GET", `${place}/PROBE`);
    await call("DELETE", `${place}/PROBE`);
    await createCall(base, `token ${environment.GITHUB_TOKEN}`)("PUT", `${place}/PROBE`, sealed);
  }
  assert.deepEqual(findings(sandbox.requests), []);
});

test("the checker finds what the contract doesn't have", { skip }, () => {
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
    [
      { half: "github", method: "GET", path: "/repos/a/b/actions/runs/x" },
      /path parameter run_id: .*must be integer/,
    ],
    [
      {
        half: "github",
        method: "GET",
        path: "/repos/a/b/actions/runs/1",
        status: 404,
        response: { message: 1 },
      },
      /body of 404: .*message must be string/,
    ],
  ];
  for (const [exchange, expected] of wrong) {
    const found = findings([{ ...request, ...exchange }]);
    assert.equal(found.length, 1, exchange.path);
    assert.match(found[0] ?? "", expected);
  }
});

test("invitePending and loginEnabled may be booleans, which the contract denies", { skip }, () => {
  const response = { invitePending: false, loginEnabled: "true" };
  assert.deepEqual(findings([{ ...request, method: "GET", path: "/people/me", status: 200, response }]), []);
});
