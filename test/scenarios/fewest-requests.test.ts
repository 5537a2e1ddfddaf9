import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { crowd, organisation } from "../support/organisation.ts";
import { type Ending, startStory } from "../support/story.ts";

const rooms = "mappings/rooms.csv";

/** Ten groups more than the rows name, and spaces more, on small pages: `/groups` takes seven of them, `/rooms` three. */
const acme = () =>
  organisation({
    groups: {
      noc: ["ann", "bob"],
      ops: ["cyd"],
      all: crowd(501),
      ...Object.fromEntries(crowd(10, "other").map((name) => [name, ["eve"]])),
    },
    rooms: { NOC: ["ann", "bob"], Ops: ["cyd"], ...Object.fromEntries(crowd(4).map((name) => [name, []])) },
  });

const small: SandboxOptions = { pageCaps: { groups: 2, rooms: 2 } };

/** What Webex was asked to read, without ids; who reads page after page has asked as often. */
function reads({ requests }: Ending): readonly string[] {
  const asked = requests.filter(({ half, method }) => half === "webex" && method === "GET");
  return asked
    .map(({ route, path }) => {
      const filter = new URL(path, "http://x").searchParams.get("filter");
      return filter === null ? route : `${route} ${filter}`;
    })
    .sort();
}

describe("no more is read than the rows need", { concurrency: 2 }, () => {
  test("spaces and groups given by id need no listing, however the id is written", async () => {
    await using story = await startStory(acme(), [], small);
    const { sandbox, folder } = story;
    const uuidOf = (id: string) => Buffer.from(id, "base64url").toString().split("/").at(-1) ?? "";
    const [noc, ops] = [sandbox.roomId("NOC"), sandbox.roomId("Ops")];
    await folder.write(
      rooms,
      `group,room\n${sandbox.groupId("noc")},${noc}\n${uuidOf(sandbox.groupId("ops"))},https://web.webex.com/spaces/${uuidOf(ops)}\n`,
    );
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.record.status, end.record.totals.rooms], [0, "converged", 2]);
    assert.deepEqual(reads(end), [
      "GET /groups/{groupId}/members",
      "GET /groups/{groupId}/members",
      "GET /memberships",
      "GET /memberships",
      "GET /people/me",
      "GET /rooms/{roomId}",
      "GET /rooms/{roomId}",
    ]);
  });

  test("an id that leads nowhere, or to something else, is looked for in the listing and told as ever", async () => {
    await using story = await startStory(acme(), [], small);
    const { sandbox, folder } = story;
    const [group, room] = [sandbox.groupId("noc"), sandbox.roomId("NOC")];
    sandbox.deleteRoom("NOC");
    await folder.write(rooms, `group,room\n${group},${room}\n${sandbox.groupId("ops")},${group}\n`);
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.record.status, end.writes], [3, "partial", []]);
    const [gone, other] = end.record.problems;
    assert.match(gone?.message ?? "", /^no space with this id is visible/);
    assert.match(other?.message ?? "", /this is the id of a scim group, not of a space/);
  });

  test("a group given by id of which not all members arrive removes nobody", async () => {
    await using story = await startStory(acme(), [], { ...small, groupMembersMissing: ["bob"] });
    const { sandbox, folder } = story;
    await folder.write(rooms, `group,room\n${sandbox.groupId("noc")},${sandbox.roomId("NOC")}\n`);
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.writes], [3, []]);
    assert.match(end.record.problems[0]?.message ?? "", /1 of 2 members arrived/);
  });

  test("a new name needs the whole listing; from then on a filter finds it, and its members with it", async () => {
    await using story = await startStory(acme(), ["noc,NOC"], small);
    const { sandbox } = story;
    const first = await story.run(["sync"]);
    assert.equal(reads(first).filter((read) => read === "GET /groups").length, 7);
    const second = await story.run(["sync"]);
    assert.deepEqual([second.code, second.record.status], [0, "converged"]);
    assert.deepEqual(
      reads(second).filter((read) => read.startsWith("GET /groups")),
      ["GET /groups", 'GET /groups displayName eq "noc"'],
    );

    sandbox.removeFromGroup("noc", "bob");
    const third = await story.run(["sync"]);
    assert.deepEqual([third.code, third.writes], [0, ["remove bob from NOC: 204"]]);
    assert.deepEqual(
      reads(third).filter((read) => read.startsWith("GET /groups")),
      // The second look reads the group by itself.
      ["GET /groups", 'GET /groups displayName eq "noc"', "GET /groups/{groupId}/members"],
    );
  });

  test("of a big group or an empty one the filter's members are not believed", async () => {
    await using story = await startStory(acme(), ["all,NOC,add-only", "ops,Ops,add-only"], small);
    const { sandbox } = story;
    await story.run(["sync"]);
    sandbox.removeFromGroup("ops", "cyd");
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.writes], [0, []]);
    assert.equal(reads(end).filter((read) => read === "GET /groups/{groupId}/members").length, 3);
  });

  test("a known name that a second group bears, or that is gone, freezes its space as the listing would", async () => {
    await using story = await startStory(acme(), ["noc,NOC"], small);
    const { sandbox } = story;
    await story.run(["sync"]);
    sandbox.renameGroup("ops", "noc");
    const twice = await story.run(["sync"]);
    assert.deepEqual([twice.code, twice.writes], [3, []]);
    assert.match(twice.record.problems[0]?.message ?? "", /^2 groups are named "noc"/);
  });

  test("a known name that now leads elsewhere freezes its space, and a lost one is told with where it led", async () => {
    await using story = await startStory(acme(), ["noc,NOC"], small);
    const { sandbox } = story;
    await story.run(["sync"]);
    sandbox.renameGroup("noc", "crew");
    const lost = await story.run(["sync"]);
    assert.deepEqual([lost.code, lost.writes], [3, []]);
    assert.match(lost.record.problems[0]?.message ?? "", /no group is named "noc".*now named "crew"/);
    sandbox.renameGroup("ops", "noc");
    const moved = await story.run(["sync"]);
    assert.deepEqual([moved.code, moved.writes], [3, []]);
    assert.match(moved.record.problems[0]?.message ?? "", /"noc" led to another group on earlier runs/);
  });

  test("a comment needs the whole listing: it may begin with the name of any group", async () => {
    await using story = await startStory(acme(), ["noc,NOC"], small);
    const { sandbox, folder } = story;
    await story.run(["sync"]);
    sandbox.renameGroup("ops", "#ops");
    await folder.write(rooms, "group,room\nnoc,NOC\n#ops,Ops\n");
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.writes], [3, []]);
    assert.match(end.record.problems[0]?.message ?? "", /begins with the name of the group "#ops"/);
  });

  test("a sync asks for nobody whom it only adds, save where it could not; a plan asks for everybody", async () => {
    await using story = await startStory(acme(), ["noc,Ops,add-only"], small);
    const { sandbox } = story;
    const plan = await story.run(["plan"]);
    assert.equal(reads(plan).filter((read) => read === "GET /people").length, 1);
    assert.deepEqual(plan.record.rooms[0]?.added.map(({ email }) => email).sort(), [
      "ann@acme.example",
      "bob@acme.example",
    ]);
    sandbox.fault({ route: "POST /memberships", times: 1, status: 403 });
    const end = await story.run(["sync"]);
    assert.equal(reads(end).filter((read) => read === "GET /people").length, 1);
    const [room] = end.record.rooms;
    const told = [...(room?.added ?? []), ...(room?.failed ?? [])].map(({ email }) => email);
    assert.deepEqual(told.sort(), ["ann@acme.example", "bob@acme.example"]);
    assert.equal(reads(await story.run(["sync"])).filter((read) => read === "GET /people").length, 0);
  });
});
