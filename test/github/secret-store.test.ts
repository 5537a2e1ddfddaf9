import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "../../sandbox/faults.ts";
import { startSandbox } from "../../sandbox/server.ts";
import type { Environment } from "../../src/config/actions.ts";
import { readConfig } from "../../src/config/settings.ts";
import { createSecretStore } from "../../src/github/secret-store.ts";
import { checkStaleness } from "../../src/token/rotate.ts";
import { type Script, startScript } from "../support/scripted-server.ts";

const empty = { name: "acme", people: [], groups: [], rooms: [] };
const name = "WEBEX_REFRESH_TOKEN";
const environment = "prod/eu west";
const repositoryPut = "PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}";
const environmentPut = "PUT /repos/{owner}/{repo}/environments/{environment_name}/secrets/{secret_name}";

async function start(extra: Environment = {}) {
  const environments = extra.WEBEX_ENVIRONMENT === undefined ? [] : [environment];
  const sandbox = await startSandbox(empty, { github: { environments } });
  const set = Object.entries(extra).map(([key, value]) => [key, value ?? ""]);
  const env = { ...sandbox.githubEnvironment(Object.fromEntries(set)), GITHUB_RUN_ID: undefined };
  const { tokenStore } = readConfig(env);
  if (tokenStore.kind !== "secret") throw new Error("the token must be in a secret");
  const pauses: number[] = [];
  const sleep = async (ms: number) => pauses.push(ms);
  const store = createSecretStore({ ...tokenStore, now: () => new Date(), sleep });
  const writes = () =>
    sandbox.requests
      .filter(({ method }) => method !== "GET")
      .map(({ route, status }) => `${route} ${status}`);
  return { sandbox, store, token: tokenStore.refreshToken, writes, pauses };
}

test("the token is the one that the run was given", async () => {
  const { sandbox, store, token } = await start();
  await using _ = sandbox;
  assert.deepEqual(await store.load(), { refreshToken: token, isStored: true });
  assert.equal(token, sandbox.currentRefreshToken);
});

test("a token is sealed so that GitHub opens it to the same value, and never sent as it is", async () => {
  const { sandbox, store } = await start();
  await using _ = sandbox;
  const next = "new_token-é_P0A1";
  await store.prove();
  assert.deepEqual(await store.save(next), { stored: true });
  assert.equal(sandbox.github.secret(name), next);
  assert.doesNotMatch(JSON.stringify(sandbox.requests), new RegExp(next));
  assert.equal((await store.load()).refreshToken, next);
});

test("with an environment its secret is written, and none of the repository's", async () => {
  const { sandbox, store } = await start({ WEBEX_ENVIRONMENT: environment });
  await using _ = sandbox;
  await store.prove();
  await store.save("new-token");
  assert.deepEqual(
    [sandbox.github.secret(name, environment), sandbox.github.secret(name)],
    ["new-token", undefined],
  );
});

test("proving writes a secret of another name and takes it away; the token's own is left as it is", async () => {
  const { sandbox, store, token } = await start();
  await using _ = sandbox;
  await store.prove();
  assert.equal(sandbox.github.secret(name), token);
  assert.equal(sandbox.github.secret("WEBEX_WRITE_PROBE"), undefined);
});

const refusals: readonly [fact: string, env: Environment, route: string, status: number, told: RegExp][] = [
  ["a 403 for the repository's secret", {}, repositoryPut, 403, /Secrets: Read and write/],
  ["a 404 for the repository's secret", {}, repositoryPut, 404, /Secrets: Read and write/],
  [
    "a 403 for an environment's secret",
    { WEBEX_ENVIRONMENT: environment },
    environmentPut,
    403,
    /Environments: Read and write/,
  ],
];
for (const [fact, env, route, status, told] of refusals) {
  test(`${fact} says before any refresh what to tick`, async () => {
    const { sandbox, store } = await start(env);
    await using _ = sandbox;
    sandbox.fault({ route, status });
    await assert.rejects(store.prove(), (error: Error) => {
      assert.match(error.message, told);
      assert.match(error.message, /SECRETS_TOKEN/);
      for (const secret of sandbox.secrets()) assert.equal(error.message.includes(secret), false);
      return true;
    });
  });
}

