import assert from "node:assert/strict";
import { test } from "node:test";
import { type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import { createTokenIssuer } from "../../src/webex/oauth-token.ts";
import { drop, hang, type Script, startScript, truncate } from "../support/scripted-server.ts";

const empty = { name: "acme", people: [], groups: [], rooms: [] };

/** Refreshes at a server that gives these answers in turn. */
async function refresh(...scripts: readonly Script[]) {
  await using server = await startScript((_, index) => scripts[index] ?? { status: 404 });
  const pauses: number[] = [];
  const issuer = createTokenIssuer({
    baseUrl: `${server.url}/v1`,
    clientId: "id",
    clientSecret: "client-secret",
    timeoutMs: 1_000,
    sleep: async (ms) => pauses.push(ms),
  });
  const outcome = await issuer.refresh("old-token").then(
    (issued) => ({ issued, message: "" }),
    (error: Error) => {
      assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /client-secret|old-token/);
      return { issued: null, message: error.message };
    },
  );
  return { ...outcome, pauses, requests: server.requests };
}

const date = "Sun, 22 Nov 2026 05:17:10 GMT";

const issue = (fields: object): Script => ({
  headers: { date },
  body: { access_token: "access", ...fields },
});

const issued = { accessToken: "access", refreshToken: null, refreshTokenExpiresAt: null, scopes: null };

test("a refresh posts one form with the secret in its body", async () => {
  const { requests } = await refresh(issue({}));
  assert.deepEqual(
    requests.map(({ method, path, headers, body }) => [method, path, headers["content-type"], body]),
    [
      [
        "POST",
        "/v1/access_token",
        "application/x-www-form-urlencoded",
        "grant_type=refresh_token&refresh_token=old-token&client_id=id&client_secret=client-secret",
      ],
    ],
  );
});

const answers: readonly [fact: string, fields: object, expected: object][] = [
  ["a new refresh token is handed on", { refresh_token: "new" }, { refreshToken: "new" }],
  ["the same refresh token is handed on", { refresh_token: "old-token" }, { refreshToken: "old-token" }],
  ["without one the old one stays", {}, {}],
  ["a refresh token that is null is none", { refresh_token: null }, {}],
  ["a refresh token that is empty is none, so that nothing stored is wiped", { refresh_token: "" }, {}],
  [
    "the refresh token's end is counted by the server's clock",
    { refresh_token_expires_in: 7775999 },
    { refreshTokenExpiresAt: new Date("2027-02-20T05:17:09Z") },
  ],
  [
    "a life that is no number does not lose the new token",
    { refresh_token: "new", refresh_token_expires_in: "soon" },
    { refreshToken: "new" },
  ],
  [
    "a life that ends at no date does not lose the new token",
    { refresh_token: "new", refresh_token_expires_in: 1e300 },
    { refreshToken: "new" },
  ],
  [
    "the scopes are told",
    { scope: "spark:rooms_read  spark:all" },
    { scopes: ["spark:rooms_read", "spark:all"] },
  ],
];

for (const [fact, fields, expected] of answers) {
  test(fact, async () => {
    assert.deepEqual((await refresh(issue(fields))).issued, { ...issued, ...expected });
  });
}

for (const [fact, options, isNew] of [
  ["rotates", { refreshToken: "rotates" }, true],
  ["stays", { refreshToken: "stays" }, false],
] as const satisfies readonly [string, SandboxOptions, boolean][]) {
  test(`the sandbox's token ${fact}`, async () => {
    await using sandbox = await startSandbox(empty, options);
    const before = sandbox.currentRefreshToken;
    const env = sandbox.environment();
    const issuer = createTokenIssuer({
      baseUrl: env.WEBEX_API_URL ?? "",
      clientId: env.WEBEX_CLIENT_ID ?? "",
      clientSecret: env.WEBEX_CLIENT_SECRET ?? "",
    });
    const { refreshToken } = await issuer.refresh(before);
    assert.equal(refreshToken, sandbox.currentRefreshToken);
    assert.equal(refreshToken !== before, isNew);
  });
}

const login = "The stored refresh token was left as it is. Log in again (npm run login)";

const check =
  "Webex does not accept the integration: check WEBEX_CLIENT_ID and WEBEX_CLIENT_SECRET (developer.webex.com, My Apps). The stored refresh token was left as it is";

const refusals: readonly [fact: string, status: number, body: unknown, message: string][] = [
  [
    "invalid_grant is final and asks to log in",
    400,
    { error: "invalid_grant", error_description: "The refresh token provided is expired" },
    `400: invalid_grant: The refresh token provided is expired. ${login}`,
  ],
  ["a 401 is final and asks to log in", 401, { message: "Expired." }, `401: Expired. ${login}`],
  ["a refusal without a body is final", 401, "", `401: no reason given. ${login}`],
  [
    "invalid_client asks to check the integration",
    400,
    { error: "invalid_client" },
    `400: invalid_client. ${check}`,
  ],
  [
    "invalid_client is known by a 401 and in Webex's own form too",
    401,
    { message: "invalid_client: wrong secret." },
    `401: invalid_client: wrong secret. ${check}`,
  ],
  [
    "a form that is refused is final, and a login would not help",
    400,
    { error: "invalid_request", error_description: "grant_type is missing" },
    "400: invalid_request: grant_type is missing. The stored refresh token was left as it is",
  ],
  ["invalid_scope is final", 400, { error: "invalid_scope" }, `400: invalid_scope. ${login}`],
];

