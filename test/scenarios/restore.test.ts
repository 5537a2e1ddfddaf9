import assert from "node:assert/strict";
import { test } from "node:test";
import { byApi } from "../../sandbox/github/github.ts";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { loadContracts } from "../support/contract.ts";
import { crowd, organisation } from "../support/organisation.ts";
import { type Ending, type Story, startStory } from "../support/story.ts";

const file = "reports/runs/undone.json";
const loose = JSON.stringify({
  limits: { removalsPerRoom: { share: 1 }, removalsPerRun: { share: 1 } },
  protect: { moderators: false },
});
const check = loadContracts();

/** What the run of a mistaken morning leaves: Bob is added to NOC, Eve and Mia (a moderator) are removed from it. */
async function startMistake(options: SandboxOptions = {}): Promise<Story> {
  const acme = organisation({
    groups: { noc: ["ann", "bob"], eng: ["ann"] },
    rooms: [
      { title: "NOC", members: ["ann", "eve", "mia"], moderators: ["mia", "rollcall"] },
      { title: "Eng", members: ["ann"] },
    ],
  });
  const story = await startStory(acme, ["noc,NOC", "eng,Eng"], options);
  await story.folder.write("mappings/policy.json", loose);
  await keepRecord(story, await story.run(["sync"]));
  return story;
}

/** Puts a run's record where the repository has it, committed as Rollcall does it, and into the checkout. */
async function keepRecord({ folder, sandbox }: Story, { record }: Ending, path = file): Promise<void> {
  const text = JSON.stringify(record);
  const { repository, defaultBranch } = sandbox.github;
  repository.commit(
    defaultBranch,
    "Rollcall: 1 added",
    new Map([[path, text]]),
    byApi("github-actions[bot]"),
  );
  await folder.write(path, text);
}

const restore = (story: Story, ...args: readonly string[]) =>
  story.run(["restore", "--record", file, ...args]);

test("a run is undone: the removed are back, the added are gone, and who was a moderator waits for approval", async () => {
  await using story = await startMistake();
  const { sandbox } = story;
  assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
  const end = await restore(story);
  assert.deepEqual([end.code, end.record.command, end.record.status], [2, "restore", "held"]);
  assert.equal(end.record.undoes, file);
  assert.deepEqual(end.rooms, {
    NOC: { members: "3 → 3", added: ["Eve"], removed: ["Bob"], held: ["Mia: moderator-addition"] },
  });
  assert.deepEqual(end.record.rooms[0]?.held[0]?.action, "add");
  assert.deepEqual(end.writes, ["add eve to NOC: 200", "remove bob from NOC: 204"]);
  assert.equal(end.commits, 1);
  assert.match(end.stdout, /The next sync compares these spaces with their groups again/);
  assert.match(
    end.stdout,
    /~ Mia <mia@acme.example> {2}held: 1 addition planned; they would come back as a moderator/,
  );
  assert.match(end.summary, /1 change in 1 space is held back: none of the changes listed here was made\./);
  assert.deepEqual(end.requests.flatMap(check), []);

  const approved = await restore(story, "--approve", end.record.digest ?? "");
  assert.deepEqual([approved.code, approved.writes], [0, ["add mia to NOC: 200"]]);
  assert.deepEqual(sandbox.members("NOC"), ["ann", "eve", "mia", "rollcall"]);
  assert.deepEqual(sandbox.moderators("NOC"), ["mia", "rollcall"]);
  const page = sandbox.github.commits.at(-1)?.paths.find((path) => path.endsWith(".md"));
  assert.match(
    sandbox.github.files().get(page ?? "") ?? "",
    /\(Removed by the run being undone\):\n\n- Mia /,
  );

  const again = await restore(story);
  assert.deepEqual([again.code, again.record.status, again.writes, again.commits], [0, "converged", [], 0]);
  assert.deepEqual(again.record.notices, [
    '2 people are in space "NOC" again already, so they are left alone: Eve, Mia.',
    'One person is no longer in space "NOC" anyway: Bob.',
  ]);
});