test("a token that GitHub does not know is refused before any refresh", async () => {
  const { sandbox, store } = await start({ SECRETS_TOKEN: "expired" });
  await using _ = sandbox;
  await assert.rejects(store.prove(), /SECRETS_TOKEN/);
});

test("storing is repeated after a 5xx", async () => {
  const { sandbox, store, writes } = await start();
  await using _ = sandbox;
  await store.prove();
  const seen = writes().length;
  sandbox.fault({ route: repositoryPut, status: 502 });
  assert.deepEqual(await store.save("new-token"), { stored: true });
  assert.deepEqual(writes().slice(seen), [`${repositoryPut} 502`, `${repositoryPut} 204`]);
});

test("a token that cannot be stored leaves what is needed to store it, and none of it is secret", async () => {
  const { sandbox, store, token } = await start();
  await using _ = sandbox;
  await store.prove();
  sandbox.fault({ route: repositoryPut, status: 403, times: 99 });
  const outcome = await store.save("new-token");
  assert.equal(outcome.stored, false);
  assert.doesNotMatch(JSON.stringify(outcome), /new-token/);
  assert.match(JSON.stringify(outcome), /encrypted_value=/);
  assert.equal(sandbox.github.secret(name), token);
});

const repositoryGet = "GET /repos/{owner}/{repo}/actions/secrets/{secret_name}";
const html = { headers: { "content-type": "text/html" }, body: "<html>" };

const passing: readonly [fact: string, fault: Omit<Fault, "route">][] = [
  ["a 401", { status: 401 }],
  ["a 403", { status: 403 }],
  ["a 403 that asks to wait", { status: 403, headers: { "retry-after": "2" } }],
  ["a 404", { status: 404 }],
  ["a 409", { status: 409 }],
  ["a 429", { status: 429, headers: { "retry-after": "2" } }],
  ["a 429 for an hour", { status: 429, headers: { "retry-after": "3600" } }],
  ["a 500", { status: 500 }],
  ["a lost answer", { dropAfter: true }],
  ["a lost request", { drop: true }],
  ["an answer of 200 that is a page", { status: 200, ...html }],
  ["an answer of 200 that is empty", { status: 200, body: undefined }],
  ["a redirect", { status: 307, headers: { location: "http://localhost:9/" }, body: undefined }],
  ["a 204 without effect", { status: 204, body: undefined }],
  ["a 201 without effect", { status: 201, body: {} }],
  ["a 422, as for a key that was replaced", { status: 422 }],
];
for (const [fact, fault] of passing) {
  for (const route of [repositoryPut, repositoryGet]) {
    test(`${fact} to ${route.slice(0, 3)} while the token is stored is got over`, async () => {
      const { sandbox, store } = await start();
      await using _ = sandbox;
      await store.prove();
      sandbox.fault({ route, ...fault });
      assert.deepEqual(await store.save("new-token"), { stored: true });
      assert.equal(sandbox.github.secret(name), "new-token");
    });
  }
}

test("what does not pass is given up after a minute, and the recovery is sealed with a key read anew", async () => {
  const { sandbox, store, pauses } = await start();
  await using _ = sandbox;
  await store.prove();
  sandbox.fault({ route: repositoryPut, status: 204, body: undefined, times: 99 });
  const before = sandbox.requests.length;
  const outcome = await store.save("new-token");
  assert.ok(!outcome.stored);
  assert.match(
    outcome.reason,
    /could not be written: GitHub confirmed the secret, but its date .* does not show/,
  );
  assert.deepEqual(pauses.slice(0, 5), [1000, 2000, 4000, 8000, 8000]);
  const waited = pauses.reduce((sum, ms) => sum + ms, 0);
  assert.ok(waited > 55_000 && waited <= 62_000, String(waited));
  const routes = sandbox.requests.slice(before).map(({ route }) => route);
  assert.equal(routes.at(-1), "GET /repos/{owner}/{repo}/actions/secrets/public-key");
});

