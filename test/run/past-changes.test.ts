import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatRecord } from "../../src/report/record-json.ts";
import { readPastChanges } from "../../src/run/past-changes.ts";
import { person, room, runRecord } from "../report/build-record.ts";
import { openContext, openFolder } from "../support/open-context.ts";

const disk = { kind: "folder" } as const;
const webexId = (kind: string, key: string) =>
  Buffer.from(`ciscospark://us/${kind}/${key}`).toString("base64url");
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
