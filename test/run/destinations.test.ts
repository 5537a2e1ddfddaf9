import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { proveDestinations, proveFiles } from "../../src/run/destinations.ts";
import { answerGithub, answerRequests } from "../support/answered-requests.ts";
import { openContext, openFolder } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const disk = { kind: "folder" } as const;

/** Proves the places of a folder with these files; returns what lies there afterwards. */
async function prove(files: Readonly<Record<string, string>>, leavesReport = true, hasOverview = false) {
  await using folder = await openFolder(files);
  const at = (name: string) => join(folder.path, name);
  const options = { reports: at("reports"), json: at("record.json"), markdown: at("summary.md") };
  const { context } = await openContext({}, options);
  const paths = { ...context.paths, overview: hasOverview ? at("overview") : null };
  assert.equal(await proveDestinations(disk, leavesReport, { ...context, paths }), disk);
  return (await readdir(folder.path, { recursive: true })).sort();
}

describe("before the token is refreshed", () => {
  test("every place is proved, and nothing is left in any of them", async () => {
    const files = { "reports/README.md": "", "reports/runs/one.md": "", "overview/README.md": "" };
    const left = ["overview", "overview/README.md", "reports", "reports/README.md"];
    assert.deepEqual(await prove(files, true, true), [...left, "reports/runs", "reports/runs/one.md"]);
  });

  for (const name of [
    ...["record.json", "summary.md", "record.owed.json"],
    ...["reports/README.md", "reports/history.json", "reports/state.json"],
    ...["overview/README.md", "overview/organisations.json"],
  ]) {
    test(`a folder in the place of ${name} stops the run`, async () => {
      await assert.rejects(prove({ [`${name}/file`]: "" }, true, true), new RegExp(name));
    });
  }

  for (const name of ["reports", "reports/runs", "reports/delegations"]) {
    test(`a file in the place of the folder ${name} stops the run`, async () => {
      await assert.rejects(prove({ [name]: "" }), new RegExp(name));
    });
  }

  test("what leaves no report needs no place for it, but for the files that were asked for", async () => {
    assert.deepEqual(await prove({ reports: "" }, false), ["reports"]);
    await assert.rejects(prove({ "record.json/file": "" }, false), /record\.json/);
    await assert.rejects(prove({ "overview/README.md/file": "" }, true, true), /README\.md/);
    await prove({ "overview/README.md/file": "" });
  });

  test("a file that nobody asked for is not looked at", async () => {
    await proveFiles([null, undefined]);
  });

  test("a branch is looked for on GitHub, and the folder of this machine is not looked at", async () => {
    await using folder = await openFolder({ reports: "" });
    const { context } = await openContext({}, { reports: join(folder.path, "reports") });
    const branch = reportBranch({ isNamed: true });
    using github = answerRequests(answerGithub({ "README.md": "" }));
    assert.deepEqual(await proveDestinations(branch, true, context), branch);
    assert.notEqual(github.asked.length, 0);
  });
});
