import assert from "node:assert/strict";
import { test } from "node:test";
import sodium from "libsodium-wrappers";
import { startSandbox } from "../../../sandbox/server.ts";
import { type Call, createCall, small } from "../client.ts";

const repository = "/actions/secrets";
const environment = "/environments/webex/secrets";

async function start() {
  const sandbox = await startSandbox(small, { github: { environments: ["webex"], tokenIn: "both" } });
  const { GITHUB_API_URL, GITHUB_TOKEN, SECRETS_TOKEN } = sandbox.githubEnvironment();
  const base = `${GITHUB_API_URL}/repos/acme/spaces`;
  return {
    sandbox,
    call: createCall(base, `token ${SECRETS_TOKEN}`),
    workflow: createCall(base, `token ${GITHUB_TOKEN}`),
  };
}

/** Seals a value for the key of that place, as GitHub's documentation shows. */
async function seal(call: Call, place: string, value: string) {
  await sodium.ready;
  const { body } = await call("GET", `${place}/public-key`);
  const key = Buffer.from(String(body.key), "base64");
  const box = sodium.crypto_box_seal(value, key);
  return { encrypted_value: sodium.to_base64(box, sodium.base64_variants.ORIGINAL), key_id: body.key_id };
}

test("a sealed secret is opened and stored: 201 when it is new, 204 when it was there", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  assert.equal((await call("PUT", `${repository}/PROBE`, await seal(call, repository, "one"))).status, 201);
  assert.equal(sandbox.github.secret("PROBE"), "one");
  assert.equal(
    (await call("PUT", `${repository}/probe`, await seal(call, repository, "zwei äöü"))).status,
    204,
  );
  assert.equal(sandbox.github.secret("PROBE"), "zwei äöü");
});

test("a secret's time of change moves with each change and its value is never shown", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const path = `${repository}/WEBEX_REFRESH_TOKEN`;
  const before = (await call("GET", path)).body;
  await call("PUT", path, await seal(call, repository, "next"));
  const after = (await call("GET", path)).body;
  assert.deepEqual(Object.keys(after), ["name", "created_at", "updated_at"]);
  assert.equal(after.created_at, before.created_at);
  assert.ok(String(after.updated_at) > String(before.updated_at));
});

test("a secret can be deleted", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  await call("PUT", `${repository}/PROBE`, await seal(call, repository, "one"));
  assert.equal((await call("DELETE", `${repository}/PROBE`)).status, 204);
  assert.equal(sandbox.github.secret("PROBE"), undefined);
  assert.equal((await call("DELETE", `${repository}/PROBE`)).status, 404);
  assert.equal((await call("GET", `${repository}/PROBE`)).status, 404);
});

test("names and sizes that GitHub does not take are a 422", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const sealed = await seal(call, repository, "value");
  for (const name of ["1PROBE", "MY-PROBE", "MY%20PROBE", "GITHUB_PROBE", "github_probe"]) {
    const { status, body } = await call("PUT", `${repository}/${name}`, sealed);
    assert.equal(status, 422, name);
    assert.match(String(body.message), /^Secret names /);
  }
  const put = async (value: string) =>
    (await call("PUT", `${repository}/PROBE`, await seal(call, repository, value))).status;
  assert.equal(await put("é".repeat(24 * 1024)), 201);
  assert.equal(await put(`${"é".repeat(24 * 1024)}.`), 422);
  for (const body of [{ key_id: sealed.key_id }, { encrypted_value: sealed.encrypted_value }]) {
    assert.equal((await call("PUT", `${repository}/PROBE`, body)).status, 422);
  }
});

test("the secrets are listed with their times, and a time can be moved", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const listed = async (place: string) => {
    const { body } = await call("GET", place);
    const [secret] = body.secrets as { name: string; updated_at: string }[];
    return [body.total_count, secret?.name, secret?.updated_at];
  };
  const [, name, before] = await listed(environment);
  assert.equal(name, "WEBEX_REFRESH_TOKEN");
  sandbox.github.touchSecret("WEBEX_REFRESH_TOKEN", "webex");
  const [count, , after] = await listed(environment);
  assert.ok(count === 1 && String(after) > String(before));
  sandbox.github.touchSecret("WEBEX_REFRESH_TOKEN", undefined, "2030-01-02T03:04:05Z");
  assert.deepEqual(await listed(repository), [1, "WEBEX_REFRESH_TOKEN", "2030-01-02T03:04:05Z"]);
  assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), sandbox.currentRefreshToken);
});

test("an environment has secrets and a key of its own", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const sealed = await seal(call, environment, "for the environment");
  assert.equal((await call("PUT", `${repository}/WEBEX_REFRESH_TOKEN`, sealed)).status, 422);
  assert.equal((await call("PUT", `${environment}/WEBEX_REFRESH_TOKEN`, sealed)).status, 204);
  assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN", "webex"), "for the environment");
  assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), sandbox.currentRefreshToken);
  const run = sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: "webex" });
  assert.equal(run.WEBEX_REFRESH_TOKEN, "for the environment");
  assert.equal((await call("GET", "/environments/other/secrets/public-key")).status, 404);
});

test("a box that is malformed, can't be opened or is for another key is a 422", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const sealed = await seal(call, repository, "value");
  const put = async (body: object) => (await call("PUT", `${repository}/PROBE`, body)).status;
  assert.equal(await put({ ...sealed, key_id: "another" }), 422);
  assert.equal(await put({ ...sealed, encrypted_value: "no-base64_" }), 422);
  assert.equal(await put({ ...sealed, encrypted_value: Buffer.alloc(60).toString("base64") }), 422);
  assert.equal(await put({ key_id: sealed.key_id }), 422);
  assert.equal(sandbox.github.secret("PROBE"), undefined);
});

test("the workflow's own token can't reach secrets, and the answer names what could", async () => {
  const { sandbox, call, workflow } = await start();
  await using _ = sandbox;
  const sealed = await seal(call, repository, "value");
  for (const [place, permission] of [
    [repository, "secrets=write"],
    [environment, "environments=write"],
  ]) {
    const { status, headers, body } = await workflow("PUT", `${place}/PROBE`, sealed);
    assert.deepEqual([status, body.message], [403, "Resource not accessible by integration"]);
    assert.equal(headers.get("x-accepted-github-permissions"), permission);
  }
});
