import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { type Ending, startStory } from "../support/story.ts";

const acme = organisation({
  groups: { noc: ["ann"], desk: ["bob"] },
  rooms: {
    NOC: ["ann", "eve", "fay", "gus", "hal"],
    Desk: ["bob", "ian", "jim", "kim", "lea"],
    Alerts: ["ann"],
  },
});

const held = "4 removals planned; the limit for this space is 3 (the larger of 3 and 25 % of 6 members)";

/** A repository whose policy names the space Alerts, with these rows. */
async function startNotified(rows: readonly string[] = ["noc,NOC"], report: object = { notify: "Alerts" }) {
  const story = await startStory(acme, rows);
  const setPolicy = (next: object) =>
    story.folder.write("mappings/policy.json", JSON.stringify({ report: next }));
  await setPolicy(report);
  const setRows = async (...next: readonly string[]) => {
    const csv = `${["group,room", ...next].join("\n")}\n`;
    await story.folder.write("mappings/rooms.csv", csv);
    story.sandbox.github.writeFile("mappings/rooms.csv", csv);
  };
  const said = () => story.sandbox.messages("Alerts");
  const remembered = (): unknown =>
    JSON.parse(story.sandbox.github.files().get("reports/state.json") ?? "{}").told;
  return { ...story, setPolicy, setRows, said, remembered };
}

function countPosts({ requests }: Ending): number {
  return requests.filter(({ method, path }) => method === "POST" && path.startsWith("/messages")).length;
}

