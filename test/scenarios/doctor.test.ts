import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { listScopes } from "../../src/token/scopes.ts";
import { crowd, organisation } from "../support/organisation.ts";
import { createFolder } from "../support/run-rollcall.ts";

interface Report {
  readonly ok: boolean;
  readonly checks: readonly {
    id: string;
    title: string;
    state: string;
    detail: string;
    remedy: string | null;
  }[];
}

const tiny = organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["ann"] } });

async function open(options: SandboxOptions = {}, rows = "eng,NOC\n", people = tiny) {
  const sandbox = await startSandbox(people, { github: { environments: ["webex"] }, ...options });
  const folder = await createFolder(`group,room\n${rows}`);
  return {
    sandbox,
    folder,
    async examine(extra: Record<string, string> = { WEBEX_ENVIRONMENT: "webex" }) {
      const env = sandbox.githubEnvironment(extra);
      const result = await folder.run(["doctor", "--json"], env);
      const report: Report = JSON.parse(result.stdout);
      return { ...result, report, wrong: report.checks.filter(({ state }) => state === "wrong") };
    },
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

describe("doctor", { concurrency: 2 }, () => {
  test("finds nothing wrong where nothing is: exit 0, the token rotated and stored in order", async () => {
    await using place = await open();
    const { code, report, stderr } = await place.examine();
    assert.deepEqual([code, report.ok, stderr], [0, true, ""]);
    assert.deepEqual(
      report.checks.map(({ id, state }) => `${id} ${state}`),
      [
        "variables ok",
        "mappings ok",
        "proxy ok",
        "clock ok",
        "api ok",
        "store ok",
        "token ok",
        "scopes ok",
        "owner ok",
        "groups ok",
        "rooms ok",
        "mapped ok",
        "site skipped",
        "facts ok",
        "environment ok",
        "schedule ok",
        "branch ok",
        "private ok",
        "owners skipped",
        "secrets-token ok",
      ],
    );
    assert.equal(
      place.sandbox.github.secret("WEBEX_REFRESH_TOKEN", "webex"),
      place.sandbox.currentRefreshToken,
    );
    assert.deepEqual(place.sandbox.github.commits, []);
  });

  test("writes a line with a tick or a cross for each check, the remedy below, and JSON to a file", async () => {
    await using place = await open({ github: { private: false, environments: ["webex"] } });
    const env = place.sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: "webex" });
    const { code, stdout } = await place.folder.run(["doctor", "--json", "doctor.json"], env);
    assert.equal(code, 1);
    assert.match(stdout, /^✓ Refresh token: accepted; Webex sent a new one, which is stored/m);
    assert.match(
      stdout,
      /^✗ Repository: acme\/spaces is public, and the reports name people\n {4}→ Settings/m,
    );
    assert.match(stdout, /^1 thing is wrong\.$/m);
    const report: Report = JSON.parse(await readFile(join(place.folder.path, "doctor.json"), "utf8"));
    assert.equal(report.ok, false);
  });

  test("names each fault of the repository's set-up with its remedy", async () => {
    await using place = await open({
      github: {
        private: false,
        protection: "ruleset",
        environments: ["webex"],
        environmentBranches: ["main", "release/*"],
        workflowState: "disabled_inactivity",
      },
    });
    const { wrong } = await place.examine();
    assert.deepEqual(
      wrong.map(({ id, detail }) => `${id}: ${detail}`),
      [
        'environment: "webex" also lets in release/*',
        "schedule: sync.yml is disabled inactivity",
        "branch: main is protected and may refuse the report's commit",
        "private: acme/spaces is public, and the reports name people",
      ],
    );
    assert.ok(wrong.every(({ remedy }) => remedy));
  });

  test("names each fault of rooms, groups and scopes", async () => {
    const people = organisation({
      groups: { eng: ["ann"], nested: ["ann"] },
      rooms: { NOC: ["ann"], Locked: ["ann"] },
    });
    const rooms = people.rooms.map((room) =>
      room.title === "Locked" ? { ...room, isLocked: true, moderators: ["ann"] } : room,
    );
    const groups = people.groups.map((group) =>
      group.name === "nested" ? { ...group, nestedGroups: ["eng"] } : group,
    );
    const scope = "spark:rooms_read spark:memberships_read spark:people_read identity:groups_read";
    await using place = await open({ scope }, "eng,Locked\nnested,NOC\nengg,NOC\n", {
      ...people,
      rooms,
      groups,
    });
    const { wrong } = await place.examine();
    assert.deepEqual(
      wrong.map(({ id }) => id),
      ["scopes", "mapping", "room", "group"],
    );
    assert.match(wrong.map(({ detail }) => detail).join("\n"), /missing spark:memberships_write/);
    assert.match(
      wrong.map(({ detail }) => detail).join("\n"),
      /it is moderated, and the token's owner does not moderate it/,
    );
  });

  test("misses the scope for messages where the policy names a space, and nowhere else", async () => {
    await using place = await open({ scope: listScopes(["memberships"]).join(" ") });
    const scopesOf = async () => (await place.examine()).report.checks.find(({ id }) => id === "scopes");
    assert.equal((await scopesOf())?.state, "ok");
    await place.folder.write("mappings/policy.json", '{ "report": { "notify": "NOC" } }');
    const found = await scopesOf();
    assert.deepEqual([found?.state, found?.detail], ["wrong", "missing spark:messages_write"]);
  });

  test("does not spend a token that could not be stored", async () => {
    await using place = await open();
    const env = { WEBEX_ENVIRONMENT: "webex", SECRETS_TOKEN: place.sandbox.github.token };
    const { code, report, wrong } = await place.examine(env);
    assert.equal(code, 1);
    assert.equal(wrong[0]?.id, "store");
    assert.match(wrong[0]?.detail ?? "", /Environments: Read/);
    assert.equal(report.checks.find(({ id }) => id === "token")?.state, "skipped");
    assert.ok(!place.sandbox.requests.some(({ route }) => route === "POST /access_token"));
  });

  test("says what is missing before anything else, and that a mapping is malformed", async () => {
    await using folder = await createFolder("grup,room\na,b\n");
    const { code, stdout } = await folder.run(["doctor"], {});
    assert.equal(code, 1);
    assert.match(stdout, /✗ Variables: WEBEX_CLIENT_ID is missing|✗ Variables: .*WEBEX_CLIENT_ID is missing/);
    assert.match(stdout, /✗ Mappings and policy: mappings\/rooms\.csv:1/);
  });

  test("folds what is fine: one line for a thousand spaces and a thousand groups, one for each that is not", async () => {
    const names = crowd(1000, "team ");
    const people = organisation({
      groups: Object.fromEntries(names.map((name) => [name, ["ann"]])),
      rooms: Object.fromEntries(names.map((name) => [name, ["ann"]])),
    });
    await using place = await open({}, names.map((name) => `${name},${name}\n`).join(""), people);
    const env = place.sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: "webex" });
    const { code, stdout } = await place.folder.run(["doctor"], env);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^✓ In the mappings: 1,000 spaces and 1,000 groups: fine$/m);
    assert.ok(stdout.split("\n").length < 30, stdout);
  });

  test("says each missing variable on a line of its own", async () => {
    await using folder = await createFolder("group,room\na,b\n");
    const { code, stdout } = await folder.run(["doctor"], { GITHUB_REPOSITORY: "acme/spaces" });
    assert.equal(code, 1);
    const named = [...stdout.matchAll(/^✗ Variables: (\w+) is missing .*\n {4}→ (.*)$/gm)];
    assert.deepEqual(
      named.map(([, name]) => name),
      ["WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN"],
    );
    assert.match(named[0]?.[2] ?? "", /a variable of the environment webex/);
    assert.match(named[1]?.[2] ?? "", /a secret of the environment webex/);
  });

  test("finds the template's code owners", async () => {
    const files = { ".github/CODEOWNERS": "# @your-organisation/x\n* @your-organisation/maintainers\n" };
    await using place = await open({ github: { environments: ["webex"], files } });
    const { wrong } = await place.examine();
    assert.deepEqual(
      wrong.map(({ id, detail }) => `${id}: ${detail}`),
      [
        "owners: .github/CODEOWNERS:2 still names the template's teams, which do not exist: nobody's approval is asked for",
      ],
    );
  });

  test("names the ruleset that refuses the report, and lets pass what the token may bypass", async () => {
    const github = { environments: ["webex"], protection: "ruleset" } as const;
    await using place = await open({ github });
    const [branch] = (await place.examine()).wrong;
    assert.equal(branch?.detail, "main is protected and may refuse the report's commit");
    assert.match(
      branch?.remedy ?? "",
      /^The ruleset "Default branch" requires a pull request\. Set REPORT_BRANCH/,
    );
    const tokens = { workflow: { mayBypass: true } };
    await using app = await open({ github: { ...github, tokens } });
    assert.deepEqual((await app.examine()).wrong, []);
    await using classic = await open({
      github: { environments: ["webex"], protection: "branch protection" },
    });
    assert.match((await classic.examine()).wrong[0]?.detail ?? "", /main is protected/);
  });

  test("says when SECRETS_TOKEN expires, and warns as for the login, by the policy's days", async () => {
    const end = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const open30 = (days: number) =>
      open({
        github: { environments: ["webex"], tokens: { secrets: { expires: `${end(days)} 12:00:00 UTC` } } },
      });
    await using far = await open30(80);
    const { wrong, report } = await far.examine();
    assert.deepEqual(wrong, []);
    const line = report.checks.find(({ id }) => id === "secrets-token");
    assert.equal(line?.detail, `sees acme/spaces, until ${end(80)}`);
    await using near = await open30(10);
    assert.match(
      (await near.examine()).wrong[0]?.detail ?? "",
      new RegExp(`SECRETS_TOKEN expires on ${end(10)}`),
    );
    await near.folder.write("mappings/policy.json", '{"report":{"tokenWarningDays":5}}');
    assert.deepEqual((await near.examine()).wrong, []);
  });

  test("tells a token that the organisation has not approved from one that may too little", async () => {
    await using place = await open({
      github: { environments: ["webex"], tokens: { secrets: { isPending: true } } },
    });
    const { wrong } = await place.examine();
    assert.deepEqual(
      wrong.map(({ id }) => id),
      ["store", "secrets-token"],
    );
    assert.match(wrong[1]?.detail ?? "", /acme has not approved it yet, or it is for another repository/);
    assert.match(wrong[1]?.remedy ?? "", /Pending requests/);
  });

  test("finds the refresh token in the repository and in the environment", async () => {
    await using place = await open({ github: { environments: ["webex"], tokenIn: "both" } });
    const { wrong } = await place.examine();
    assert.match(wrong[0]?.detail ?? "", /is a secret of acme\/spaces and of its environment webex as well/);
  });

  test("looks at the clock and the proxy of this machine", async () => {
    await using place = await open({ clockOffsetMs: -20 * 60_000 });
    const { wrong } = await place.examine();
    assert.deepEqual(
      wrong.map(({ id, detail }) => `${id}: ${detail}`),
      ["clock: 20 minutes ahead of Webex's"],
    );
    await using fine = await open();
    const { host } = new URL(fine.sandbox.url);
    const extra = {
      WEBEX_ENVIRONMENT: "webex",
      HTTPS_PROXY: "http://ann:password1234@proxy.acme.example:3128",
      NO_PROXY: host.split(":")[0] ?? "",
    };
    const proxied = await fine.examine(extra);
    assert.equal(
      proxied.report.checks.find(({ id }) => id === "proxy")?.detail,
      "HTTPS_PROXY leads to proxy.acme.example:3128",
    );
    assert.doesNotMatch(proxied.stdout, /password1234/);
  });

  test("says what it settles about Webex, and keeps it where a run has left a memory, once", async () => {
    const people = organisation({ groups: { eng: ["ann"], ops: ["bob"] }, rooms: { NOC: ["ann"] } });
    const files = { "mappings/rooms.csv": "group,room\neng,NOC\n" };
    await using place = await open({ github: { environments: ["webex"], files } }, "eng,NOC\n", people);
    const told = async () => {
      const { report, wrong } = await place.examine();
      assert.deepEqual(wrong, []);
      return report.checks.find(({ id }) => id === "facts")?.detail ?? "";
    };
    const said =
      "a refresh changes the refresh token; a refreshed token lives for 90 days; pages of groups have no next links; " +
      "memberSize is the number of a group's different members; tokenExpiry answers with these scopes";
    assert.equal(await told(), said);
    assert.deepEqual(place.sandbox.github.commits, []);
    const env = { WEBEX_ENVIRONMENT: "webex" };
    assert.equal((await place.folder.run(["sync"], place.sandbox.githubEnvironment(env))).code, 0);
    assert.equal(await told(), `${said}. Kept in reports/state.json`);
    const read = () => JSON.parse(place.sandbox.github.files().get("reports/state.json") ?? "");
    assert.deepEqual(read().webex.refreshTokenChanges.value, true);
    assert.deepEqual(read().names.length, 2);
    const commits = place.sandbox.github.commits.length;
    assert.equal(await told(), said);
    assert.equal(place.sandbox.github.commits.length, commits);
    // What doctor has kept, a later run keeps as well.
    place.sandbox.addToGroup("eng", "bob");
    assert.equal((await place.folder.run(["sync"], place.sandbox.githubEnvironment(env))).code, 0);
    assert.equal(read().webex.refreshTokenChanges.value, true);
  });

  test("a run's report warns before SECRETS_TOKEN expires", async () => {
    const expires = `${new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10)} 12:00:00 -0800`;
    const files = { "mappings/rooms.csv": "group,room\neng,NOC\n" };
    const github = { environments: ["webex"], files, tokens: { secrets: { expires } } };
    await using place = await open({ github });
    const env = place.sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: "webex" });
    const { code, stdout } = await place.folder.run(["sync"], env);
    assert.equal(code, 0);
    assert.match(stdout, /SECRETS_TOKEN expires on \d{4}-\d\d-\d\d/);
    assert.match(place.sandbox.github.files().get("reports/README.md") ?? "", /SECRETS\\?_TOKEN expires on/);
  });
});
