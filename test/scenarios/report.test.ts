import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

function startSmallStory(options: SandboxOptions = {}) {
  return startStory(
    organisation({ groups: { eng: ["ann", "new"] }, rooms: { NOC: ["ann", "old"] } }),
    ["eng,NOC"],
    options,
  );
}

const changes = ["add new to NOC: 200", "remove old from NOC: 204"];

describe("the report of a run", { concurrency: 2 }, () => {
  test("is one commit with the page, the run's page and record and the memory; a quiet run makes none", async () => {
    await using story = await startSmallStory({
      github: { files: { "mappings/rooms.csv": "group,room\n" } },
    });
    const { github } = story.sandbox;
    const first = await story.run(["sync"]);
    const runId = first.requests.length > 0 ? "1001" : "";
    const page = `reports/runs/${first.record.startedAt.slice(0, 10)}-${runId}`;
    const [commit] = github.commits;
    assert.deepEqual([first.code, first.commits, commit?.branch], [0, 1, "main"]);
    assert.equal(commit?.message, "Rollcall: 1 added, 1 removed");
    assert.deepEqual([...(commit?.paths ?? [])].sort(), [
      "reports/README.md",
      "reports/history.json",
      `${page}.json`,
      `${page}.md`,
      "reports/state.json",
    ]);
    assert.deepEqual(JSON.parse(github.files().get(`${page}.json`) ?? ""), first.record);
    const readme = github.files().get("reports/README.md") ?? "";
    for (const said of ["NOC", "+1 −1", `runs/${page.split("/").at(-1)}.md`]) {
      assert.ok(readme.includes(said), `${said} in ${readme}`);
    }
    assert.equal(first.outputs.report, `${story.sandbox.url}/acme/spaces/blob/main/${page}.md`);
    assert.ok(first.summary.includes(first.outputs.report ?? "-"));
    await assert.rejects(access(join(story.folder.path, "reports")), { code: "ENOENT" });

    const second = await story.run(["sync"]);
    assert.deepEqual([second.code, second.record.status, second.commits], [0, "converged", 0]);
    assert.equal(second.outputs.report, `${story.sandbox.url}/acme/spaces/blob/main/reports/README.md`);
  });

  test("tells the state in the repository's own README, where it has the markers, and leaves the rest of it", async () => {
    const readme = "# Our spaces\n\n<!-- rollcall:status -->\nold\n<!-- /rollcall:status -->\n\nMore.\n";
    await using story = await startSmallStory({ github: { files: { "README.md": readme } } });
    await story.run(["sync"]);
    const { github } = story.sandbox;
    const [before, line, after] =
      github
        .files()
        .get("README.md")
        ?.split(/<!-- \/?rollcall:status -->\n/) ?? [];
    assert.deepEqual([before, after], ["# Our spaces\n\n", "\nMore.\n"]);
    assert.match(
      line ?? "",
      /^✅ \*\*The one space is in sync\*\* · 🟢 \*\*1\*\* in sync · checked .* UTC · \[report\]\(reports\/README\.md\)\n$/,
    );
    assert.equal(github.commits.length, 1);
    await story.run(["sync"]);
    assert.equal(github.commits.length, 1, "a quiet run leaves it as it is");
  });

  test("a quiet run makes a commit once the heartbeat is due", async () => {
    await using story = await startSmallStory();
    await story.folder.write("mappings/policy.json", '{ "report": { "heartbeatDays": 0 } }');
    await story.run(["sync"]);
    const quiet = await story.run(["sync"]);
    assert.deepEqual([quiet.code, quiet.record.status, quiet.writes, quiet.commits], [0, "converged", [], 1]);
    assert.deepEqual([...(story.sandbox.github.commits.at(-1)?.paths ?? [])].sort(), [
      "reports/README.md",
      "reports/history.json",
    ]);
  });

  test("somebody else's commit in between is kept, and the report comes after it", async () => {
    await using story = await startSmallStory();
    const { github } = story.sandbox;
    let others = 0;
    const match = () => {
      others += 1;
      if (others <= 2) github.writeFile("notes.md", `note ${others}`);
      return false;
    };
    story.sandbox.fault({ route: "POST /graphql", match });
    const ending = await story.run(["sync"]);
    assert.deepEqual([ending.code, ending.record.status], [0, "changed"]);
    assert.deepEqual(
      github.commits.map(({ message }) => message),
      ["Write notes.md", "Write notes.md", "Rollcall: 1 added, 1 removed"],
    );
    assert.equal(github.files().get("notes.md"), "note 2");
    assert.ok(github.files().has("reports/README.md"));
  });

  for (const protection of ["branch protection", "ruleset"] as const) {
    test(`a branch that refuses it (${protection}) undoes nothing: the summary has it, exit 3`, async () => {
      await using story = await startSmallStory({ github: { protection } });
      const ending = await story.run(["sync"]);
      assert.deepEqual([ending.code, ending.record.status, ending.writes], [3, "partial", changes]);
      assert.deepEqual([ending.commits, ending.outputs.status, ending.outputs.report], [0, "partial", ""]);
      assert.equal(ending.record.problems.length, 1);
      const message = ending.record.problems[0]?.message ?? "";
      assert.match(
        message,
        /^the report was not committed to main: .*Changes must be made through a pull request/s,
      );
      assert.match(message, /[Ss]et REPORT_BRANCH to a branch without protection/);
      assert.ok(ending.stdout.includes("REPORT_BRANCH"));
      for (const said of ["@@ NOC ← eng", "+ New", "- Old", "To be fixed"]) {
        assert.ok(ending.summary.includes(said), `${said} in ${ending.summary}`);
      }
    });
  }

  test("sample fault 12: with GitHub's branch out of reach the changes are told all the same", async () => {
    await using story = await startSmallStory();
    let end: () => void = () => assert.fail("not started");
    let looks = 0;
    const match = () => {
      looks += 1;
      // There before the first change, gone after the last; ended by a person who does not wait for a minute.
      if (looks === 2) end();
      return looks > 1;
    };
    story.sandbox.fault({ route: "GET /repos/{owner}/{repo}/git/ref/{ref}", match, status: 404, times: 99 });
    const ending = await story.run(["sync"], {
      onStart: (kill) => {
        end = () => kill("SIGTERM");
      },
    });
    assert.ok(looks > 2, "it was not tried again");
    assert.match(ending.record.problems[0]?.message ?? "", /there is no branch main/);
    assert.deepEqual([ending.code, ending.record.status, ending.writes], [3, "partial", changes]);
    assert.ok(ending.summary.includes("+ New"));
    // Every request went to Webex or GitHub: the sandbox stands for both, and nothing else was configured.
    assert.ok(ending.requests.every(({ route }) => route !== ""));
  });

  test("is made of a run that failed too, once for each failure", async () => {
    await using story = await startSmallStory();
    story.sandbox.fault({ route: "GET /people/me", status: 403, times: 2 });
    const first = await story.run(["sync"]);
    assert.deepEqual([first.code, first.record.status, first.commits], [1, "failed", 1]);
    const readme = story.sandbox.github.files().get("reports/README.md") ?? "";
    assert.match(readme, /^## ❌ The run stopped and changed nothing\.$/m);
    assert.match(readme, /403: Forbidden/);
    const second = await story.run(["sync"]);
    assert.deepEqual([second.code, second.commits], [1, 0]);
    const mended = await story.run(["sync"]);
    assert.deepEqual([mended.code, mended.commits, mended.writes], [0, 1, changes]);
  });

  test("is asked for in a place that cannot be written: the run refuses to start, and asks Webex nothing", async () => {
    await using story = await startSmallStory();
    const { sandbox, folder } = story;
    await folder.write(".outputs", "");
    await folder.write(".summary.md", "");
    const env = sandbox.githubEnvironment({ GITHUB_OUTPUT: ".outputs", GITHUB_STEP_SUMMARY: ".summary.md" });
    const { code, stderr } = await folder.run(["sync", "--json", "mappings/rooms.csv/record.json"], env);
    assert.deepEqual([code, sandbox.github.commits.length], [1, 0]);
    assert.match(stderr, /mappings\/rooms\.csv/);
    assert.deepEqual(
      sandbox.requests.filter(({ half }) => half === "webex"),
      [],
    );
    assert.match(await folder.read(".summary.md"), /mappings\/rooms\.csv/);
    assert.match(await folder.read(".outputs"), /^status<<.*\nfailed\n/m);
  });

  test("goes to REPORT_BRANCH where that is set", async () => {
    await using story = await startSmallStory({ github: { branches: ["main", "membership-reports"] } });
    const ending = await story.run(["sync"], { env: { REPORT_BRANCH: "membership-reports" } });
    assert.deepEqual([ending.code, ending.commits], [0, 1]);
    assert.equal(story.sandbox.github.commits[0]?.branch, "membership-reports");
    assert.ok(!story.sandbox.github.files("main").has("reports/README.md"));
  });

  test("without GitHub is written below --reports, and a quiet run leaves it as it is", async () => {
    await using story = await startSmallStory();
    const args = ["sync", "--reports", "out/pages"];
    const first = await story.run(args, { local: true });
    const readme = await story.folder.read("out/pages/README.md");
    assert.ok(readme.includes("NOC"));
    const page = /^Report: (out\/pages\/runs\/.*)\.md$/m.exec(first.stderr)?.[1] ?? assert.fail(first.stderr);
    assert.deepEqual(JSON.parse(await story.folder.read(`${page}.json`)), first.record);
    assert.equal(await story.folder.read("record.json"), await story.folder.read(`${page}.json`));

    const second = await story.run(args, { local: true });
    assert.deepEqual([second.code, second.record.status], [0, "converged"]);
    assert.equal(await story.folder.read("out/pages/README.md"), readme);
  });
});
