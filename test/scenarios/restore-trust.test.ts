import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Authorship } from "../../sandbox/github/git.ts";
import { byApi, byPush } from "../../sandbox/github/github.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { loadContracts } from "../support/contract.ts";
import { organisation } from "../support/organisation.ts";
import { type RunOptions, type Story, startStory } from "../support/story.ts";

const check = loadContracts();
const bot = byApi("github-actions[bot]");
const rooms = "mappings/rooms.csv";

/** A run that has added Bob to NOC and removed Eve, and the record that it committed, checked out. */
async function startUndo(tokens: { readonly workflow?: { readonly login: string } } = {}) {
  const acme = organisation({
    groups: { noc: ["ann", "bob"] },
    rooms: { NOC: ["ann", "eve"], Board: ["ceo"] },
    people: { outsider: {} },
  });
  const story = await startStory(acme, ["noc,NOC"], { github: { tokens, branches: ["main", "reports"] } });
  const sync = await story.run(["sync"]);
  assert.deepEqual(sync.writes, ["add bob to NOC: 200", "remove eve from NOC: 204"]);
  const file = story.sandbox.github.commits[0]?.paths.find((path) => /runs\/.*json$/.test(path)) ?? "";
  const text = story.sandbox.github.files().get(file) ?? "";
  await story.folder.write(file, text);
  const record: RunRecord = JSON.parse(text);
  const restore = (args: readonly string[] = [], options: RunOptions = {}) =>
    story.run(["restore", "--record", file, ...args], options);
  return { story, file, text, record, restore, [Symbol.asyncDispose]: () => story[Symbol.asyncDispose]() };
}

/** The same record, by which somebody else would come into a space as a moderator. */
function forge({ sandbox }: Story, record: RunRecord): string {
  const [noc] = record.rooms;
  const outsider = { personId: sandbox.personId("outsider"), displayName: "Outsider", email: "o@x.example" };
  const removed = [...(noc?.removed ?? []), { ...outsider, wasModerator: true }];
  const forged = {
    ...record,
    totals: { ...record.totals, removed: removed.length },
    rooms: [{ ...noc, removed }],
  };
  return `${JSON.stringify(forged, null, 2)}\n`;
}

const undone = ["add eve to NOC: 200", "remove bob from NOC: 204"];
const everything = ["Bob: unverified-record", "Eve: unverified-record"];

