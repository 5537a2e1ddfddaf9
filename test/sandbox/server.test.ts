import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import { createCall, requestToken, signIn, small } from "./client.ts";

test("a request is recorded with its route, headers, body and answer", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  await call("POST", "/memberships", { roomId: "which" });
  const [token, added] = sandbox.requests;
  assert.deepEqual([token?.route, token?.status], ["POST /access_token", 200]);
  assert.equal(Object(token?.body).grant_type, "refresh_token");
  assert.match(added?.headers.authorization ?? "", /^Bearer ./);
  assert.deepEqual([added?.half, added?.method, added?.path], ["webex", "POST", "/memberships"]);
  assert.deepEqual([added?.body, added?.status], [{ roomId: "which" }, 404]);
  const { message } = Object(added?.response);
  assert.equal(message, "Could not find a room with provided ID.");
});

test("the answers' bodies can be left out of the record", async () => {
  await using sandbox = await startSandbox(small, { keepResponses: false });
  await requestToken(sandbox);
  assert.deepEqual([sandbox.requests[0]?.status, sandbox.requests[0]?.response], [200, undefined]);
});

test("an unknown path is a 404 and a write that must never be made a 405, both recorded", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  assert.equal((await call("GET", "/nothing")).status, 404);
  for (const [method, path] of [
    ["PUT", `/rooms/${sandbox.roomId("NOC")}`],
    ["DELETE", `/rooms/${sandbox.roomId("NOC")}`],
    ["POST", "/groups"],
    ["DELETE", `/people/${sandbox.personId("ann")}`],
  ] as const) {
    const { status, body } = await call(method, path);
    assert.deepEqual([status, Object.keys(body)], [405, ["message", "errors", "trackingId"]]);
    assert.deepEqual([sandbox.requests.at(-1)?.method, sandbox.requests.at(-1)?.status], [method, 405]);
  }
  assert.equal((await fetch(`${sandbox.url}/elsewhere`)).status, 404);
});

test("a body that isn't JSON is refused", async () => {
  await using sandbox = await startSandbox(small);
  const post = async (type: string) => {
    const headers = { "content-type": type };
    return (await fetch(`${sandbox.url}/v1/memberships`, { method: "POST", headers, body: "{" })).status;
  };
  assert.equal(await post("application/json"), 400);
  assert.equal(await post("text/plain"), 415);
});

test("every request waits for the latency", async () => {
  await using sandbox = await startSandbox(small, { latencyMs: 30 });
  const started = performance.now();
  await requestToken(sandbox);
  // A lower bound only: a slow machine can't break it. Timers may fire a fraction of a millisecond early.
  assert.ok(performance.now() - started >= 29);
});

test("requests under way at the same time have tracking ids of their own", async () => {
  await using sandbox = await startSandbox(small, { latencyMs: 1 });
  const call = createCall(`${sandbox.url}/v1`, "");
  const answers = await Promise.all([1, 2, 3].map(() => call("GET", "/rooms")));
  assert.equal(new Set(answers.map((answer) => answer.headers.get("trackingid"))).size, 3);
});

test("tests can change the organisation behind the product's back", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  const room = sandbox.roomId("NOC");
  sandbox.removeFromRoom("NOC", "ann");
  sandbox.removeFromRoom("NOC", "bob");
  sandbox.addToRoom("NOC", "bob");
  sandbox.setGroup("on-call", ["eve"]);
  sandbox.renameRoom("NOC", "Operations");
  assert.deepEqual(sandbox.members("Operations"), ["bob", "cat", "dan", "eve", "rollcall"]);
  assert.equal((await call("GET", `/rooms/${room}`)).body.title, "Operations");
  const { body } = await call("GET", `/groups/${sandbox.groupId("on-call")}/members`);
  assert.equal(body.memberSize, 1);
});

test("a key, title or name that doesn't exist is an error of the test", async () => {
  await assert.rejects(
    startSandbox({ ...small, groups: [{ name: "on-call", members: ["zoe"] }] }),
    /nobody in the organisation has the key "zoe"/,
  );
  await using sandbox = await startSandbox(small);
  assert.throws(() => sandbox.members("Nowhere"), /no room has the title "Nowhere"/);
  assert.throws(() => sandbox.groupId("none"), /no group has the name "none"/);
  assert.throws(() => sandbox.teamMembers("none"), /no team has the name "none"/);
});

test("the environment of a run outside GitHub is Webex's, and what the test adds", async () => {
  await using sandbox = await startSandbox(small);
  const environment = sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
  assert.deepEqual(Object.keys(environment).sort(), [
    "WEBEX_API_URL",
    "WEBEX_CLIENT_ID",
    "WEBEX_CLIENT_SECRET",
    "WEBEX_REFRESH_TOKEN",
    "WEBEX_TOKEN_FILE",
  ]);
  const call = createCall(environment.WEBEX_API_URL ?? "", "");
  assert.equal((await call("GET", "/people/me")).status, 401);
});
