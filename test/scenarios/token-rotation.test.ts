import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Exchange } from "../../sandbox/http.ts";
import type { ApiRequest } from "../../sandbox/router.ts";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

/** With the token in the repository's own secret, or in that of an environment. */
function startTokenStory(options: SandboxOptions = {}, environment = "") {
  return startStory(organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["ann"] } }), ["eng,NOC"], {
    github: { environments: ["webex"], ...(environment === "" && { tokenIn: "repository" }) },
    ...options,
  });
}

const toWebex = (requests: readonly Exchange[]) =>
  requests.filter(({ half }) => half === "webex").map(({ route }) => route);
const dispatches = (requests: readonly Exchange[]) =>
  requests.filter(({ route }) => route.endsWith("/dispatches"));
const putSecret = "PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}";
const isRefreshToken = ({ parameters }: ApiRequest) =>
  parameters.get("secret_name") === "WEBEX_REFRESH_TOKEN";

describe("a stale copy", { concurrency: 2 }, () => {
  for (const attempt of ["1", "2"]) {
    test(`of the repository's secret stops the run before it touches anything, and starts a fresh one (attempt ${attempt})`, async () => {
      await using story = await startTokenStory();
      const { sandbox } = story;
      const waiting = sandbox.githubEnvironment({ GITHUB_RUN_ATTEMPT: attempt });
      await story.run(["sync"]);
      const stored = sandbox.currentRefreshToken;
      await story.folder.write("event.json", JSON.stringify({ inputs: { dry_run: true, approve: null } }));
      const event = join(story.folder.path, "event.json");
      const ending = await story.run(["sync"], { env: { ...waiting, GITHUB_EVENT_PATH: event } });
      assert.deepEqual([ending.code, ending.record.status, toWebex(ending.requests)], [1, "failed", []]);
      assert.match(ending.stderr, /stale: .* was updated at .*a fresh run was started by dispatch/);
      assert.deepEqual(
        dispatches(ending.requests).map(({ body, status }) => ({ body, status })),
        [{ body: { ref: "main", inputs: { dry_run: "true" } }, status: 204 }],
      );
      assert.ok(ending.requests.every(({ method }) => method === "GET" || method === "POST"));
      assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), stored);
      assert.equal((await story.run(["sync"])).code, 0);
    });
  }

  test("is told without a dispatch where the token may start nothing, with the permission that would", async () => {
    await using story = await startTokenStory();
    const waiting = story.sandbox.githubEnvironment();
    await story.run(["sync"]);
    const route = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches";
    story.sandbox.fault({ route, status: 403 });
    const ending = await story.run(["sync"], { env: waiting });
    assert.match(ending.stderr, /start a new run by hand .*actions: write/);
  });

  test("of an environment's secret may be current, so it is tried; when Webex refuses it, a fresh run is started", async () => {
    await using story = await startTokenStory({}, "webex");
    const waiting = story.sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: "webex" });
    await story.run(["sync"], { env: { WEBEX_ENVIRONMENT: "webex" } });
    const ending = await story.run(["sync"], { env: waiting });
    assert.deepEqual([ending.code, toWebex(ending.requests)], [1, ["POST /access_token"]]);
    assert.match(ending.stderr, /invalid_grant.*start a fresh run before you log in again/);
    assert.equal(dispatches(ending.requests).length, 1);
  });

  test("cannot be told from a current one where the run cannot be looked at: a first attempt goes on if nothing was stored lately, a re-run stops", async () => {
    await using story = await startTokenStory();
    const { github } = story.sandbox;
    const longAgo = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+/, "");
    const route = "GET /repos/{owner}/{repo}/actions/runs/{run_id}";
    story.sandbox.fault({ route, status: 403, times: 99 });
    github.touchSecret("WEBEX_REFRESH_TOKEN", undefined, longAgo);
    assert.equal((await story.run(["sync"])).code, 0);
    // It may have waited for the run that has just stored a newer one.
    const late = await story.run(["sync"]);
    assert.deepEqual([late.code, toWebex(late.requests)], [1, []]);
    assert.match(late.stderr, /when this run was queued cannot be read .*actions: read/);
    github.touchSecret("WEBEX_REFRESH_TOKEN", undefined, longAgo);
    const ending = await story.run(["sync"], { env: { GITHUB_RUN_ATTEMPT: "2" } });
    assert.deepEqual([ending.code, toWebex(ending.requests)], [1, []]);
    assert.match(ending.stderr, /a re-run that may hold the value of its first attempt/);
  });
});

