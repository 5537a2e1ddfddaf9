import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import { createCall, signIn, small } from "./client.ts";

const hour = 3_600_000;

/** The time in an answer's header, from the sandbox's Webex. */
async function dateOf(url: string): Promise<number> {
  return Date.parse((await fetch(`${url}/v1/people/me`)).headers.get("date") ?? "");
}

test("answers, groups, secrets and runs are dated by one clock, which can be far from the real one", async () => {
  for (const clockOffsetMs of [-24 * hour, 24 * hour]) {
    await using sandbox = await startSandbox(small, { clockOffsetMs });
    const environment = sandbox.githubEnvironment();
    const call = createCall(
      `${environment.GITHUB_API_URL}/repos/acme/spaces`,
      `token ${environment.SECRETS_TOKEN}`,
    );
    sandbox.addToGroup("empty", "ann");
    sandbox.github.writeFile("a.md", "a");
    const webex = await signIn(sandbox);
    const run = await call("GET", `/actions/runs/${environment.GITHUB_RUN_ID}`);
    const commit = await call("GET", "/commits/main");
    const dates = [
      await dateOf(sandbox.url),
      Date.parse(String((await webex("GET", `/groups/${sandbox.groupId("empty")}`)).body.lastModified)),
      Date.parse(String((await call("GET", "/actions/secrets/WEBEX_REFRESH_TOKEN")).body.updated_at)),
      Date.parse(String(run.body.created_at)),
      Date.parse((commit.body.commit as { committer: { date: string } }).committer.date),
    ];
    for (const date of dates) assert.ok(Math.abs(date - Date.now() - clockOffsetMs) < hour, String(date));
  }
});

test("the clock can be put forward and back while the sandbox runs", async () => {
  await using sandbox = await startSandbox(small);
  const first = await dateOf(sandbox.url);
  sandbox.clock.shift(2 * hour);
  const second = await dateOf(sandbox.url);
  sandbox.clock.shift(-3 * hour);
  const third = await dateOf(sandbox.url);
  assert.ok(second - first > hour && first - third > 0);
});

test("an access token ends by the server's clock", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  const { exp } = (await call("GET", "/authorizations/tokenExpiry")).body;
  assert.ok(Math.abs(Number(exp) - Date.now() - 1_209_599_000) < hour);
  sandbox.clock.shift(15 * 24 * hour);
  assert.equal((await call("GET", "/people/me")).status, 401);
});
