import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange } from "../../sandbox/http.ts";
import { nameOf, organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const local = { local: true };
const kept = ["Rollcall: self"];

const isWrite = (method: string) => (exchange: Exchange) =>
  exchange.method === method && exchange.path.startsWith("/memberships");
const trackingIdOf = (exchange: Exchange | undefined) => Object(exchange?.response).trackingId;

describe("spaces that are not like the others", { concurrency: 2 }, () => {
  test("into a team's General space people come by the team; removals there wait for approval", async () => {
    await using story = await startStory(
      organisation({
        groups: { crew: ["ann", "new"] },
        teams: [{ name: "Ship", members: ["ann", "old"] }],
        rooms: [
          { title: "Ship", members: [], team: "Ship", general: true },
          { title: "Galley", members: ["ann", "old"], team: "Ship" },
        ],
      }),
      ["crew,Ship", "crew,Galley"],
    );
    const first = await story.run(["sync"], local);
    assert.deepEqual(first.writes, [
      "add new to Galley: 200",
      "add new to Ship by the team: 200",
      "remove old from Galley: 204",
    ]);
    assert.deepEqual(first.rooms.Ship, {
      members: "3 → 4",
      added: ["New"],
      held: ["Old: team-general-space"],
      kept,
    });
    assert.deepEqual([first.code, story.sandbox.teamMembers("Ship")], [2, ["ann", "new", "old", "rollcall"]]);

    const approved = await story.run(["sync", "--approve", first.record.digest ?? ""], local);
    assert.deepEqual([approved.code, approved.writes], [0, ["remove old from Ship: 204"]]);
    assert.deepEqual(story.sandbox.teamMembers("Ship"), ["ann", "new", "rollcall"]);
  });

  test("in a moderated space that the owner doesn't moderate nothing is tried, and plan and sync say so once", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann", "new", "newer"] },
        rooms: [
          { title: "Board", members: ["ann", "old", "chair"], moderators: ["chair"], isLocked: true },
          { title: "Quiet", members: ["ann", "new", "newer"], moderators: ["ann"], isLocked: true },
          { title: "NOC", members: ["ann", "old"] },
        ],
      }),
      ["eng,Board", "eng,Quiet", "eng,NOC"],
    );
    const why = "it is moderated, and rollcall@acme.example is not one of its moderators";
    const problems = [
      {
        line: 2,
        column: "room",
        message: `nothing is changed in space "Board": ${why}; make them a moderator there`,
      },
    ];
    const frozen = { members: "4 → 4", kept: ["Chair: last-moderator", ...kept], frozen: why };
    const planned = await story.run(["plan"], local);
    assert.deepEqual([planned.rooms.Board, planned.record.problems], [frozen, problems]);
    assert.deepEqual([planned.code, planned.record.status], [0, "partial"]);
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.rooms.Board, ending.record.problems], [frozen, problems]);
    assert.deepEqual(ending.rooms.NOC, { members: "3 → 4", added: ["New", "Newer"], removed: ["Old"], kept });
    assert.deepEqual([ending.code, ending.record.status, ending.record.totals.failed], [3, "partial", 0]);
    assert.ok(ending.writes.every((write) => write.includes("NOC")));
  });

  test("a change that Webex refuses is recorded with its tracking id", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann", "new"] },
        rooms: { Board: ["ann", "old"], NOC: ["ann", "old"] },
      }),
      ["eng,Board", "eng,NOC"],
    );
    const { sandbox } = story;
    const inBoard = ({ body, url }: { readonly body: unknown; readonly url: URL }) => {
      const board = Buffer.from(sandbox.roomId("Board"), "base64url").toString().split("/").at(-1) ?? "";
      const membership = Buffer.from(url.pathname.split("/").at(-1) ?? "", "base64url").toString();
      return Object(body).roomId === sandbox.roomId("Board") || membership.endsWith(board);
    };
    for (const route of ["POST /memberships", "DELETE /memberships/{membershipId}"])
      sandbox.fault({ route, match: inBoard, status: 403 });
    const ending = await story.run(["sync"], local);
    const person = (key: string) => ({
      personId: sandbox.personId(key),
      displayName: nameOf(key),
      email: `${key}@acme.example`,
    });
    const refused = "403: Forbidden, as declared by the test";
    const refusal = (method: string) =>
      ending.requests.find((exchange) => isWrite(method)(exchange) && exchange.status === 403);
    const [added, removed] = [refusal("POST"), refusal("DELETE")];
    const [failedAddition, failedRemoval, ...more] = ending.record.rooms[0]?.failed ?? [];
    assert.deepEqual(failedAddition, {
      ...person("new"),
      action: "add",
      error: `[POST] /memberships: ${refused}`,
      trackingId: trackingIdOf(added),
    });
    assert.deepEqual(failedRemoval, {
      ...person("old"),
      action: "remove",
      error: `[DELETE] ${removed?.path}: ${refused}`,
      trackingId: trackingIdOf(removed),
    });
    assert.deepEqual(more, []);
    assert.match(String(trackingIdOf(added)), /^SANDBOX_\d+$/);
    assert.deepEqual(ending.rooms.NOC, { members: "3 → 3", added: ["New"], removed: ["Old"], kept });
    assert.deepEqual([ending.code, ending.record.status, ending.record.totals.failed], [3, "partial", 2]);
    assert.ok(ending.stdout.includes(`could not add: [POST] /memberships: ${refused}`));
  });

  test("an addition that shows late is found by another look; one that Webex accepts and doesn't show is made, and told", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann", "lost", "late"] }, rooms: { NOC: ["ann"] } }),
      ["eng,NOC"],
      { addsWithoutEffect: ["lost"], addVisibleAfterReads: 1 },
    );
    const ending = await story.run(["sync"]);
    assert.deepEqual(ending.rooms, { NOC: { members: "2 → 3", added: ["Late", "Lost"], kept } });
    assert.deepEqual(
      ending.record.problems.map(({ message }) => message),
      [
        'Webex accepted that these people were added to space "NOC", but does not show them there: Lost; the next run looks again',
      ],
    );
    assert.deepEqual([ending.code, ending.commits, ending.outputs.failed], [3, 1, "0"]);
  });

  test("a room may be named by its link, or by its id in any cluster's spelling", async () => {
    const cluster = "urn:TEAM:us-west-2_r";
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"] },
        rooms: [
          { title: "By id", members: [] },
          { title: "By app link", members: [], cluster },
          { title: "By web link", members: [] },
          { title: "By another cluster", members: [], cluster },
        ],
      }),
      [],
    );
    const { sandbox } = story;
    const decode = (title: string) => Buffer.from(sandbox.roomId(title), "base64url").toString();
    const uuid = (title: string) => decode(title).split("/").at(-1);
    const foreign = decode("By another cluster").replace(cluster, "us");
    const rooms = [
      sandbox.roomId("By id"),
      `webexteams://im?space=${uuid("By app link")}`,
      `https://web.webex.com/spaces/${uuid("By web link")}`,
      Buffer.from(foreign).toString("base64url"),
    ];
    const unknown = "https://web.webex.com/spaces/00000000-0000-4000-8000-000000000000";
    const rows = [...rooms, unknown].map((room) => `${sandbox.groupId("eng")},${room}`);
    await story.folder.write("mappings/rooms.csv", `group,room\n${rows.join("\n")}\n`);
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.writes, [
      "add ann to By another cluster: 200",
      "add ann to By app link: 200",
      "add ann to By id: 200",
      "add ann to By web link: 200",
    ]);
    assert.deepEqual(ending.record.problems, [
      {
        line: 6,
        column: "room",
        message: "no space with this id is visible; rollcall@acme.example must be in it",
      },
    ]);
  });

  test("a room whose owner is missing from its member list is left alone", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["old"] } }),
      ["eng,NOC"],
    );
    const { sandbox } = story;
    // Seen by an outsider a moderated team space shows its moderators only.
    const leave = () => {
      sandbox.removeFromRoom("NOC", "rollcall");
      return false;
    };
    sandbox.fault({ route: "GET /memberships", match: leave });
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.writes, ending.rooms.NOC?.members], [3, [], "? → ?"]);
  });
});

describe("the mode of a room", () => {
  test("audit only reports, add-only never removes, and rows of one room must agree", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann", "new"], ops: ["bob"] },
        rooms: { Watched: ["ann", "old"], Open: ["ann", "old"], Split: ["ann", "old"] },
      }),
      [],
    );
    const split = story.sandbox.roomId("Split");
    const rows = ["eng,Watched,audit", "eng,Open,add-only", "eng,Split,sync", `ops,${split},audit`];
    await story.folder.write("mappings/rooms.csv", `group,room,mode\n${rows.join("\n")}\n`);
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      Watched: { members: "3 → 3", kept: ["Old: audit", ...kept], missing: ["New"] },
      Open: { members: "3 → 4", added: ["New"], kept: ["Old: add-only", ...kept] },
      Split: { members: "3 → 3", frozen: "its rows disagree on the mode" },
    });
    assert.deepEqual([ending.code, ending.writes], [3, ["add new to Open: 200"]]);
    assert.deepEqual(ending.record.problems, [
      {
        line: 5,
        column: "mode",
        message:
          'line 4 maps the same space with mode "sync", this line with "audit"; give both the same mode',
      },
    ]);
  });
});
