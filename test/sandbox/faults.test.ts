import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fault, falseAnswers, graphqlErrors } from "../../sandbox/faults.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { type Answer, createCall, list, requestToken, signIn, small } from "./client.ts";

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

test("a delayed request is still handled", async () => {
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

test("a fault can meet the n-th request of all, whatever it is", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  sandbox.fault({ number: 3, status: 503 });
  assert.equal((await call("GET", "/people/me")).status, 200);
  assert.equal((await call("GET", "/rooms")).status, 503);
  assert.equal((await call("GET", "/rooms")).status, 200);
  assert.deepEqual(
    sandbox.requests.map(({ number, route }) => [number, route]),
    [
      [1, "POST /access_token"],
      [2, "GET /people/me"],
      [3, "GET /rooms"],
      [4, "GET /rooms"],
    ],
  );
});

test("the organisation can change before a request is handled, and after its answer is formed", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  const path = `/groups/${sandbox.groupId("on-call")}`;
  const size = async () => (await call("GET", path)).body.memberSize;
  sandbox.fault(
    { route: "GET /groups/{groupId}", changeBefore: () => sandbox.removeFromGroup("on-call", "ann") },
    { number: 3, changeAfter: () => sandbox.removeFromGroup("on-call", "bob") },
  );
  assert.deepEqual([await size(), await size(), await size()], [4, 4, 3]);
});

test("a script of changes is met beside whatever answers, each at its own request", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  const seen: string[] = [];
  const isOfRoom = { match: ({ url }: { url: URL }) => url.searchParams.has("roomId") };
  sandbox.fault(
    { route: "GET /memberships", ...isOfRoom, after: 1, changeBefore: () => seen.push("second of a room") },
    { route: "GET /memberships", times: 2, changeBefore: () => seen.push("one of the first two") },
    { route: "GET /memberships", status: 500 },
    { route: "GET /memberships", status: 502, changeAfter: () => seen.push("with the 502") },
  );
  const path = `/memberships?roomId=${sandbox.roomId("NOC")}`;
  assert.deepEqual(await statuses(() => call("GET", path), 3), [500, 502, 200]);
  assert.deepEqual(seen, [
    "one of the first two",
    "second of a room",
    "one of the first two",
    "with the 502",
  ]);
});

test("everything that can change shows in the next answers", async () => {
  const rooms = ["NOC", "Bridge", "Gone"].map((title) => ({ title, members: ["ann"] }));
  await using sandbox = await startSandbox({ ...small, rooms }, { github: { files: { "a.md": "a" } } });
  const call = await signIn(sandbox);
  const [noc, bridge, gone] = [sandbox.roomId("NOC"), sandbox.roomId("Bridge"), sandbox.roomId("Gone")];
  const { GITHUB_TOKEN } = sandbox.githubEnvironment();
  const github = createCall(`${sandbox.url}/api/v3/repos/acme/spaces`, `token ${GITHUB_TOKEN}`);
  sandbox.fault({
    route: "GET /people/me",
    changeAfter: () => {
      sandbox.swapTitles("NOC", "Bridge");
      sandbox.deleteRoom("Gone");
      sandbox.renameGroup("on-call", "duty");
      sandbox.addToRoom("NOC", "bob");
      sandbox.setModerator("NOC", "bob", true);
      sandbox.setModerator("NOC", "ann", true);
      sandbox.setModerator("NOC", "ann", false);
      sandbox.github.writeFile("a.md", "b");
    },
  });
  await call("GET", "/people/me");
  const titles = Object.fromEntries(list(await call("GET", "/rooms")).map(({ id, title }) => [id, title]));
  assert.deepEqual(titles, { [noc]: "Bridge", [bridge]: "NOC" });
  assert.equal((await call("GET", `/memberships?roomId=${gone}`)).status, 404);
  const members = list(await call("GET", `/memberships?roomId=${bridge}`));
  assert.deepEqual(
    members.map(({ personEmail, isModerator }) => [String(personEmail).split("@")[0], isModerator]),
    [
      ["ann", false],
      ["rollcall", false],
      ["bob", true],
    ],
  );
  assert.equal(list(await call("GET", "/groups"), "groups")[0]?.displayName, "duty");
  assert.equal((await github("GET", "/contents/a.md")).body.content, "Yg==");
});

