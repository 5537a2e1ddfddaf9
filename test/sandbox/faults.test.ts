import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "../../sandbox/faults.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { type Answer, signIn, small } from "./client.ts";

async function startWith(...faults: Omit<Fault, "route">[]) {
  const sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  for (const fault of faults) sandbox.fault({ route: "GET /people/me", ...fault });
  return { sandbox, ask: () => call("GET", "/people/me"), call };
}

async function statuses(ask: () => Promise<Answer>, times: number): Promise<number[]> {
  const seen: number[] = [];
  for (let time = 0; time < times; time += 1) seen.push((await ask()).status);
  return seen;
}

test("a fault meets one request of its route with a 500", async () => {
  const { sandbox, ask, call } = await startWith({});
  await using _ = sandbox;
  assert.equal((await call("GET", "/rooms")).status, 200);
  assert.deepEqual(await statuses(ask, 2), [500, 200]);
});

test("a fault lets some pass first and meets as many as it says", async () => {
  const { sandbox, ask } = await startWith({ status: 503, after: 1, times: 2 });
  await using _ = sandbox;
  assert.deepEqual(await statuses(ask, 4), [200, 503, 503, 200]);
});

test("faults of one route are met in the order of their declaration", async () => {
  const { sandbox, ask } = await startWith({ status: 429 }, { status: 503 });
  await using _ = sandbox;
  assert.deepEqual(await statuses(ask, 3), [429, 503, 200]);
});

test("a fault can choose its requests", async () => {
  const { sandbox, call } = await startWith();
  await using _ = sandbox;
  sandbox.fault({ route: "GET /rooms", match: (request) => request.url.searchParams.has("type") });
  assert.equal((await call("GET", "/rooms")).status, 200);
  assert.equal((await call("GET", "/rooms?type=group")).status, 500);
});

test("a fault can have headers, malformed ones too, and the API's error body", async () => {
  const { sandbox, ask } = await startWith({ status: 429, headers: { "retry-after": "rand(30),add(30)" } });
  await using _ = sandbox;
  const { headers, body } = await ask();
  assert.equal(headers.get("retry-after"), "rand(30),add(30)");
  assert.deepEqual(Object.keys(body), ["message", "errors", "trackingId"]);
  assert.equal(headers.get("trackingid"), body.trackingId);
});

test("a fault can have a body of its own", async () => {
  const body = { error: "invalid_grant" };
  const { sandbox, ask } = await startWith({ status: 400, body });
  await using _ = sandbox;
  assert.deepEqual((await ask()).body, body);
});

test("a delayed request is handled all the same", async () => {
  const { sandbox, ask } = await startWith({ delayMs: 1 });
  await using _ = sandbox;
  assert.equal((await ask()).status, 200);
});

test("a dropped request is cut off and not handled", async () => {
  const { sandbox, call } = await startWith();
  await using _ = sandbox;
  sandbox.fault({ route: "POST /memberships", drop: true });
  sandbox.removeFromRoom("NOC", "ann");
  const body = { roomId: sandbox.roomId("NOC"), personId: sandbox.personId("ann") };
  await assert.rejects(call("POST", "/memberships", body), TypeError);
  assert.equal(sandbox.members("NOC").includes("ann"), false);
  assert.equal(sandbox.requests.at(-1)?.status, undefined);
});

test("a request dropped afterwards is handled and not answered", async () => {
  const { sandbox, call } = await startWith();
  await using _ = sandbox;
  sandbox.fault({ route: "POST /memberships", dropAfter: true });
  sandbox.removeFromRoom("NOC", "ann");
  const body = { roomId: sandbox.roomId("NOC"), personId: sandbox.personId("ann") };
  await assert.rejects(call("POST", "/memberships", body), TypeError);
  assert.equal(sandbox.members("NOC").includes("ann"), true);
});

test("a truncated answer ends half way", async () => {
  const { sandbox, ask } = await startWith({ truncate: true });
  await using _ = sandbox;
  await assert.rejects(ask(), TypeError);
});

test("a hanging request is answered never, and ends with the sandbox", async () => {
  const { sandbox, ask } = await startWith({ hang: true });
  const asked = assert.rejects(ask(), TypeError);
  while (sandbox.requests.at(-1)?.route !== "GET /people/me") await new Promise(setImmediate);
  await sandbox[Symbol.asyncDispose]();
  await asked;
});
