import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
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
        "api ok",
        "store ok",
        "token ok",
        "scopes ok",
        "owner ok",
        "groups ok",
        "rooms ok",
        "room ok",
        "group ok",
        "site skipped",
        "environment ok",
        "schedule ok",
        "branch ok",
        "private ok",
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
});
