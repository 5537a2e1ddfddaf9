import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { createGithubClient, listPages, parseAnswer } from "../../src/github/client.ts";
import { explainRefusal } from "../../src/github/permissions.ts";
import { drop, type Script, startScript } from "../support/scripted-server.ts";

const json = { "content-type": "application/json" };
const ok: Script = { headers: json, body: { fine: true } };

/** A client of a server that gives these answers in turn, the last one again and again. */
async function start(...scripts: readonly Script[]) {
  const server = await startScript((_, index) => scripts[Math.min(index, scripts.length - 1)] ?? ok);
  const pauses: number[] = [];
  const github = createGithubClient(server.url, "secret", async (ms) => pauses.push(Math.round(ms)));
  return { server, github, pauses, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const date = "Sun, 22 Nov 2026 05:17:10 GMT";
const reset = String(Date.parse(date) / 1000 + 20);

const waits: readonly [fact: string, script: Script, pauseMs: number][] = [
  ["a 429 waits as told", { status: 429, headers: { "retry-after": "2" } }, 2000],
  ["a 403 waits as told", { status: 403, headers: { "retry-after": "2" } }, 2000],
  ["a malformed time counts as 15 seconds", { status: 429, headers: { "retry-after": "soon" } }, 15_000],
  ["a 429 without a time counts as 15 seconds", { status: 429 }, 15_000],
  [
    "a limit that is used up waits for its renewal, by GitHub's clock",
    { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset, date } },
    21_000,
  ],
  [
    "a rate limit inside a 200 of GraphQL is waited out",
    { headers: json, body: { errors: [{ type: "RATE_LIMITED", message: "API rate limit exceeded" }] } },
    15_000,
  ],
];
for (const [fact, script, pauseMs] of waits) {
  test(`${fact}, also for a writing: nothing was done`, async () => {
    await using place = await start(script, ok);
    const { data } = await place.github.request("POST /graphql");
    assert.deepEqual([data, place.pauses], [{ fine: true }, [pauseMs]]);
  });
}

test("a wait of an hour is not begun, and a wait that comes again and again has an end", async () => {
  await using hour = await start({ status: 403, headers: { "retry-after": "3600" } });
  await assert.rejects(hour.github.request("GET /x"), { status: 403 });
  assert.deepEqual(hour.pauses, []);
  await using minutes = await start({ status: 429, headers: { "retry-after": "60" } });
  await assert.rejects(minutes.github.request("GET /x"), { status: 429 });
  assert.deepEqual(minutes.pauses, [60_000, 60_000, 60_000]);
});

const plain: readonly [fact: string, script: Script][] = [
  ["a 403 that asks nothing", { status: 403, headers: json, body: { message: "Forbidden" } }],
  ["a 404", { status: 404 }],
  ["a 409", { status: 409 }],
];
for (const [fact, script] of plain) {
  test(`${fact} is final`, async () => {
    await using place = await start(script);
    await assert.rejects(place.github.request("GET /x"));
    assert.equal(place.server.requests.length, 1);
  });
}

const unreadable: readonly [fact: string, script: Script][] = [
  ["HTML with a 200", { headers: { "content-type": "text/html" }, body: "<html>" }],
  ["JSON that is cut short", { headers: json, body: '{"fine":' }],
  ["JSON that is null", { headers: json, body: "null" }],
  ["JSON that is a number", { headers: json, body: "7" }],
  ["nothing with a 200", { status: 200, headers: json }],
  ["a lost answer", drop],
  ["a 502", { status: 502 }],
];
for (const [fact, script] of unreadable) {
  test(`${fact} is no answer: a reading is repeated, a writing is not`, async () => {
    await using reading = await start(script, ok);
    assert.deepEqual((await reading.github.request("GET /x")).data, { fine: true });
    await using writing = await start(script, ok);
    await assert.rejects(writing.github.request("POST /x"));
    assert.equal(writing.server.requests.length, 1);
    await using repeatable = await start(script, ok);
    await repeatable.github.request("POST /x", { request: { repeatable: true } });
    await using single = await start(script, ok);
    await assert.rejects(single.github.request("GET /x", { request: { single: true } }));
    assert.equal(single.server.requests.length, 1);
  });
}

test("a reading follows a redirect within GitHub, as of a renamed repository", async () => {
  await using place = await start({ status: 301, headers: { location: "/repositories/7" } }, ok);
  await place.github.request("GET /repos/a/b");
  assert.deepEqual(
    place.server.requests.map(({ path }) => path),
    ["/repos/a/b", "/repositories/7"],
  );
});

test("no writing follows a redirect, and no reading one to another origin: the token stays", async () => {
  await using other = await startScript(() => ok);
  await using away = await start({ status: 302, headers: { location: `${other.url}/x` } });
  const told = new RegExp(`answered 302, a redirect to ${other.url} that is not followed`);
  await assert.rejects(away.github.request("GET /x"), told);
  await assert.rejects(away.github.request("PUT /x"), told);
  await using within = await start({ status: 307, headers: { location: "/y" } }, ok);
  await assert.rejects(within.github.request("PUT /x"), /not followed/);
  assert.deepEqual([other.requests.length, within.server.requests.length], [0, 1]);
});

const item = v.object({ id: v.number() });

test("a listing is read page by page, as its links say", async () => {
  const next = {
    ...json,
    link: '<https://api.github.com/x?page=2>; rel="next", <https://api.github.com/x>; rel="last"',
  };
  const last = { ...json, link: '<https://api.github.com/x>; rel="prev"' };
  await using place = await start(
    { headers: next, body: [{ id: 1 }, { id: 2 }] },
    { headers: last, body: [{ id: 3, more: "x" }] },
  );
  assert.deepEqual(await listPages(place.github, "GET /x", { state: "open" }, item), [
    { id: 1 },
    { id: 2 },
    { id: 3 },
  ]);
  assert.deepEqual(
    place.server.requests.map(({ path }) => path),
    ["/x?state=open&per_page=100", "/x?state=open&per_page=100&page=2"],
  );
});

test("an answer that is not as documented is an error that names the request and the place", async () => {
  await using place = await start({ headers: json, body: [{ id: 1 }, { id: null }] });
  await assert.rejects(
    listPages(place.github, "GET /repos/a/b/issues", {}, item),
    /^UnreadableAnswer: GitHub's answer to \/repos\/a\/b\/issues is not as documented \(1\.id\)$/,
  );
  const answer = await place.github.request("GET /x", { request: { single: true } });
  assert.throws(() => parseAnswer(item, answer), /GitHub's answer to \/x is not as documented/);
});

const link = "https://docs.github.com/rest";
const explain = async (status: number, message: string, headers: Readonly<Record<string, string>> = {}) => {
  await using place = await start({
    status,
    headers: { ...json, ...headers },
    body: { message, documentation_url: link },
  });
  const error: unknown = await place.github.request("PUT /x").catch((reason: unknown) => reason);
  return explainRefusal(error, "SECRETS_TOKEN", "Secrets: Read and write");
};

test("a reason that GitHub gives is passed on with its link, and nothing of ours beside it", async () => {
  const reasons = [
    "Resource protected by organization SAML enforcement. You must grant your token access to this organization.",
    "Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list enabled",
    "`acme` forbids access via a fine-grained personal access tokens if the token's lifetime is greater than 366 days",
  ];
  const header = { "x-accepted-github-permissions": "secrets=write" };
  for (const reason of reasons) assert.equal(await explain(403, reason, header), `403: ${reason} - ${link}`);
  assert.equal(await explain(401, "Token expired by policy"), `401: Token expired by policy - ${link}`);
});

test("where GitHub gives no reason, what to tick is said: what it names, else what it usually takes", async () => {
  const tail = "Give SECRETS_TOKEN that permission for this repository";
  assert.equal(
    await explain(404, "Not Found"),
    `404: Not Found - ${link}; it usually takes Secrets: Read and write. ${tail}`,
  );
  const header = { "x-accepted-github-permissions": "environments=write" };
  assert.equal(
    await explain(403, "Resource not accessible by personal access token", header),
    `403: Resource not accessible by personal access token - ${link}; GitHub names what it takes: Environments: Read and write. ${tail}`,
  );
  assert.match(await explain(401, "Bad credentials"), /SECRETS_TOKEN is expired, revoked or mistyped/);
});

test("a listing whose pages go on for ever is given up", async () => {
  await using place = await start({
    headers: { ...json, link: '<https://x.example/?page=2>; rel="next"' },
    body: [],
  });
  await assert.rejects(listPages(place.github, "GET /comments", {}, v.string()), {
    message: "GitHub's list at /comments does not end after 1000 pages",
  });
  assert.equal(place.server.requests.length, 1000);
});
