import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const local = { local: true };
const kept = ["Rollcall: self"];
const keyOf = (id: string) => Buffer.from(id, "base64url").toString().split("/").at(-1) ?? "";
const dayFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

describe("input that means what it says", { concurrency: 2 }, () => {
  test("names are the same with any kind of space and with marks that nobody sees", async () => {
    await using story = await startStory(
      organisation({ groups: { "NOC\u00A0On-call": ["ann"] }, rooms: { "War\u200B room": ["eve"] } }),
      ["NOC On-call\u200E,War\u00A0room"],
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.record.problems], [0, []]);
    assert.deepEqual(ending.writes, [
      "add ann to War\u200B room: 200",
      "remove eve from War\u200B room: 204",
    ]);
  });

  test("two spaces whose titles look the same are two, and neither is touched", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann"] }, rooms: { "War room": ["eve"], "War\u00A0room": ["bob"] } }),
      ["eng,War room"],
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.writes], [3, []]);
    assert.match(ending.record.problems[0]?.message ?? "", /^2 spaces are titled "War room"; write the id/);
  });

  test("a letter of another script is told by code point", async () => {
    await using story = await startStory(
      organisation({ groups: { NOC: ["ann"] }, rooms: { NOC: ["eve"] } }),
      ["N\u041EC,NOC"],
    );
    const ending = await story.run(["plan"], local);
    assert.deepEqual(
      ending.record.problems.map(({ line, column, message }) => [line, column, message]),
      [
        [
          2,
          "group",
          'no group is named "N\u041EC"; did you mean "NOC"? "NOC" has U+004F where U+041E is written',
        ],
      ],
    );
  });

  test("ids are known in every spelling, and a uuid that matches nothing is a problem of its row", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], ops: ["bob"], web: ["cat"] },
        rooms: { A: [], B: [], C: [], D: [] },
      }),
      [],
    );
    const { sandbox } = story;
    const uuid = (title: string) => keyOf(sandbox.roomId(title));
    const group = (name: string) => keyOf(sandbox.groupId(name));
    const rows = [
      `${group("eng").split(":")[0]?.toUpperCase()},${uuid("A")}`,
      `${group("ops")},https://teams.webex.com/spaces/${uuid("B")}/chat`,
      `${sandbox.groupId("web")},webexteams://im?space=${uuid("C").toUpperCase()}`,
      "eng,00000000-0000-4000-8000-000000000000",
    ];
    await story.folder.write("mappings/rooms.csv", `group,room\n${rows.join("\n")}\n`);
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.writes, ["add ann to A: 200", "add bob to B: 200", "add cat to C: 200"]);
    assert.deepEqual(ending.record.problems, [
      {
        line: 5,
        column: "room",
        message: "no space with this id is visible; rollcall@acme.example must be in it",
      },
    ]);
  });

  test("a group that is named like a comment loses nobody: the line is a problem, its people stay", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], "#noc": ["cat", "dan"] },
        rooms: { NOC: ["ann", "cat", "eve"] },
      }),
      ["eng,NOC", "#noc,NOC", "# the rest follows"],
    );
    const first = await story.run(["sync"], local);
    assert.deepEqual([first.code, first.writes], [3, ["remove eve from NOC: 204"]]);
    assert.match(first.record.problems[0]?.message ?? "", /begins with the name of the group "#noc"/);
    assert.equal(first.record.problems[0]?.line, 3);
    assert.deepEqual(story.sandbox.members("NOC"), ["ann", "cat", "rollcall"]);

    await story.folder.write("mappings/rooms.csv", 'group,room\neng,NOC\n"#noc",NOC\n# the rest follows\n');
    const second = await story.run(["sync"], local);
    assert.deepEqual([second.code, second.writes], [0, ["add dan to NOC: 200"]]);
  });

  test("a row brings nobody from the day after its last one, its space stays managed, and the report says so", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], guests: ["bob", "cat"], gone: [] },
        rooms: { NOC: ["ann", "bob"], Lab: ["cat"] },
      }),
      [],
    );
    const rows = [
      `eng,NOC,`,
      `guests,NOC,${dayFromNow(-1)}`,
      `No such group,Lab,${dayFromNow(-30)}`,
      `guests,Lab,${dayFromNow(3)}`,
      `guests,No such space,${dayFromNow(-1)}`,
    ];
    await story.folder.write("mappings/rooms.csv", `group,room,until\n${rows.join("\n")}\n`);
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      NOC: { members: "3 → 2", removed: ["Bob"], kept },
      Lab: { members: "2 → 3", added: ["Bob"], kept },
    });
    assert.deepEqual([ending.code, ending.record.problems], [0, []]);
    assert.deepEqual(ending.record.notices, [
      `line 3 of the mappings, "guests" in "NOC", ended on ${dayFromNow(-1)} and brings nobody any more; delete the line`,
      `line 4 of the mappings, "No such group" in "Lab", ended on ${dayFromNow(-30)} and brings nobody any more; delete the line`,
      `line 5 of the mappings, "guests" in "Lab", holds until ${dayFromNow(3)} (3 days left)`,
      `line 6 of the mappings, "guests" in "No such space", ended on ${dayFromNow(-1)} and brings nobody any more; delete the line`,
    ]);
    assert.ok(ending.stdout.includes("brings nobody any more"), ending.stdout);
  });

  test("where all rows of a space have ended, its removals go through the limits like others", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann", "bob"] }, rooms: { NOC: ["ann", "bob"] } }),
      [],
    );
    await story.folder.write("mappings/rooms.csv", `group,room,until\neng,NOC,${dayFromNow(-1)}\n`);
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      NOC: { members: "3 → 3", held: ["Ann: empties-room", "Bob: empties-room"], kept },
    });
    assert.deepEqual([ending.code, ending.writes], [2, []]);
  });

  test("an address of nobody in protect.people is told with the nearest, and one of somebody elsewhere is not", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["ann", "evelyn"] }, people: { ceo: {} } }),
      ["eng,NOC"],
    );
    const people = ["evelin@acme.example", "ceo@acme.example", "ANN@acme.example"];
    await story.folder.write("mappings/policy.json", JSON.stringify({ protect: { people } }));
    const ending = await story.run(["plan"], local);
    assert.deepEqual(ending.record.problems, [
      {
        line: null,
        column: null,
        message:
          'protect.people in policy.json names "evelin@acme.example", but nobody bears this address, so it protects nobody; did you mean "evelyn@acme.example"?',
      },
    ]);
    const asked = ending.requests.filter(({ path }) => path.includes("email="));
    assert.equal(asked.length, 2);
  });

  test("a former address protects its person like the first one", async () => {
    const eve = { moreEmails: ["Eve.Before@acme.example"] };
    await using story = await startStory(
      organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["ann", "eve"] }, people: { eve } }),
      ["eng,NOC"],
    );
    await story.folder.write(
      "mappings/policy.json",
      JSON.stringify({ protect: { people: ["eve.before@acme.example"] } }),
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, { NOC: { members: "3 → 3", kept: ["Eve: listed", ...kept] } });
    assert.deepEqual([ending.code, ending.writes, ending.record.problems], [0, [], []]);
  });

  test("the file of the token is refused as an input and as an output, by whatever path, before anything is requested", async () => {
    await using story = await startStory(organisation({ groups: {}, rooms: {} }), []);
    const { folder, sandbox } = story;
    const env = sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
    const secret = env.WEBEX_REFRESH_TOKEN ?? "";
    await folder.write("token", secret);
    await symlink("token", join(folder.path, "rooms-of-today.csv"));
    for (const args of [
      ["plan", "--mappings", "token"],
      ["plan", "--policy", "./token"],
      ["plan", "--mappings", "rooms-of-today.csv"],
      ["sync", "--json", join(folder.path, "token")],
      ["discover", "--csv", "token"],
    ]) {
      const { code, stdout, stderr } = await folder.run(args, env);
      const refusal = `${args[1]} names WEBEX_TOKEN_FILE, the file of the refresh token; name another file\n`;
      assert.deepEqual([code, stdout, stderr], [1, "", refusal]);
    }
    assert.deepEqual([sandbox.requests, await folder.read("token")], [[], secret]);
  });
});