test("a store that confirms what it does not keep is found out before any refresh", async () => {
  const lies = [
    { status: 204, body: undefined },
    { status: 200, ...html },
    { status: 302, headers: { location: "http://localhost:9/" }, body: undefined },
  ];
  for (const lie of lies) {
    const { sandbox, store } = await start();
    await using _ = sandbox;
    sandbox.fault({ route: repositoryPut, times: 9, ...lie });
    await assert.rejects(store.prove(), /The token was not refreshed$/);
  }
});

test("the secret in both places is refused before any refresh, and it is said which one to delete", async () => {
  const named = await start({ WEBEX_ENVIRONMENT: environment });
  await using _ = named.sandbox;
  named.sandbox.github.scope(undefined).store(name, "other");
  const unnamed = await startSandbox(empty, { github: { environments: ["webex"], tokenIn: "repository" } });
  await using __ = unnamed;
  unnamed.github.scope("webex").store(name, "other");
  const { tokenStore } = readConfig(unnamed.githubEnvironment());
  assert.ok(tokenStore.kind === "secret");
  const store = createSecretStore({ ...tokenStore, now: () => new Date() });
  const remove = "gh secret delete WEBEX_REFRESH_TOKEN --repo acme/spaces";
  for (const work of ["prove", "dateCopy"] as const) {
    await assert.rejects(named.store[work](), (error: Error) => {
      assert.ok(error.message.includes(`delete the repository's: ${remove}. The token`), error.message);
      return true;
    });
    await assert.rejects(store[work](), (error: Error) => {
      assert.ok(error.message.includes(`delete the environment's (${remove} --env webex)`), error.message);
      return true;
    });
  }
  assert.deepEqual(named.writes(), []);
});

const put = /^PUT .*WEBEX_REFRESH_TOKEN$/;

