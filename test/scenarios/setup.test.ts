import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { allPermissions } from "../../sandbox/github/permissions.ts";
import { type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import { listScopes } from "../../src/token/scopes.ts";
import { loadContracts } from "../support/contract.ts";
import { organisation } from "../support/organisation.ts";
import { createFolder, type RunResult } from "../support/run-rollcall.ts";
import { noTerminal, startInTerminal } from "../support/terminal.ts";

const executablePath = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => existsSync(path));
const noBrowser = executablePath ? false : "there is no Chromium (Debian: apt-get install chromium)";

const people = organisation({
  groups: { Sales: ["ann", "bob", "cat"], Ops: ["dan", "eve"] },
  rooms: { Deals: ["ann", "bob", "cat", "zoe"], Runbook: ["dan", "eve"] },
});

const owners =
  "# Owners\n* @your-organisation/rollcall-maintainers\n/mappings/ @your-organisation/workspace-owners\n";

/** A copy of the template, as GitHub makes it: nothing of Rollcall is set up. */
const fresh = {
  tokenIn: "nowhere",
  files: { "mappings/rooms.csv": "group,room,mode,note\n", ".github/CODEOWNERS": owners },
} as const;

async function open(github: SandboxOptions["github"] = {}, options: SandboxOptions = {}) {
  const sandbox = await startSandbox(people, { ...options, github: { ...fresh, ...github } });
  const folder = await createFolder("group,room,mode,note\n");
  const setupToken = sandbox.github.issueToken({
    kind: "fine-grained",
    login: "octo-admin",
    permissions: allPermissions,
  });
  const secretsToken = sandbox.github.issueToken({
    kind: "fine-grained",
    login: "octo-admin",
    permissions: { environments: "write", secrets: "write" },
  });
  const { WEBEX_API_URL = "", WEBEX_CLIENT_ID = "", WEBEX_CLIENT_SECRET = "" } = sandbox.environment();
  const env = {
    WEBEX_API_URL,
    WEBEX_CLIENT_ID,
    WEBEX_CLIENT_SECRET,
    GITHUB_REPOSITORY: "acme/spaces",
    GITHUB_TOKEN: setupToken,
    GITHUB_API_URL: `${sandbox.url}/api/v3`,
    GITHUB_GRAPHQL_URL: `${sandbox.url}/api/graphql`,
    GITHUB_SERVER_URL: sandbox.url,
    SECRETS_TOKEN: secretsToken,
  };

  /** Runs setup and consents as a browser would, where it asks. */
  async function run(extra: Readonly<Record<string, string>> = {}, decision = "allow", args: string[] = []) {
    const given = Object.fromEntries(
      Object.entries({ ...env, ...extra }).filter(([, value]) => value !== ""),
    );
    const before = sandbox.requests.length;
    const result = await folder.run(["setup", "--port", "0", ...args], given, (_, child) => {
      let told = "";
      child?.stderr.on("data", (text: string) => {
        told += text;
        const url = /^ {2}(http\S+\/authorize\S+)$/m.exec(told)?.[1];
        if (url === undefined) return;
        told = "";
        const body = new URLSearchParams([...new URL(url).searchParams, ["decision", decision]]);
        fetch(url.split("?")[0] ?? "", { method: "POST", body }).catch(() => undefined);
      });
    });
    return { ...result, requests: sandbox.requests.slice(before) };
  }

  return {
    sandbox,
    folder,
    env,
    run,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

const isWrite = ({ method, route }: { method: string; route: string }) =>
  method !== "GET" && !route.includes("graphql") && !route.includes("access_token");

const writes = (requests: readonly { method: string; route: string }[]) =>
  requests.filter(isWrite).map(({ method, route }) => `${method} ${route.split(" ")[1]}`);

function steps({ stdout }: RunResult): string[] {
  return [...stdout.matchAll(/^([✓•!]) ([^:\n]+): /gm)].map(([, sign, title]) => `${sign} ${title}`);
}

test("from nothing: environment, variables, secrets, login, pull request and doctor, in one go", async () => {
  await using place = await open();
  const { github } = place.sandbox;
  const { code, stdout, stderr } = await place.run();
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual(github.environment("webex").branches, ["main"]);
  assert.deepEqual([...github.variables("webex")].map(([name]) => name).sort(), [
    "WEBEX_API_URL",
    "WEBEX_CLIENT_ID",
  ]);
  assert.equal(github.secret("WEBEX_CLIENT_SECRET", "webex"), place.env.WEBEX_CLIENT_SECRET);
  assert.equal(github.secret("SECRETS_TOKEN", "webex"), place.env.SECRETS_TOKEN);
  assert.equal(github.secret("WEBEX_REFRESH_TOKEN", "webex"), place.sandbox.currentRefreshToken);
  assert.equal(github.secret("WEBEX_REFRESH_TOKEN"), undefined);
  const [pull] = github.pulls.all;
  assert.equal(pull?.branch, "rollcall/set-up");
  assert.equal(
    github.files("rollcall/set-up").get("mappings/rooms.csv"),
    "group,room,mode,note\nOps,Runbook,audit,2 of 2 people of the group are in it\n" +
      "Sales,Deals,audit,3 of 3 people of the group are in it\n",
  );
  assert.equal(
    github.files("rollcall/set-up").get(".github/CODEOWNERS"),
    "# Owners\n* @octo-admin\n/mappings/ @octo-admin\n",
  );
  // Nothing is put on the default branch: people look at it first.
  assert.equal(github.files().get("mappings/rooms.csv"), "group,room,mode,note\n");
  assert.match(pull?.issue.body ?? "", /2 rows for groups and spaces that seem to belong together/);
  assert.match(stdout, /^✓ Code owners: |^– Code owners: the pull request #1 names them/m);
  assert.match(stdout, /^Next: look at \S+\/pull\/1 and merge it/m);
});

test("every request of a set-up and its answer are as GitHub's description has them", async () => {
  await using place = await open({ protection: "ruleset" });
  assert.equal((await place.run()).code, 0);
  assert.equal((await place.run({ SECRETS_TOKEN: "" })).code, 0);
  const check = loadContracts();
  const github = place.sandbox.requests.filter(({ half }) => half === "github");
  assert.ok(github.length > 60);
  assert.deepEqual(
    github.flatMap((exchange) => check(exchange)),
    [],
  );
});

test("taken up again, it leaves alone what stands, and changes nothing when all stands", async () => {
  await using place = await open();
  assert.equal((await place.run()).code, 0);
  const again = await place.run({ SECRETS_TOKEN: "", WEBEX_CLIENT_SECRET: "", WEBEX_CLIENT_ID: "" });
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(steps(again), [
    "✓ Repository",
    "✓ Environment",
    "✓ Webex integration",
    "✓ SECRETS_TOKEN",
    "✓ Report branch",
    "✓ Login",
    "✓ Pull request",
    "• Doctor",
    "✓ Doctor",
  ]);
  // The login is on GitHub only, so doctor is started there.
  assert.deepEqual(writes(again.requests), [
    "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
  ]);
});

test("--dry-run shows the steps and changes nothing", async () => {
  await using place = await open();
  const result = await place.run({ SECRETS_TOKEN: "", WEBEX_CLIENT_SECRET: "" }, "allow", ["--dry-run"]);
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(writes(result.requests), []);
  assert.deepEqual(steps(result), [
    "✓ Repository",
    "• Environment",
    "• Webex integration",
    "• SECRETS_TOKEN",
    "✓ Report branch",
    "• Login",
    "• Pull request",
    "• Doctor",
  ]);
});

test("a step that is stopped half-way says where and how to go on, and the next run goes on there", async () => {
  await using place = await open();
  const denied = await place.run({}, "deny");
  assert.equal(denied.code, 1);
  assert.match(
    denied.stderr,
    /^Login: the consent was refused; nothing was stored\. What was done before stands: run npm run setup again/m,
  );
  const lacking = await place.run({ WEBEX_CLIENT_SECRET: "" });
  assert.equal(lacking.code, 1);
  assert.match(lacking.stderr, /^Login: WEBEX_CLIENT_SECRET is missing, and nobody can be asked here/m);
  const environments = place.sandbox.requests.filter(
    ({ route }) => route.startsWith("PUT") && route.endsWith("{environment_name}"),
  );
  assert.equal(environments.length, 1);
  place.sandbox.fault({ route: "POST /repos/{owner}/{repo}/pulls", status: 500, times: 1 });
  const broken = await place.run();
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^Pull request: /m);
  const branch = place.sandbox.github.files("rollcall/set-up");
  const last = await place.run({ WEBEX_TOKEN_FILE: "" });
  assert.equal(last.code, 0, last.stderr);
  assert.equal(place.sandbox.github.files("rollcall/set-up"), branch);
});

test("an environment that a run has made without a rule is limited to the default branch", async () => {
  await using place = await open({ environments: ["webex"], environmentBranches: null });
  const { code, stdout } = await place.run();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^• Environment: limit webex, for main only; so far every branch is let in$/m);
  assert.deepEqual(place.sandbox.github.environment("webex").branches, ["main"]);
});

test("without environments (a private repository of GitHub Free) it says what is weaker, and asks before going on", async () => {
  await using place = await open({ plan: "free" });
  const refused = await place.run();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /GitHub refuses: Failed to create the environment protection rule/);
  assert.match(refused.stderr, /^Environment: WEBEX_SECRET_PLACE is missing/m);
  const { code, stdout, stderr } = await place.run({ WEBEX_SECRET_PLACE: "repository" });
  assert.equal(code, 0, stdout + stderr);
  const { github } = place.sandbox;
  assert.equal(github.variables(undefined).get("WEBEX_SECRET_PLACE"), "repository");
  assert.equal(github.secret("WEBEX_REFRESH_TOKEN"), place.sandbox.currentRefreshToken);
});

