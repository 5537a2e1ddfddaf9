import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Context } from "../../src/cli/context.ts";
import type { DelegationRecord } from "../../src/delegation/record.ts";
import type { Annotation } from "../../src/github/runner.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import {
  type DelegationPublication,
  type MembershipPublication,
  publishDelegation,
  publishMembership,
  storeRows,
} from "../../src/run/publish.ts";
import { person, room, runRecord } from "../report/build-record.ts";
import { openContext, openFolder } from "../support/open-context.ts";

const disk = { kind: "folder" } as const;
const runner = { GITHUB_ACTIONS: "true" };

/** A folder for reports, a context whose reports go there, and what a run tells and puts out. */
async function open(
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
  reports = "reports",
) {
  const folder = await openFolder(files);
  const at = (name: string) => join(folder.path, name);
  const options = { reports: at(reports), json: at("record.json"), mappings: at("mappings/rooms.csv") };
  const { context, lines } = await openContext(env, options);
  const outputs: Record<string, string | number> = {};
  const annotations: Annotation[] = [];
  const told: Context = {
    ...context,
    runner: {
      ...context.runner,
      setOutputs: (values) => Object.assign(outputs, values),
      annotate: (some) => annotations.push(...some),
    },
  };
  return { ...folder, at, context: told, lines, outputs, annotations };
}

const publication: Omit<MembershipPublication, "record"> = {
  names: null,
  kept: null,
  annotations: [],
  policy: { heartbeatDays: 1, tokenWarningDays: 14, notify: null },
  reportTarget: disk,
  told: undefined,
  rows: [],
  scheduling: null,
  draftOthers: null,
  note: null,
};

const publish = (record: RunRecord, context: Context, facts: Partial<MembershipPublication> = {}) =>
  publishMembership({ record, ...publication, ...facts }, context);

/** So many spaces with one addition each, which takes a line and an empty one for each. */
const busy = (count: number) =>
  runRecord(Array.from({ length: count }, (_, index) => room(`S${index}`, { added: [person(`P${index}`)] })));

