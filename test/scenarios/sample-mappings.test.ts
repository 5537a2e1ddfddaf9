import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const local = { local: true };
const kept = ["Rollcall: self"];

// The faults of a sample application that come from what a row of the CSV was taken for.
describe("a row means what it says", { concurrency: 2 }, () => {
  test("sample faults 3 and 4: a room gets all its groups, a group all its rooms, and a second run changes nothing", async () => {
    await using story = await startStory(
      organisation({
        groups: { east: ["ann", "bob"], west: ["cat", "dan"] },
        rooms: { Coast: ["ann", "cat", "eve"], Desert: ["cat"], Delta: ["ann", "bob"] },
      }),
      ["west,Coast", "east,Coast", "west,Desert", "east,Delta"],
    );
    const first = await story.run(["sync"], local);
    assert.deepEqual(first.rooms, {
      Coast: { members: "4 → 5", added: ["Bob", "Dan"], removed: ["Eve"], kept },
      Desert: { members: "2 → 3", added: ["Dan"], kept },
      Delta: { members: "3 → 3", kept },
    });
    assert.deepEqual(first.record.rooms[0]?.groups, ["west", "east"]);
    assert.equal(first.code, 0);
    assert.deepEqual(story.sandbox.members("Coast"), ["ann", "bob", "cat", "dan", "rollcall"]);

    const second = await story.run(["sync"], local);
    assert.deepEqual([second.code, second.record.status, second.writes], [0, "converged", []]);
  });

  test("sample fault 7: of two rooms with one title neither is touched, and no direct space is taken for a room", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], ops: ["bob"] },
        rooms: [
          { title: "Standup", members: ["cat"] },
          { title: "Standup", members: ["dan"] },
          { title: "Bob Direct", members: ["bob"], type: "direct" },
          { title: "Ann", members: ["ann"], type: "direct" },
          { title: "Ann", members: ["ann", "dan"] },
        ],
      }),
      ["eng,Standup", "ops,Bob Direct", "eng,Ann"],
    );
    const { sandbox } = story;
    const standups = await story.run(["sync"], local);
    const listed = standups.requests.find(({ route }) => route === "GET /rooms")?.response;
    const { items } = Object(listed) as { items: { id: string; title: string; type: string }[] };
    assert.deepEqual(new Set(items.map(({ type }) => type)), new Set(["group"]));
    const ids = items.flatMap(({ id, title }) => (title === "Standup" ? [id] : [])).sort();
    assert.deepEqual(standups.record.problems, [
      {
        line: 2,
        column: "room",
        message: `2 spaces are titled "Standup"; write the id of the one you mean: ${ids.join(", ")}`,
      },
      {
        line: 3,
        column: "room",
        message: 'no space is titled "Bob Direct"; rollcall@acme.example must be in it',
      },
    ]);
    assert.deepEqual(standups.rooms, { Ann: { members: "3 → 2", removed: ["Dan"], kept } });
    assert.deepEqual([standups.code, standups.writes], [3, ["remove dan from Ann: 204"]]);
    assert.deepEqual(sandbox.members("Bob Direct"), ["bob", "rollcall"]);
  });

  test("sample fault 8: a row that names nothing freezes its room only, and says what was meant", async () => {
    await using story = await startStory(
      organisation({
        groups: { "NOC On-call": ["ann"], Leads: ["bob"], "Night Shift": ["cat"] },
        rooms: { NOC: ["dan"], Bridge: ["eve"], "Night Watch": ["dan"], Quiet: ["cat", "eve"] },
      }),
      [
        "Leads,Bridge",
        "Night Shift,Nigth Watch",
        "NOC Oncall,NOC",
        "Leads,NOC",
        "Nobody Knows,Night Watch",
        "Night Shift,Quiet",
      ],
    );
    // Renamed since the row was written.
    story.sandbox.renameRoom("Bridge", "The Bridge");
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.record.problems, [
      { line: 2, column: "room", message: 'no space is titled "Bridge"; did you mean "The Bridge"?' },
      { line: 3, column: "room", message: 'no space is titled "Nigth Watch"; did you mean "Night Watch"?' },
      { line: 4, column: "group", message: 'no group is named "NOC Oncall"; did you mean "NOC On-call"?' },
      {
        line: 6,
        column: "group",
        message: 'no group is named "Nobody Knows"; the token\'s owner must be allowed to see it',
      },
    ]);
    assert.deepEqual(ending.rooms, {
      NOC: { members: "2 → 2", frozen: "line 4 names no single group" },
      "Night Watch": { members: "2 → 2", frozen: "line 6 names no single group" },
      Quiet: { members: "3 → 2", removed: ["Eve"], kept },
    });
    assert.deepEqual(
      [ending.code, ending.record.status, ending.writes],
      [3, "partial", ["remove eve from Quiet: 204"]],
    );
    for (const { message } of ending.record.problems) assert.ok(ending.stdout.includes(message), message);
  });

  test("sample fault 13: a byte-order mark, blanks after commas, CRLF and a quoted comma are no faults", async () => {
    await using story = await startStory(
      organisation({ groups: { "Sales, East": ["ann"], Café: ["bob"] }, rooms: { East: [], Bar: [] } }),
      [],
    );
    await story.folder.write(
      "mappings/rooms.csv",
      '\uFEFFgroup, room\r\n# the east\r\n"Sales, East", East\r\n\r\nCafe\u0301 ,Bar \r\n',
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.record.problems], [0, []]);
    assert.deepEqual(ending.writes, ["add ann to East: 200", "add bob to Bar: 200"]);
    assert.deepEqual(
      ending.record.rooms.map(({ lines }) => lines),
      [[3], [5]],
    );
  });

  test("sample fault 13: all faults of the CSV are told in one go, by line, and nothing is requested", async () => {
    await using story = await startStory(organisation({ groups: {}, rooms: {} }), []);
    const rows = ["groop,room,mode", "eng,,sync", "eng,NOC,sink", "eng", "ops,NOC,", "ops,NOC,", '"eng,NOC'];
    await story.folder.write("mappings/rooms.csv", `${rows.join("\n")}\n`);
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.record.status, ending.record.rooms], [1, "failed", []]);
    assert.deepEqual(
      ending.record.problems.map(({ line, column }) => [line, column]),
      [
        [1, "groop"],
        [2, "room"],
        [3, "mode"],
        [4, null],
        [6, null],
        [7, null],
      ],
    );
    for (const { line } of ending.record.problems) {
      assert.ok(ending.stderr.includes(`mappings/rooms.csv:${line}: `), `line ${line} is told`);
    }
    assert.deepEqual([ending.requests, ending.record.token], [[], null]);
  });
});