/** What a request that is answered falsely looks like to its sender. */
async function describe(work: Promise<Response>): Promise<string> {
  try {
    const response = await work;
    const text = await response.text();
    const kind = text === "" ? "nothing" : text.startsWith("<") ? "HTML" : isJson(text) ? "JSON" : "cut JSON";
    const wait = response.headers.get("retry-after");
    return `${response.status} ${kind}${wait === null ? "" : ` after ${wait}`}`;
  } catch (error) {
    assert.ok(error instanceof TypeError);
    return "cut off";
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("each false answer is as its name says, and only two of them apply what was asked for", async () => {
  // Whatever hangs is another test's.
  const { hanging, ...others } = falseAnswers;
  assert.deepEqual(hanging, { hang: true });
  const outcomes: Record<keyof typeof others, string> = {
    "429": "429 JSON after 2",
    "429 malformed": "429 JSON after rand(30),add(30)",
    "429 for an hour": "429 JSON after 3600",
    "401": "401 JSON",
    "403": "403 JSON",
    "404": "404 JSON",
    "409": "409 JSON",
    "500": "500 JSON",
    "502": "502 JSON",
    "503": "503 JSON",
    dropped: "cut off",
    "applied, then dropped": "cut off",
    "truncated JSON": "200 cut JSON",
    "200 with a page of HTML": "200 HTML",
    "200 without a body": "200 nothing",
    "204 without effect": "204 nothing",
    "redirect to another origin": "307 nothing",
  };
  const seen: Record<string, string> = {};
  const applied: string[] = [];
  for (const [name, fault] of Object.entries(others)) {
    await using sandbox = await startSandbox(small);
    const { access_token } = (await requestToken(sandbox)).body;
    sandbox.removeFromRoom("NOC", "ann");
    sandbox.fault({ number: 2, ...fault });
    const body = JSON.stringify({ roomId: sandbox.roomId("NOC"), personId: sandbox.personId("ann") });
    const headers = { authorization: `Bearer ${access_token}`, "content-type": "application/json" };
    const init = { method: "POST", headers, body, redirect: "manual" } as const;
    seen[name] = await describe(fetch(`${sandbox.url}/v1/memberships`, init));
    if (sandbox.members("NOC").includes("ann")) applied.push(name);
  }
  assert.deepEqual(seen, outcomes);
  assert.deepEqual(applied, ["applied, then dropped", "truncated JSON"]);
});

test("a redirect leads to another origin, where it is seen who follows", async () => {
  const { sandbox, ask } = await startWith({ redirect: 302 });
  await using _ = sandbox;
  await ask();
  const hosts = sandbox.requests.slice(-2).map(({ headers }) => headers.host?.split(":")[0]);
  assert.deepEqual(hosts, ["127.0.0.1", "localhost"]);
});

test("a request can be handled and still be answered with an error", async () => {
  const { sandbox, call } = await startWith();
  await using _ = sandbox;
  sandbox.fault({ route: "POST /memberships", status: 502, applies: true });
  sandbox.removeFromRoom("NOC", "ann");
  const body = { roomId: sandbox.roomId("NOC"), personId: sandbox.personId("ann") };
  assert.equal((await call("POST", "/memberships", body)).status, 502);
  assert.equal(sandbox.members("NOC").includes("ann"), true);
});

test("the body of a true answer can be edited, and cut where a test wants it", async () => {
  const { sandbox, ask } = await startWith({ edit: (body) => ({ ...Object(body), displayName: null }) });
  await using _ = sandbox;
  const { body } = await ask();
  assert.deepEqual([body.displayName, body.id], [null, sandbox.personId("rollcall")]);
  sandbox.fault({ route: "POST /access_token", truncate: "silently", keep: 0.9 });
  const answer = await requestToken(sandbox).catch((error: unknown) => error);
  assert.ok(answer instanceof SyntaxError);
});

test("GraphQL's errors come inside of a 200 and change nothing", async () => {
  for (const [name, type] of [
    ["rateLimited", "RATE_LIMITED"],
    ["internal", undefined],
    ["stale", "STALE_DATA"],
  ] as const) {
    await using sandbox = await startSandbox(small);
    const { GITHUB_GRAPHQL_URL = "", GITHUB_TOKEN } = sandbox.githubEnvironment();
    sandbox.fault({ route: "POST /graphql", ...graphqlErrors[name] });
    const ask = createCall("", `token ${GITHUB_TOKEN}`);
    const { status, body } = await ask("POST", GITHUB_GRAPHQL_URL, { query: "{ viewer { login } }" });
    const [error] = body.errors as { type?: string }[];
    assert.deepEqual([status, body.data, error?.type], [200, null, type]);
    assert.equal(
      "errors" in (await ask("POST", GITHUB_GRAPHQL_URL, { query: "{ viewer { login } }" })).body,
      false,
    );
  }
});
