import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Paths } from "../../src/config/paths.ts";
import type { DelegationRecord } from "../../src/delegation/record.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { type OwedReport, parseOwed } from "../../src/report/owed.ts";
import {
  type MembershipPublication,
  publishDelegation,
  publishMembership,
  storeRows,
} from "../../src/run/publish.ts";
import { person, room, runRecord } from "../report/build-record.ts";
import { answerOwed, answerRequests, createGithub, withSecret } from "../support/answered-requests.ts";
import { openContext, openFolder } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const branch = reportBranch({ serverUrl: "https://github.com" });
const blob = "https://github.com/acme/spaces/blob/main";

interface Case {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly paths?: Partial<Paths>;
  /** What earlier runs owe. */
  readonly owed?: readonly OwedReport[];
  /** Hears of each commit, with the file that keeps this run's own report; false loses the answer to it. */
  /** Why GitHub takes no commit. */
  readonly refusal?: string;
  readonly onCommit?: (owedFile: string, stop: AbortController) => boolean;
}

/** A run whose reports go to the branch main of acme/spaces; on this machine it has a folder for its record. */
async function open({
  files = {},
  env = {},
  paths = {},
  owed = [],
  refusal,
  onCommit = () => true,
}: Case = {}) {
  const folder = await openFolder();
  const owedFile = join(folder.path, "record.owed.json");
  const stop = new AbortController();
  const github = createGithub(files, () => onCommit(owedFile, stop));
  const answerArtifacts = answerOwed(owed);
  const network = answerRequests((asked) => {
    if (refusal !== undefined && asked.path === "/graphql")
      return { body: { data: null, errors: [{ type: "UNPROCESSABLE", message: refusal }] } };
    return owed.length > 0 && /\/artifacts[?/]|^\/owed/.test(asked.path)
      ? answerArtifacts(asked)
      : asked.path.includes("/artifacts?")
        ? { body: { artifacts: [] } }
        : github.answer(asked);
  });
  const options = { reports: join(folder.path, "reports"), json: join(folder.path, "record.json") };
  const { context, lines } = await openContext(
    { ...withSecret, GITHUB_ACTIONS: "", ...env },
    options,
    stop.signal,
  );
  const outputs: Record<string, string | number> = {};
  const runner = { ...context.runner, setOutputs: (values: object) => Object.assign(outputs, values) };
  return {
    ...{ lines, outputs, owedFile, asked: network.asked, path: folder.path },
    ...{ files: github.files, headlines: github.headlines },
    context: { ...context, runner, paths: { ...context.paths, ...paths } },
    async [Symbol.asyncDispose]() {
      network[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const publication: Omit<MembershipPublication, "record"> = {
  names: null,
  kept: null,
  annotations: [],
  policy: { heartbeatDays: 1, tokenWarningDays: 14, notify: null },
  reportTarget: branch,
  told: undefined,
  rows: [],
  scheduling: null,
  draftOthers: null,
  note: null,
};

type Opened = Awaited<ReturnType<typeof open>>;

const publish = (record: RunRecord, { context }: Opened, facts: Partial<MembershipPublication> = {}) =>
  publishMembership({ record, ...publication, ...facts }, context);

const changed = runRecord([room("NOC", { added: [person("Ann")] })]);
const quiet = runRecord([room("NOC")]);
const status = "<!-- rollcall:status -->\nunknown\n<!-- /rollcall:status -->\n";

describe("a report on a branch", () => {
  test("is one commit, and people are led to the page of the run", async () => {
    await using run = await open();
    await publish(changed, run);
    assert.deepEqual(run.headlines, ["Rollcall: 1 added"]);
    assert.ok(run.files["reports/README.md"]);
    assert.ok(run.files["reports/runs/2026-11-22-1001.md"]);
    assert.equal(run.outputs.report, `${blob}/reports/runs/2026-11-22-1001.md`);
    assert.doesNotMatch(run.lines.join("\n"), /Report: /, "the summary leads there");
    assert.deepEqual(await readdir(run.path), ["record.json"], "nothing else is on this machine");
  });

  test("says whose it is where there are several organisations", async () => {
    await using run = await open();
    await publish({ ...changed, organisation: "acme" }, run);
    await publish({ ...quiet, organisation: "acme", startedAt: "2026-11-24T05:17:09Z" }, run);
    assert.deepEqual(run.headlines, ["Rollcall: 1 added (acme)", "Rollcall: converged (acme)"]);
  });

  test("with nothing new is no commit, and people are led to the index", async () => {
    await using run = await open();
    await publish(quiet, run);
    await publish({ ...quiet, startedAt: "2026-11-22T06:17:09Z", finishedAt: "2026-11-22T06:17:31Z" }, run);
    assert.deepEqual(run.headlines, ["Rollcall: converged"]);
    assert.equal(run.outputs.report, `${blob}/reports/README.md`);
  });

  test("brings the state in the repository's own README up to date, if it has a place for it", async () => {
    await using run = await open({ files: { "README.md": status } });
    await publish(changed, run);
    assert.match(run.files["README.md"] ?? "", /^<!-- rollcall:status -->\n.*reports\/README\.md/s);
    assert.doesNotMatch(run.files["README.md"] ?? "", /unknown/);
    await using without = await open({ files: { "README.md": "Ours\n" } });
    await publish(changed, without);
    assert.equal(without.files["README.md"], "Ours\n");
    await using restore = await open({ files: { "README.md": status } });
    await publish({ ...changed, command: "restore" }, restore);
    assert.deepEqual([restore.headlines.length, restore.files["README.md"]], [1, status], "it saw only some");
  });

  test("whose commit was not confirmed is not committed twice", async () => {
    let commits = 0;
    await using run = await open({
      onCommit(_, stop) {
        commits += 1;
        // What is to end waits less long before it looks again.
        setTimeout(() => stop.abort(), 20);
        return commits > 1;
      },
    });
    const record = await publish(changed, run);
    assert.deepEqual([record.status, run.headlines.length], ["changed", 1]);
    assert.equal(run.outputs.report, `${blob}/reports/runs/2026-11-22-1001.md`);
  });

  test("of a run that began in the same second as another one is committed nevertheless", async () => {
    await using run = await open();
    await publish(changed, run);
    await publish(changed, run);
    assert.equal(run.headlines.length, 2);
  });
});

describe("a report that is not committed yet", () => {
  const told = { space: "Alerts", need: "0123456789abcdef" };
  const before = { startedAt: "2026-11-20T05:17:09Z", finishedAt: "2026-11-20T05:17:31Z" };
  const late: OwedReport = {
    kind: "membership",
    runId: "1000",
    runUrl: null,
    record: { ...changed, ...before },
  };

  test("is kept beside the record while it is committed, with what a space was told", async () => {
    const keep = async (record: RunRecord, facts: Partial<MembershipPublication>) => {
      let kept: readonly OwedReport[] | null = null;
      await using run = await open({
        onCommit(file) {
          kept = existsSync(file) ? parseOwed(readFileSync(file, "utf8")) : [];
          return true;
        },
      });
      await publish(record, run, facts);
      assert.ok(!existsSync(run.owedFile), "it is committed");
      return kept;
    };
    const runUrl = "https://github.com/acme/spaces/actions/runs/1001";
    const own = { kind: "membership", runId: "1001", runUrl };
    assert.deepEqual(await keep(changed, {}), [{ ...own, record: changed }]);
    assert.deepEqual(await keep(changed, { told }), [{ ...own, record: changed, told }]);
    assert.deepEqual(await keep(quiet, { told: null }), [{ ...own, record: quiet, told: null }]);
    assert.deepEqual(await keep(quiet, {}), [], "it is worth no artifact");
  });

  test("because GitHub takes none is kept for the next run, and the record says so", async () => {
    await using run = await open({ refusal: "the branch is full" });
    const { status, problems } = await publish(changed, run);
    assert.deepEqual([status, problems.length, run.outputs.report], ["partial", 1, ""]);
    const message = problems[0]?.message ?? "";
    assert.match(message, /^the report was not committed to main: the branch is full\. /);
    assert.match(
      message,
      /\. The report is kept in this run's summary and its artifact, and the next sync commits it$/,
    );
    const [kept] = parseOwed(readFileSync(run.owedFile, "utf8")) ?? [];
    assert.deepEqual(kept?.record.problems, problems, "the late report tells it too");
    await using small = await open({ refusal: "the branch is full" });
    const converged = await publish(quiet, small);
    assert.doesNotMatch(converged.problems[0]?.message ?? "", /artifact/, "nothing is worth one");
  });

  test("of an earlier run is committed with the next one, which says so and knows what that told", async () => {
    await using run = await open({ owed: [{ ...late, told }] });
    const record = await publish(quiet, run);
    assert.deepEqual(record.notices, [
      "The report of run 1000 (2026-11-20) could not be committed then, and is committed with this one.",
    ]);
    assert.ok(run.files["reports/runs/2026-11-20-1000.json"]);
    assert.deepEqual(JSON.parse(run.files["reports/state.json"] ?? ""), { version: 1, names: [], told });
    assert.ok(run.asked.some(({ method, path }) => method === "DELETE" && path.includes("/artifacts/")));
  });

  test("tells less of what a space knows than this run does", async () => {
    await using run = await open({ owed: [{ ...late, told }] });
    await publish(quiet, run, { told: null });
    assert.deepEqual(JSON.parse(run.files["reports/state.json"] ?? ""), { version: 1, names: [] });
  });

  test("is not committed again where it is on the branch after all", async () => {
    await using run = await open({
      owed: [late],
      files: { "reports/runs/2026-11-20-1000.json": "{}" },
    });
    const record = await publish(changed, run);
    assert.deepEqual([record.notices, run.files["reports/runs/2026-11-20-1000.json"]], [[], "{}"]);
  });
});

describe("the overview of all organisations", () => {
  const paths = {
    organisation: "acme",
    overview: "reports",
    repository: { reports: "reports/acme", delegations: "mappings/acme/delegations.csv" },
  };
  const files = { "mappings/acme/rooms.csv": "", "mappings/beta/rooms.csv": "" };
  const record = { ...changed, organisation: "acme" };

  test("names each that has a folder, and is committed with a report", async () => {
    await using run = await open({ paths, files });
    await publish(record, run);
    const { organisations } = JSON.parse(run.files["reports/organisations.json"] ?? "");
    assert.equal(organisations.acme.status, "changed");
    assert.match(run.files["reports/README.md"] ?? "", /acme[\s\S]*beta/);
    assert.ok(run.files["reports/acme/README.md"]);
  });

  test("stays as it is after what has no index, and where reports lie elsewhere", async () => {
    await using restore = await open({ paths, files });
    await publish({ ...record, command: "restore" }, restore);
    await using elsewhere = await open({ paths: { ...paths, overview: null }, files });
    await publish(record, elsewhere);
    for (const run of [restore, elsewhere]) {
      assert.equal(run.headlines.length, 1);
      const written = Object.keys(run.files).filter((path) => !path.startsWith("reports/acme/"));
      assert.deepEqual(written, ["LICENSE", ...Object.keys(files)]);
    }
  });
});

describe("delegates, and their rows, on a branch", () => {
  const host = (name: string) => {
    const change = { before: [], after: ["eve@acme.example"], added: ["eve@acme.example"], removed: [] };
    return { host: `${name}@acme.example`, ...change };
  };
  const record: DelegationRecord = {
    ...{ version: 1, command: "delegate", mode: "add", backend: "rest", status: "changed" },
    hosts: [host("ann")],
    ...{ token: null, actor: "octo-admin", problems: [], notices: [] },
    ...{ startedAt: "2026-11-22T05:17:09Z", finishedAt: "2026-11-22T05:17:31Z" },
  };
  const publishDelegates = (of: DelegationRecord, { context }: Opened) => {
    const facts = { isDryRun: false, siteUrl: "acme.webex.com", tokenWarningDays: 14 };
    const publication = { ...facts, record: of, reportTarget: branch, hasNewRows: false, takeOut: [] };
    return publishDelegation(publication, context);
  };

  test("are told by a commit that says for how many", async () => {
    let kept: readonly OwedReport[] | null = null;
    await using run = await open({
      onCommit(file) {
        kept = parseOwed(readFileSync(file, "utf8"));
        return true;
      },
    });
    await publishDelegates(record, run);
    assert.deepEqual(run.headlines, ["Rollcall: delegate, add for 1 host"]);
    assert.equal(run.outputs.report, `${blob}/reports/delegations/2026-11-22-1001.md`);
    const runUrl = "https://github.com/acme/spaces/actions/runs/1001";
    const own = {
      kind: "delegation",
      runId: "1001",
      runUrl,
      siteUrl: "acme.webex.com",
      tokenWarningDays: 14,
    };
    assert.deepEqual(kept, [{ ...own, record }]);
    await using more = await open();
    await publishDelegates({ ...record, hosts: [host("ann"), host("bob")] }, more);
    assert.deepEqual(more.headlines, ["Rollcall: delegate, add for 2 hosts"]);
  });

  test("are added by a commit that says how many, and none where they are there already", async () => {
    const rowOf = (name: string) => ({
      ...{ host: `${name}@acme.example`, delegate: "eve@acme.example" },
      ...{ until: null, note: "" },
    });
    await using run = await open();
    const store = async (...names: readonly string[]) =>
      (await storeRows(names.map(rowOf), branch, run.context)).map((row) => row.host.split("@")[0]);
    assert.deepEqual(await store("ann"), ["ann"]);
    assert.deepEqual(await store("bob", "cat"), ["ann", "bob", "cat"]);
    assert.deepEqual(await store("bob"), ["ann", "bob", "cat"]);
    assert.deepEqual(run.headlines, [
      "Rollcall: 1 row in delegations.csv",
      "Rollcall: 2 rows in delegations.csv",
    ]);
    assert.ok(run.files["mappings/delegations.csv"]);
  });
});
