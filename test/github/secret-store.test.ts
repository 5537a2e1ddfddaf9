import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import type { Environment } from "../../src/config/actions.ts";
import { readConfig } from "../../src/config/settings.ts";
import { createSecretStore } from "../../src/github/secret-store.ts";

const empty = { name: "acme", people: [], groups: [], rooms: [] };
const name = "WEBEX_REFRESH_TOKEN";
const environment = "prod/eu west";
const repositoryPut = "PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}";
const environmentPut = "PUT /repos/{owner}/{repo}/environments/{environment_name}/secrets/{secret_name}";

async function start(extra: Environment = {}) {
  const sandbox = await startSandbox(empty, { github: { environments: [environment] } });
  const set = Object.entries(extra).map(([key, value]) => [key, value ?? ""]);
  const env = { ...sandbox.githubEnvironment(Object.fromEntries(set)), GITHUB_RUN_ID: undefined };
  const { tokenStore } = readConfig(env);
  if (tokenStore.kind !== "secret") throw new Error("the token must be in a secret");
  const store = createSecretStore({ ...tokenStore, startedAt: new Date() });
  const writes = () =>
    sandbox.requests
      .filter(({ method }) => method !== "GET")
      .map(({ route, status }) => `${route} ${status}`);
  return { sandbox, store, token: tokenStore.refreshToken, writes };
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

test("with an environment its secret is written, and the repository's is left as it is", async () => {
  const { sandbox, store, token } = await start({ WEBEX_ENVIRONMENT: environment });
  await using _ = sandbox;
  await store.prove();
  await store.save("new-token");
  assert.deepEqual(
    [sandbox.github.secret(name, environment), sandbox.github.secret(name)],
    ["new-token", token],
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
  sandbox.fault({ route: repositoryPut, status: 403 });
  const outcome = await store.save("new-token");
  assert.equal(outcome.stored, false);
  assert.doesNotMatch(JSON.stringify(outcome), /new-token/);
  assert.match(JSON.stringify(outcome), /encrypted_value=/);
  assert.equal(sandbox.github.secret(name), token);
});
