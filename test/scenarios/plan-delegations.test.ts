import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { loadContracts } from "../support/contract.ts";
import { address, site } from "../support/delegation-story.ts";
import { startStory } from "../support/story.ts";

const check = loadContracts();

const file = "mappings/delegations.csv";
const header = "host,delegate,until,note\n";
const dayMs = 24 * 60 * 60 * 1000;
const day = (offset: number) => new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10);
const row = (host: string, delegate: string, until = "") =>
  `${address(host)},${address(delegate)},${until},\n`;

const acme = {
  ...site({ ann: ["cat"], ben: [], cat: [], dan: ["eve"], eve: [], fay: [] }),
  groups: [{ name: "eng", members: ["ann"] }],
  rooms: [{ title: "NOC", members: ["ann"] }],
};

interface Facts extends SandboxOptions {
  /** delegations.csv of the default branch when sync ran last, and now. */
  readonly synced?: string;
  readonly base?: string | null;
  readonly policy?: object;
}

/** A repository whose delegations were synchronised once, and a pull request with these files. */
async function review(
  head: Readonly<Record<string, string | null>>,
  { synced = header, base = synced, policy = {}, ...options }: Facts = {},
) {
  const files = { [file]: synced, "mappings/policy.json": JSON.stringify(policy) };
  const story = await startStory(acme, ["eng,NOC"], { ...options, github: { files } });
  const { github } = story.sandbox;
  // The folder is a checkout.
  await story.folder.write("mappings/policy.json", JSON.stringify(policy));
  await story.folder.write(file, synced);
  await story.run(["sync"]);
  if (base !== synced) await github.writeFile(file, base);
  const number = github.pulls.open({ files: head });
  const plan = () => story.run(["plan", "--pull-request", String(number)]);
  const body = () => (github.issues.find(number).comments.at(-1)?.body ?? "").replaceAll("@acme.example", "");
  /** The lines of the `diff` blocks, each behind the host that it is about. */
  const rows = () =>
    [...body().matchAll(/^@@ meetings of (\S+) @@\n((?:[-+!] .*\n)+)/gm)].flatMap(([, host, lines = ""]) =>
      lines
        .trimEnd()
        .split("\n")
        .map((line) => `${host}: ${line}`),
    );
  return { story, plan, body, rows, [Symbol.asyncDispose]: () => story[Symbol.asyncDispose]() };
}

