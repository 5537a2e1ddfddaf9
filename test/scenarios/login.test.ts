import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import { listScopes } from "../../src/token/scopes.ts";
import { organisation } from "../support/organisation.ts";
import { createFolder, type Folder, type RunResult } from "../support/run-rollcall.ts";
import { startLogin } from "../support/start-login.ts";

const executablePath = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => existsSync(path));
const skip = executablePath ? false : "there is no Chromium (Debian: apt-get install chromium)";
const quiet =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

interface TokenStoreConfig extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: Folder;
}

async function open(options: SandboxOptions = {}): Promise<TokenStoreConfig> {
  const github = { environments: ["webex"] };
  const sandbox = await startSandbox(organisation({ groups: {}, rooms: {} }), { github, ...options });
  const folder = await createFolder();
  return {
    sandbox,
    folder,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** A person's machine: the integration is known, a refresh token is not. */
function localEnv({ sandbox }: TokenStoreConfig, extra: Record<string, string> = {}): Record<string, string> {
  const { WEBEX_REFRESH_TOKEN: _, ...env } = sandbox.environment();
  return { ...env, ...extra };
}

function githubEnv(
  { sandbox }: TokenStoreConfig,
  extra: Record<string, string> = {},
): Record<string, string> {
  const { GITHUB_API_URL = "", SECRETS_TOKEN = "" } = sandbox.githubEnvironment();
  return localEnv({ sandbox } as TokenStoreConfig, {
    GITHUB_API_URL,
    SECRETS_TOKEN,
    GITHUB_REPOSITORY: "acme/spaces",
    ...extra,
  });
}

function assertNoSecret({ sandbox }: TokenStoreConfig, { stdout, stderr }: RunResult): void {
  const told = sandbox.secrets().filter((secret) => `${stdout}${stderr}`.includes(secret));
  assert.deepEqual(told, []);
}

const codeExchanges = ({ sandbox }: TokenStoreConfig) =>
  sandbox.requests.filter(({ route }) => route === "POST /access_token");

describe("login in a browser", { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: quiet.split(" ") });
  });
  after(() => browser?.close());

  async function decide(url: string, button: "Allow" | "Deny") {
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole("button", { name: button }).click();
    await page.waitForURL(/\/callback\?/);
    return page;
  }

  test("allow: the token is in the environment's secret, and nothing secret was shown", async () => {
    await using place = await open();
    const old = place.sandbox.currentRefreshToken;
    const login = await startLogin(place.folder, githubEnv(place, { WEBEX_ENVIRONMENT: "webex" }));
    const page = await decide(login.url, "Allow");
    assert.equal(await page.getByRole("heading").textContent(), "Logged in");
    assert.match((await page.textContent("main")) ?? "", /rollcall@/);
    const result = await login.ended;
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^Logged in as Rollcall </m);
    assert.match(result.stdout, /All 6 scopes were granted/);
    assert.notEqual(place.sandbox.currentRefreshToken, old);
    assert.equal(
      place.sandbox.github.secret("WEBEX_REFRESH_TOKEN", "webex"),
      place.sandbox.currentRefreshToken,
    );
    assertNoSecret(place, result);
    const [exchange] = codeExchanges(place);
    const { code_challenge: challenge, code_challenge_method: method } = Object.fromEntries(
      new URL(login.url).searchParams,
    );
    const { code_verifier: verifier = "" } = Object(exchange?.body) as Record<string, string>;
    assert.ok(method === "S256" && challenge && verifier.length >= 43 && challenge !== verifier);
  });

  test("deny: the page and the terminal say so, nothing is exchanged or stored", async () => {
    await using place = await open();
    const old = place.sandbox.currentRefreshToken;
    const login = await startLogin(place.folder, githubEnv(place));
    const page = await decide(login.url, "Deny");
    assert.equal(await page.getByRole("heading").textContent(), "Not logged in");
    const result = await login.ended;
    assert.deepEqual([result.code, codeExchanges(place)], [1, []]);
    assert.match(result.stderr, /the consent was refused; nothing was stored/);
    assert.equal(place.sandbox.github.secret("WEBEX_REFRESH_TOKEN", "webex"), old);
  });

  test("a wrong state is turned away and spends nothing; the right answer still counts, and once only", async () => {
    await using place = await open();
    const login = await startLogin(place.folder, localEnv(place, { WEBEX_TOKEN_FILE: "token" }));
    const page = await browser.newPage();
    const callback = new URL(new URL(login.url).searchParams.get("redirect_uri") ?? "");
    callback.search = new URLSearchParams({ code: "stolen", state: "guessed" }).toString();
    const turnedAway = await page.goto(callback.href);
    assert.equal(turnedAway?.status(), 400);
    assert.equal(await page.getByRole("heading").textContent(), "Not the answer that was asked for");
    assert.deepEqual(codeExchanges(place), []);

    const answered = await decide(login.url, "Allow");
    const used = answered.url();
    const result = await login.ended;
    assert.equal(result.code, 0, result.stderr);
    assert.equal(codeExchanges(place).length, 1);
    assert.equal((await place.folder.read("token")).trim(), place.sandbox.currentRefreshToken);
    assert.equal((await stat(join(place.folder.path, "token"))).mode & 0o777, 0o600);
    // The listener is gone with the first answer: the used code leads nowhere.
    await assert.rejects(page.goto(used), /ERR_CONNECTION_REFUSED/);
    assertNoSecret(place, result);
  });

  test("a code that was used before is refused by Webex, and the page says so", async () => {
    await using place = await open();
    place.sandbox.fault({
      route: "POST /access_token",
      status: 400,
      body: { error: "invalid_grant", error_description: "The code was used before" },
    });
    const login = await startLogin(place.folder, localEnv(place, { WEBEX_TOKEN_FILE: "token" }));
    const page = await decide(login.url, "Allow");
    assert.match((await page.textContent("main")) ?? "", /Not logged in[\s\S]*used before/);
    const result = await login.ended;
    assert.equal(result.code, 1);
    assert.equal(existsSync(join(place.folder.path, "token")), false);
  });
});

