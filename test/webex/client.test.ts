import assert from "node:assert/strict";
import { test } from "node:test";
import { urlOf } from "../../src/webex/address.ts";
import { WebexError } from "../../src/webex/errors.ts";
import { openClient } from "../support/open-webex.ts";
import { drop, hang, type Script, startScript, truncate } from "../support/scripted-server.ts";

const ok: Script = { body: { items: [] } };
const get = { method: "GET", path: "/rooms" } as const;

/** A client of a server that gives these answers in turn, the last one again and again. */
async function start(scripts: readonly Script[], options: Partial<Parameters<typeof openClient>[0]> = {}) {
  const server = await startScript((_, index) => scripts[Math.min(index, scripts.length - 1)] ?? ok);
  return { server, ...openClient({ baseUrl: `${server.url}/v1`, ...options }) };
}

/** The error that a request ends with. */
async function fail(sent: Promise<unknown>): Promise<WebexError> {
  const error = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof WebexError, String(error));
  assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /secret-access-token/);
  return error;
}

test("a request goes to a path below the API's base URL with the bearer token, and its reply is returned unchanged", async () => {
  const link = '<https://x/>; rel="next"';
  const { server, client } = await start([{ status: 200, headers: { link }, body: { items: [1] } }]);
  await using _ = server;
  const query = { roomId: "a b&c", max: 1000, flag: true };
  assert.deepEqual(await client.send({ ...get, query }), { status: 200, body: { items: [1] }, link });
  assert.equal(client.requestCount(), 1);
  const [request] = server.requests;
  assert.deepEqual(
    [request?.method, request?.path, request?.headers.authorization, request?.headers["content-type"]],
    ["GET", "/v1/rooms?roomId=a+b%26c&max=1000&flag=true", "Bearer secret-access-token", undefined],
  );
});

test("a body is sent as JSON, and a reply without a body is an empty string", async () => {
  const { server, client } = await start([{ status: 204 }]);
  await using _ = server;
  const reply = await client.send({ method: "POST", path: "/memberships", body: { a: "é" } });
  assert.deepEqual(reply, { status: 204, body: "", link: null });
  assert.equal(server.requests[0]?.body, '{"a":"é"}');
  assert.equal(server.requests[0]?.headers["content-type"], "application/json");
});

test("several Link headers are read as one", async () => {
  const { server, client } = await start([
    { headers: { link: ["<a>; rel=prev", "<b>; rel=next"] }, body: {} },
  ]);
  await using _ = server;
  assert.equal((await client.send(get)).link, "<a>; rel=prev, <b>; rel=next");
});

test("the token is never sent to another origin, whatever the path says", async () => {
  const other = await startScript(() => ok);
  await using _ = other;
  const { server, client } = await start([ok]);
  await using __ = server;
  await client.send({ method: "GET", path: `${other.url}/v1/rooms` });
  assert.equal(other.requests.length, 0);
});

test("an absolute URL keeps its query byte for byte", () => {
  const base = new URL("https://webexapis.com/v1");
  const path = "https://webexapis.com/v1/people?displayName=Harold&max=10&before&after=Y2lz";
  assert.equal(urlOf(base, { path }).href, path);
});

test("a redirect is not followed", async () => {
  const other = await startScript(() => ok);
  await using _ = other;
  const { server, client } = await start([{ status: 302, headers: { location: `${other.url}/v1/rooms` } }]);
  await using __ = server;
  assert.equal((await fail(client.send(get))).message, "[GET] /rooms: 302: Found");
  assert.equal(other.requests.length + server.requests.length, 1);
});

const waits: readonly [fact: string, status: number, headers: Record<string, string>, pauseMs: number][] = [
  ["a 429 waits as long as Webex asks", 429, { "retry-after": "7" }, 7000],
  ["a 423 waits as long as Webex asks", 423, { "retry-after": "3" }, 3000],
  ["a Retry-After of 0 waits one second", 429, { "retry-after": "0" }, 1000],
  ["a malformed Retry-After counts as 15 seconds", 429, { "retry-after": "rand(30),add(30)" }, 15_000],
  [
    "a Retry-After that is a date counts as 15 seconds",
    429,
    { "retry-after": "Sun, 22 Nov 2026 05:17:09 GMT" },
    15_000,
  ],
  ["a missing Retry-After counts as 15 seconds", 429, {}, 15_000],
];
for (const [fact, status, headers, pauseMs] of waits) {
  test(fact, async () => {
    const { server, client, pauses } = await start([{ status, headers }, ok]);
    await using _ = server;
    assert.equal((await client.send(get)).status, 200);
    assert.deepEqual(pauses, [pauseMs]);
  });
}

test("a write that must not be repeated is sent again after a 429, because Webex did not carry it out", async () => {
  const { server, client } = await start([{ status: 429 }, { status: 204 }]);
  await using _ = server;
  assert.equal((await client.send({ method: "POST", path: "/x", repeatable: false })).status, 204);
});

test("a GET backs off exponentially after a 5xx and gives up after five attempts", async () => {
  const { server, client, pauses } = await start([
    { status: 503, body: { message: "busy", trackingId: "T1" } },
  ]);
  await using _ = server;
  const error = await fail(client.send(get));
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000]);
  assert.deepEqual(
    [error.message, error.status, error.attempts, client.requestCount()],
    ["[GET] /rooms: 503: busy", 503, 5, 5],
  );
});

test("back-off is shortened by up to half, so that clients do not retry in step", async () => {
  const { server, client, pauses } = await start([{ status: 502 }, { status: 504 }, ok], { random: () => 1 });
  await using _ = server;
  await client.send(get);
  assert.deepEqual(pauses, [500, 1000]);
});