test("where the default branch refuses the report, it makes a branch for it", async () => {
  await using place = await open({ protection: "ruleset" });
  const { code, stdout } = await place.run();
  assert.equal(code, 0, stdout);
  assert.match(
    stdout,
    /^• Report branch: main refuses the workflow's commit \(the ruleset "Default branch" requires a pull request\)/m,
  );
  assert.equal(place.sandbox.github.variables("webex").get("REPORT_BRANCH"), "reports");
  assert.ok(place.sandbox.github.repository.head("reports"));
});

test("what the one who sets up may bypass, the workflow may not; a GitHub App may", async () => {
  await using place = await open({ protection: "ruleset" });
  const { github } = place.sandbox;
  const admin = { kind: "fine-grained", login: "octo-admin", permissions: allPermissions } as const;
  const GITHUB_TOKEN = github.issueToken({ ...admin, mayBypass: true });
  const plain = await place.run({ GITHUB_TOKEN }, "allow", ["--dry-run"]);
  assert.match(plain.stdout, /^• Report branch: main refuses the workflow's commit/m);
  github.variables(undefined).set("ROLLCALL_APP_CLIENT_ID", "Iv1.sandbox");
  const app = await place.run({ GITHUB_TOKEN }, "allow", ["--dry-run"]);
  assert.match(app.stdout, /^! Report branch: main gets the reports, if the GitHub App may bypass this/m);
});

test("says that a repository is public, and ends with what doctor finds", async () => {
  await using place = await open({ private: false });
  const { code, stdout } = await place.run();
  assert.equal(code, 1);
  assert.match(stdout, /^! Repository: acme\/spaces: it is public, and the reports name people/m);
  assert.match(stdout, /^✗ Repository: acme\/spaces is public/m);
});

test("a refused permission is named, with the token that lacks it", async () => {
  await using place = await open();
  const weak = place.sandbox.github.issueToken({
    kind: "fine-grained",
    login: "octo-admin",
    permissions: { ...allPermissions, administration: "read" },
  });
  const { code, stderr } = await place.run({ GITHUB_TOKEN: weak });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^Environment: 403: .*GitHub names what it takes: Administration: Read and write\. Give GITHUB_TOKEN that permission/m,
  );
});

