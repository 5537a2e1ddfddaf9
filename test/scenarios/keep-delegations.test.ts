import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import { parseRecord, type RunRecord } from "../../src/membership/record.ts";
import { address, site } from "../support/delegation-story.ts";
import { createFolder } from "../support/run-rollcall.ts";

const file = "mappings/delegations.csv";
const header = "host,delegate,until,note\n";
const dayMs = 24 * 60 * 60 * 1000;

function day(offset: number): string {
  return new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10);
}

function row(host: string, delegate: string, until = ""): string {
  return `${address(host)},${address(delegate)},${until},\n`;
}

const many = Array.from({ length: 22 }, (_, index) => `d${index}`);

const acme = {
  ...site({
    ann: ["cat", "zoe"],
    ben: [],
    cat: [],
    dan: [],
    eve: [],
    zoe: [],
    ...Object.fromEntries(many.map((name) => [name, []])),
  }),
  groups: [{ name: "eng", members: ["ann"] }],
  rooms: [{ title: "NOC", members: ["ann"] }],
};

/** A repository with one mapping and these rows, and runs in it: on GitHub, or with `local` on disk. */
async function startStory(csv: string, policy: object = {}, kind: "github" | "local" = "github") {
  const sandbox = await startSandbox(acme, { github: { files: { [file]: csv } } });
  const folder = await createFolder("group,room\neng,NOC\n");
  await folder.write("mappings/policy.json", JSON.stringify(policy));
  const setRows = async (text: string) => {
    await folder.write(file, text);
    await sandbox.github.writeFile(file, text);
  };
  await folder.write(file, csv);
  return {
    sandbox,
    folder,
    setRows,
    /** The file as the next run finds it. */
    rows: async () =>
      kind === "github" ? (sandbox.github.files().get(file) ?? "") : await folder.read(file),
    remembered: async () => {
      const path = "reports/state.json";
      const text = kind === "github" ? sandbox.github.files().get(path) : await folder.read(path);
      const state: { delegations?: { host: string; delegate: string }[] } = JSON.parse(text ?? "{}");
      return (state.delegations ?? []).map(({ host, delegate }) =>
        `${host}/${delegate}`.replaceAll("@acme.example", ""),
      );
    },
    async run(...args: string[]) {
      // What the last run committed is checked out again.
      const committed = sandbox.github.files().get(file);
      if (kind === "github" && committed !== undefined) await folder.write(file, committed);
      const env =
        kind === "github" ? sandbox.githubEnvironment() : sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
      const before = sandbox.requests.length;
      const result = await folder.run([...args, "--json", "record.json"], env);
      const record: RunRecord = await folder.readRecord();
      const writes = sandbox.requests.slice(before).filter(({ path }) => path.includes("delegateEmails"));
      return { ...result, record, writes: writes.length };
    },
    delegates: (name: string) => sandbox.meetings.user(name).delegates.map((one) => one.split("@")[0]),
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

describe("the grants that delegations.csv keeps", { concurrency: 2 }, () => {
  for (const kind of ["github", "local"] as const) {
    test(`what is listed and missing is granted, a deleted row is revoked, others are left alone (${kind})`, async () => {
      await using story = await startStory(header + row("ann", "cat") + row("ben", "dan", day(30)), {}, kind);
      const planned = await story.run("plan");
      assert.deepEqual([planned.code, planned.record.status, planned.writes], [0, "changed", 0]);
      assert.deepEqual(planned.record.delegations?.hosts, [
        {
          host: address("ben"),
          before: [],
          after: [address("dan")],
          added: [address("dan")],
          removed: [],
          held: [],
        },
      ]);
      assert.match(
        planned.stdout,
        /dan@acme\.example would now schedule meetings for ben@acme\.example, until/,
      );

      const first = await story.run("sync");
      assert.deepEqual([first.code, first.record.status, first.record.problems], [0, "changed", []]);
      assert.deepEqual([first.record.totals.added, first.record.totals.removed], [0, 0]);
      assert.deepEqual([story.delegates("ann"), story.delegates("ben")], [["cat", "zoe"], ["dan"]]);
      assert.deepEqual(await story.remembered(), ["ann/cat", "ben/dan"]);
      assert.ok("record" in parseRecord(await story.folder.read("record.json")));

      await story.setRows(header + row("ben", "dan", day(30)));
      const second = await story.run("sync");
      // ann/cat stood in Webex before it was listed: it is kept by its row all the same. zoe never was listed.
      assert.deepEqual([second.code, second.record.status, second.record.problems], [0, "changed", []]);
      assert.deepEqual([story.delegates("ann"), story.delegates("ben")], [["zoe"], ["dan"]]);
      assert.deepEqual(second.record.notices, [
        "cat@acme.example may no longer schedule meetings for ann@acme.example: the row was deleted",
      ]);
      assert.deepEqual(await story.remembered(), ["ben/dan"]);
      const third = await story.run("sync");
      assert.deepEqual([third.record.status, third.record.delegations], ["converged", undefined]);
    });
  }

  test("a page of its own says who may schedule for whom, and the index leads to it", async () => {
    const policy = { limits: { revocationsPerRun: { count: 0, share: 0 } } };
    await using story = await startStory(header + row("ann", "cat") + row("ben", "dan", day(30)), policy);
    await story.run("sync");
    const read = (path: string) => story.sandbox.github.files().get(`reports/${path}`) ?? "";
    assert.match(read("README.md"), /\[Who may schedule for whom\]\(delegations\/README\.md\)/);
    const lines = read("delegations/README.md")
      .split("\n")
      .filter((line) => /^ *- /.test(line));
    assert.deepEqual(lines, [
      "- **`ann@acme.example`**",
      "  - `cat@acme.example` · without end",
      "  - `zoe@acme.example` · not in delegations.csv, so Rollcall leaves it alone",
      "- **`ben@acme.example`**",
      `  - \`dan@acme.example\` · until ${day(30)}`,
    ]);
    const before = story.sandbox.github.commits.length;
    await story.run("sync");
    assert.equal(story.sandbox.github.commits.length, before, "the same page is no news");

    await story.setRows(header + row("ben", "dan", day(30)));
    const held = await story.run("sync");
    assert.match(read("delegations/README.md"), /`cat@acme\.example` · ✋ revocation waits for approval/);
    assert.match(
      read("README.md"),
      /^- \*\*Meetings of `ann@acme\.example`\*\*: `cat@acme\.example`\. 1 revocation planned; the limit for one run is 0 \(the larger of 0 and 0 % of 1 grant\)\.$/m,
    );
    assert.equal(held.code, 2);
  });

  test("a change of what is kept is worth a commit, and nothing else is", async () => {
    await using story = await startStory(header);
    await story.run("sync");
    const { commits } = story.sandbox.github;
    await story.setRows(header + row("ann", "cat"));
    const before = commits.length;
    const kept = await story.run("sync");
    assert.equal(kept.record.status, "converged");
    assert.deepEqual(
      commits.slice(before).map(({ paths }) => paths),
      [["reports/state.json", "reports/delegations/README.md"]],
    );
    await story.run("sync");
    assert.equal(commits.length, before + 1);
  });

  test("revocations above the limit wait, all of them, and are approved by their digest", async () => {
    const few = many.slice(0, 3);
    const policy = { limits: { revocationsPerRun: { count: 2, share: 0 } } };
    const rows = few.map((name) => row("ben", name, day(-1))).join("");
    await using story = await startStory(header + rows + row("ann", "dan"), policy);
    story.sandbox.meetings.user("ben").delegates = few.map(address);
    const planned = await story.run("plan");
    const held = await story.run("sync");
    assert.deepEqual([held.code, held.record.status, held.record.totals.held], [2, "held", 3]);
    assert.match(held.record.digest ?? "", /^[0-9a-f]{12}$/);
    assert.equal(planned.record.digest, held.record.digest);
    const [ann, ben] = held.record.delegations?.hosts ?? [];
    assert.deepEqual(ann?.added, [address("dan")]);
    assert.deepEqual(
      ben?.held,
      few.map((name) => ({ delegate: address(name), reason: "revocations-per-run" })),
    );
    assert.deepEqual([story.delegates("ben"), story.delegates("ann")], [few, ["cat", "zoe", "dan"]]);
    assert.match(held.stdout, /d0@acme\.example.*held/);

    const wrong = await story.run("sync", "--approve", "000000000000");
    assert.deepEqual([wrong.code, story.delegates("ben")], [2, few]);
    const approved = await story.run("sync", "--approve", held.record.digest ?? "");
    assert.deepEqual([approved.code, approved.record.status, approved.record.digest], [0, "changed", null]);
    assert.deepEqual([story.delegates("ben"), await story.rows()], [[], header + row("ann", "dan")]);
  });

  test("exactly at the limit goes through, and the limit counts the rows of the file", async () => {
    const few = many.slice(0, 4);
    const policy = { limits: { revocationsPerRun: { count: 0, share: 0.5 } } };
    const rows = few.map((name, at) => row("ben", name, day(at < 2 ? -1 : 30))).join("");
    await using story = await startStory(header + rows, policy, "local");
    story.sandbox.meetings.user("ben").delegates = few.map(address);
    const { code, record } = await story.run("sync");
    assert.deepEqual([code, record.status, story.delegates("ben")], [0, "changed", few.slice(2)]);
  });

  test("a row that is changed after the lists were read is left alone", async () => {
    const [old, prolonged] = [row("ann", "cat", day(-1)), row("ann", "cat", day(9))];
    await using story = await startStory(header + old);
    story.sandbox.fault({
      route: "GET /meetingPreferences/schedulingOptions",
      match: ({ url }) => url.search.includes("ann%40"),
      after: 1,
      changeAfter: () => story.sandbox.github.writeFile(file, header + prolonged),
    });
    const { code, record, writes } = await story.run("sync");
    assert.deepEqual([code, writes, story.delegates("ann")], [0, 0, ["cat", "zoe"]]);
    assert.match(
      record.notices.join(),
      /cat@acme\.example was left a delegate of ann@acme\.example: the row was changed/,
    );
    assert.equal(await story.rows(), header + prolonged);
  });

  test("a file that is gone revokes nothing, and is a problem", async () => {
    await using story = await startStory(header + row("ann", "cat"));
    await story.run("sync");
    await story.folder.run(["validate"]);
    await story.sandbox.github.writeFile(file, null);
    const { rm } = await import("node:fs/promises");
    await rm(`${story.folder.path}/${file}`);
    const { code, record, writes } = await story.run("sync");
    assert.deepEqual([code, record.status, writes], [3, "partial", 0]);
    assert.match(
      record.problems[0]?.message ?? "",
      /delegations\.csv was looked at again, and is not there; nothing is revoked/,
    );
    assert.deepEqual(story.delegates("ann"), ["cat", "zoe"]);
  });

  test("a damaged memory is told, revokes nothing, and begins again", async () => {
    await using story = await startStory(header + row("ann", "cat"), {}, "local");
    await story.folder.write(
      "reports/state.json",
      JSON.stringify({ version: 1, names: [], delegations: [{ host: 1 }] }),
    );
    const { record } = await story.run("sync");
    assert.match(
      record.notices.join(),
      /state\.json could not be read \(delegations\.0\.file\), so Rollcall does not know/,
    );
    assert.deepEqual([story.delegates("ann"), await story.remembered()], [["cat", "zoe"], ["ann/cat"]]);
  });

  test("more than 20 for a host are known before anything is sent; an unknown delegate stops nobody else", async () => {
    const rows = many
      .slice(0, 21)
      .map((name) => row("ben", name))
      .join("");
    await using story = await startStory(header + rows + row("ann", "dan") + row("ann", "nobody"));
    const { code, record } = await story.run("sync");
    assert.deepEqual([code, record.status], [3, "partial"]);
    assert.deepEqual([story.delegates("ben"), story.delegates("ann")], [[], ["cat", "zoe", "dan"]]);
    const [ann, ben] = record.delegations?.hosts ?? [];
    assert.match(ann?.error ?? "", /the site has no user "nobody@acme\.example"/);
    assert.match(ben?.error ?? "", /^21 delegates would be too many/);
  });

  test("that the rows are too many is known before anything is sent, and what has ended is revoked all the same", async () => {
    const rows = many
      .slice(0, 20)
      .map((name) => row("ben", name))
      .join("");
    const expired = row("ann", "cat", day(-1)) + row("ben", "cat", day(-1));
    await using story = await startStory(header + rows + row("ben", "eve") + expired, {}, "local");
    story.sandbox.meetings.user("ben").delegates = ["cat", "dan"].map(address);
    const { code, record, writes } = await story.run("sync");
    assert.deepEqual([code, writes], [3, 2]);
    assert.deepEqual([story.delegates("ann"), story.delegates("ben")], [["zoe"], ["dan"]]);
    assert.match(record.delegations?.hosts[1]?.error ?? "", /^22 delegates would be too many \(1 now/);
  });

  for (const kind of ["github", "local"] as const) {
    test(`who is taken away by hand comes back, and when that repeats it is told (${kind})`, async () => {
      await using story = await startStory(header + row("ann", "cat"), {}, kind);
      await story.run("sync");
      const takeAway = () => {
        story.sandbox.meetings.user("ann").delegates = [address("zoe")];
      };
      takeAway();
      const planned = await story.run("plan");
      assert.match(planned.record.notices.join("\n"), /cat@acme\.example was no longer a delegate of ann/);
      const first = await story.run("sync");
      assert.deepEqual([first.code, first.record.status], [0, "changed"]);
      assert.deepEqual(first.record.notices, [
        "cat@acme.example may now schedule meetings for ann@acme.example, without end",
        "cat@acme.example was no longer a delegate of ann@acme.example in Webex, although delegations.csv keeps that; to end it, delete the row",
      ]);
      assert.deepEqual([story.delegates("ann"), await story.remembered()], [["zoe", "cat"], ["ann/cat"]]);
      assert.equal((await story.run("sync")).record.status, "converged");
      takeAway();
      const second = await story.run("sync");
      assert.match(
        second.record.notices.join("\n"),
        /cat@acme\.example keeps coming and going as a delegate of ann@acme\.example: .* granted again 2 times in 30 days/,
      );
      assert.deepEqual([second.code, story.delegates("ann")], [0, ["zoe", "cat"]]);
    });
  }

  test("a first grant and a row that was listed for the first time are no coming back", async () => {
    await using story = await startStory(header + row("ben", "dan"), {}, "local");
    const { record } = await story.run("sync");
    assert.doesNotMatch(record.notices.join(), /no longer a delegate|coming and going/);
  });

  test("a host whose list cannot be read has its error, and the others go on", async () => {
    await using story = await startStory(header + row("ann", "dan") + row("ben", "dan"));
    story.sandbox.fault({
      route: "GET /meetingPreferences/schedulingOptions",
      match: ({ url }) => url.search.includes("ann%40"),
      status: 403,
      times: 9,
    });
    const { code, record } = await story.run("sync");
    assert.deepEqual([code, record.status, story.delegates("ben")], [3, "partial", ["dan"]]);
    const [ann] = record.delegations?.hosts ?? [];
    assert.deepEqual([ann?.before, ann?.after], [null, null]);
    assert.match(ann?.error ?? "", /403/);
  });

  test("policy.json chooses the interface, for sync and for delegate", async () => {
    await using story = await startStory(
      header + row("ben", "dan"),
      { delegation: { backend: "xml" } },
      "local",
    );
    const { code, record, writes } = await story.run("sync");
    assert.deepEqual([code, record.delegations?.backend, writes], [0, "xml", 0]);
    assert.deepEqual(story.delegates("ben"), ["dan"]);
    const shown = await story.run("delegate", "--host", address("ben"));
    assert.match(JSON.stringify(shown.record), /"backend":"xml"/);
  });
});
