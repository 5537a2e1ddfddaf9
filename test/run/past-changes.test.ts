import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatRecord } from "../../src/report/record-json.ts";
import { readPastChanges } from "../../src/run/past-changes.ts";
import { person, room, runRecord } from "../report/build-record.ts";
import { answerGithub, answerRequests } from "../support/answered-requests.ts";
import { webexId } from "../support/answered-webex.ts";
import { openContext, openFolder } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const disk = { kind: "folder" } as const;
const ann = { ...person("Ann"), personId: webexId("PEOPLE", "ann") };
const noc = { roomId: webexId("ROOM", "noc") };
const added = formatRecord(runRecord([room("NOC", { ...noc, added: [ann] })]));
const removed = formatRecord(
  runRecord([room("NOC", { ...noc, removed: [{ ...ann, wasModerator: false }] })]),
);

async function read(files: Readonly<Record<string, string>>) {
  await using folder = await openFolder(files);
  const { context } = await openContext({}, { reports: folder.path });
  const { changes, notices } = await readPastChanges(disk, "PEOPLE/ann", context);
  return { changes: changes.map(({ date, run, action }) => `${date} ${run} ${action}`), notices };
}

describe("what earlier runs did to somebody", () => {
  test("is in their records, the newest first, whatever else lies there", async () => {
    const found = await read({
      "runs/2026-11-01-1001.json": added,
      "runs/2026-11-03-1003-2.json": added,
      "runs/2026-11-02-1002.json": removed,
      "runs/2026-11-02-1002.md": added,
      "runs/x2026-11-02-9.json": added,
      "runs/2026-11-02-9.json.bak": added,
      "runs/2026-11-04-1004.json": "nonsense",
    });
    assert.deepEqual(found, {
      changes: ["2026-11-03 1003-2 add", "2026-11-02 1002 remove", "2026-11-01 1001 add"],
      notices: [],
    });
  });

  test("is nothing where there are no records yet", async () => {
    assert.deepEqual(await read({}), { changes: [], notices: [] });
  });

  test("is not known where the records cannot be read, and that is told", async () => {
    for (const files of [{ runs: "no folder" }, { "runs/2026-11-01-1001.json/file": "" }]) {
      const { changes, notices } = await read(files);
      assert.deepEqual(changes, []);
      assert.match(
        notices.join("\n"),
        /^the records of earlier runs could not be read, so it is not known since when: E(NOTDIR|ISDIR)/,
      );
    }
  });
});

const branch = reportBranch({ isNamed: true });

describe("what earlier runs did, where their records are on a branch", () => {
  /** Reads them with a checkout that holds some of them; `fetched` are those that GitHub was asked for. */
  async function readBranch(
    stored: Readonly<Record<string, string | null>>,
    checkout: Readonly<Record<string, string>> = {},
  ) {
    await using folder = await openFolder(checkout);
    const files = Object.entries(stored).map(([name, text]) => [`reports/runs/${name}`, text] as const);
    using github = answerRequests(answerGithub({ "README.md": "", ...Object.fromEntries(files) }));
    const { context } = await openContext({}, { reports: folder.path });
    const { changes, notices } = await readPastChanges(branch, "PEOPLE/ann", context);
    const fetched = github.asked.flatMap(
      ({ path }) => /contents\/reports\/runs\/([^?]+)/.exec(path)?.[1] ?? [],
    );
    return { changes: changes.map(({ date, run, action }) => `${date} ${run} ${action}`), notices, fetched };
  }

  test("is read from the checkout where that holds the same record, and from GitHub otherwise", async () => {
    const found = await readBranch(
      { "2026-11-01-1001.json": added, "2026-11-02-1002.json": removed, "2026-11-03-1003.json": added },
      {
        "runs/2026-11-01-1001.json": added,
        "runs/2026-11-02-1002.json": "nonsense",
        "runs/2026-11-04-1.json": added,
      },
    );
    assert.deepEqual(found, {
      changes: ["2026-11-03 1003 add", "2026-11-02 1002 remove", "2026-11-01 1001 add"],
      notices: [],
      fetched: ["2026-11-03-1003.json", "2026-11-02-1002.json"],
    });
  });

  test("goes back so many records that the checkout lacks, and says how many it left out", async () => {
    const nameOf = (index: number) => `2026-11-01-${10_000 + index}.json`;
    const many = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [nameOf(index), index === 0 ? added : "{}"]),
      );
    const whole = await readBranch(many(200));
    assert.deepEqual([whole.fetched.length, whole.notices], [200, []]);
    assert.deepEqual(whole.changes, ["2026-11-01 10000 add"]);
    const cut = await readBranch(many(203));
    assert.deepEqual(cut.notices, [
      "the records of 3 older runs were not read, so an addition by one of them is not known",
    ]);
    assert.deepEqual([cut.fetched.length, cut.changes], [200, []]);
    const held = await readBranch(many(203), { [`runs/${nameOf(0)}`]: added });
    assert.deepEqual(held.changes, ["2026-11-01 10000 add"]);
  });

  test("is not known where GitHub does not show one of them", async () => {
    const files = answerGithub({ "reports/runs/2026-11-01-1001.json": added });
    using _ = answerRequests((asked) =>
      asked.path.includes("/contents/") ? { body: { type: "symlink" } } : files(asked),
    );
    const { context } = await openContext();
    assert.deepEqual(await readPastChanges(branch, "PEOPLE/ann", context), {
      changes: [],
      notices: [
        "the records of earlier runs could not be read, so it is not known since when: GitHub does not show reports/runs/2026-11-01-1001.json (no-file)",
      ],
    });
  });
});