const repeats: readonly [fact: string, script: Script, repeatable: boolean | undefined, sent: number][] = [
  ["a repeatable write is sent again after a 5xx", { status: 500 }, true, 2],
  ["a repeatable write is sent again after a lost answer", drop, true, 2],
  ["a write is not sent again after a 5xx", { status: 500 }, undefined, 1],
  ["a write is not sent again after a lost answer", drop, undefined, 1],
  ["a write is not sent again after an unreadable answer", { body: "<html>" }, undefined, 1],
  ["a 400 is final", { status: 400 }, true, 1],
  ["a 401 is final", { status: 401 }, true, 1],
  ["a 403 is final", { status: 403 }, true, 1],
  ["a 404 is final", { status: 404 }, true, 1],
  ["a 409 is final", { status: 409 }, true, 1],
  ["a 501 is final", { status: 501 }, true, 1],
];
for (const [fact, script, repeatable, sent] of repeats) {
  test(fact, async () => {
    const { server, client } = await start([script, { status: 204 }]);
    await using _ = server;
    const request = {
      method: "POST",
      path: "/x",
      ...(repeatable === undefined ? {} : { repeatable }),
    } as const;
    await client.send(request).catch(() => undefined);
    assert.equal(server.requests.length, sent);
  });
}

test("a request is not repeated after an answer that it declares final", async () => {
  const { server, client } = await start([{ status: 502, body: { message: "Add participant failed." } }]);
  await using _ = server;
  const isFinal = (error: WebexError) => error.detail.includes("Add participant");
  const error = await fail(client.send({ method: "POST", path: "/x", repeatable: true, isFinal }));
  assert.deepEqual([error.attempts, server.requests.length], [1, 1]);
});

const silences: readonly [fact: string, script: Script, detail: RegExp][] = [
  ["a server that never answers causes a timeout", hang, /Headers Timeout Error \(UND_ERR_HEADERS_TIMEOUT\)/],
  ["a dropped connection is reported", drop, /other side closed \(UND_ERR_SOCKET\)/],
  ["a truncated reply is reported", truncate, /UND_ERR_SOCKET|cut short/],
  ["a reply that is not JSON is reported", { body: "<html>" }, /the reply was cut short or is not JSON/],
];
for (const [fact, script, detail] of silences) {
  test(`${fact}, and the next attempt succeeds`, async () => {
    const { server, client } = await start([script, ok], { timeoutMs: 1_000 });
    await using _ = server;
    assert.equal((await client.send(get)).status, 200);
    const last = await start([script], { timeoutMs: 1_000, attempts: 1 });
    await using __ = last.server;
    const error = await fail(last.client.send(get));
    assert.match(error.message, /^\[GET\] \/rooms: no answer: /);
    assert.match(error.detail, detail);
    assert.deepEqual([error.status, error.trackingId], [null, null]);
  });
}

test("a reply that stalls in the middle of its body causes a timeout", async () => {
  const pause: Script = (response) => {
    response.writeHead(200).write('{"items":[');
  };
  const { server, client } = await start([pause], { timeoutMs: 1_000, attempts: 1 });
  await using _ = server;
  assert.match((await fail(client.send(get))).detail, /UND_ERR_BODY_TIMEOUT/);
});

test("an unreachable server is reported with the reason", async () => {
  const server = await startScript(() => ok);
  await server[Symbol.asyncDispose]();
  const { client } = openClient({ baseUrl: `${server.url}/v1`, attempts: 1 });
  assert.match((await fail(client.send(get))).detail, /ECONNREFUSED/);
});

test("a reply larger than 32 MiB is refused", async () => {
  const megabyte = Buffer.alloc(1024 * 1024, 32);
  const flood: Script = (response) => {
    response.on("error", () => undefined);
    const write = () => {
      while (!response.destroyed) if (!response.write(megabyte)) return response.once("drain", write);
    };
    write();
  };
  const { server, client } = await start([flood], { attempts: 1 });
  await using _ = server;
  assert.match((await fail(client.send(get))).detail, /UND_ERR_RES_EXCEEDED_MAX_SIZE/);
});

test("a write that never left this machine is sent again, and counts as sent once only", async () => {
  const { server, client } = await start([{ status: 404 }]);
  await using _ = server;
  const gone = await startScript(() => ok);
  await gone[Symbol.asyncDispose]();
  const { client: cut, pauses } = openClient({ baseUrl: gone.url, attempts: 3 });
  const error = await fail(cut.send({ method: "POST", path: "/x" }));
  assert.match(error.message, /ECONNREFUSED.*; nothing was sent$/);
  assert.deepEqual([error.attempts, pauses.length], [1, 2]);
  assert.equal((await fail(client.send({ method: "POST", path: "/x" }))).attempts, 1);
});

test("an empty answer to a reading is none, and the reading is repeated", async () => {
  const { server, client } = await start([{ status: 200 }, ok]);
  await using _ = server;
  assert.deepEqual((await client.send(get)).body, { items: [] });
  assert.equal(server.requests.length, 2);
});

test("a request that hangs at a stop is given up three seconds later", async () => {
  const stop = new AbortController();
  const server = await startScript(() => {
    stop.abort();
    return hang;
  });
  await using _ = server;
  const { client } = openClient({ baseUrl: server.url, stop: stop.signal });
  const error = await fail(client.send(get));
  assert.match(error.message, /given up 3 s after the run was stopped; not repeated/);
});