describe("a plan on a pull request", { concurrency: 2 }, () => {
  test("shows grants and revocations of its delegations.csv, beside those that come in any case", async () => {
    const synced = header + row("ann", "cat") + row("dan", "eve", day(40));
    // Merged, but no sync has run since.
    const base = synced + row("fay", "ben");
    const head = header + row("dan", "eve", day(50)) + row("fay", "ben") + row("ben", "cat", day(20));
    await using pull = await review({ [file]: head }, { synced, base });
    const end = await pull.plan();
    assert.deepEqual([end.code, end.commits], [0, 0]);
    assert.deepEqual(
      end.requests.filter(({ method, path }) => method !== "GET" && path.includes("delegateEmails")),
      [],
    );
    assert.deepEqual(
      end.requests.flatMap((exchange) => check?.(exchange) ?? []),
      [],
    );
    assert.match(
      pull.body(),
      /; 1 delegation granted; 1 delegation revoked; 1 delegation left as it is in Webex$|plan: 1 delegation granted; 1 delegation revoked; 1 delegation left as it is in Webex$/m,
    );
    assert.deepEqual(pull.rows(), [
      "ann: - cat may no longer schedule: the row was deleted",
      `ben: + cat may schedule (line 4 of delegations.csv, until ${day(20)})`,
      `dan: ! eve has another last day (line 2 of delegations.csv, until ${day(50)}); before: until ${day(40)}`,
      "fay: + ben may schedule (line 3 of delegations.csv, without end)",
    ]);
    assert.match(
      pull.body(),
      /<summary>Pending regardless of this pull request: .*1 delegation granted<\/summary>[\s\S]*@@ meetings of fay @@/,
    );
    assert.doesNotMatch(pull.body(), /would now schedule/, "the block says it");
    assert.deepEqual(
      end.record.delegations?.hosts.map(({ host, added, removed }) => [host, added, removed]),
      [
        [address("ann"), [], [address("cat")]],
        [address("ben"), [address("cat")], []],
        [address("fay"), [address("ben")], []],
      ],
    );
    // Both plans come from one look at each host.
    const lists = end.requests.filter(({ path }) => /schedulingOptions\?userEmail=(ann|fay)%40/.test(path));
    assert.equal(lists.length, 2);
  });

  test("says of a delegate whom Webex has already that the row keeps them from now on", async () => {
    await using pull = await review({ [file]: header + row("dan", "eve") });
    const end = await pull.plan();
    assert.deepEqual([end.code, end.record.delegations], [0, undefined]);
    assert.deepEqual(pull.rows(), [
      "dan: ! eve is listed (line 2 of delegations.csv, without end); a delegate in Webex already, kept from now on",
    ]);
  });

  test("shows what waits for approval, by the pull request's own limit", async () => {
    const synced = header + row("ann", "cat") + row("dan", "eve");
    const policy = JSON.stringify({ limits: { revocationsPerRun: { count: 1, share: 0 } } });
    await using pull = await review({ [file]: header, "mappings/policy.json": policy }, { synced });
    const end = await pull.plan();
    assert.deepEqual([end.code, end.record.status, end.record.totals.held], [0, "held", 2]);
    const why = "2 revocations planned; the limit for one run is 1 (the larger of 1 and 0 % of 0 grants)";
    assert.deepEqual(pull.rows(), [
      `ann: ! cat waits for approval: ${why}`,
      `dan: ! eve waits for approval: ${why}`,
    ]);
  });

  test("revokes nothing because of a file that is gone, and says so", async () => {
    await using pull = await review({ [file]: null }, { synced: header + row("ann", "cat") });
    const end = await pull.plan();
    assert.deepEqual([end.code, end.record.status, end.record.delegations], [0, "partial", undefined]);
    assert.match(
      pull.body(),
      /#### 🔧 To be fixed\n\n- the delegations in .* were left as they are: delegations\.csv is not there/,
    );
  });

  test("stops at a fault of its delegations.csv, with the line", async () => {
    await using pull = await review({ [file]: `${header}${row("ann", "cat")}${row("ANN", "Cat")}` });
    const end = await pull.plan();
    assert.deepEqual([end.code, end.record.status], [1, "failed"]);
    assert.match(pull.body(), /mappings\/delegations\.csv:3: lines 2 and 3 hold the same host and delegate/);
  });

  test("tells what is wrong with a new row as the pull request's, and an old fault as the default branch's", async () => {
    const synced = header + row("ann", "nobody");
    await using pull = await review({ [file]: synced + row("ben", "nobody") }, { synced });
    const end = await pull.plan();
    assert.equal(end.code, 0);
    const [fix = "", old = ""] = pull.body().split("Already wrong on the default branch");
    assert.match(fix, /the delegates of ben are not as/);
    assert.match(old, /the delegates of ann are not as/);
    assert.match(pull.rows().join(), /ben: ! nobody is listed .* cannot be granted/);
  });

  test("uses the interface of its policy.json, as plan does", async () => {
    const policy = { delegation: { backend: "xml" } };
    await using pull = await review({ [file]: header + row("ben", "cat") }, { policy });
    const end = await pull.plan();
    assert.deepEqual([end.code, end.record.delegations?.backend], [0, "xml"]);
    await pull.story.folder.write(file, header + row("ben", "cat"));
    const local = await pull.story.run(["plan"], { local: true, env: { WEBEX_TOKEN_FILE: "token" } });
    assert.deepEqual([local.code, local.record.delegations?.backend], [0, "xml"]);
    assert.deepEqual(
      [...end.requests, ...local.requests].filter(({ path }) => path.includes("schedulingOptions")),
      [],
    );
  });
});
