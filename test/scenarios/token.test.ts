import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Exchange } from "../../sandbox/http.ts";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

// Fault 14 of the first sample application (whoever opens its page starts a run) has no counterpart: there is no page.
// The sign-in faults of 15 belong to `login`; what concerns the stored token is here, what is printed in leaks.test.ts.

/** With the token in the repository's own secret, or in that of an environment. */
function startTokenStory(options: SandboxOptions = {}, environment = "") {
  return startStory(organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["ann"] } }), ["eng,NOC"], {
    github: { environments: ["webex"], ...(environment === "" && { tokenIn: "repository" }) },
    ...options,
  });
}

const secretRoute = "PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}";
const isTokenWrite = ({ method, path }: Exchange) =>
  method === "PUT" && path.endsWith("/WEBEX_REFRESH_TOKEN");
const usesAccessToken = ({ half, headers }: Exchange) =>
  half === "webex" && headers.authorization !== undefined;
const toWebex = (requests: readonly Exchange[]) =>
  requests.filter(({ half }) => half === "webex").map(({ route }) => route);

describe("the refresh token is never lost", { concurrency: 2 }, () => {
  test("without a place for a rotated token nothing starts, and all that is missing is told at once", async () => {
    await using story = await startTokenStory();
    const env = story.sandbox.environment({ GITHUB_TOKEN: "ghs_any" });
    const { WEBEX_CLIENT_SECRET: _, ...incomplete } = env;
    for (const command of ["sync", "plan"]) {
      const { code, stderr } = await story.folder.run([command], incomplete);
      assert.equal(code, 1);
      for (const name of ["WEBEX_TOKEN_FILE", "SECRETS_TOKEN", "WEBEX_CLIENT_SECRET is missing"]) {
        assert.ok(stderr.includes(name), `${name} in ${stderr}`);
      }
    }
    assert.deepEqual(story.sandbox.requests, []);
  });

  for (const environment of ["", "webex"]) {
    test(`sample fault 15: the rotated token is sealed and stored before the access token is used (${environment || "repository"})`, async () => {
      await using story = await startTokenStory({}, environment);
      const { sandbox } = story;
      const old = sandbox.currentRefreshToken;
      const ending = await story.run(["sync"], { env: { WEBEX_ENVIRONMENT: environment } });
      const routes = ending.requests.map(({ route }) => route);
      const refreshed = routes.indexOf("POST /access_token");
      const stored = ending.requests.findIndex(isTokenWrite);
      const used = ending.requests.findIndex(usesAccessToken);
      assert.ok(0 < refreshed && refreshed < stored && stored < used, routes.join("\n"));
      assert.equal(ending.requests.filter(isTokenWrite).length, 1);
      assert.notEqual(sandbox.currentRefreshToken, old);
      assert.equal(
        sandbox.github.secret("WEBEX_REFRESH_TOKEN", environment || undefined),
        sandbox.currentRefreshToken,
      );
      const { refreshed: isRefreshed, rotated, refreshTokenExpiresAt } = ending.record.token ?? {};
      assert.deepEqual([ending.code, isRefreshed, rotated], [0, true, true]);
      assert.match(refreshTokenExpiresAt ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });
  }

  for (const refreshToken of ["stays", "omitted"] as const) {
    test(`a token that ${refreshToken === "stays" ? "stays the same" : "is left out of the reply"} is kept and not written again`, async () => {
      await using story = await startTokenStory({ refreshToken, refreshTokenExpiresIn: 10 * 24 * 3600 });
      const old = story.sandbox.currentRefreshToken;
      const ending = await story.run(["sync"]);
      assert.deepEqual([ending.code, ending.record.token?.rotated], [0, false]);
      assert.ok(!ending.requests.some(isTokenWrite));
      assert.equal(story.sandbox.github.secret("WEBEX_REFRESH_TOKEN"), old);
      assert.match(ending.summary, /⚠️ Webex login valid until/);
    });
  }

  test("a token file is made for its owner only, replaced before the access token is used, and nothing is left beside it", async () => {
    await using story = await startTokenStory();
    const file = join(story.folder.path, "secrets/token");
    const found: string[] = [];
    const look = () => {
      found.push(readFileSync(file, "utf8").trim());
      return false;
    };
    story.sandbox.fault({ route: "GET /people/me", match: look });
    const expected: string[] = [];
    for (const _ of ["the first run takes the token from the environment", "the second from the file"]) {
      const ending = await story.run(["sync"], { local: true, env: { WEBEX_TOKEN_FILE: "secrets/token" } });
      assert.deepEqual([ending.code, ending.record.token?.rotated], [0, true]);
      expected.push(story.sandbox.currentRefreshToken);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
    }
    assert.deepEqual(found, expected);
    assert.deepEqual(await readdir(join(story.folder.path, "secrets")), ["token"]);
  });

  test("a token file that cannot be written, and a secret that cannot be prepared, stop the run before the refresh", async () => {
    await using story = await startTokenStory();
    const blocked = await story.run(["sync"], {
      local: true,
      env: { WEBEX_TOKEN_FILE: "mappings/rooms.csv/token" },
    });
    story.sandbox.fault({ route: "GET /repos/{owner}/{repo}/actions/secrets/public-key", status: 403 });
    const refused = await story.run(["sync"]);
    for (const ending of [blocked, refused]) {
      assert.deepEqual([ending.code, ending.record.status, ending.record.token], [1, "failed", null]);
      assert.deepEqual(toWebex(ending.requests), []);
    }
    assert.match(blocked.stderr, /the token file.* mappings\/rooms\.csv/);
    assert.match(refused.stderr, /SECRETS_TOKEN.*403: Forbidden.*Secrets/);
  });

  test("a secret that is refused for a whole minute after the refresh ends the run before Webex is looked at", async () => {
    await using story = await startTokenStory();
    const match = ({ parameters }: { parameters: ReadonlyMap<string, string> }) =>
      parameters.get("secret_name") === "WEBEX_REFRESH_TOKEN";
    story.sandbox.fault({ route: secretRoute, match, status: 403, times: 99 });
    const ending = await story.run(["sync"]);
    assert.deepEqual([ending.code, ending.record.status, ending.record.rooms], [1, "failed", []]);
    assert.deepEqual(toWebex(ending.requests), ["POST /access_token"]);
    assert.match(ending.stderr, /WEBEX_REFRESH_TOKEN of acme\/spaces could not be written/);
  });

  test("a refresh token that Webex refuses is left where it is, and the run says to log in again", async () => {
    await using story = await startTokenStory();
    const ending = await story.run(["sync"], { env: { WEBEX_REFRESH_TOKEN: "spent" } });
    assert.deepEqual(
      [ending.code, ending.record.status, toWebex(ending.requests)],
      [1, "failed", ["POST /access_token"]],
    );
    assert.ok(!ending.requests.some(isTokenWrite));
    assert.equal(story.sandbox.github.secret("WEBEX_REFRESH_TOKEN"), story.sandbox.currentRefreshToken);
    assert.match(ending.stderr, /invalid_grant/);
    assert.match(ending.stderr, /npm run login/);
  });

  test("a refresh whose answer is lost is not sent again", async () => {
    await using story = await startTokenStory();
    story.sandbox.fault({ route: "POST /access_token", dropAfter: true });
    const ending = await story.run(["sync"]);
    assert.deepEqual([ending.code, toWebex(ending.requests)], [1, ["POST /access_token"]]);
    assert.ok(!ending.requests.some(isTokenWrite));
  });
});
