import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type OwedReport, parseOwed } from "../../src/report/owed.ts";
import { createOwedReports } from "../../src/run/owed.ts";
import { runRecord } from "../report/build-record.ts";
import { answerOwed, answerRequests } from "../support/answered-requests.ts";
import { openContext, openFolder } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const onGithub = { GITHUB_RUN_ID: "1001", GITHUB_REF_NAME: "main" };
/** Nobody answers there. */
const branch = reportBranch({ url: "http://127.0.0.1:1" });

const own: OwedReport = { kind: "membership", runId: "1001", runUrl: null, record: runRecord([]) };

describe("a report that waits for its commit", () => {
  test("is kept beside the record, until everything is committed", async () => {
    await using folder = await openFolder();
    const { context, lines } = await openContext(onGithub, { json: join(folder.path, "record.json") });
    const reports = createOwedReports(branch, context);
    assert.equal(await reports.keep(own), true);
    assert.deepEqual(parseOwed(await readFile(join(folder.path, "record.owed.json"), "utf8")), [own]);
    await reports.settle();
    assert.deepEqual([await readdir(folder.path), lines], [[], []]);
  });

  test("needs no file where there is nothing worth it", async () => {
    await using folder = await openFolder();
    const { context } = await openContext(onGithub, { json: join(folder.path, "record.json") });
    assert.equal(await createOwedReports(branch, context).keep(null), false);
    assert.deepEqual(await readdir(folder.path), []);
  });

  test("that cannot be kept either is told of, in the log and to the runner", async () => {
    await using folder = await openFolder();
    await writeFile(join(folder.path, "file"), "");
    const { context, lines } = await openContext(onGithub, { json: join(folder.path, "file/record.json") });
    assert.equal(await createOwedReports(branch, context).keep(own), false);
    assert.match(lines.join("\n"), /^log: .*record\.owed\.json.*\nwarn: .*record\.owed\.json.*$/);
  });

  const cases = [
    ["on a person's disk", { kind: "folder" }, onGithub, true],
    ["of no run of GitHub's", branch, { GITHUB_REF_NAME: "main" }, true],
    ["of no branch or tag", branch, { GITHUB_RUN_ID: "1001" }, true],
    ["without a record to lie beside", branch, onGithub, false],
  ] as const;
  for (const [what, target, env, hasRecord] of cases) {
    test(`is not kept ${what}, and none is looked for`, async () => {
      await using folder = await openFolder();
      const options = hasRecord ? { json: join(folder.path, "record.json") } : {};
      const { context, lines } = await openContext(env, options);
      const reports = createOwedReports(target, context);
      assert.deepEqual([await reports.find(), await reports.keep(own)], [[], false]);
      await reports.settle();
      assert.deepEqual([await readdir(folder.path), lines], [[], []]);
    });
  }

  test("of an earlier run is not looked for by a run that is to end", async () => {
    await using folder = await openFolder();
    const { context, lines } = await openContext(
      onGithub,
      { json: join(folder.path, "record.json") },
      AbortSignal.abort(),
    );
    assert.deepEqual(await createOwedReports(branch, context).find(), []);
    assert.deepEqual(lines, []);
  });

  test("is looked for under a name of its own for each organisation, and none of another branch", async () => {
    await using folder = await openFolder();
    const { context } = await openContext(onGithub, { json: join(folder.path, "record.json") });
    using github = answerRequests(answerOwed([own]));
    assert.deepEqual(await createOwedReports(branch, context).find(), [own]);
    const paths = { ...context.paths, organisation: "acme" };
    await createOwedReports(branch, { ...context, paths }).find();
    const elsewhere = { ...context, actions: { ...context.actions, refName: "next" } };
    assert.deepEqual(await createOwedReports(branch, elsewhere).find(), []);
    const names = github.asked.flatMap(({ path }) => /[?&]name=([^&]+)/.exec(path)?.[1] ?? []);
    assert.deepEqual(names, ["rollcall-owed", "rollcall-owed-acme", "rollcall-owed"]);
  });

  test("is settled by a run that has not looked for any, which asks for nothing", async () => {
    await using folder = await openFolder();
    const { context } = await openContext(onGithub, { json: join(folder.path, "record.json") });
    using github = answerRequests(() => ({ status: 404, body: {} }));
    const reports = createOwedReports(branch, context);
    assert.equal(await reports.keep(own), true);
    await reports.settle();
    assert.deepEqual([await readdir(folder.path), github.asked], [[], []]);
  });
});