test("a SECRETS_TOKEN that may not store the login is not stored, and it is said before anybody logs in", async () => {
  await using place = await open();
  const token = place.sandbox.github.issueToken({
    kind: "fine-grained",
    login: "x",
    permissions: { issues: "write" },
  });
  const { code, stderr } = await place.run({ SECRETS_TOKEN: token });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^SECRETS_TOKEN: SECRETS_TOKEN: SECRETS_TOKEN cannot write|^SECRETS_TOKEN: .*Environments: Read and write.*let an owner approve it first/m,
  );
  assert.equal(place.sandbox.github.secret("SECRETS_TOKEN", "webex"), undefined);
  assert.doesNotMatch(stderr, /\/authorize/);
});

test("bad input is refused with what is wrong with it", async () => {
  await using place = await open();
  for (const [name, value, told] of [
    ["WEBEX_SITE_URL", "https://acme.webex.com/x", /WEBEX_SITE_URL: write its host name/],
    ["WEBEX_CLIENT_ID", "my id", /WEBEX_CLIENT_ID: a client id is one word/],
    ["ROLLCALL_MAINTAINERS", "acme/team", /ROLLCALL_MAINTAINERS: acme\/team is neither/],
    ["GITHUB_REPOSITORY", "spaces", /GITHUB_REPOSITORY must have the form owner\/name/],
  ] as const) {
    const { code, stderr } = await place.run({ [name]: value });
    assert.equal(code, 1);
    assert.match(stderr, told);
  }
});

