import assert from "node:assert/strict";
import { test } from "node:test";
import { WebexError } from "../../src/webex/errors.ts";
import { openClient } from "../support/open-webex.ts";
import { type Script, startScript } from "../support/scripted-server.ts";

const ok: Script = { body: {} };

const told = (seconds: number): Script => ({ status: 429, headers: { "retry-after": String(seconds) } });

const get = (path: string) => ({ method: "GET", path }) as const;

const turn = () => new Promise(setImmediate);

/** A clock that goes on only by sleeping. */
function createClock() {
  let time = 0;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => time,
    sleep: async (ms: number) => {
      pauses.push(ms);
      time += ms;
    },
  };
}

/** A gate that holds everybody until it is opened. */
function createGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

function errorMessage(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => "no error",
    (error: unknown) => (error instanceof WebexError ? error.message : String(error)),
  );
}

const exceeded = (seconds: number) =>
  `given up: this run waits ${seconds} s for Webex at most, and that would be exceeded. Run it again later`;

test("a wait longer than the run's budget does not start", async () => {
  await using server = await startScript(() => told(86_400));
  const clock = createClock();
  const { client } = openClient({ baseUrl: server.url, ...clock });
  assert.equal(
    await errorMessage(client.send(get("/a"))),
    `[GET] /a: 429: Too Many Requests; ${exceeded(600)}`,
  );
  assert.deepEqual(clock.pauses, []);
});

test("a single request cannot wait longer than the budget, however many connections there are", async () => {
  await using server = await startScript(() => told(20));
  const clock = createClock();
  const { client } = openClient({ baseUrl: server.url, ...clock, waitBudgetMs: 45_000, connections: 5 });
  assert.equal(
    await errorMessage(client.send(get("/a"))),
    `[GET] /a: 429: Too Many Requests; ${exceeded(45)}`,
  );
  assert.deepEqual(clock.pauses, [20_000, 20_000]);
});

test("once the budget is used up, the next request that would have to wait fails immediately", async () => {
  await using server = await startScript(({ path }) => (path === "/fine" ? ok : told(30)));
  const clock = createClock();
  const { client } = openClient({ baseUrl: server.url, ...clock, waitBudgetMs: 30_000 });
  await errorMessage(client.send(get("/a")));
  assert.equal(
    await errorMessage(client.send(get("/b"))),
    `[GET] /b: 429: Too Many Requests; ${exceeded(30)}`,
  );
  assert.equal((await client.send(get("/fine"))).status, 200);
  // What is no longer than a second keeps the requests apart.
  assert.deepEqual(
    clock.pauses.filter((ms) => ms > 1000),
    [30_000],
  );
});

test("overlapping pauses count once", async () => {
  const refused = new Set<string>();
  await using server = await startScript(({ path }) => {
    if (refused.has(path)) return ok;
    refused.add(path);
    return told(40);
  });
  const gate = createGate();
  const { client } = openClient({
    baseUrl: server.url,
    now: () => 0,
    // What is no longer than a second keeps the requests apart.
    sleep: (ms) => (ms <= 1000 ? Promise.resolve() : gate.opened),
    waitBudgetMs: 60_000,
  });
  const sent = ["/a", "/b", "/c"].map((path) => client.send(get(path)));
  while (refused.size < 3) await turn();
  gate.open();
  assert.deepEqual(
    (await Promise.all(sent)).map(({ status }) => status),
    [200, 200, 200],
  );
});

test("there are never more requests under way than connections", async () => {
  const gate = createGate();
  let underWay = 0;
  let max = 0;
  await using server = await startScript(async () => {
    underWay += 1;
    max = Math.max(max, underWay);
    await gate.opened;
    underWay -= 1;
    return ok;
  });
  const { client } = openClient({ baseUrl: server.url, connections: 3 });
  const sent = Array.from({ length: 9 }, (_, index) => client.send(get(`/${index}`)));
  while (max < 3) await turn();
  gate.open();
  await Promise.all(sent);
  assert.equal(max, 3);
});

test("a request keeps its slot while it waits, so that later requests do not overtake it", async () => {
  const answers: Script[] = [told(5), ok, ok];
  await using server = await startScript((_, index) => answers[index] ?? ok);
  const { client } = openClient({ baseUrl: server.url, connections: 1 });
  await Promise.all([client.send(get("/first")), client.send(get("/second"))]);
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ["/first", "/first", "/second"],
  );
});

test("a stop ends the wait, and the error says that the request had been sent", async () => {
  await using server = await startScript(() => ({ status: 503, body: { message: "busy" } }));
  const stop = new AbortController();
  const sleep = (_: number, signal?: AbortSignal) =>
    new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      stop.abort();
    });
  const { client } = openClient({ baseUrl: server.url, stop: stop.signal, sleep });
  const message = await errorMessage(client.send(get("/a")));
  assert.equal(message, "[GET] /a: 503: busy; not repeated, because the run was stopped");
  assert.equal(server.requests.length, 1);
});

test("a stop also ends the default wait", async () => {
  await using server = await startScript(() => told(500));
  const stop = new AbortController();
  // Without `sleep`, so that the client really waits.
  const { createWebexClient } = await import("../../src/webex/client.ts");
  const client = createWebexClient({ baseUrl: server.url, accessToken: "t", stop: stop.signal });
  const message = errorMessage(client.send(get("/a")));
  while (server.requests.length === 0) await turn();
  stop.abort();
  assert.match(await message, /Too Many Requests; not repeated, because the run was stopped$/);
});

test("after a stop nothing is sent, not even queued requests, and the error says so", async () => {
  const gate = createGate();
  await using server = await startScript(async () => {
    await gate.opened;
    return ok;
  });
  const stop = new AbortController();
  const { client } = openClient({ baseUrl: server.url, connections: 1, stop: stop.signal });
  const [first, waiting] = [client.send(get("/first")), client.send(get("/waiting"))];
  const refused = assert.rejects(waiting, {
    attempts: 0,
    message: "[GET] /waiting: no answer: not sent, because the run was stopped",
  });
  while (server.requests.length === 0) await turn();
  stop.abort();
  // At once, not only when the first is through.
  await refused;
  gate.open();
  assert.equal((await first).status, 200);
  await assert.rejects(client.send(get("/new")), { attempts: 0 });
  assert.equal(server.requests.length, 1);
});