/** Answers the consent page as a browser would, without one. */
async function allow(url: string): Promise<Response> {
  return await fetch(url.split("?")[0] ?? "", {
    method: "POST",
    body: new URLSearchParams([...new URL(url).searchParams, ["decision", "allow"]]),
  });
}

test("with nowhere to store, a gh line reads the token from a private file, and the terminal never shows it", async () => {
  await using place = await open();
  const env = localEnv(place, {
    GITHUB_REPOSITORY: "acme/spaces",
    WEBEX_ENVIRONMENT: "webex",
    XDG_RUNTIME_DIR: place.folder.path,
  });
  const login = await startLogin(place.folder, env);
  assert.equal((await allow(login.url)).status, 200);
  const result = await login.ended;
  assert.equal(result.code, 0, result.stderr);
  const line =
    /gh secret set WEBEX_REFRESH_TOKEN --repo acme\/spaces --env webex < (\S+) && rm -r \S+$/m.exec(
      result.stdout,
    );
  const file = line?.[1] ?? assert.fail(result.stdout);
  assert.equal(await readFile(file, "utf8"), place.sandbox.currentRefreshToken);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assertNoSecret(place, result);
});

test("scopes that were not granted are named, and the token is not stored", async () => {
  await using place = await open({ grantedScope: "spark:rooms_read spark:people_read identity:groups_read" });
  const login = await startLogin(
    place.folder,
    localEnv(place, { WEBEX_TOKEN_FILE: "token", WEBEX_SITE_URL: "acme.webex.com" }),
  );
  assert.equal((await allow(login.url)).status, 400);
  const result = await login.ended;
  assert.equal(result.code, 1);
  assert.match(
    result.stderr,
    /spark:memberships_read, spark:memberships_write, .*meeting:admin_preferences_write/,
  );
  assert.equal(existsSync(join(place.folder.path, "token")), false);
});

