import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFolder } from "../support/run-rollcall.ts";

const onRunner = { GITHUB_ACTIONS: "true" };

describe("validate", { concurrency: 2 }, () => {
  test("accepts the two-column file of the sample application, needs no account and exits 0", async () => {
    await using folder = await createFolder("group,room\nNOC On-call,NOC\nLeads,NOC\n");
    assert.deepEqual(await folder.run(["validate"]), {
      code: 0,
      stdout: "2 mappings of 1 spaces, and the policy: no fault found\n",
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

  test("refuses the file of a secret unread, and never quotes what is in one", async () => {
    const secret = "Zm9v".repeat(12);
    await using folder = await createFolder("group,room\n");
    await folder.write("token", secret);
    await folder.write("sheet.csv", secret);
    await folder.write("settings.json", `WEBEX_REFRESH_TOKEN=${secret}\n`);
    const refusal =
      "this seems to be the file of a secret, so nothing of it is read or shown; name the file you mean";
    for (const args of [
      ["--mappings", "token"],
      ["--mappings", "sheet.csv"],
      ["--policy", "settings.json"],
      ["--policy", "token"],
    ]) {
      const { code, stdout, stderr } = await folder.run(["validate", ...args]);
      assert.deepEqual([code, stdout, stderr], [1, "", `${args[1]}: ${refusal}\n`]);
    }
  });

  test("tells what a file is that is not the CSV or the policy itself", async () => {
    await using folder = await createFolder();
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    await folder.write("mappings/rooms.csv", pointer);
    await folder.write(
      "mappings/policy.json",
      Buffer.from('{"protect":{"people":["j\xFCrg@x.ch"]}}', "latin1"),
    );
    await folder.write(
      "mappings/delegations.csv",
      Buffer.from("host,delegate\nj\xFCrg@x.ch,a@x.ch\n", "latin1"),
    );
    const { code, stderr } = await folder.run(["validate"]);
    assert.equal(code, 1);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "mappings/rooms.csv:1: the file is a pointer of Git LFS, its content is stored elsewhere; remove the file's rule from .gitattributes, then run: git add --renormalize .",
      "mappings/policy.json:1: character 25 is not valid UTF-8; save the file as UTF-8",
      "mappings/delegations.csv:2: character 2 is not valid UTF-8; save the file as UTF-8",
    ]);
  });

  test("counts rows, not comments and not lines that a spreadsheet has left behind", async () => {
    await using folder = await createFolder("group,room,until,note,,\n# who\nNOC,NOC,2020-01-01,,,\n,,,,,\n");
    await folder.write("mappings/delegations.csv", "host,delegate,note\nann@x.ch,eve@x.ch,assistant\n");
    assert.deepEqual(await folder.run(["validate"]), {
      code: 0,
      stdout: "1 mappings of 1 spaces, 1 delegations, and the policy: no fault found\n",
      stderr: "",
    });
  });

  test("tells keys that are written twice, patterns and delegations that are wrong, each with its place", async () => {
    await using folder = await createFolder('"group";"room"\n"NOC";"NOC"\n');
    await folder.write(
      "mappings/policy.json",
      '{\n"protect": { "people": ["*@acme.example"] },\n"protect": { "people": ["*@acme.example"] }\n}',
    );
    await folder.write(
      "mappings/delegations.csv",
      "host,delegate\nann@x.ch,ANN@x.ch\nann@x.ch,eve@x.ch\nANN@x.ch,eve@x.ch\n",
    );
    const { code, stderr } = await folder.run(["validate"]);
    assert.equal(code, 1);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "mappings/rooms.csv:1: the cells are separated by semicolons; separate them by commas",
      "mappings/policy.json:3: protect is written twice; remove one of the two",
      'mappings/policy.json:3: protect.people[0] is "*@acme.example"; it must be one person\'s e-mail address, not a pattern',
      "mappings/delegations.csv:2: delegate: a host is never their own delegate; remove the line",
      "mappings/delegations.csv:4: lines 3 and 4 hold the same host and delegate; remove one of them",
    ]);
  });
});