describe("what a run tells its terminal", () => {
  test("is all of it while that is short, and where the report lies", async () => {
    await using run = await open();
    await publish(busy(1), run.context);
    assert.match(run.lines[0] ?? "", /^print: S0 .*\n {2}\+ P0/);
    const page = (await readdir(run.at("reports/runs"))).find((file) => file.endsWith(".md"));
    assert.deepEqual(run.lines.slice(1), [`log: Report: ${run.at(`reports/runs/${page}`)}`]);
    assert.deepEqual(run.outputs, {
      status: "changed",
      ...{ added: 1, removed: 0, held: 0, failed: 0 },
      digest: "",
      report: run.at(`reports/runs/${page}`),
    });
  });

  test("is all of it up to so many lines", async () => {
    const told = async (people: number) => {
      await using run = await open();
      const added = Array.from({ length: people }, (_, index) => person(`P${index}`));
      await publish(runRecord([room("NOC", { added })]), run.context);
      return (run.lines[0] ?? "").split("\n");
    };
    const short = await told(11);
    assert.deepEqual([short.length, short.filter((line) => line.startsWith("  + ")).length], [14, 11]);
    assert.ok((await told(12)).some((line) => line.startsWith("--verbose names everybody")));
  });

  test("is its end where it is long, and how to see all of it", async () => {
    await using run = await open();
    await publish(busy(20), run.context);
    assert.match(run.lines[0] ?? "", /^print: /);
    assert.doesNotMatch(run.lines[0] ?? "", / {2}\+ P0/);
    assert.match(run.lines[0] ?? "", /^--verbose names everybody, and so does the report\.$/m);
    assert.equal(run.lines.length, 2);
    await using plan = await open();
    await publish({ ...busy(20), command: "plan" }, plan.context, { reportTarget: null });
    assert.match(plan.lines[0] ?? "", /^--verbose names everybody\.$/m);
    assert.equal(plan.lines.length, 1, "a plan leaves no report");
    assert.equal(plan.outputs.report, "");
  });

  test("is all of it for those who ask for details, however long", async () => {
    await using run = await open(runner);
    await publish(busy(20), { ...run.context, isVerbose: true });
    assert.match(run.lines[0] ?? "", /^print: S0 [\s\S]* {2}\+ P19/);
    assert.equal(run.lines.length, 2, "nothing is folded");
  });

  test("is folded on a runner, before its end", async () => {
    await using run = await open(runner);
    await publish(busy(20), run.context);
    const [fold, all, unfold, end] = run.lines;
    assert.equal(fold, "fold: All people of this run");
    assert.match(all ?? "", /^print: S0 [\s\S]* {2}\+ P19/);
    assert.equal(unfold, "unfold: All people of this run");
    assert.match(end ?? "", /^Everybody is in the folded list above, and in the run's summary\.$/m);
    await using short = await open(runner);
    await publish(busy(1), short.context);
    assert.equal(short.lines.length, 2, "what is short is not folded");
  });

  test("goes where errors go when the run has failed", async () => {
    await using run = await open();
    const problem = { line: null, column: null, message: "Webex is away" };
    await publish(runRecord([], { status: "failed", problems: [problem] }), run.context);
    assert.match(run.lines[0] ?? "", /^log: [\s\S]*Webex is away/);
  });

  test("warns of a login that ends soon, and of no other", async () => {
    const withEnd = (refreshTokenExpiresAt: string | null) =>
      runRecord([], { token: { refreshed: true, rotated: true, refreshTokenExpiresAt } });
    await using soon = await open();
    await publish(withEnd("2026-11-25T05:17:10Z"), soon.context);
    assert.match(soon.lines.join("\n"), /^warn: .*2026-11-25/m);
    for (const end of ["2027-02-20T05:17:10Z", null]) {
      await using late = await open();
      await publish(withEnd(end), late.context);
      assert.doesNotMatch(late.lines.join("\n"), /^warn: /m);
    }
  });
});

describe("what a run leaves on disk", () => {
  test("is its record before anything else, as the run may be killed while it stores the report", async () => {
    await using run = await open();
    const seen: unknown[] = [];
    const look = async () => void seen.push(JSON.parse(await readFile(run.at("record.json"), "utf8")));
    const draftOthers = async () => {
      await look();
      return [];
    };
    const record = busy(1);
    await publish(record, run.context, { draftOthers });
    await publish({ ...record, command: "plan" }, run.context, { reportTarget: null, note: look });
    assert.deepEqual(seen, [record, { ...record, command: "plan" }]);
  });

  test("is a page named after the run, or after the minute where nobody counts runs", async () => {
    const namePage = async (env: Readonly<Record<string, string>>) => {
      await using run = await open(env);
      await publish(busy(1), run.context);
      return (await readdir(run.at("reports/runs"))).find((file) => file.endsWith(".md"));
    };
    assert.equal(await namePage({}), "2026-11-22-local-051709.md");
    assert.equal(await namePage({ GITHUB_RUN_ID: "1001" }), "2026-11-22-1001.md");
    assert.equal(await namePage({ GITHUB_RUN_ID: "1001", GITHUB_RUN_ATTEMPT: "1" }), "2026-11-22-1001.md");
    assert.equal(await namePage({ GITHUB_RUN_ID: "1001", GITHUB_RUN_ATTEMPT: "3" }), "2026-11-22-1001-3.md");
  });

  test("is the index alone where the run has no page of its own, and that is what people are led to", async () => {
    await using run = await open();
    await publish(runRecord([room("NOC")]), run.context);
    assert.deepEqual((await readdir(run.at("reports"))).sort(), ["README.md", "history.json"]);
    assert.equal(run.outputs.report, run.at("reports/README.md"));
    const later = { startedAt: "2026-11-22T06:17:09Z", finishedAt: "2026-11-22T06:17:31Z" };
    await publish(runRecord([room("NOC")], later), run.context);
    assert.equal(run.outputs.report, run.at("reports/README.md"), "also where there is nothing new");
  });

  test("names the page of who may schedule for whom only where there is one", async () => {
    for (const [scheduling, isNamed] of [
      [{ hosts: [], grants: [] }, true],
      [null, false],
    ] as const) {
      await using run = await open();
      await publish(runRecord([room("NOC")]), run.context, { scheduling });
      const index = await readFile(run.at("reports/README.md"), "utf8");
      assert.equal(index.includes("delegations/README.md"), isNamed);
      assert.equal((await readdir(run.at("reports"))).includes("delegations"), isNamed);
    }
  });

  test("keeps what was met, what is kept of delegations, and what a space was told, each by itself", async () => {
    const names = [{ column: "room", name: "NOC", id: "id-NOC" }] as const;
    const told = { space: "Alerts", need: "0123456789abcdef" };
    const grant = {
      file: "mappings/delegations.csv",
      host: "ann@acme.example",
      delegate: "eve@acme.example",
    };
    const kept = { listed: [grant], ended: [], returned: [] };
    const store = async (...all: readonly Partial<MembershipPublication>[]): Promise<unknown> => {
      await using run = await open();
      for (const facts of all) await publish(busy(1), run.context, facts);
      const text = await readFile(run.at("reports/state.json"), "utf8").catch(() => "null");
      return JSON.parse(text);
    };
    assert.equal(await store({}), null);
    assert.deepEqual(await store({ names }), { version: 1, names });
    assert.deepEqual(await store({ told }), { version: 1, names: [], told });
    assert.deepEqual(await store({ kept }), { version: 1, names: [], delegations: kept.listed });
    assert.deepEqual(await store({ told }, { names }), { version: 1, names, told });
    assert.deepEqual(await store({ told }, { told: null }), { version: 1, names: [] });
  });

  test("is one overview for all organisations, where there are several and the index is new", async () => {
    const store = async (record: RunRecord, organisation: string | null, hasOverview: boolean) => {
      await using run = await open();
      const overview = hasOverview ? run.at("overview") : null;
      const paths = { ...run.context.paths, organisation, overview };
      await publish(record, { ...run.context, paths });
      return await readdir(run.at("overview")).catch((): string[] => []);
    };
    const both = ["README.md", "organisations.json"];
    assert.deepEqual((await store(busy(1), "acme", true)).sort(), both);
    assert.deepEqual(await store(busy(1), "acme", false), []);
    assert.deepEqual(await store(busy(1), null, true), []);
    assert.deepEqual(await store({ ...busy(1), command: "restore" }, "acme", true), [], "it has no index");
  });
});

describe("what cannot be stored", () => {
  test("makes a sync partial and a plan failed, and the rest is told", async () => {
    await using run = await open({}, { file: "" }, "file/reports");
    const record = await publish(busy(1), run.context);
    assert.equal(record.status, "partial");
    assert.match(record.problems.map(({ message }) => message).join("\n"), /file/);
    assert.deepEqual(JSON.parse(await readFile(run.at("record.json"), "utf8")), record);
    assert.match(run.lines[0] ?? "", / {2}\+ P0/);
    assert.equal(run.outputs.report, "");
    assert.equal(run.lines.length, 1, "no report is named");

    await using plan = await open({}, { "record.json/file": "" });
    const planned = await publish({ ...busy(1), command: "plan" }, plan.context, { reportTarget: null });
    assert.equal(planned.status, "failed");
    assert.equal(planned.problems.length, 1);
    const failed = await publish(runRecord([], { status: "failed" }), plan.context);
    assert.equal(failed.status, "failed");
  });

  test("is told once, and a note that nobody could be given is as much of a fault", async () => {
    await using run = await open();
    const why = { line: null, column: null, message: "the comment was refused" };
    const note = () => Promise.reject(new Error(why.message));
    const plan = runRecord([], { command: "plan" });
    const told = await publish(plan, run.context, { reportTarget: null, note });
    assert.deepEqual([told.status, told.problems], ["failed", [why]]);
    const heard: RunRecord[] = [];
    await publish(plan, run.context, { reportTarget: null, note: async (record) => void heard.push(record) });
    assert.deepEqual(heard, [plan]);
    const known = await publish({ ...plan, problems: [why] }, run.context, { reportTarget: null, note });
    assert.deepEqual([known.status, known.problems], ["converged", [why]]);
  });
});

const ann = { host: "ann@acme.example", before: [], after: ["eve@acme.example"] };
const granted: DelegationRecord = {
  version: 1,
  command: "delegate",
  mode: "add",
  backend: "rest",
  status: "changed",
  hosts: [{ ...ann, added: ["eve@acme.example"], removed: [] }],
  token: null,
  actor: "octo-admin",
  startedAt: "2026-11-22T05:17:09Z",
  finishedAt: "2026-11-22T05:17:31Z",
  problems: [],
  notices: [],
};

const delegation: DelegationPublication = {
  record: granted,
  isDryRun: false,
  siteUrl: "acme.webex.com",
  tokenWarningDays: 14,
  reportTarget: disk,
  hasNewRows: false,
  takeOut: [],
};

const row = { host: "bob@acme.example", delegate: "hal@acme.example", until: "2026-11-01" };
const file = `host,delegate,until\n${row.host},${row.delegate},${row.until}\ncat@acme.example,gus@acme.example,\n`;

describe("what became of delegates", () => {
  test("is in a page and a record, and a row that was ended is taken out of the file", async () => {
    await using run = await open({}, { "mappings/delegations.csv": file });
    const told = await publishDelegation({ ...delegation, takeOut: [row] }, run.context);
    assert.deepEqual(told, granted);
    assert.deepEqual(run.annotations, [], "a delegate has no line in the mappings");
    const files = (await readdir(run.at("reports/delegations"))).sort();
    assert.deepEqual(
      files.map((name) => name.split(".").at(-1)),
      ["json", "md"],
    );
    assert.equal(
      await readFile(run.at("mappings/delegations.csv"), "utf8"),
      "host,delegate,until\ncat@acme.example,gus@acme.example,\n",
    );
    assert.deepEqual([run.outputs.added, run.outputs.held, run.outputs.digest], [1, 0, ""]);
    assert.match(run.lines.join("\n"), /^log: Report: .*\.md$/m);
  });

  test("is told once: asked again, nothing is taken out of the file a second time", async () => {
    await using run = await open({}, { "mappings/delegations.csv": file });
    await publishDelegation({ ...delegation, takeOut: [row] }, run.context);
    await writeFile(run.at("mappings/delegations.csv"), file);
    await publishDelegation({ ...delegation, takeOut: [row] }, run.context);
    assert.equal(await readFile(run.at("mappings/delegations.csv"), "utf8"), file);
    const page = (await readdir(run.at("reports/delegations"))).find((name) => name.endsWith(".md"));
    assert.equal(run.outputs.report, run.at(`reports/delegations/${page}`));
  });

  test("says whose it is where there are several organisations", async () => {
    await using run = await open();
    const paths = { ...run.context.paths, organisation: "acme" };
    const told = await publishDelegation(delegation, { ...run.context, paths });
    assert.deepEqual(told, { ...granted, organisation: "acme" });
  });

  test("leaves no page when there was nothing to change, unless rows have come or gone", async () => {
    const quiet = { ...delegation, record: { ...granted, status: "converged", hosts: [] } as const };
    for (const [facts, isTold] of [
      [{}, false],
      [{ hasNewRows: true }, true],
      [{ takeOut: [row] }, true],
      [{ takeOut: [row], reportTarget: null }, false],
    ] as const) {
      await using run = await open({}, { "mappings/delegations.csv": file });
      await publishDelegation({ ...quiet, ...facts }, run.context);
      assert.equal((await readdir(run.path)).includes("reports"), isTold);
    }
  });

  test("and cannot be stored makes the run worse, and names the rows that would grant it again", async () => {
    await using run = await open({}, { file: "" }, "file/reports");
    const store = (facts: Partial<DelegationPublication>) =>
      publishDelegation({ ...delegation, ...facts }, run.context);
    const partial = await store({});
    assert.deepEqual([partial.status, partial.problems.length], ["partial", 1]);
    assert.match(partial.problems[0] ?? "", / cannot be read: E[A-Z]+: .*\.json'$/, "it names no rows");
    const left = await store({ record: { ...granted, problems: ["Webex was slow"] }, takeOut: [row] });
    assert.equal(left.problems.length, 2);
    assert.match(
      left.problems[1] ?? "",
      /\. As long as these rows are in delegations\.csv, sync grants them again, .*: bob@acme\.example,hal@acme\.example,2026-11-01$/,
    );
    assert.equal((await store({ isDryRun: true })).status, "failed");
    assert.equal((await store({ record: { ...granted, mode: "show" } })).status, "failed");
    assert.equal((await store({ record: { ...granted, status: "failed" } })).status, "failed");
    const { status, problems } = await store({ record: { ...granted, problems: partial.problems } });
    assert.deepEqual([status, problems], ["changed", partial.problems], "it is told already");
  });
});

describe("rows for delegations.csv", () => {
  const added = { host: "ann@acme.example", delegate: "eve@acme.example", until: null, note: "" };
  const pairs = (rows: Awaited<ReturnType<typeof storeRows>>) =>
    rows.map(({ host, delegate }) => `${host.split("@")[0]}/${delegate.split("@")[0]}`);

  test("are added to the file, and all rows of it returned", async () => {
    await using run = await open({}, { "mappings/delegations.csv": file });
    assert.deepEqual(pairs(await storeRows([added], disk, run.context)), ["bob/hal", "cat/gus", "ann/eve"]);
    const text = await readFile(run.at("mappings/delegations.csv"), "utf8");
    assert.ok(text.startsWith(file) && text.includes("ann@acme.example,eve@acme.example"));
  });

  test("that are there already leave the file as it is", async () => {
    await using run = await open({}, { "mappings/delegations.csv": file });
    const there = { host: "cat@acme.example", delegate: "gus@acme.example", until: null, note: "" };
    assert.deepEqual(pairs(await storeRows([there], disk, run.context)), ["bob/hal", "cat/gus"]);
    assert.equal(await readFile(run.at("mappings/delegations.csv"), "utf8"), file);
  });
});