for (const [fact, status, body, message] of refusals) {
  test(fact, async () => {
    const outcome = await refresh({ status, body });
    assert.equal(outcome.message, `[POST] /access_token: ${message}`);
    assert.deepEqual([outcome.pauses, outcome.requests.length], [[], 1]);
  });
}

for (const status of [429, 500, 502, 503, 504]) {
  test(`a ${status} is tried again, because Webex did not do it`, async () => {
    const outcome = await refresh({ status }, { status }, issue({ refresh_token: "new" }));
    assert.deepEqual(outcome.issued, { ...issued, refreshToken: "new" });
    assert.deepEqual(outcome.pauses, [1000, 2000]);
  });
}

test("a 429 is waited for as it asks, when that is not more than a minute", async () => {
  const asking = (seconds: string): Script => ({ status: 429, headers: { "retry-after": seconds } });
  const patient = await refresh(asking("30"), asking("rand(30)"), issue({ refresh_token: "new" }));
  assert.deepEqual([patient.issued, patient.pauses], [{ ...issued, refreshToken: "new" }, [30_000, 15_000]]);
  const given = await refresh(asking("194"));
  assert.match(given.message, /^\[POST\] \/access_token: 429: /);
  assert.deepEqual([given.pauses, given.requests.length], [[], 1]);
});

test("after four attempts it gives up", async () => {
  const busy: Script = { status: 503, body: { message: "Busy.", trackingId: "T1" } };
  const outcome = await refresh(busy, busy, busy, busy, busy);
  assert.match(outcome.message, /^\[POST\] \/access_token: 503: Busy\./);
  assert.deepEqual([outcome.pauses, outcome.requests.length], [[1000, 2000, 4000], 4]);
});

const silences: readonly [fact: string, script: Script][] = [
  ["a timeout", hang],
  ["a connection that is cut", drop],
  ["an answer that is cut short", truncate],
  ["an answer that is not as documented", { body: { token_type: "Bearer" } }],
  ["an answer that is not JSON", { body: "<html>" }],
];

for (const [fact, script] of silences) {
  test(`${fact} is not repeated, because the refresh token may be spent, and the error says so`, async () => {
    const { message, pauses, requests } = await refresh(script, issue({}));
    assert.match(message, /; not repeated, because Webex may have spent the refresh token\. Run again: /);
    assert.deepEqual([pauses, requests.length], [[], 1]);
  });
}

/** Sends as much of an answer as is said, announces more, and cuts the connection. */
const cutShort =
  (text: string): Script =>
  (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 1000, date });
    response.write(text, () => response.destroy());
  };

const cuts: readonly [fact: string, text: string, expected: object | null][] = [
  [
    "after both tokens gives both",
    '{"access_token":"access","expires_in":1,"refresh_token":"new","refresh_tok',
    { refreshToken: "new" },
  ],
  [
    "within the access token still gives the refresh token before it",
    '{ "refresh_token" : "a\\"b", "access_token":"acc',
    { accessToken: null, refreshToken: 'a"b' },
  ],
  [
    "within the refresh token gives nothing: half a token is none",
    '{"access_token":"access","refresh_token":"ne',
    null,
  ],
  ["before any token gives nothing", '{"access_token":"access","refresh_token_expires_in":7', null],
];
for (const [fact, text, expected] of cuts) {
  test(`an answer that is cut short ${fact}`, async () => {
    for (const script of [cutShort(text), { headers: { date }, body: text }]) {
      const { issued: found, requests } = await refresh(script);
      assert.deepEqual(found, expected && { ...issued, ...expected });
      assert.equal(requests.length, 1);
    }
  });
}

test("a stop lets no further attempt begin, and gives up what hangs", async () => {
  const stop = new AbortController();
  const ask = async (script: Script) => {
    await using server = await startScript((_, index) => {
      if (index === 0) stop.abort();
      return script;
    });
    const issuer = createTokenIssuer({ baseUrl: server.url, clientId: "id", clientSecret: "s" });
    const message = await issuer.refresh("old", stop.signal).catch((error: Error) => error.message);
    assert.equal(server.requests.length, 1);
    return message;
  };
  assert.match(String(await ask({ status: 503 })), /503: .*Nothing was changed/);
  assert.match(String(await ask(hang)), /given up 4.5 s after the run was stopped; not repeated/);
});

test("a server that refuses connections is tried again, and the token is not said to be spent", async () => {
  const server = await startScript(() => issue({}));
  await server[Symbol.asyncDispose]();
  const pauses: number[] = [];
  const issuer = createTokenIssuer({
    baseUrl: server.url,
    clientId: "id",
    clientSecret: "s",
    sleep: async (ms) => pauses.push(ms),
  });
  await assert.rejects(issuer.refresh("old"), (error: Error) => {
    assert.match(error.message, /ECONNREFUSED.*; nothing was sent/);
    assert.doesNotMatch(error.message, /spent/);
    return true;
  });
  assert.deepEqual(pauses, [1000, 2000, 4000]);
});

test("a refusal keeps the tracking id of its header", async () => {
  await using server = await startScript(() => ({ status: 400, headers: { TrackingID: "T2" }, body: "" }));
  const issuer = createTokenIssuer({ baseUrl: server.url, clientId: "id", clientSecret: "s" });
  await assert.rejects(issuer.refresh("old"), { trackingId: "T2" });
});