test("of several organisations each gets its own environment, rows and pull request", async () => {
  const rows = "group,room,mode,note\n";
  const files = { "mappings/sales/rooms.csv": rows, ".github/CODEOWNERS": "* @acme/platform\n" };
  await using place = await open({ files });
  await place.folder.write("mappings/sales/rooms.csv", rows);
  await rm(`${place.folder.path}/mappings/rooms.csv`);
  const done = await place.run({}, "allow", ["--organisation", "sales"]);
  assert.equal(done.code, 0, done.stdout + done.stderr);
  const { github } = place.sandbox;
  assert.equal(github.secret("WEBEX_REFRESH_TOKEN", "webex-sales"), place.sandbox.currentRefreshToken);
  assert.match(
    github.files("rollcall/set-up-sales").get("mappings/sales/rooms.csv") ?? "",
    /^Ops,Runbook,audit/m,
  );
});

test("where the policy names a space to tell, the page and the login have the scope for messages", async () => {
  await using place = await open({}, { scope: listScopes(["memberships", "messages"]).join(" ") });
  await place.folder.write("mappings/policy.json", '{ "report": { "notify": "Ops" } }');
  const { code, stdout, stderr, requests } = await place.run();
  assert.equal(code, 0, stdout + stderr);
  const consent = requests.find(({ route }) => route === "POST /authorize");
  assert.match(JSON.stringify(consent?.body), /spark:messages_write/);
  assert.match(stderr, /^ +\[ \] spark:messages_write$/m);
});

for (const refreshToken of ["stays", "rotates"] as const) {
  test(`one login serves this machine too while a refresh leaves the token as it is: ${refreshToken}`, async () => {
    await using place = await open({}, { refreshToken });
    const { code, stdout, requests } = await place.run({ WEBEX_TOKEN_FILE: "token" });
    assert.equal(code, 0, stdout);
    assert.equal(requests.filter(({ route }) => route === "POST /authorize").length, 1);
    const isShared = refreshToken === "stays";
    assert.equal(existsSync(`${place.folder.path}/token`), isShared);
    if (isShared) assert.equal((await place.folder.read("token")).trim(), place.sandbox.currentRefreshToken);
    else assert.match(stdout, /This machine needs a login of its own/);
  });
}

