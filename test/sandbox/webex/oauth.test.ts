import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../../sandbox/server.ts";
import { createCall, requestToken, signIn, small } from "../client.ts";

const unauthorised = "The request requires a valid access token set in the Authorization request header.";

test("a refresh rotates the refresh token, and the old one is dead", async () => {
  await using sandbox = await startSandbox(small);
  const old = sandbox.currentRefreshToken;
  const { status, body } = await requestToken(sandbox);
  assert.equal(status, 200);
  assert.equal(body.refresh_token, sandbox.currentRefreshToken);
  assert.notEqual(body.refresh_token, old);
  assert.deepEqual(
    [body.expires_in, body.refresh_token_expires_in, body.token_type],
    [1209599, 7775999, "Bearer"],
  );
  const again = await requestToken(sandbox, { refresh_token: old });
  assert.equal(again.status, 400);
  assert.deepEqual(again.body, {
    error: "invalid_grant",
    error_description: "The refresh token provided is expired, revoked, malformed, or invalid",
  });
});

test("the refresh token can stay the same", async () => {
  await using sandbox = await startSandbox(small, { refreshToken: "stays" });
  const old = sandbox.currentRefreshToken;
  assert.equal((await requestToken(sandbox)).body.refresh_token, old);
  assert.equal((await requestToken(sandbox)).status, 200);
});

test("the refresh token can be left out of the answer and still works", async () => {
  await using sandbox = await startSandbox(small, { refreshToken: "omitted" });
  assert.equal("refresh_token" in (await requestToken(sandbox)).body, false);
  assert.equal((await requestToken(sandbox)).status, 200);
});

test("the lives of both tokens can be short, and are kept", async () => {
  await using sandbox = await startSandbox(small, { refreshTokenExpiresIn: 0, accessTokenExpiresIn: 0 });
  const { body } = await requestToken(sandbox);
  assert.deepEqual([body.expires_in, body.refresh_token_expires_in], [0, 0]);
  const call = createCall(`${sandbox.url}/v1`, `Bearer ${body.access_token}`);
  assert.equal((await call("GET", "/people/me")).status, 401);
  assert.equal((await requestToken(sandbox)).body.error, "invalid_grant");
});

test("a token request that is wrong says which way", async () => {
  await using sandbox = await startSandbox(small);
  const errorOf = async (fields: Record<string, string>) => (await requestToken(sandbox, fields)).body.error;
  assert.equal(await errorOf({ client_secret: "wrong" }), "invalid_client");
  assert.equal(await errorOf({ client_id: "wrong" }), "invalid_client");
  assert.equal(await errorOf({ grant_type: "" }), "invalid_request");
  assert.equal(await errorOf({ grant_type: "password" }), "unsupported_grant_type");
  const asJson = await createCall(`${sandbox.url}/v1`, "")("POST", "/access_token", {
    grant_type: "refresh_token",
  });
  assert.deepEqual([asJson.status, asJson.body.error], [400, "invalid_request"]);
});

test("the client may come in the header as HTTP Basic instead of the body", async () => {
  await using sandbox = await startSandbox(small);
  const { WEBEX_CLIENT_ID = "", WEBEX_CLIENT_SECRET = "" } = sandbox.environment();
  const ask = (secret: string) =>
    fetch(`${sandbox.url}/v1/access_token`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${WEBEX_CLIENT_ID}:${secret}`).toString("base64")}` },
      body: new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: sandbox.currentRefreshToken,
      }),
    });
  const refused = await ask("wrong");
  assert.deepEqual([refused.status, refused.headers.get("www-authenticate")], [401, "Basic"]);
  assert.equal(Object(await refused.json()).error, "invalid_client");
  assert.equal((await ask(WEBEX_CLIENT_SECRET)).status, 200);
});

test("a missing, wrong or expired bearer is a 401 with the documented message and a tracking id", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  assert.equal((await call("GET", "/people/me")).status, 200);
  for (const authorization of ["", "Bearer wrong"]) {
    const { status, headers, body } = await createCall(`${sandbox.url}/v1`, authorization)("GET", "/rooms");
    assert.deepEqual(
      [status, body.message, body.errors],
      [401, unauthorised, [{ description: unauthorised }]],
    );
    assert.equal(body.trackingId, headers.get("trackingid"));
  }
  sandbox.expireAccessTokens();
  assert.equal((await call("GET", "/people/me")).status, 401);
});

test("the list of secrets holds the client secret and every token issued", async () => {
  await using sandbox = await startSandbox(small);
  const before = sandbox.environment();
  const { body } = await requestToken(sandbox);
  const secrets = sandbox.secrets();
  for (const secret of [
    before.WEBEX_CLIENT_SECRET,
    before.WEBEX_REFRESH_TOKEN,
    body.access_token,
    body.refresh_token,
  ]) {
    assert.ok(secrets.includes(String(secret)));
  }
  const { GITHUB_TOKEN, SECRETS_TOKEN } = sandbox.githubEnvironment();
  assert.ok(
    GITHUB_TOKEN && SECRETS_TOKEN && secrets.includes(GITHUB_TOKEN) && secrets.includes(SECRETS_TOKEN),
  );
});
