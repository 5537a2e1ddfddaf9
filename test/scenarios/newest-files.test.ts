import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadContracts } from "../support/contract.ts";
import { emailOf, organisation } from "../support/organisation.ts";
import { type Ending, type Story, startStory } from "../support/story.ts";

const check = loadContracts();
const rooms = "mappings/rooms.csv";
const policy = "mappings/policy.json";

/** Eve is in NOC, and in ops, but not in noc: by the older of two files she goes. */
const acme = organisation({ groups: { noc: ["ann"], ops: ["eve"] }, rooms: { NOC: ["ann", "eve"] } });

/** Runs the command as a workflow step does, in a checkout of what was there when the story began. */
const onRunner = (story: Story, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  story.run(args, { env: { GITHUB_ACTIONS: "true", ...env } });

/** The requests by which a run looks for the newest files. */
const looks = ({ requests }: Ending) =>
  requests.filter(({ route }) => /git\/(ref|trees)|contents/.test(route)).map(({ path }) => path);

describe("on a runner the branch's newest files count, not the checkout", { concurrency: 2 }, () => {
  test("a checkout that is the newest costs one look at the branch and one at each folder", async () => {
    await using story = await startStory(acme, ["noc,NOC"]);
    const end = await onRunner(story, ["plan"]);
    assert.deepEqual([end.code, end.record.notices], [0, []]);
    assert.deepEqual(end.rooms.NOC?.removed, ["Eve"]);
    assert.match(looks(end)[0] ?? "", /git\/ref\/heads\/main$/);
    assert.deepEqual(
      looks(end).filter((path) => path.includes("/mappings")),
      [],
    );
    // What follows is about the memory of earlier runs.
    const ownLooks = looks(end).slice(
      0,
      looks(end).findIndex((path) => path.includes("/state.json")),
    );
    assert.equal(ownLooks.length, 3);
    assert.deepEqual(end.requests.flatMap(check), []);
  });

  test("a re-run of an old run, or a push run that starts late, applies what the branch says now", async () => {
    await using story = await startStory(acme, ["noc,NOC"]);
    const { sandbox } = story;
    sandbox.github.writeFile(rooms, "group,room\nnoc,NOC\nops,NOC\n");
    const end = await onRunner(story, ["sync"], { GITHUB_RUN_ATTEMPT: "2" });
    assert.deepEqual([end.code, end.record.status, end.writes], [0, "converged", []]);
    assert.deepEqual(end.record.rooms[0]?.lines, [2, 3]);
    const notice =
      /This checkout's mappings\/rooms\.csv is not the one of main, which is at [0-9a-f]{7}; the run used the one of main\./;
    assert.match(end.record.notices.join(), notice);
    assert.match(end.stderr, notice);
    assert.match(sandbox.github.files().get("reports/README.md") ?? "", /is not the one of main/);
  });

  test("a policy that was edited, added or deleted meanwhile counts as it is on the branch", async () => {
    const protecting = JSON.stringify({ protect: { people: [emailOf("eve")] } });
    const holding = JSON.stringify({ limits: { removalsPerRoom: { count: 0, share: 0 } } });
    for (const [here, there, kept, held] of [
      [null, protecting, ["Eve: listed"], undefined],
      [holding, protecting, ["Eve: listed"], undefined],
      [protecting, null, undefined, undefined],
      [protecting, holding, undefined, ["Eve: removals-per-room"]],
    ] as const) {
      await using story = await startStory(acme, ["noc,NOC"]);
      if (here !== null) await story.folder.write(policy, here);
      if (there !== null) story.sandbox.github.writeFile(policy, there);
      const end = await onRunner(story, ["plan"]);
      const listed = end.rooms.NOC?.kept?.filter((one) => one.startsWith("Eve"));
      assert.deepEqual([listed ?? [], end.rooms.NOC?.held], [kept ?? [], held]);
      assert.match(
        end.record.notices.join(),
        /This checkout's mappings\/policy\.json is not the one of main/,
      );
    }
  });

  test("a delegation that was prolonged meanwhile is not revoked", async () => {
    const users = [
      { person: "ann", delegates: [emailOf("eve")] },
      { person: "eve", delegates: [] },
      { person: "rollcall", delegates: [] },
    ];
    await using story = await startStory({ ...acme, meetings: { users } }, ["noc,NOC", "ops,NOC"]);
    const file = "mappings/delegations.csv";
    const row = (until: string) => `host,delegate,until\n${emailOf("ann")},${emailOf("eve")},${until}\n`;
    await story.folder.write(file, row("2024-01-31"));
    story.sandbox.github.writeFile(file, row("2999-01-31"));
    const end = await onRunner(story, ["sync"]);
    assert.deepEqual([end.code, end.record.status], [0, "converged"]);
    assert.deepEqual(story.sandbox.meetings.user("ann").delegates, [emailOf("eve")]);
    assert.match(
      end.record.notices.join(),
      /This checkout's mappings\/delegations\.csv is not the one of main/,
    );
  });

  test("mappings that were deleted on the branch are missing: the run stops", async () => {
    await using story = await startStory(acme, ["noc,NOC"]);
    story.sandbox.github.writeFile(rooms, null);
    const end = await onRunner(story, ["sync"]);
    assert.deepEqual([end.code, end.record.status, end.writes], [1, "failed", []]);
    assert.match(end.stderr, /mappings\/rooms\.csv is not the one of main[\s\S]*there is no such file/);
  });

  test("a fault of the newest file is told by its own lines", async () => {
    await using story = await startStory(acme, ["noc,NOC"]);
    story.sandbox.github.writeFile(rooms, "group,room\nnoc,NOC\nops\n");
    const end = await onRunner(story, ["sync"]);
    assert.deepEqual([end.code, end.record.problems[0]?.line], [1, 3]);
  });

  test("a checkout that differs by its line ends alone is not called another", async () => {
    await using story = await startStory(acme, ["noc,NOC"]);
    await story.folder.write(rooms, "group,room\r\nnoc,NOC\r\n");
    const end = await onRunner(story, ["plan"]);
    assert.deepEqual([end.code, end.record.notices], [0, []]);
  });

  for (const [what, route, status] of [
    ["the branch", "GET /repos/{owner}/{repo}/git/ref/{ref}", 403],
    ["the branch", "GET /repos/{owner}/{repo}/git/ref/{ref}", 404],
    ["its files", "GET /repos/{owner}/{repo}/git/trees/{tree_sha}", 404],
    ["its files", "GET /repos/{owner}/{repo}/git/trees/{tree_sha}", 403],
    ["a newer file", "GET /repos/{owner}/{repo}/contents/{path}", 403],
  ] as const) {
    test(`where GitHub answers ${status} for ${what}, sync and plan stop before anything`, async () => {
      await using story = await startStory(acme, ["noc,NOC"]);
      story.sandbox.github.writeFile(rooms, "group,room\nnoc,NOC\nops,NOC\n");
      for (const command of ["sync", "plan"]) {
        story.sandbox.fault({ route, status });
        const end = await onRunner(story, [command], { GITHUB_REF: "refs/heads/main" });
        assert.deepEqual([end.code, end.record.status, end.record.token], [1, "failed", null]);
        assert.match(end.stderr, /the newest files of the branch cannot be read, .* so nothing was changed/);
        assert.deepEqual(
          end.requests.filter(({ half }) => half === "webex"),
          [],
        );
      }
    });
  }

  test("a run of another branch looks there, and one of a tag or a pull request at the default branch", async () => {
    await using story = await startStory(acme, ["noc,NOC"], { github: { branches: ["main", "next"] } });
    story.sandbox.github.writeFile(rooms, "group,room\nnoc,NOC\nops,NOC\n", "next");
    const removed = async (env: Readonly<Record<string, string>>) => {
      const end = await onRunner(story, ["plan"], env);
      return [end.code, end.rooms.NOC?.removed?.join() ?? "nobody"].join(" ");
    };
    assert.equal(await removed({ GITHUB_REF_NAME: "next", GITHUB_REF: "refs/heads/next" }), "0 nobody");
    assert.equal(await removed({ GITHUB_REF_NAME: "next", GITHUB_REF_TYPE: "tag" }), "0 Eve");
    assert.equal(await removed({ GITHUB_REF_NAME: "7/merge", GITHUB_REF: "refs/pull/7/merge" }), "0 Eve");
    assert.equal(await removed({ GITHUB_REF_NAME: "v1.2.0" }), "0 Eve");
    assert.equal(await removed({ GITHUB_REF_NAME: "gone", GITHUB_REF: "refs/heads/gone" }), "1 nobody");
  });

  test("files outside of the repository, and runs on a person's machine, stay as they are", async () => {
    await using story = await startStory(acme, ["noc,NOC"]);
    await using elsewhere = await startStory(acme, ["noc,NOC", "ops,NOC"]);
    const file = join(elsewhere.folder.path, rooms);
    const end = await onRunner(story, ["plan", "--mappings", file]);
    assert.deepEqual([end.rooms.NOC?.removed, end.record.notices], [undefined, []]);
    story.sandbox.github.writeFile(rooms, "group,room\nnoc,NOC\nops,NOC\n");
    const local = await story.run(["plan"]);
    assert.deepEqual([local.rooms.NOC?.removed, local.record.notices], [["Eve"], []]);
  });
});