test("the scope for messages is asked for where the policy names a space, unless the features are given", async () => {
  await using place = await open({ scope: listScopes(["memberships", "messages"]).join(" ") });
  const asks = async (policy: string, ...features: readonly string[]) => {
    await place.folder.write("mappings/policy.json", policy);
    const env = localEnv(place, { WEBEX_TOKEN_FILE: "token" });
    const login = await startLogin(place.folder, env, ["--port", "0", ...features]);
    const scopes = new URL(login.url).searchParams.get("scope") ?? "";
    await allow(login.url);
    assert.equal((await login.ended).code, 0);
    return scopes.split(" ").includes("spark:messages_write");
  };
  assert.equal(await asks("{}"), false);
  assert.equal(await asks('{ "report": { "notify": "NOC" } }'), true);
  assert.equal(await asks('{ "report": { "notify": "NOC" } }', "--features", "memberships"), false);
  assert.equal(await asks('{ "report": { "notify": 4711 } }'), false, "a fault in it is for others to tell");
});

test("an integration without a scope that is asked for: it says where to tick it", async () => {
  await using place = await open({ scope: listScopes(["memberships"]).join(" ") });
  await place.folder.write("mappings/policy.json", '{ "report": { "notify": "NOC" } }');
  const login = await startLogin(place.folder, localEnv(place, { WEBEX_TOKEN_FILE: "token" }));
  assert.equal((await allow(login.url)).status, 400);
  const { code, stderr } = await login.ended;
  assert.equal(code, 1);
  assert.match(stderr, /does not have every scope that was asked for; tick them at developer\.webex\.com/);
});

test("a store that refuses is told before anybody is asked for consent", async () => {
  await using place = await open();
  const env = githubEnv(place, { SECRETS_TOKEN: place.sandbox.github.token });
  const result = await place.folder.run(["login", "--port", "0"], env);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /GitHub names what it takes: Secrets: Read/);
  assert.doesNotMatch(result.stderr, /authorize/);
});

test("only this login's address on this machine answers", async () => {
  await using place = await open();
  const login = await startLogin(place.folder, localEnv(place, { WEBEX_TOKEN_FILE: "token" }));
  const callback = new URL(new URL(login.url).searchParams.get("redirect_uri") ?? "");
  assert.equal(callback.hostname, "127.0.0.1");
  const state = new URL(login.url).searchParams.get("state") ?? "";
  const statuses = await Promise.all([
    fetch(new URL("/", callback)),
    fetch(`${callback.href}?code=x&state=${state}`, { method: "POST" }),
    fetch(`${callback.href}?code=x&state=`),
  ]);
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [404, 404, 400],
  );
  assert.equal((await allow(login.url)).status, 200);
  assert.equal((await login.ended).code, 0);
});

for (const decision of ["allow", "deny"] as const) {
  test(`the device grant, ${decision}`, async () => {
    await using place = await open();
    const login = await startLogin(place.folder, localEnv(place, { WEBEX_TOKEN_FILE: "token" }), [
      "--device",
    ]);
    const userCode = new URL(login.url).searchParams.get("userCode") ?? "";
    await fetch(`${place.sandbox.url}/v1/device`, {
      method: "POST",
      body: new URLSearchParams({ userCode, decision }),
    });
    const result = await login.ended;
    assert.equal(result.code, decision === "allow" ? 0 : 1, result.stderr);
    assert.equal(existsSync(join(place.folder.path, "token")), decision === "allow");
    if (decision === "allow")
      assert.equal((await place.folder.read("token")).trim(), place.sandbox.currentRefreshToken);
    else assert.match(result.stderr, /access_denied/);
    assertNoSecret(place, result);
  });
}