test("an undo can be undone itself", async () => {
  await using story = await startMistake();
  await keepRecord(story, await restore(story), "reports/runs/undo.json");
  const end = await story.run(["restore", "--record", "reports/runs/undo.json"]);
  assert.deepEqual([end.code, end.rooms.NOC], [0, { members: "3 → 3", added: ["Bob"], removed: ["Eve"] }]);
  assert.deepEqual(story.sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
});

test("what has changed since is left alone and listed", async () => {
  await using story = await startMistake();
  const { sandbox } = story;
  sandbox.addToRoom("NOC", "mia");
  sandbox.removeFromRoom("NOC", "bob");
  const end = await restore(story);
  assert.deepEqual([end.code, end.writes], [0, ["add eve to NOC: 200"]]);
  assert.deepEqual(end.record.notices.slice(0, 3), [
    'One person is in space "NOC" again already, so they are left alone: Mia.',
    'One person is no longer in space "NOC" anyway: Bob.',
    'One person is in space "NOC" without the right to moderate it, which they had before the run: Mia.',
  ]);
});

test("a room that the token's owner no longer sees is left alone and listed", async () => {
  await using story = await startMistake();
  story.sandbox.removeFromRoom("NOC", "rollcall");
  const end = await restore(story);
  assert.deepEqual([end.code, end.writes], [0, []]);
  assert.deepEqual(end.record.notices, [
    'Space "NOC" is gone, or rollcall@acme.example is no longer in it; its 3 changes are left as they are.',
  ]);
});

test("in a room whose member list is incomplete nothing is undone, and the run is partial", async () => {
  await using story = await startMistake();
  story.sandbox.fault({ route: "GET /memberships", status: 403, times: 9 });
  const end = await restore(story);
  assert.deepEqual([end.code, end.record.status, end.writes], [3, "partial", []]);
  assert.match(
    end.record.problems[0]?.message ?? "",
    /nothing is changed in space "NOC": its member list is/,
  );
});

test("somebody who cannot be added again is a failure of one person, and the others are restored", async () => {
  await using story = await startMistake();
  const eve = story.sandbox.personId("eve");
  const match = ({ body }: { readonly body: unknown }) => JSON.stringify(body).includes(eve);
  story.sandbox.fault({ route: "POST /memberships", status: 403, match });
  const end = await restore(story);
  assert.deepEqual([end.code, end.record.totals.failed], [3, 1]);
  assert.deepEqual(story.sandbox.members("NOC"), ["ann", "rollcall"]);
  const approved = await restore(story, "--approve", end.record.digest ?? "");
  assert.deepEqual([approved.code, story.sandbox.members("NOC")], [0, ["ann", "eve", "mia", "rollcall"]]);
});

test("a dry run changes nothing, and its own record cannot be undone", async () => {
  await using story = await startMistake();
  const end = await restore(story, "--dry-run");
  assert.deepEqual([end.code, end.record.command, end.writes, end.commits], [0, "plan", [], 0]);
  assert.deepEqual(end.rooms.NOC, {
    members: "3 → 3",
    added: ["Eve"],
    removed: ["Bob"],
    held: ["Mia: moderator-addition"],
  });
  await keepRecord(story, end, "reports/runs/plan.json");
  const refused = await story.run(["restore", "--record", "reports/runs/plan.json"]);
  assert.deepEqual([refused.code, refused.writes], [1, []]);
  assert.match(refused.stderr, /it is the record of a plan or a dry run, which changed nothing/);
});

test("the limits and the protection hold for an undo too, and approving it names the record", async () => {
  const many = crowd(9);
  const acme = organisation({
    groups: { all: [...many, "ann"] },
    rooms: { All: ["ann", "bot"] },
    people: {
      bot: { email: "helper@webex.bot", type: "bot" },
    },
  });
  await using story = await startStory(acme, ["all,All"]);
  await keepRecord(story, await story.run(["sync"]));
  story.sandbox.setGroup("all", ["ann"]);

  const held = await restore(story);
  assert.deepEqual([held.code, held.record.status, held.writes], [2, "held", []]);
  assert.deepEqual(
    new Set(held.record.rooms[0]?.held.map((person) => person.reason)),
    new Set(["removals-per-room"]),
  );
  const digest = held.record.digest ?? "";
  assert.ok(held.stdout.includes(`npm run restore -- --record ${file} --approve ${digest}`));
  assert.ok(
    held.summary.includes(
      `gh workflow run restore.yml -f record=${file} -f dry_run=false -f approve=${digest}`,
    ),
  );

  const approved = await restore(story, "--approve", digest);
  assert.deepEqual([approved.code, approved.record.totals.removed], [0, 9]);
  assert.deepEqual(story.sandbox.members("All"), ["ann", "bot", "rollcall"]);
});

test("a record that cannot be read as a whole is refused, before the token is used", async () => {
  await using story = await startMistake();
  const text = await story.folder.read(file);
  const record = JSON.parse(text);
  const cases: readonly (readonly [string, RegExp])[] = [
    [text.slice(0, text.length / 2), /it is incomplete or not valid JSON \(line 1, character/],
    ["", /it is incomplete or not valid JSON/],
    ["[]", /it is not the record of a run/],
    [JSON.stringify({ ...record, version: 2 }), /its version is 2, and this release reads 1/],
    [
      JSON.stringify({ version: 1, command: "delegate", mode: "add", hosts: [] }),
      /it is the record of "delegate"/,
    ],
    [JSON.stringify({ ...record, rooms: [] }), /it is incomplete: totals.rooms is 2, but it lists 0/],
    [JSON.stringify({ ...record, extra: 1 }), /extra is not valid/],
    [
      JSON.stringify({ ...record, rooms: [{ ...record.rooms[0], added: [{ personId: 1 }] }] }),
      /rooms\.0\.added\.0\.personId is not valid/,
    ],
  ];
  for (const [content, expected] of cases) {
    await story.folder.write(file, content);
    const end = await restore(story);
    assert.deepEqual([end.code, end.record.status, end.requests], [1, "failed", []]);
    assert.match(end.stderr, expected);
  }
});

test("a record that is not there, or not named, ends with what to give", async () => {
  await using story = await startMistake();
  const missing = await story.run(["restore", "--record", "reports/runs/none.json"]);
  assert.equal(missing.code, 1);
  assert.match(
    missing.stderr,
    /none\.json cannot be read: there is no such file; a run's record is the \.json beside/,
  );
  const unnamed = await story.folder.run(["restore"]);
  assert.deepEqual(
    [unnamed.code, unnamed.stderr.trim()],
    [1, "restore needs --record <file>, the run's record, such as reports/runs/2026-11-22-4711.json"],
  );
});
