import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { keepFacts } from "../../src/run/keep-facts.ts";
import { readMemory } from "../../src/run/memory.ts";
import { answerGithub, answerRequests, createGithub } from "../support/answered-requests.ts";
import { openContext, openFolder } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const disk = { kind: "folder" } as const;

/** The reports of a person's disk with these files. */
async function open(files: Readonly<Record<string, string>>) {
  const folder = await openFolder(files);
  const { context } = await openContext({}, { reports: folder.path });
  return { ...folder, context };
}

describe("what earlier runs have kept", () => {
  test("is nothing before the first run, and nobody has to know", async () => {
    await using reports = await open({});
    const { told, delegations, notices } = await readMemory(disk, reports.context);
    assert.deepEqual(
      { told, delegations, notices },
      { told: null, delegations: { kept: [], damage: null }, notices: [] },
    );
  });

  test("is read from state.json, and what of it is damaged is told", async () => {
    await using whole = await open({ "state.json": '{ "version": 1 }', "history.json": "{}" });
    assert.deepEqual((await readMemory(disk, whole.context)).notices, []);
    await using part = await open({ "state.json": '{ "version": 1, "delegations": 5 }' });
    assert.equal((await readMemory(disk, part.context)).delegations.damage, "delegations");
    await using none = await open({ "state.json": "nonsense" });
    assert.match(String((await readMemory(disk, none.context)).notices), /^state\.json could not be read/);
  });

  test("is missed where earlier runs have left reports", async () => {
    await using reports = await open({ "history.json": "{}" });
    const { notices } = await readMemory(disk, reports.context);
    assert.match(String(notices), /^state\.json is missing, although earlier runs have left reports/);
  });

  test("that cannot be read stops the run: a name may lead to a stranger's space", async () => {
    await using reports = await open({ "state.json/file": "" });
    await assert.rejects(
      readMemory(disk, reports.context),
      ({ message, cause }: Error) =>
        /state\.json cannot be read, so it is not known .* and nothing was changed: EISDIR/.test(message) &&
        cause instanceof Error,
    );
  });
});

describe("what doctor has settled", () => {
  test("is kept with the day where a run has left a memory, once, and nothing else is touched", async () => {
    await using reports = await open({ "state.json": '{ "version": 1, "names": [] }' });
    const path = join(reports.path, "state.json");
    assert.equal(await keepFacts({ refreshTokenChanges: true }, disk, reports.context), path);
    const text = await readFile(path, "utf8");
    assert.deepEqual(JSON.parse(text), {
      version: 1,
      names: [],
      webex: { refreshTokenChanges: { value: true, since: "2026-11-02" } },
    });
    assert.equal(await keepFacts({ refreshTokenChanges: true }, disk, reports.context), null);
    assert.equal(await readFile(path, "utf8"), text);
  });

  test("is not kept where no run has left a memory", async () => {
    await using reports = await open({});
    assert.equal(await keepFacts({ refreshTokenChanges: true }, disk, reports.context), null);
  });
});

describe("what is kept on a branch", () => {
  const branch = reportBranch({ isNamed: true });
  const memory = (told: object) => JSON.stringify({ version: 1, names: [], ...told });
  const told = { space: "Alerts", need: "0123456789abcdef" };

  test("is read there, whatever this machine has", async () => {
    await using reports = await open({ "state.json": memory({}) });
    using _ = answerRequests(answerGithub({ "reports/state.json": memory({ told }) }));
    assert.deepEqual((await readMemory(branch, reports.context)).told, told);
  });

  test("is damaged where something else is in its place", async () => {
    await using reports = await open({});
    using _ = answerRequests(answerGithub({ "reports/state.json": null }));
    const { notices } = await readMemory(branch, reports.context);
    assert.match(notices.join(), /^state\.json could not be read/);
  });

  test("gets what doctor has settled by a commit of its own, once", async () => {
    await using reports = await open({ "state.json": "{}" });
    const github = createGithub({ "reports/state.json": memory({ told }) });
    using _ = answerRequests(github.answer);
    const keep = () => keepFacts({ refreshTokenChanges: true }, branch, reports.context);
    assert.equal(await keep(), "reports/state.json");
    assert.deepEqual(github.headlines, ["Rollcall: what doctor settled about Webex"]);
    const { webex, ...rest } = JSON.parse(github.files["reports/state.json"] ?? "");
    assert.deepEqual(webex, { refreshTokenChanges: { value: true, since: "2026-11-02" } });
    assert.deepEqual(rest, { version: 1, names: [], told });
    assert.equal(await keep(), null);
    assert.equal(github.headlines.length, 1);
    assert.equal(await readFile(join(reports.path, "state.json"), "utf8"), "{}");
  });
});