describe("in a terminal, with a browser", { skip: noBrowser || noTerminal }, () => {
  let browser: Browser;
  before(async () => {
    const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath: executablePath ?? "", args });
  });
  after(() => browser?.close());

  test("from nothing, asked for everything: the pages are filled in, secrets are not shown, and it counts", async () => {
    await using place = await open();
    const { sandbox } = place;
    const {
      GITHUB_TOKEN: _,
      SECRETS_TOKEN: __,
      WEBEX_CLIENT_ID: id,
      WEBEX_CLIENT_SECRET: secret,
      ...env
    } = place.env;
    const startedAt = Date.now();
    let actions = 0;
    const act = <T>(done: T) => {
      actions += 1;
      return done;
    };
    const terminal = startInTerminal(place.folder.path, ["setup", "--port", "0"], { ...env, CI: "1" });
    const answer = async (question: RegExp, text: string) => {
      await terminal.see(question);
      act(terminal.type(text));
    };
    const page = await browser.newPage();
    const makeToken = async (permissions: readonly string[]) => {
      const [, url = ""] = await terminal.see(/^ {2}(http\S+personal-access-tokens\S+)$/m);
      await page.goto(url);
      for (const one of permissions) assert.equal(await page.locator(`[name=${one}]`).inputValue(), "write");
      assert.equal(await page.locator("[name=target_name]").inputValue(), "acme");
      act(await page.getByRole("button", { name: "Generate token" }).click());
      return (await page.locator("code").textContent()) ?? "";
    };
    await answer(/The token \(not shown\): $/, await makeToken(["administration", "contents"]));
    await answer(/Meetings site.*: $/m, "");
    // One page to fill in, by the list that the terminal shows.
    const [list] = await terminal.see(/developer\.webex\.com[\s\S]*identity:groups_read/);
    assert.match(list, /Redirect URI: {2}http:\/\/127\.0\.0\.1:0\/callback[\s\S]*\[ \] spark:rooms_read/);
    act(null);
    await terminal.see(/Client ID: $/);
    terminal.type("my id");
    await terminal.see(/a client id is one word of letters and digits/);
    await answer(/Client ID: $/, id ?? "");
    await answer(/Client secret \(not shown\): $/, secret ?? "");
    await answer(/The token \(not shown\): $/, await makeToken(["environments"]));
    const [, consent = ""] = await terminal.see(/^ {2}(http\S+\/authorize\S+)$/m);
    await page.goto(consent);
    act(await page.getByRole("button", { name: "Allow" }).click());
    await page.waitForURL(/\/callback\?/);
    assert.equal(await page.getByRole("heading").textContent(), "Logged in");
    await answer(/Who approves changes.*\[@octo-admin\]: $/, "@acme/platform");
    await answer(/A file for the login on this machine.*: $/, "");
    assert.equal(await terminal.ended, 0, terminal.text);
    const shown = sandbox.secrets().filter((one) => terminal.text.includes(one));
    assert.deepEqual(shown, []);
    assert.match(
      sandbox.github.files("rollcall/set-up").get(".github/CODEOWNERS") ?? "",
      /^\* @acme\/platform$/m,
    );
    // Before it: the copy by Use this template, npm ci, npm run setup; after it: the merge.
    assert.ok(actions + 4 <= 15, `${actions} actions`);
    assert.ok(Date.now() - startedAt < 10 * 60_000);
  });

  test("Ctrl-C at a question ends it in order, and it goes on later from there", async () => {
    await using place = await open();
    const { WEBEX_CLIENT_ID: _, ...env } = place.env;
    const terminal = startInTerminal(place.folder.path, ["setup", "--port", "0"], { ...env, CI: "1" });
    await terminal.see(/Meetings site.*: $/m);
    terminal.type("");
    await terminal.see(/Client ID: $/);
    terminal.type("\u0003");
    await terminal.see(
      /Webex integration: stopped at a question\. What was done before stands: run npm run setup again/,
    );
    assert.equal(await terminal.ended, 1);
    assert.deepEqual(place.sandbox.github.environment("webex").branches, ["main"]);
    assert.equal((await place.run()).code, 0);
  });
});