describe("the store", { concurrency: 2 }, () => {
  test("is proved with a probe that is deleted again, and the real secret is not rewritten for it", async () => {
    await using story = await startTokenStory({ refreshToken: "stays" });
    const ending = await story.run(["sync"]);
    const writes = ending.requests.filter(
      ({ half, method, path }) => half === "github" && method !== "GET" && path.includes("secrets"),
    );
    assert.deepEqual(
      writes.map(({ method, path, status }) => `${method} ${path.split("/").at(-1)} ${status}`),
      ["PUT WEBEX_WRITE_PROBE 201", "DELETE WEBEX_WRITE_PROBE 204"],
    );
  });

  for (const [environment, wanted] of [
    ["", "Secrets: Read and write"],
    ["webex", "Environments: Read and write"],
  ] as const) {
    test(`that refuses ends the run before the refresh, with the permission that GitHub names: ${wanted}`, async () => {
      await using story = await startTokenStory({}, environment);
      const scope = environment ? "environments/{environment_name}" : "actions";
      story.sandbox.fault({
        route: `PUT /repos/{owner}/{repo}/${scope}/secrets/{secret_name}`,
        status: 403,
        headers: { "x-accepted-github-permissions": environment ? "environments=write" : "secrets=write" },
      });
      const ending = await story.run(["sync"], { env: { WEBEX_ENVIRONMENT: environment } });
      assert.deepEqual([ending.code, toWebex(ending.requests)], [1, []]);
      assert.ok(ending.stderr.includes(`GitHub names what it takes: ${wanted}`), ending.stderr);
    });
  }

  test("is found by looking where no environment is named and the repository has no such secret", async () => {
    await using story = await startTokenStory({}, "webex");
    const { github } = story.sandbox;
    const ending = await story.run(["sync"], {
      env: { WEBEX_REFRESH_TOKEN: story.sandbox.currentRefreshToken },
    });
    assert.equal(ending.code, 0, ending.stderr);
    assert.equal(github.secret("WEBEX_REFRESH_TOKEN", "webex"), story.sandbox.currentRefreshToken);
    assert.equal(github.secret("WEBEX_REFRESH_TOKEN"), undefined);
  });

  test("that fails for a moment is tried again", async () => {
    await using story = await startTokenStory();
    story.sandbox.fault({ route: putSecret, match: isRefreshToken, dropAfter: true });
    story.sandbox.fault({ route: putSecret, match: isRefreshToken, status: 502 });
    assert.equal((await story.run(["sync"])).code, 0);
    assert.equal(story.sandbox.github.secret("WEBEX_REFRESH_TOKEN"), story.sandbox.currentRefreshToken);
  });

  for (const environment of ["", "webex"]) {
    test(`that fails until the run is ended leaves a command that a person finishes with, and Webex is not touched (${environment || "repository"})`, async () => {
      await using story = await startTokenStory({}, environment);
      const { sandbox } = story;
      const scope = environment ? "environments/{environment_name}" : "actions";
      let end: () => void = () => assert.fail("not started");
      let refused = 0;
      sandbox.fault({
        route: `PUT /repos/{owner}/{repo}/${scope}/secrets/{secret_name}`,
        match: (request) => {
          if (!isRefreshToken(request)) return false;
          refused += 1;
          if (refused === 1) end();
          // The person finishes after the run has ended.
          return isRunning;
        },
        status: 403,
        times: 99,
      });
      let isRunning = true;
      const ending = await story.run(["sync"], {
        env: { WEBEX_ENVIRONMENT: environment },
        onStart: (kill) => {
          end = () => kill("SIGTERM");
        },
      });
      isRunning = false;
      assert.ok(refused > 1, "it was not tried again");
      assert.deepEqual(
        [ending.code, ending.record.status, toWebex(ending.requests)],
        [1, "failed", ["POST /access_token"]],
      );
      const command = /gh api --hostname \S+ -X PUT (\S+) -f encrypted_value='(\S+)' -f key_id='(\S+)'/;
      for (const text of [ending.stderr, ending.summary]) {
        const [, path, encrypted_value, key_id] = command.exec(text) ?? assert.fail(text);
        // What gh would send.
        const response = await fetch(`${sandbox.url}/api/v3${path}`, {
          method: "PUT",
          headers: {
            authorization: `token ${sandbox.github.secretsToken}`,
            "content-type": "application/json",
          },
          body: JSON.stringify({ encrypted_value, key_id }),
        });
        assert.equal(response.status, 204);
      }
      assert.equal(
        sandbox.github.secret("WEBEX_REFRESH_TOKEN", environment || undefined),
        sandbox.currentRefreshToken,
      );
      assert.equal((await story.run(["sync"], { env: { WEBEX_ENVIRONMENT: environment } })).code, 0);
    });
  }
});

