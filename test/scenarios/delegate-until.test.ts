import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { address, site, startDelegationStory } from "../support/delegation-story.ts";
import { createFolder } from "../support/run-rollcall.ts";

const grants = "mappings/delegations.csv";
const header = "host,delegate,until,note\n";
const dayMs = 24 * 60 * 60 * 1000;

/** The day so many days from now, in UTC. */
function day(offset: number): string {
  return new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10);
}

function row(host: string, delegate: string, until: string, note = ""): string {
  return `${address(host)},${address(delegate)},${until},${note}\n`;
}

const acme = {
  ...site({ ann: ["cat", "dan"], ben: ["dan"], cat: [], dan: [], eve: [] }),
  groups: [{ name: "eng", members: ["ann"] }],
  rooms: [{ title: "NOC", members: ["ann"] }],
};

/** A repository with one mapping and these grants, and runs of `sync` in it: on GitHub, or with `local` on disk. */
async function startSyncStory(csv: string) {
  const sandbox = await startSandbox(acme, { github: { files: { [grants]: csv } } });
  const folder = await createFolder("group,room\neng,NOC\n");
  await folder.write(grants, csv);
  const run = async (args: readonly string[], env: Record<string, string>) => {
    const result = await folder.run([...args, "--json", "record.json"], env);
    const record: RunRecord = await folder.readRecord();
    return { ...result, record };
  };
  return {
    sandbox,
    folder,
    run,
    delegates: (name: string) => sandbox.meetings.user(name).delegates.map((one) => one.split("@")[0]),
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

describe("time-limited delegation", { concurrency: 2 }, () => {
  test("add --until commits the row before it grants anything, and once only", async () => {
    await using story = await startDelegationStory(acme);
    const args = [
      "--mode",
      "add",
      "--host",
      address("ben"),
      "--delegate",
      address("eve"),
      "--until",
      day(10),
    ];
    const { code, record, requests, stdout } = await story.run(args, true);
    assert.deepEqual([code, record.until], [0, day(10)]);
    assert.match(
      stdout,
      new RegExp(`\\+ eve@acme\\.example {2}kept by delegations\\.csv, line 2, until ${day(10)}$`, "m"),
    );
    const [commit, report, ...more] = story.sandbox.github.commits;
    assert.deepEqual([commit?.paths, report?.paths.includes(grants), more], [[grants], false, []]);
    assert.deepEqual(
      [commit?.message, report?.message],
      ["Rollcall: 1 row in delegations.csv", "Rollcall: delegate, add for 1 host"],
    );
    const steps = requests.map(({ path }) => path.replace(/\?.*/, ""));
    const insert = steps.findIndex((path) => path.endsWith("/insert"));
    assert.ok(steps.findIndex((path) => path.endsWith("/graphql")) < insert);
    const written = story.sandbox.github.files().get(grants);
    assert.equal(written, header + row("ben", "eve", day(10), "asked for by octo-admin in run 1001"));

    await story.folder.write(grants, written ?? "");
    const again = await story.run(args, true);
    assert.deepEqual([again.code, again.record.status], [0, "converged"]);
    assert.equal(story.sandbox.github.commits.length, 2);
  });

  test("without GitHub the row is written on disk, and a later date replaces it", async () => {
    await using story = await startDelegationStory(acme);
    await story.folder.write(grants, `# kept\n${header}${row("ben", "eve", day(3), "mine")}`);
    const args = ["--mode", "add", "--host", address("ben"), "--delegate", address("eve")];
    await story.run([...args, "--until", day(10)]);
    assert.equal(await story.folder.read(grants), `# kept\n${header}${row("ben", "eve", day(10), "mine")}`);
    const unlimited = await story.run(args);
    assert.match(
      unlimited.record.notices.join(),
      /is still listed in delegations\.csv and will be revoked after/,
    );
    const removed = await story.run(["--mode", "remove", ...args.slice(2)]);
    assert.deepEqual([removed.code, await story.folder.read(grants)], [0, `# kept\n${header}`]);
  });

  test("an end for a delegate who had none is written, and said", async () => {
    await using story = await startDelegationStory(acme);
    const args = [
      "--mode",
      "add",
      "--host",
      address("ben"),
      "--delegate",
      address("dan"),
      "--until",
      day(10),
    ];
    const { code, record, writes } = await story.run(args);
    assert.deepEqual([code, record.status, writes], [0, "converged", []]);
    assert.deepEqual(record.notices, [
      `ben@acme.example: dan@acme.example was a delegate without an end; from now on it ends after ${day(10)}`,
    ]);
    assert.equal(await story.folder.read(grants), header + row("ben", "dan", day(10)));
  });

  test("a branch that refuses the row: nothing is granted, and the rows are named for a person to add", async () => {
    await using story = await startDelegationStory(acme, { github: { protection: "ruleset" } });
    const args = [
      "--mode",
      "add",
      "--host",
      address("ben"),
      "--delegate",
      address("eve"),
      "--until",
      day(10),
    ];
    const { code, record, writes } = await story.run(args, true);
    assert.deepEqual([code, record.status, story.delegates("ben"), writes], [1, "failed", "dan", []]);
    assert.match(
      record.problems[0] ?? "",
      /^nothing was granted, because delegations\.csv could not be written: /,
    );
    assert.ok(record.problems[0]?.includes(`${address("ben")},${address("eve")},${day(10)}`));
  });

  test("a grant that Webex refuses leaves its row, and says that sync will grant it", async () => {
    await using story = await startDelegationStory(acme);
    story.sandbox.fault({
      route: "POST /meetingPreferences/schedulingOptions/delegateEmails/insert",
      status: 403,
    });
    const { code, record } = await story.run([
      "--mode",
      "add",
      "--host",
      address("ben"),
      "--delegate",
      address("eve"),
      "--until",
      day(10),
    ]);
    assert.deepEqual([code, record.status, story.delegates("ben")], [3, "partial", "dan"]);
    assert.match(
      record.hosts[0]?.error ?? "",
      /403.*; the row in delegations\.csv stands, and sync will grant it$/,
    );
    assert.equal(await story.folder.read(grants), header + row("ben", "eve", day(10)));
  });

  test("show marks what the file keeps; remove takes out exactly that row, also where Webex had it not", async () => {
    await using story = await startDelegationStory(acme);
    const others = row("ann", "dan", "") + row("ben", "cat", day(3));
    await story.folder.write(grants, header + row("ann", "cat", day(10)) + others);
    const host = ["--host", address("ann")];
    const shown = await story.run(host);
    assert.deepEqual(shown.record.kept, [
      { host: address("ann"), delegate: address("cat"), until: day(10), line: 2 },
      { host: address("ann"), delegate: address("dan"), until: null, line: 3 },
    ]);
    assert.match(shown.stdout, /= cat@acme\.example +kept by delegations\.csv, line 2, until/);
    assert.match(shown.summary, /`dan@acme\.example` \(kept by delegations\.csv, line 3, without end\)/);
    story.sandbox.meetings.user("ann").delegates = [address("dan")];
    const gone = await story.run(["--mode", "remove", ...host, "--delegate", address("cat")]);
    assert.deepEqual([gone.code, gone.writes], [0, []]);
    assert.equal(await story.folder.read(grants), header + others);
  });

  test("--until is refused where the report goes to another branch: sync would never see the row", async () => {
    await using story = await startDelegationStory(acme, { github: { branches: ["main", "reports"] } });
    const env = story.sandbox.githubEnvironment({ REPORT_BRANCH: "reports" });
    const args = [
      "--mode",
      "add",
      "--host",
      address("ben"),
      "--delegate",
      address("eve"),
      "--until",
      day(10),
    ];
    const { code, stderr } = await story.folder.run(["delegate", ...args], env);
    assert.deepEqual([code, story.delegates("ben")], [1, "dan"]);
    assert.match(stderr, /--until was refused, and nothing was changed/);
  });

  test("sync revokes what has expired, takes the row out by its commit, reports it, and is quiet then", async () => {
    const stays = row("ann", "cat", day(0)) + row("ben", "cat", day(30));
    await using story = await startSyncStory(
      `${header}${row("ann", "dan", day(-1), "for the launch")}${stays}${row("ben", "eve", day(-5))}`,
    );
    const { code, record, stdout } = await story.run(["sync"], story.sandbox.githubEnvironment());
    assert.deepEqual([code, record.status, record.problems], [0, "changed", []]);
    // What is listed and was missing is granted.
    assert.deepEqual([story.delegates("ann"), story.delegates("ben")], [["cat"], ["dan", "cat"]]);
    assert.deepEqual(record.notices, [
      `dan@acme.example may no longer schedule meetings for ann@acme.example: ended ${day(-1)}`,
      `cat@acme.example may now schedule meetings for ben@acme.example, until ${day(30)}`,
      `cat@acme.example may schedule meetings for ann@acme.example until ${day(0)} (today is the last day)`,
    ]);
    assert.match(stdout, /may no longer schedule meetings for ann/);
    const [commit, ...more] = story.sandbox.github.commits;
    assert.equal(more.length, 0);
    assert.deepEqual(commit?.paths.map((path) => path.replace(/\d{4}-\d\d-\d\d/, "DAY")).sort(), [
      grants,
      "reports/README.md",
      "reports/delegations/DAY-1001.json",
      "reports/delegations/DAY-1001.md",
      "reports/delegations/README.md",
      "reports/history.json",
      "reports/state.json",
    ]);
    const left = story.sandbox.github.files().get(grants) ?? "";
    assert.equal(left, header + stays);

    await story.folder.write(grants, left);
    const again = await story.run(["sync"], story.sandbox.githubEnvironment());
    assert.deepEqual(
      [again.code, again.record.status, story.sandbox.github.commits.length],
      [0, "converged", 1],
    );
  });

  test("a grant that cannot be revoked keeps its row, is named, and leaves the rooms to go on", async () => {
    const csv = `${header}${row("ann", "dan", day(-1))}${row("ben", "dan", day(-1))}`;
    await using story = await startSyncStory(csv);
    story.sandbox.setGroup("eng", ["ann", "eve"]);
    story.sandbox.fault({
      route: "POST /meetingPreferences/schedulingOptions/delegateEmails/delete",
      match: ({ url }) => url.search.includes("ann%40"),
      status: 403,
    });
    const env = story.sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
    const { code, record } = await story.run(["sync"], env);
    assert.deepEqual([code, record.status, record.totals.added], [3, "partial", 1]);
    assert.match(
      record.problems[0]?.message ?? "",
      /^the delegates of ann@acme\.example are not as mappings\/delegations\.csv says: .*403/,
    );
    assert.deepEqual([story.delegates("ann"), story.delegates("ben")], [["cat", "dan"], []]);
    assert.equal(await story.folder.read(grants), header + row("ann", "dan", day(-1)));
  });

  test("plan tells what sync would revoke, and revokes nothing", async () => {
    await using story = await startSyncStory(header + row("ann", "dan", day(-1)));
    const { code, record } = await story.run(
      ["plan"],
      story.sandbox.environment({ WEBEX_TOKEN_FILE: "token" }),
    );
    assert.deepEqual([code, story.delegates("ann")], [0, ["cat", "dan"]]);
    assert.deepEqual(record.notices, [
      `dan@acme.example would no longer schedule meetings for ann@acme.example: ended ${day(-1)}`,
    ]);
  });

  test("without WEBEX_SITE_URL rows that are there are a problem, and nothing is revoked or taken out", async () => {
    const csv = header + row("ann", "dan", day(-1));
    await using story = await startSyncStory(csv);
    const { WEBEX_SITE_URL: _, ...env } = story.sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
    const { code, record } = await story.run(["sync"], env);
    assert.deepEqual([code, record.status], [3, "partial"]);
    assert.match(
      record.problems[0]?.message ?? "",
      /delegations\.csv lists delegations, but WEBEX_SITE_URL is not set, so none of them is granted or revoked/,
    );
    assert.deepEqual([story.delegates("ann"), await story.folder.read(grants)], [["cat", "dan"], csv]);
  });

  test("validate checks the file, and delegate does before it writes anything", async () => {
    await using story = await startDelegationStory(acme);
    await story.folder.write("mappings/rooms.csv", "group,room\neng,NOC\n");
    await story.folder.write(grants, header + row("ann", "cat", day(5)));
    const good = await story.folder.run(["validate"]);
    assert.equal(good.stdout, "1 mappings of 1 spaces, 1 delegations, and the policy: no fault found\n");
    await story.folder.write(grants, header + row("ann", "ann", "soon"));
    const bad = await story.folder.run(["validate"]);
    assert.deepEqual(bad, {
      code: 1,
      stdout: "",
      stderr:
        "mappings/delegations.csv:2: delegate: a host is never their own delegate; remove the line\n" +
        'mappings/delegations.csv:2: until: "soon" is not a date; write the last day as YYYY-MM-DD\n',
    });
    const { code, requests } = await story.run([
      "--mode",
      "add",
      "--host",
      address("ann"),
      "--delegate",
      address("eve"),
    ]);
    assert.deepEqual([code, requests.length], [1, 0]);
  });
});