/** A GitHub whose secrets have the dates that a test says, and a store of a run that is given its secret there. */
async function startDated(facts: {
  /** The seconds at which the secret is found in turn; null is a 404. */
  readonly updated: readonly (number | null)[];
  readonly queued?: number | null;
  readonly now?: number;
  readonly environment?: string;
  readonly attempt?: number;
}) {
  const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 5, 0, second));
  let looked = 0;
  const server = await startScript(({ method, path }): Script => {
    const headers = { "content-type": "application/json", date: at(facts.now ?? 100).toUTCString() };
    if (path.endsWith("/public-key"))
      return { headers, body: { key_id: "1", key: Buffer.alloc(32, 9).toString("base64") } };
    if (path.includes("/actions/runs/")) {
      const { queued = 0 } = facts;
      if (queued === null) return { status: 403 };
      return { headers, body: { created_at: at(queued).toISOString(), workflow_id: 1, event: "schedule" } };
    }
    if (method !== "GET") return { status: 204 };
    if (path.endsWith("/WEBEX_WRITE_PROBE")) return { headers, body: { updated_at: at(50).toISOString() } };
    const isOther = path.includes("/environments/") !== (facts.environment !== undefined);
    const second = isOther ? null : facts.updated[Math.min(looked++, facts.updated.length - 1)];
    if (second == null) return { status: 404 };
    return { headers, body: { updated_at: at(second).toISOString() } };
  });
  const repository = {
    owner: "acme",
    name: "spaces",
    apiUrl: server.url,
    graphqlUrl: `${server.url}/graphql`,
    serverUrl: "https://github.com",
  };
  const { environment = null, attempt = 1 } = facts;
  const run = { id: 7, attempt, token: "ghs", ref: "main", eventPath: null, isDispatchedByBot: false };
  const pauses: number[] = [];
  // This machine's clock stands in another year: only what passes on it counts.
  const store = createSecretStore({
    repository,
    environment,
    secretsToken: "pat",
    refreshToken: "old",
    run,
    now: () => new Date(0),
    sleep: async (ms) => pauses.push(ms),
  });
  const puts = () => server.requests.filter(({ method, path }) => put.test(`${method} ${path}`)).length;
  return { store, puts, at, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("a writing in the second of the one before has its date, so it is written again in a later second", async () => {
  // Found by the scope, before the writing, after it, and after the second one.
  await using place = await startDated({ updated: [50, 50, 50, 51] });
  await place.store.prove();
  assert.deepEqual(await place.store.save("new"), { stored: true });
  assert.equal(place.puts(), 2);
});

test("a date that is older than the proof does not show a writing, though there was none before", async () => {
  await using place = await startDated({ updated: [null, null, 49, 50] });
  await place.store.prove();
  assert.deepEqual(await place.store.save("new"), { stored: true });
  assert.equal(place.puts(), 2);
});

const ages: readonly [fact: string, facts: Parameters<typeof startDated>[0], expected: string][] = [
  ["queued after the last change", { updated: [10], queued: 20 }, "current"],
  ["queued before the last change", { updated: [30], queued: 20 }, "stale"],
  [
    "of an environment, changed since the run began",
    { updated: [130], queued: 20, environment: "webex" },
    "stale",
  ],
  [
    "of an environment, changed while the run waited",
    { updated: [30], queued: 20, environment: "webex" },
    "doubtful",
  ],
  [
    "of an environment, whatever this machine's clock says",
    { updated: [90], queued: 95, environment: "webex" },
    "current",
  ],
  ["of a run that cannot be looked at, changed lately", { updated: [90], queued: null, now: 100 }, "stale"],
  [
    "of a run that cannot be looked at, not changed for long",
    { updated: [10], queued: null, now: 2000 },
    "doubtful",
  ],
  ["of a re-run that cannot be looked at", { updated: [10], queued: null, now: 2000, attempt: 2 }, "stale"],
  ["that is not found at the first look only", { updated: [null, null, 30], queued: 20 }, "stale"],
];
for (const [fact, facts, expected] of ages) {
  test(`a copy ${fact} is ${expected}`, async () => {
    await using place = await startDated(facts);
    const verdict = checkStaleness(await place.store.dateCopy());
    assert.equal(verdict.kind, expected, JSON.stringify(verdict));
  });
}

test("a secret that may not be looked at is not taken for unchanged", async () => {
  const { sandbox, store } = await start({ GITHUB_RUN_ATTEMPT: "1" });
  await using _ = sandbox;
  sandbox.fault({ route: repositoryGet, status: 403, times: 9 });
  await assert.rejects(store.dateCopy(), /SECRETS_TOKEN cannot look at the secrets .*403: Forbidden/);
});

test("after a stop the storing has a few seconds left, then the recovery is there", async () => {
  const { tokenStore, sandbox } = await startWithStore();
  await using _ = sandbox;
  const store = createSecretStore({ ...tokenStore, now: () => new Date() });
  await store.prove();
  const stop = new AbortController();
  let seen = 0;
  const match = () => {
    seen += 1;
    if (seen === 1) stop.abort();
    return true;
  };
  sandbox.fault({ route: repositoryPut, match, hang: true, times: 99 });
  const outcome = await store.save("new-token", stop.signal);
  assert.ok(!outcome.stored);
  assert.match(outcome.reason, /given up 6 s after the run was stopped/);
  assert.match(outcome.recovery.command, /encrypted_value=/);
});

async function startWithStore() {
  const sandbox = await startSandbox(empty);
  const { tokenStore } = readConfig({ ...sandbox.githubEnvironment(), GITHUB_RUN_ID: undefined });
  if (tokenStore.kind !== "secret") throw new Error("the token must be in a secret");
  return { sandbox, tokenStore };
}