describe("a message to the space of report.notify", { concurrency: 2 }, () => {
  test("five runs: held, the same held, more held, approved, quiet", async () => {
    await using story = await startNotified();
    const first = await story.run(["sync"]);
    assert.deepEqual([first.code, first.record.notices], [2, []]);
    assert.deepEqual(story.said(), [
      [
        "✋ **Rollcall: 4 removals wait for approval.**",
        "",
        `- NOC: ${held}`,
        "",
        `[Report](${story.sandbox.url}/acme/spaces/blob/main/reports/README.md) · [Run](${story.sandbox.url}/acme/spaces/actions/runs/1001)`,
      ].join("\n"),
    ]);

    const second = await story.run(["sync"]);
    assert.deepEqual([second.code, countPosts(second), second.commits], [2, 0, 0], "the same is told once");

    await story.setRows("noc,NOC", "desk,Desk");
    const third = await story.run(["sync"]);
    assert.equal(third.code, 2);
    assert.match(
      story.said()[1] ?? "",
      /^✋ \*\*Rollcall: 8 removals wait for approval\.\*\*\n\n- Desk: 4 removals/,
    );

    const approved = await story.run(["sync", "--approve", third.record.digest ?? ""]);
    assert.equal(approved.code, 0);
    assert.match(
      story.said()[2] ?? "",
      /^✅ \*\*Rollcall: settled, nothing needs a person any more\.\*\*\n\nEvery space is as declared: 8 people were removed\.\n\n\[Report\]/,
    );
    assert.equal(story.remembered(), undefined);

    const quiet = await story.run(["sync"]);
    assert.deepEqual([quiet.code, countPosts(quiet), quiet.commits], [0, 0, 0]);
    assert.equal(story.said().length, 3);
  });

  test("a problem that stays is told once, whatever its tracking id and date; another one is news", async () => {
    await using story = await startNotified(["noc,NOC", "dsk,Desk"]);
    const fail = (detail: string) =>
      story.sandbox.fault({
        route: "GET /memberships",
        match: ({ url }) => url.searchParams.get("roomId") === story.sandbox.roomId("NOC"),
        status: 404,
        body: { message: `not now, ${detail}`, trackingId: detail },
        times: 9,
      });
    fail("ROUTER_64F1A2B3-0C4D-01BB-2F5A-A0C1D2E3F405 at 2026-11-26T10:00:00Z");
    const first = await story.run(["sync"]);
    assert.deepEqual([first.code, countPosts(first)], [3, 1]);
    const again = await story.run(["sync"]);
    assert.deepEqual([again.code, countPosts(again)], [3, 0]);
    await story.setRows("noc,NOC", "dskk,Desk");
    assert.equal(countPosts(await story.run(["sync"])), 1);
  });

  for (const [what, space, why] of [
    ["a space that does not exist", "Alarts", /no space is titled "Alarts"; did you mean "Alerts"\?/],
    ["a title that two spaces have", "Twin", /2 spaces are titled "Twin"/],
  ] as const) {
    test(`${what} changes neither status nor code; a notice says why, and the next run tells`, async () => {
      const twins = ["Twin", "Twin"].map((title) => ({ title, members: ["ann"] }));
      const story = await startStory({ ...acme, rooms: [...acme.rooms, ...twins] }, ["noc,NOC"]);
      await using _ = story;
      const write = (notify: string) =>
        story.folder.write("mappings/policy.json", JSON.stringify({ report: { notify } }));
      await write(space);
      const first = await story.run(["sync"]);
      assert.deepEqual([first.code, first.record.status, first.record.problems], [2, "held", []]);
      assert.equal(first.record.notices.length, 1);
      assert.match(first.record.notices[0] ?? "", /^The space ".*" could not be told \(report\.notify\): /);
      assert.match(first.record.notices[0] ?? "", why);
      assert.match(story.sandbox.github.files().get("reports/README.md") ?? "", /could not be told/);
      await write("Alerts");
      const second = await story.run(["sync"]);
      assert.deepEqual([second.code, second.record.notices, countPosts(second)], [2, [], 1]);
    });
  }

  test("a message that Webex refuses is tried again by the next run; a lost answer is not sent twice in one", async () => {
    await using story = await startNotified();
    story.sandbox.fault({ route: "POST /messages", status: 503, times: 9 });
    const first = await story.run(["sync"]);
    assert.deepEqual([first.code, first.record.status, countPosts(first)], [2, "held", 1]);
    assert.match(first.record.notices[0] ?? "", /\[POST\] \/messages: 503/);
    assert.deepEqual([story.said(), story.remembered()], [[], undefined]);
  });

  test("a report that cannot be committed is no reason to tell the same again, nor is its late commit", async () => {
    await using story = await startNotified();
    const errors = [{ type: "UNPROCESSABLE", message: "A rule of the day refuses this" }];
    const runRefused = () => {
      story.sandbox.fault({ route: "POST /graphql", status: 200, body: { data: null, errors } });
      return story.run(["sync"]);
    };
    const runs = [await runRefused(), await runRefused()];
    assert.deepEqual(
      runs.map((run) => [run.code, run.commits, countPosts(run)]),
      [
        [3, 0, 1],
        [3, 0, 0],
      ],
    );
    const late = await story.run(["sync"]);
    assert.deepEqual([late.code, late.commits, countPosts(late)], [2, 1, 0]);
    const after = await story.run(["sync"]);
    assert.deepEqual([after.code, countPosts(after)], [2, 0]);
  });

  test("without the scope the notice names it", async () => {
    const scope =
      "spark:rooms_read spark:memberships_read spark:memberships_write spark:team_memberships_write spark:people_read identity:groups_read";
    const story = await startStory(acme, ["noc,NOC"], { scope });
    await using _ = story;
    await story.folder.write("mappings/policy.json", '{ "report": { "notify": "Alerts" } }');
    const ending = await story.run(["sync"]);
    assert.deepEqual([ending.code, ending.record.status], [2, "held"]);
    assert.match(ending.record.notices.join(), /the Webex login lacks spark:messages_write/);
  });

  test("a plan, a restore, and a run that stops before the refresh send none; a run that fails later does", async () => {
    await using story = await startNotified();
    assert.equal(countPosts(await story.run(["plan"])), 0);
    await story.setRows("noc,");
    const faulty = await story.run(["sync"]);
    assert.deepEqual([faulty.code, countPosts(faulty)], [1, 0]);
    await story.setRows("noc,NOC");
    story.sandbox.fault({ route: "GET /people/me", status: 403 });
    const failed = await story.run(["sync"]);
    assert.deepEqual([failed.code, countPosts(failed)], [1, 1]);
    assert.match(story.said()[0] ?? "", /^❌ \*\*Rollcall: The run stopped and changed nothing\.\*\*/);
  });

  test("a login that is about to end is told, once, by the policy's days", async () => {
    await using story = await startNotified(["noc,Alerts"], { notify: "Alerts", tokenWarningDays: 365 });
    const first = await story.run(["sync"]);
    assert.deepEqual([first.code, countPosts(first)], [0, 1]);
    assert.match(
      story.said()[0] ?? "",
      /The Webex login is about to end\.\*\*\n\n- Webex login valid until \d/,
    );
    assert.equal(countPosts(await story.run(["sync"])), 0);
    await story.setPolicy({ notify: "Alerts" });
    await story.run(["sync"]);
    assert.match(story.said()[1] ?? "", /settled/);
  });

  test("names from Webex mention nobody and stay text", async () => {
    const title = "<@all> **x** [y](https://evil.example) `z` <@personEmail:ann@acme.example|Ann>";
    const rooms = [
      { title, members: ["rollcall", "ann", "eve", "fay", "gus", "hal"] },
      { title: "Alerts", members: ["rollcall", "ann"] },
    ];
    const story = await startStory({ ...acme, rooms }, []);
    await using _ = story;
    const csv = `group,room\nnoc,${story.sandbox.roomId(title)}\n`;
    await story.folder.write("mappings/rooms.csv", csv);
    story.sandbox.github.writeFile("mappings/rooms.csv", csv);
    await story.folder.write("mappings/policy.json", '{ "report": { "notify": "Alerts" } }');
    assert.equal((await story.run(["sync"])).code, 2);
    const [text = ""] = story.sandbox.messages("Alerts");
    assert.doesNotMatch(text, /<@|<\w|\*\*x\*\*|(?<!\\)\]\(https:..evil|(?<!\\)`z/);
  });
});
