import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../../sandbox/server.ts";
import { createCall, requestToken, signIn, small } from "../client.ts";

const refusal =
  "The server understood the request, but refused to fulfill it because the access token is missing required " +
  "scopes or the user is missing required roles or licenses.";

/** The operations of the sandbox's Webex, by a scope that lets a token use them. */
const operations: readonly [scope: string, method: string, path: string][] = [
  ["spark:rooms_read", "GET", "/rooms"],
  ["spark:rooms_read", "GET", "/rooms/x"],
  ["spark:memberships_read", "GET", "/memberships"],
  ["spark:memberships_write", "POST", "/memberships"],
  ["spark:memberships_write", "PUT", "/memberships/x"],
  ["spark:memberships_write", "DELETE", "/memberships/x"],
  ["spark:teams_read", "GET", "/teams"],
  ["spark:team_memberships_read", "GET", "/team/memberships"],
  ["spark:team_memberships_write", "POST", "/team/memberships"],
  ["spark:team_memberships_write", "DELETE", "/team/memberships/x"],
  ["spark:people_read", "GET", "/people/me"],
  ["spark-admin:people_read", "GET", "/people?email=x@example.com"],
  ["identity:groups_read", "GET", "/groups"],
  ["identity:groups_read", "GET", "/groups/x/members"],
  ["meeting:admin_preferences_read", "GET", "/meetingPreferences/schedulingOptions"],
  ["meeting:admin_preferences_write", "POST", "/meetingPreferences/schedulingOptions/delegateEmails/insert"],
];

test("each operation takes a token with its scope, and no token with any other", async () => {
  const organisation = { ...small, meetings: {} };
  for (const scope of new Set(operations.map(([one]) => one))) {
    await using sandbox = await startSandbox(organisation, { scope });
    const call = await signIn(sandbox);
    for (const [needed, method, path] of operations) {
      const { status, body } = await call(
        method,
        path,
        method === "GET" || method === "DELETE" ? undefined : {},
      );
      const isPeople = scope.endsWith("people_read") && needed.endsWith("people_read");
      if (needed === scope || isPeople) assert.notEqual(status, 403, `${scope}: ${method} ${path}`);
      else {
        assert.deepEqual(
          [status, body.message, body.errors],
          [403, refusal, [{ description: refusal }]],
          `${scope}: ${method} ${path}`,
        );
      }
    }
  }
});

test("spark:all is every scope of the user and none of an administrator", async () => {
  await using sandbox = await startSandbox(small, { scope: "spark:all" });
  const call = await signIn(sandbox);
  for (const [path, status] of [
    ["/rooms", 200],
    ["/memberships", 200],
    ["/people/me", 200],
    ["/teams", 200],
    ["/groups", 403],
  ] as const) {
    assert.equal((await call("GET", path)).status, status, path);
  }
});

test("the scopes are the token's, so that an older token keeps those it was given", async () => {
  await using sandbox = await startSandbox(small, { grantedScope: "spark:rooms_read" });
  const before = await signIn(sandbox);
  const { WEBEX_CLIENT_ID = "" } = sandbox.environment();
  const redirect_uri = "http://127.0.0.1:1/callback";
  const asked = {
    client_id: WEBEX_CLIENT_ID,
    response_type: "code",
    redirect_uri,
    scope: "spark:people_read",
  };
  const consent = await fetch(`${sandbox.url}/v1/authorize`, {
    method: "POST",
    body: new URLSearchParams({ ...asked, state: "s", decision: "allow" }),
    redirect: "manual",
  });
  const code = new URL(consent.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const granted = await requestToken(sandbox, { grant_type: "authorization_code", code, redirect_uri });
  const after = createCall(`${sandbox.url}/v1`, `Bearer ${granted.body.access_token}`);
  assert.equal((await before("GET", "/people/me")).status, 200);
  assert.equal((await after("GET", "/people/me")).status, 403);
  assert.equal((await after("GET", "/rooms")).status, 200);
});