describe("signals and second tokens", { concurrency: 2 }, () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal} between refresh and store is held back until the token is stored; then the run ends`, async () => {
      await using story = await startTokenStory();
      const { sandbox } = story;
      let send: (signal: NodeJS.Signals) => void = () => assert.fail("not started");
      let signalled: Promise<unknown> = Promise.resolve();
      sandbox.onHandled(async ({ route }) => {
        if (route !== "POST /access_token") return;
        send(signal);
        await signalled;
      });
      const ending = await story.run(["sync"], {
        onStart: (kill, child) => {
          send = kill;
          signalled = new Promise((resolve) => {
            child?.stderr.on("data", (text: string) => text.includes(signal) && resolve(text));
          });
        },
      });
      assert.deepEqual([ending.code, toWebex(ending.requests)], [1, ["POST /access_token"]], ending.stderr);
      assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), sandbox.currentRefreshToken);
      sandbox.onHandled(() => Promise.resolve());
      assert.equal((await story.run(["sync"])).code, 0);
    });
  }

  test("a second 401 ends the run cleanly: exit 1, the token stored, nothing changed, the report made", async () => {
    await using story = await startTokenStory();
    story.sandbox.fault({ route: "GET /rooms", status: 401, times: 2 });
    const ending = await story.run(["sync"]);
    assert.deepEqual([ending.code, ending.record.status, ending.writes], [1, "failed", []]);
    assert.equal(toWebex(ending.requests).filter((route) => route === "POST /access_token").length, 2);
    assert.equal(story.sandbox.github.secret("WEBEX_REFRESH_TOKEN"), story.sandbox.currentRefreshToken);
    assert.equal(ending.commits, 1);
  });

  test("two runs on one machine share a token file: one after the other refreshes, and both succeed", async () => {
    await using story = await startTokenStory();
    const { sandbox, folder } = story;
    await folder.write("token", sandbox.currentRefreshToken);
    const env = { ...sandbox.environment(), WEBEX_TOKEN_FILE: "token", WEBEX_REFRESH_TOKEN: "" };
    const results = await Promise.all(
      ["one", "two"].map((reports) => folder.run(["sync", "--reports", reports], env)),
    );
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0],
      results.map(({ stderr }) => stderr).join("\n"),
    );
    assert.equal((await folder.read("token")).trim(), sandbox.currentRefreshToken);
  });

  test("a short life is told by the report and an annotation, and the run names the last day", async () => {
    await using story = await startTokenStory({ refreshTokenExpiresIn: 10.5 * 24 * 3600 });
    const ending = await story.run(["sync"], { env: { GITHUB_ACTIONS: "true" } });
    const day = ending.record.token?.refreshTokenExpiresAt?.slice(0, 10);
    assert.match(
      ending.stdout,
      new RegExp(`^::warning title=Rollcall::Webex login valid until ${day}, 10 days from now`, "m"),
    );
    assert.match(ending.stderr, new RegExp(`valid until ${day}, 10 days from now: run npm run login`));
    assert.match(ending.summary, /⚠️ Webex login valid until/);
  });
});

describe("what is claimed about the token", { concurrency: 2 }, () => {
  for (const environment of ["", "webex"]) {
    test(`a secret that is in both places is refused before the refresh, and it is said which one to delete (WEBEX_ENVIRONMENT "${environment}")`, async () => {
      await using story = await startTokenStory({}, environment);
      const { github } = story.sandbox;
      github.scope(environment ? undefined : "webex").store("WEBEX_REFRESH_TOKEN", "another");
      const ending = await story.run(["sync"], { env: { WEBEX_ENVIRONMENT: environment } });
      assert.deepEqual([ending.code, toWebex(ending.requests)], [1, []]);
      const remove = "gh secret delete WEBEX_REFRESH_TOKEN --repo acme/spaces";
      const told = environment
        ? `delete the repository's: ${remove}. The token`
        : `delete the environment's (${remove} --env webex)`;
      assert.ok(ending.stderr.includes(told), ending.stderr);
      const isWrite = ({ method, path }: Exchange) => method !== "GET" && path.includes("secrets");
      assert.deepEqual(ending.requests.filter(isWrite), []);
    });
  }

  for (const [fact, lie] of [
    ["a page of HTML with 200", { status: 200, headers: { "content-type": "text/html" }, body: "<html>" }],
    ["a 204 without effect", { status: 204, body: undefined }],
    ["a 403 that asks to wait", { status: 403, headers: { "retry-after": "2" } }],
  ] as const) {
    test(`${fact} is not a stored token, and the next attempt stores it`, async () => {
      await using story = await startTokenStory();
      story.sandbox.fault({ route: putSecret, match: isRefreshToken, ...lie });
      const ending = await story.run(["sync"]);
      assert.equal(ending.code, 0, ending.stderr);
      assert.equal(story.sandbox.github.secret("WEBEX_REFRESH_TOKEN"), story.sandbox.currentRefreshToken);
    });
  }

  test("a run that was dispatched in the place of a stale one starts no other", async () => {
    await using story = await startTokenStory();
    const waiting = story.sandbox.githubEnvironment({
      GITHUB_EVENT_NAME: "workflow_dispatch",
      GITHUB_ACTOR: "github-actions[bot]",
    });
    await story.run(["sync"]);
    const ending = await story.run(["sync"], { env: waiting });
    assert.deepEqual([ending.code, toWebex(ending.requests), dispatches(ending.requests)], [1, [], []]);
    assert.match(ending.stderr, /start a new run by hand .*it starts no other/);
  });

  test("a wrong client secret has its own remedy: neither a login nor a fresh run would help", async () => {
    await using story = await startTokenStory({}, "webex");
    const waiting = story.sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: "webex" });
    await story.run(["sync"], { env: { WEBEX_ENVIRONMENT: "webex" } });
    const ending = await story.run(["sync"], { env: { ...waiting, WEBEX_CLIENT_SECRET: "mistyped" } });
    assert.equal(ending.code, 1);
    assert.match(ending.stderr, /check WEBEX_CLIENT_ID and WEBEX_CLIENT_SECRET/);
    assert.doesNotMatch(ending.stderr, /npm run login|fresh run/);
    assert.deepEqual(dispatches(ending.requests), []);
  });

  test("the branch that REPORT_BRANCH names must be there before anything is touched; refs/heads/ is accepted, a tag is not a branch", async () => {
    await using story = await startTokenStory();
    const missing = await story.run(["sync"], { env: { REPORT_BRANCH: "nowhere" } });
    assert.deepEqual([missing.code, toWebex(missing.requests)], [1, []]);
    assert.match(missing.stderr, /there is no branch nowhere in acme\/spaces/);
    const tag = await story.run(["sync"], { env: { GITHUB_REF_NAME: "v1", GITHUB_REF_TYPE: "tag" } });
    const spelled = await story.run(["sync"], { env: { REPORT_BRANCH: "refs/heads/main" } });
    assert.deepEqual([tag.code, spelled.code], [0, 0], tag.stderr + spelled.stderr);
    assert.ok(tag.outputs.report?.includes("/blob/main/"), tag.outputs.report);
  });
});
