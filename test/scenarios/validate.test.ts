import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFolder } from "../support/run-rollcall.ts";

const onRunner = { GITHUB_ACTIONS: "true" };

describe("validate", { concurrency: 2 }, () => {
  test("accepts the two-column file of the sample application, needs no account and exits 0", async () => {
    await using folder = await createFolder("group,room\nNOC On-call,NOC\nLeads,NOC\n");
    assert.deepEqual(await folder.run(["validate"]), {
      code: 0,
      stdout: "2 mappings of 1 rooms, and the policy: no fault found\n",
      stderr: "",
    });
  });

  test("tells every fault of both files, by line and column, and exits 1", async () => {
    await using folder = await createFolder("group,room,mode\neng,,sync\neng,NOC,synk\n");
    await folder.write("mappings/policy.json", '{ "limits": { "removalsPerRoom": { "share": 2 } } }');
    assert.deepEqual(await folder.run(["validate"]), {
      code: 1,
      stdout: "",
      stderr: [
        "mappings/rooms.csv:2: room: the cell is empty; fill in the room or remove the line",
        'mappings/rooms.csv:3: mode: no mode is named "synk"; did you mean "sync"? (a mode is sync, add-only or audit)',
        "mappings/policy.json:1: limits.removalsPerRoom.share is 2; it must be a number from 0 to 1 (0.25 means 25 %)",
        "",
      ].join("\n"),
    });
  });

  test("annotates the lines on a runner, nine at most and one that counts the rest", async () => {
    const rows = Array.from({ length: 12 }, (_, index) => `eng,Room ${index},synk`);
    await using folder = await createFolder(`group,room,mode\n${rows.join("\n")}\n`);
    const { code, stdout } = await folder.run(["validate"], onRunner);
    const annotations = stdout.split("\n").filter((line) => line.startsWith("::error"));
    const said = 'mode: no mode is named "synk"; did you mean "sync"? (a mode is sync, add-only or audit)';
    assert.deepEqual(annotations, [
      ...rows.slice(0, 9).map((_, index) => {
        return `::error title=Rollcall,file=mappings/rooms.csv,line=${index + 2},col=${index < 10 ? 12 : 13}::${said}`;
      }),
      "::error title=Rollcall::3 more, see the summary of this run",
    ]);
    assert.equal(code, 1);
  });

  test("says which file is missing, and that a named policy must exist", async () => {
    await using folder = await createFolder();
    const { code, stderr } = await folder.run(["validate", "--policy", "strict.json"]);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "mappings/rooms.csv: there is no such file; name the mappings with --mappings <file>\n" +
        "strict.json: there is no such file; leave --policy out to use the defaults\n",
    );
  });
});