describe("restore believes only what Rollcall itself committed", { concurrency: 2 }, () => {
  test("the record as the run committed it is undone at once, also with the line ends of Windows", async () => {
    for (const ends of ["\n", "\r\n"]) {
      await using undo = await startUndo();
      await undo.story.folder.write(undo.file, undo.text.replaceAll("\n", ends));
      const end = await undo.restore();
      assert.deepEqual([end.code, end.writes], [0, undone]);
      assert.ok(!end.record.notices.some((notice) => notice.includes("not known for certain")));
      assert.deepEqual(end.requests.flatMap(check), []);
    }
  });

  test("a record edited in the checkout is held as a whole, and approved by its digest alone", async () => {
    await using undo = await startUndo();
    const { story } = undo;
    await story.folder.write(undo.file, forge(story, undo.record));
    const held = await undo.restore();
    assert.deepEqual([held.code, held.record.status, held.writes], [2, "held", []]);
    assert.deepEqual(held.rooms.NOC?.held, [
      "Eve: unverified-record",
      "Outsider: unverified-record",
      "Bob: unverified-record",
    ]);
    assert.match(
      held.record.notices.join(),
      /is not known for certain to be what a run of Rollcall left \(it differs from reports/,
    );
    assert.match(held.summary, /3 changes in 1 space are held back/);

    await story.folder.write(undo.file, undo.text.replace("NOC", "N.O.C."));
    const other = await undo.restore(["--approve", held.record.digest ?? ""]);
    assert.deepEqual([other.code, other.writes], [2, []]);
    assert.notEqual(other.record.digest, held.record.digest);
    const approved = await undo.restore(["--approve", other.record.digest ?? ""]);
    assert.deepEqual([approved.code, approved.writes], [0, undone]);
  });

  test("a record that was changed on the branch after Rollcall committed it is held, whoever did it", async () => {
    for (const by of [byPush("mallory"), byApi("mallory"), bot]) {
      await using undo = await startUndo();
      const { story, file } = undo;
      const forged = forge(story, undo.record);
      const { repository, defaultBranch } = story.sandbox.github;
      repository.commit(defaultBranch, "Rollcall: 1 added", new Map([[file, forged]]), by);
      await story.folder.write(file, forged);
      const end = await undo.restore();
      assert.deepEqual([end.code, end.writes, end.rooms.NOC?.added], [2, [], undefined]);
      assert.match(end.record.notices.join(), /commit [0-9a-f]{7} changed it after it was first committed/);
    }
  });

  const strangers: readonly [what: string, message: string, by: Authorship, why: RegExp][] = [
    ["pushed by a person", "Rollcall: 1 added", byPush("mallory"), /is by mallory, not by Rollcall/],
    ["committed in the browser", "Rollcall: 1 added", byApi("mallory"), /is by mallory, not by Rollcall/],
    ["pushed as the bot", "Rollcall: 1 added", byPush("github-actions[bot]"), /was not made by a run/],
    ["committed by another workflow", "Add a file", bot, /was not made by a run of Rollcall/],
    [
      "of an account that GitHub does not know",
      "Rollcall: 1 added",
      { ...byPush("x"), author: { login: null, name: "github-actions[bot]", email: "x@x.example" } },
      /is by nobody whom GitHub knows/,
    ],
  ];
  for (const [what, message, by, why] of strangers) {
    test(`a record ${what} is held`, async () => {
      await using undo = await startUndo();
      const { story } = undo;
      const file = "reports/runs/2026-01-01-1.json";
      story.sandbox.github.repository.commit("main", message, new Map([[file, undo.text]]), by);
      await story.folder.write(file, undo.text);
      const end = await story.run(["restore", "--record", file]);
      assert.deepEqual([end.code, end.writes], [2, []]);
      assert.deepEqual(end.rooms.NOC?.held?.toSorted(), everything);
      assert.match(end.record.notices.join(), why);
    });
  }

  test("a record that the branch does not have is held", async () => {
    await using undo = await startUndo();
    await undo.story.folder.write("elsewhere.json", undo.text);
    const end = await undo.story.run(["restore", "--record", "elsewhere.json"]);
    assert.deepEqual([end.code, end.rooms.NOC?.held?.toSorted()], [2, everything]);
    assert.match(end.record.notices.join(), /main has no elsewhere\.json/);
    const onOther = await undo.restore([], { env: { REPORT_BRANCH: "reports" } });
    assert.deepEqual([onOther.code, onOther.writes], [2, []]);
  });

  test("with a GitHub App or a personal token the records are its own, and nobody else's", async () => {
    await using undo = await startUndo({ workflow: { login: "acme-rollcall[bot]" } });
    const end = await undo.restore();
    assert.deepEqual([end.code, end.writes], [0, undone]);
  });

  test("where GitHub does not tell the history, nothing is undone", async () => {
    await using undo = await startUndo();
    undo.story.sandbox.fault({ route: "GET /repos/{owner}/{repo}/commits", status: 403 });
    const end = await undo.restore();
    assert.deepEqual([end.code, end.record.status, end.writes], [1, "failed", []]);
  });

  test("on a person's machine there is no history, and the run says so", async () => {
    await using undo = await startUndo();
    const end = await undo.restore([], { local: true });
    assert.deepEqual([end.code, end.writes], [0, undone]);
    assert.match(end.record.notices.join(), /Without GitHub nobody can say whether reports\/runs\//);
  });
});

describe("restore changes only spaces that are Rollcall's", { concurrency: 2 }, () => {
  const onRunner = { env: { GITHUB_ACTIONS: "true" } };

  test("what concerns a space that no row names waits; the newest mappings count", async () => {
    await using undo = await startUndo();
    const { story } = undo;
    const held = ["Eve: unmapped-room", "Bob: unmapped-room"];
    story.sandbox.github.writeFile(rooms, "group,room\nnoc,Board\n");
    const end = await undo.restore([], onRunner);
    assert.deepEqual([end.code, end.writes, end.rooms.NOC?.held], [2, [], held]);
    assert.match(end.record.notices.join(), /mappings\/rooms\.csv is not the one of main/);
    const approved = await undo.restore(["--approve", end.record.digest ?? ""], onRunner);
    assert.deepEqual([approved.code, approved.writes], [0, undone]);
  });

  test("a row that has ended, or whose group is gone, still names its space", async () => {
    for (const row of ["noc,NOC,2024-01-31", "nobody knows it,NOC,"]) {
      await using undo = await startUndo();
      await undo.story.folder.write(rooms, `group,room,until\n${row}\n`);
      const end = await undo.restore();
      assert.deepEqual([end.code, end.writes], [0, undone]);
    }
  });

  test("a title that leads elsewhere now names neither space", async () => {
    await using undo = await startUndo();
    undo.story.sandbox.swapTitles("NOC", "Board");
    const end = await undo.restore();
    assert.deepEqual([end.code, end.writes], [2, []]);
    assert.deepEqual(end.rooms.Board?.held, ["Eve: unmapped-room", "Bob: unmapped-room"]);
  });

  test("mappings that are broken or missing name no space: all waits, and the fault is told", async () => {
    for (const [text, why] of [
      ["group;room\nnoc;NOC\n", /The mappings cannot be used.*separated by semicolons/],
      [null, /The mappings cannot be used.*there is no such file/],
    ] as const) {
      await using undo = await startUndo();
      undo.story.sandbox.github.writeFile(rooms, text);
      const end = await undo.restore([], onRunner);
      assert.deepEqual([end.code, end.writes], [2, []]);
      assert.deepEqual(end.rooms.NOC?.held, ["Eve: unmapped-room", "Bob: unmapped-room"]);
      assert.match(end.record.notices.join(" "), why);
    }
  });

  test("the policy is the branch's newest, not the checkout's", async () => {
    await using undo = await startUndo();
    const strict = JSON.stringify({ limits: { removalsPerRoom: { count: 0, share: 0 } } });
    undo.story.sandbox.github.writeFile("mappings/policy.json", strict);
    const end = await undo.restore([], onRunner);
    assert.deepEqual([end.code, end.writes], [2, ["add eve to NOC: 200"]]);
    assert.deepEqual(end.rooms.NOC?.held, ["Bob: removals-per-room"]);
  });
});
