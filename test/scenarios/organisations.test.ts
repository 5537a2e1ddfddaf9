import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { type Organisations, startOrganisations } from "../support/organisations.ts";
import { createFolder } from "../support/run-rollcall.ts";

const acme = {
  webex: organisation({ groups: { noc: ["ann"] }, rooms: { NOC: ["bob", "cat", "dan", "eve"] } }),
  rows: ["noc,NOC"],
  policy: '{ "limits": { "removalsPerRoom": { "count": 0, "share": 0 } } }',
};

const globex = {
  webex: organisation({ groups: { eng: ["fay"] }, rooms: { Eng: ["gil"] } }),
  rows: ["eng,Eng"],
};

const start = () => startOrganisations({ acme, globex });

function listCommitted({ github }: Organisations): readonly (readonly string[])[] {
  return github.commits.map(({ message, paths }) => [message, ...[...paths].sort()]);
}

function rowsOf(overview: string): string[] {
  return overview.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
}

describe("two organisations in one repository", { concurrency: 2 }, () => {
  test("each has its own files, policy, environment, reports and tracking issue, and one page lists both", async () => {
    await using both = await start();
    const { github } = both;
    const stored = github.secret("WEBEX_REFRESH_TOKEN", "webex-globex");

    const first = await both.run("acme", ["sync"], { WEBEX_ENVIRONMENT: "" });
    assert.deepEqual([first.code, first.record?.status, first.record?.organisation], [2, "held", "acme"]);
    const [issue] = github.issues.all;
    assert.match(issue?.title ?? "", /^Rollcall \(acme\): 4 removals wait/);
    assert.ok(issue?.body.startsWith("<!-- rollcall:attention acme -->\n"));
    const digest = first.record?.digest ?? "";
    assert.ok(issue?.body.includes(`gh workflow run sync.yml -f organisation=acme -f approve=${digest}`));
    assert.ok(issue?.body.includes(`npm run sync -- --organisation acme --approve ${digest}`));
    assert.match(first.summary, /^# Rollcall sync \(acme\)$/m);
    assert.ok(
      both.text("reports/acme/README.md").startsWith("## ✋ Needs you: 4 removals to approve (acme)\n"),
    );
    assert.deepEqual(
      rowsOf(both.text("reports/README.md")).map((row) => row.split(" | ").slice(0, 4).join(" | ")),
      [
        "| Organisation | State | Spaces | Members",
        "| [acme](acme/README.md) | ✋ 4 held | 1 | 6",
        "| globex | no run yet | — | —",
      ],
    );
    // The token went where the organisation's environment is, and nowhere else.
    assert.notEqual(github.secret("WEBEX_REFRESH_TOKEN", "webex-acme"), undefined);
    assert.equal(github.secret("WEBEX_REFRESH_TOKEN", "webex-globex"), stored);
    assert.deepEqual(
      [...github.files().keys()]
        .filter((path) => path.startsWith("reports/"))
        .map((path) => path.replace(/\d{4}-.*\./, "RUN.")),
      [
        "reports/acme/history.json",
        "reports/acme/README.md",
        "reports/acme/runs/RUN.md",
        "reports/acme/runs/RUN.json",
        "reports/acme/state.json",
        "reports/README.md",
        "reports/organisations.json",
      ],
    );

    // Its own defaults: the strict policy is the other's.
    const second = await both.run("globex", ["sync"]);
    assert.deepEqual([second.code, second.record?.status], [0, "changed"]);
    assert.deepEqual(both.webex("globex").members("Eng"), ["fay", "rollcall"]);
    assert.deepEqual(
      rowsOf(both.text("reports/README.md")).map((row) => row.split(" | ").slice(0, 4).join(" | ")),
      [
        "| Organisation | State | Spaces | Members",
        "| [acme](acme/README.md) | ✋ 4 held | 1 | 6",
        "| [globex](globex/README.md) | ✅ as declared | 1 | 2",
      ],
    );
    assert.deepEqual(
      github.issues.all.map(({ title, state }) => [title.slice(0, 16), state]),
      [["Rollcall (acme):", "open"]],
    );

    const approved = await both.run("acme", ["sync", "--approve", digest]);
    assert.equal(approved.code, 0);
    assert.deepEqual(both.webex("acme").members("NOC"), ["ann", "rollcall"]);
    assert.equal(github.issues.all[0]?.state, "closed");
  });

  test("a change of the overview alone makes no commit; the next report of anybody lists the new folder", async () => {
    await using both = await start();
    await both.run("globex", ["sync"]);
    const commits = both.github.commits.length;
    both.github.writeFile("mappings/hooli/rooms.csv", "group,room\n");
    const quiet = await both.run("globex", ["sync"]);
    assert.deepEqual([quiet.code, both.github.commits.length], [0, commits + 1]);
    both.webex("globex").addToRoom("Eng", "gil");
    await both.run("globex", ["sync"]);
    assert.match(both.text("reports/README.md"), /^\| hooli \| no run yet \|/m);
    both.github.writeFile("mappings/hooli/rooms.csv", null);
    both.webex("globex").addToRoom("Eng", "gil");
    await both.run("globex", ["sync"]);
    assert.doesNotMatch(both.text("reports/README.md"), /hooli/);
    assert.deepEqual(
      listCommitted(both).map(([message]) => message),
      [
        "Rollcall: 1 added, 1 removed (globex)",
        "Write mappings/hooli/rooms.csv",
        "Rollcall: 1 removed (globex)",
        "Delete mappings/hooli/rooms.csv",
        "Rollcall: 1 removed (globex)",
      ],
    );
  });

  test("a damaged list of reports is written again; what is lost is not taken for never run", async () => {
    await using both = await start();
    await both.run("acme", ["sync"]);
    both.github.writeFile("reports/organisations.json", "{}");
    await both.run("globex", ["sync"]);
    const [, , lost] = rowsOf(both.text("reports/README.md"));
    assert.match(both.text("reports/README.md"), /^\| acme \| not known until its next report \|/m, lost);
    both.webex("acme").removeFromRoom("NOC", "eve");
    await both.run("acme", ["sync"]);
    assert.match(both.text("reports/README.md"), /^\| \[acme\]\(acme\/README\.md\) \| ✋/m);
  });

  test("a plan of a pull request has a comment for each organisation, also for one that the pull request makes", async () => {
    await using both = await start();
    const { github } = both;
    const number = github.pulls.open({
      files: {
        "mappings/acme/rooms.csv": "group,room\n",
        "mappings/globex/rooms.csv": "group,room\neng,Eng\neng,Nowhere\n",
        "mappings/hooli/rooms.csv": "group,room\neng,Eng\n",
      },
    });
    const args = ["plan", "--pull-request", String(number)];
    for (const name of ["acme", "globex", "acme"]) assert.equal((await both.run(name, args)).code, 0);
    const hooli = await both.run("globex", args, {
      ROLLCALL_ORGANISATION: "hooli",
      WEBEX_ENVIRONMENT: "webex-globex",
    });
    assert.equal(hooli.code, 0, hooli.stderr);
    const { comments } = github.issues.find(number);
    assert.deepEqual(
      comments.map(({ body }) => body.split("\n", 1)[0]),
      ["acme", "globex", "hooli"].map((name) => `<!-- rollcall:plan ${name} -->`),
    );
    assert.match(comments[0]?.body ?? "", /^### .* \(acme\)$/m);
    assert.match(comments[1]?.body ?? "", /Nowhere/);
    assert.match(comments[2]?.body ?? "", /^! newly managed: mode sync/m);
    assert.doesNotMatch(comments[2]?.body ?? "", /have errors themselves/);
  });

  test("restore works in the organisation whose record it is, and refuses another's", async () => {
    await using both = await start();
    await both.run("globex", ["sync"]);
    const record = [...both.github.files().keys()].find((path) => /globex\/runs\/.*\.json$/.test(path)) ?? "";
    await both.folder.write(record, both.text(record));
    const wrong = await both.run("acme", ["restore", "--record", record]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /is the record of a run for globex, and this run is for acme/);
    const right = await both.run("globex", ["restore", "--record", record]);
    assert.equal(right.code, 0, right.stderr);
    assert.deepEqual(both.webex("globex").members("Eng"), ["gil", "rollcall"]);
    assert.ok(
      [...both.github.files().keys()].filter((path) => path.startsWith("reports/globex/runs/")).length >= 4,
    );
  });

  test("a report that is owed is found by its own organisation alone", async () => {
    await using both = await start();
    const { github } = both;
    const errors = [{ type: "UNPROCESSABLE", message: "A rule of the day refuses this" }];
    both.webex("acme").fault({ route: "POST /graphql", status: 200, body: { data: null, errors } });
    const refused = await both.run("globex", ["sync"]);
    assert.equal(refused.code, 3);
    const text = await both.folder.read("record-globex.owed.json");
    github.uploadArtifact({
      name: "rollcall-owed-globex",
      file: "record-globex.owed.json",
      text,
      runId: "1001",
    });
    await both.run("acme", ["sync"]);
    assert.equal(github.artifacts.list("rollcall-owed-globex").length, 1);
    const next = await both.run("globex", ["sync"]);
    assert.match(
      next.record?.notices.join() ?? "",
      /could not be committed then, and is committed with this one/,
    );
    assert.equal(github.artifacts.list("rollcall-owed-globex").length, 0);
  });

  test("without a name, with an unknown one or with rows beside the folders nothing is requested", async () => {
    await using both = await start();
    const refusals = [
      [
        { ROLLCALL_ORGANISATION: "" },
        [],
        /folder for each organisation \(acme, globex\), and none was named/,
      ],
      [{ ROLLCALL_ORGANISATION: " " }, [], /\(acme, globex\), and none was named/],
      [
        { ROLLCALL_ORGANISATION: "acne" },
        [],
        /there is no mappings\/acne\/rooms\.csv; did you mean "acme"\?/,
      ],
      [
        {},
        ["--organisation", "Globex"],
        /"Globex" cannot be the name of an organisation.*did you mean "globex"\?/,
      ],
      [{ ROLLCALL_ORGANISATION: "../acme" }, [], /cannot be the name of an organisation/],
    ] as const;
    for (const command of ["plan", "sync", "doctor", "discover", "delegate", "validate"]) {
      for (const [env, args, message] of refusals) {
        if (command === "discover" && "ROLLCALL_ORGANISATION" in env && env.ROLLCALL_ORGANISATION === "acne")
          continue;
        const json = command === "validate" ? [] : ["--json", "x.json"];
        const given = { ...both.webex("acme").githubEnvironment(), ...env };
        const seen = both.webex("acme").requests.length;
        const { code, stderr } = await both.folder.run([command, ...args, ...json], given);
        assert.equal(code, 1, command);
        assert.match(stderr, message);
        assert.equal(both.webex("acme").requests.length, seen);
      }
    }
    await both.folder.write("mappings/rooms.csv", "group,room\n");
    const beside = await both.run("acme", ["sync"]);
    assert.deepEqual([beside.code, beside.requests], [1, []]);
    assert.match(
      beside.stderr,
      /mappings\/rooms\.csv stands beside the folders of organisations \(acme, globex\)/,
    );
  });
});

describe("the files of an organisation", { concurrency: 2 }, () => {
  test("validate checks the named one alone; another folder's fault or name is not its business", async () => {
    await using folder = await createFolder();
    await folder.write("mappings/acme/rooms.csv", "group,room\nnoc,NOC\n");
    await folder.write("mappings/acme/delegations.csv", "host,delegate\na@acme.com,b@acme.com\n");
    await folder.write("mappings/Globex/rooms.csv", "group,room\n,\n");
    await folder.write("mappings/policy.json", '{ "limits": { "emptyGroup": "never" } }');
    const good = await folder.run(["validate", "--organisation", "acme"]);
    assert.deepEqual(
      [good.code, good.stdout],
      [0, "1 mappings of 1 spaces, 1 delegations, and the policy: no fault found\n"],
    );
    assert.match(
      good.stderr,
      /mappings\/policy\.json is not read: each organisation has its own, or the defaults/,
    );
    const bad = await folder.run(["validate"], { ROLLCALL_ORGANISATION: "Globex" });
    assert.equal(bad.code, 1);
    assert.match(
      bad.stderr,
      /"Globex" cannot be the name of an organisation.*; rename its folder in mappings\//,
    );
    // An option wins over the variable.
    const option = await folder.run(["validate", "--organisation", "acme"], {
      ROLLCALL_ORGANISATION: "Globex",
    });
    assert.equal(option.code, 0);
  });

  test("a folder that has lost its rooms.csv is still an organisation, and says what it lacks", async () => {
    await using folder = await createFolder();
    await folder.write("mappings/acme/policy.json", "{}");
    const lost = await folder.run(["validate", "--organisation", "acme"]);
    assert.equal(lost.code, 1);
    assert.match(lost.stderr, /mappings\/acme\/rooms\.csv: there is no such file/);
    assert.match((await folder.run(["validate"])).stderr, /\(acme\), and none was named/);
  });

  test("the paths given win", async () => {
    await using both = await start();
    await both.folder.write("other/rooms.csv", "group,room\nnoc,NOC\n");
    await both.folder.write(
      "other/policy.json",
      '{ "limits": { "removalsPerRoom": { "count": 9, "share": 1 } } }',
    );
    const env = { GITHUB_TOKEN: "", GITHUB_REPOSITORY: "", WEBEX_TOKEN_FILE: "token" };
    const own = [
      "--mappings",
      "other/rooms.csv",
      "--policy",
      "other/policy.json",
      "--reports",
      "out/reports",
    ];
    const ending = await both.run("acme", ["sync", ...own], env);
    assert.deepEqual([ending.code, ending.record?.status], [0, "changed"]);
    assert.match(await both.folder.read("out/reports/README.md"), /\(acme\)/);
    await assert.rejects(both.folder.read("reports/README.md"));
    // Without the paths: its own files, its own reports, and the list of all, on disk as in the repository.
    const plain = await both.run("acme", ["sync"], env);
    assert.equal(plain.code, 0);
    assert.match(
      await both.folder.read("reports/README.md"),
      /\[acme\]\(acme\/README\.md\)[\s\S]*globex \| no run yet/,
    );
  });

  test("a name where there are no folders is a mistake, and an empty one is none", async () => {
    await using folder = await createFolder("group,room\nnoc,NOC\n");
    const named = await folder.run(["validate"], { ROLLCALL_ORGANISATION: "acme" });
    assert.equal(named.code, 1);
    assert.match(
      named.stderr,
      /there is no mappings\/acme\/rooms\.csv, and no other folder of an organisation/,
    );
    assert.equal((await folder.run(["validate"], { ROLLCALL_ORGANISATION: "" })).code, 0);
  });
});

describe("for which organisations a workflow has something to do", { concurrency: 2 }, () => {
  const list = async (both: Organisations, args: readonly string[], env: Record<string, string> = {}) => {
    await both.folder.write(".outputs", "");
    const { GITHUB_REPOSITORY, GITHUB_TOKEN, GITHUB_API_URL } = both.webex("acme").githubEnvironment();
    const github = {
      GITHUB_REPOSITORY,
      GITHUB_TOKEN,
      GITHUB_API_URL,
      GITHUB_OUTPUT: `${both.folder.path}/.outputs`,
    };
    const given = Object.fromEntries(
      Object.entries({ ...github, ...env }).map(([name, value]) => [name, value ?? ""]),
    );
    const { code, stdout, stderr } = await both.folder.run(["organisations", ...args], given);
    const [, output = null] = /^organisations<<\S+\n(.*)\n/.exec(await both.folder.read(".outputs")) ?? [];
    return { code, stderr, names: stdout.trimEnd().split("\n"), output };
  };

  test("all that have a folder, or the one that was named, or the one of a record", async () => {
    await using both = await start();
    await both.folder.write("mappings/Hooli/rooms.csv", "group,room\n");
    const all = await list(both, []);
    assert.deepEqual([all.code, all.output], [0, '["Hooli","acme","globex"]']);
    assert.deepEqual(all.names, ["Hooli", "acme", "globex"]);
    assert.equal((await list(both, [], { ROLLCALL_ORGANISATION: "acme" })).output, '["acme"]');
    const record = "reports/globex/runs/2026-11-22-1.json";
    assert.equal((await list(both, ["--record", record])).output, '["globex"]');
    for (const other of [
      "reports/runs/2026-11-22-1.json",
      "reports/hooli/runs/1.json",
      "reports/../x/runs/1.json",
    ]) {
      const refused = await list(both, ["--record", other]);
      assert.deepEqual([refused.code, refused.output], [1, null], other);
    }
    assert.deepEqual(both.webex("acme").requests, []);
  });

  test("those whose files a pull request changes, also new ones; other files concern nobody", async () => {
    await using both = await start();
    const number = both.github.pulls.open({
      files: {
        "mappings/acme/policy.json": null,
        "mappings/hooli/rooms.csv": "group,room\n",
        "mappings/Bad/rooms.csv": "group,room\n",
        "mappings/globex/notes.md": "",
        "src/main.ts": "",
      },
    });
    assert.equal((await list(both, ["--pull-request", String(number)])).output, '["acme","hooli"]');
    const nothing = both.github.pulls.open({ files: { "mappings/README.md": "" } });
    assert.equal((await list(both, ["--pull-request", String(nothing)])).output, "[]");
  });

  test("where there is only one, it has no name, whatever a pull request changes", async () => {
    await using both = await startOrganisations({ acme });
    await both.folder.remove("mappings/acme");
    await both.folder.write("mappings/rooms.csv", "group,room\n");
    const one = await list(both, []);
    assert.deepEqual([one.code, one.names, one.output], [0, [""], '[""]']);
    assert.equal((await list(both, ["--record", "reports/runs/1.json"])).output, '[""]');
    const notes = both.github.pulls.open({ files: { "mappings/README.md": "" } });
    assert.equal((await list(both, ["--pull-request", String(notes)])).output, '[""]');
    const split = both.github.pulls.open({
      files: { "mappings/rooms.csv": null, "mappings/acme/rooms.csv": "group,room\n" },
    });
    assert.equal((await list(both, ["--pull-request", String(split)])).output, '["","acme"]');
  });
});
