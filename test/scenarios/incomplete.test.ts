import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Fault } from "../../sandbox/faults.ts";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { crowd, organisation } from "../support/organisation.ts";
import { type RoomSummary, startStory } from "../support/story.ts";

const kept = ["Rollcall: self"];
/** What becomes of a room that was read well, whatever happened elsewhere. */
const finished = { members: "4 → 4", added: ["New"], removed: ["Old"], kept };

interface Case {
  readonly name: string;
  readonly options?: SandboxOptions;
  /** Groups that are members of the group "blind". */
  readonly nested?: readonly string[];
  readonly fault?: (ids: { readonly room: string; readonly group: string; readonly rival: string }) => Fault;
  readonly blind: RoomSummary;
  readonly problem: RegExp;
}

const membersOf = (id: string) => (request: { readonly url: URL }) =>
  request.url.searchParams.get("roomId") === id;
const blinded = { members: "? → ?" };
const unsure = { members: "4 → 5", added: ["New"], kept, frozen: "not known for certain: blind" };
const memberRoute = "GET /groups/{groupId}/members";

// In each case the room "Blind", fed by the group "blind", is not known whole; the room "Sound" is.
const cases: readonly Case[] = [
  {
    name: "the second page of a room's members is refused",
    options: { pageCaps: { memberships: 3 } },
    fault: ({ room }) => ({ route: "GET /memberships", match: membersOf(room), after: 1, status: 403 }),
    blind: {
      ...blinded,
      frozen: "its member list is incomplete: [GET] /memberships: 403: Forbidden, as declared by the test",
    },
    problem:
      /^nothing is changed in space "Blind": its member list is incomplete: \[GET\] \/memberships: 403/,
  },
  {
    name: "a room that is listed has no members to show",
    options: { listedRoomIs404: ["Blind"] },
    blind: {
      ...blinded,
      frozen:
        "its member list is incomplete: [GET] /memberships: 404: Could not find a room with provided ID",
    },
    problem: /404: Could not find a room/,
  },
  {
    name: "a room's members come with those of another room",
    fault: ({ room, rival }) => ({
      route: "GET /memberships",
      match: membersOf(room),
      status: 200,
      body: { items: [{ id: "m", roomId: rival, personId: "p" }] },
    }),
    blind: { ...blinded, frozen: "its member list is incomplete: page 1 held 1 items of something else" },
    problem: /^nothing is changed in space "Blind"/,
  },
  {
    name: "a group holds another group",
    nested: ["sound"],
    blind: unsure,
    problem:
      /^the members of group "blind" are not known for certain: it holds the group "sound", and nested groups/,
  },
  {
    name: "a group comes without the members that it counts",
    fault: ({ group }) => ({
      route: memberRoute,
      match: ({ parameters }) => parameters.get("groupId") === group,
      status: 200,
      body: { displayName: "blind", memberSize: 3 },
      // It is read again as long as it contradicts itself.
      times: 3,
    }),
    blind: {
      members: "4 → 4",
      kept: ["Ann: changed", "Bob: changed", "Old: changed", ...kept],
      frozen: unsure.frozen,
    },
    problem: /^the members of group "blind" are not known for certain: 0 of 3 members arrived/,
  },
  {
    name: "a group's members are refused",
    fault: ({ group }) => ({
      route: memberRoute,
      match: ({ parameters }) => parameters.get("groupId") === group,
      status: 404,
    }),
    blind: { members: "4 → 4", kept, frozen: unsure.frozen },
    problem:
      /^the members of group "blind" are not known for certain: .*404.*; nobody is removed from "Blind"$/,
  },
  {
    name: "a group's second page is refused",
    options: { pageCaps: { groupMembers: 2 } },
    fault: ({ group }) => ({
      route: memberRoute,
      match: ({ parameters, url }) =>
        parameters.get("groupId") === group && url.searchParams.get("startIndex") !== "1",
      status: 403,
    }),
    blind: unsure,
    problem: /^the members of group "blind" are not known for certain: .*403/,
  },
];

describe("what is not surely known removes nobody, and stops no other room", { concurrency: 2 }, () => {
  for (const { name, options, nested = [], fault, blind, problem } of cases) {
    test(`${name}: that room is left alone, the other one is settled, exit 3`, async () => {
      await using story = await startStory(
        organisation({
          groups: { blind: ["ann", "new", "bob"], sound: ["ann", "bob", "new"] },
          nested: { blind: nested },
          rooms: { Blind: ["ann", "bob", "old"], Sound: ["ann", "bob", "old"] },
        }),
        ["blind,Blind", "sound,Sound"],
        options,
      );
      const { sandbox } = story;
      const ids = {
        room: sandbox.roomId("Blind"),
        group: sandbox.groupId("blind"),
        rival: sandbox.roomId("Sound"),
      };
      if (fault) sandbox.fault(fault(ids));
      const ending = await story.run(["sync"], { local: true });
      assert.deepEqual(ending.rooms, { Blind: blind, Sound: finished });
      assert.deepEqual([ending.code, ending.record.status], [3, "partial"]);
      assert.equal(ending.record.problems.length, 1);
      const [told] = ending.record.problems;
      assert.equal(told?.line, 2);
      assert.match(told?.message ?? "", problem);
      assert.ok(sandbox.members("Blind").includes("old"));
    });
  }

  test("when the second page of rooms is refused, ids still lead to rooms, names don't", async () => {
    const titles = ["A", "B", "C", "D"];
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"] },
        rooms: Object.fromEntries(titles.map((title) => [title, ["ann", "old"]])),
      }),
      [],
      { pageCaps: { rooms: 2 } },
    );
    const { sandbox } = story;
    const [first = ""] = titles.map((title) => sandbox.roomId(title)).sort();
    const named = titles.find((title) => sandbox.roomId(title) === first) ?? "";
    await story.folder.write("mappings/rooms.csv", `group,room\neng,${first}\neng,D\n`);
    sandbox.fault({ route: "GET /rooms", after: 1, status: 403 });
    const ending = await story.run(["sync"], { local: true });
    assert.deepEqual(ending.writes, [`remove old from ${named}: 204`]);
    assert.deepEqual(ending.record.problems, [
      {
        line: 3,
        column: "room",
        message:
          '"D" cannot be looked up by name; the list of spaces is incomplete: [GET] /rooms: 403: Forbidden, as declared by the test',
      },
    ]);
    assert.equal(ending.code, 3);
  });

  test("a next page on another host is never asked for: the token stays here", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann"] }, rooms: { NOC: ["ann", "old", "older"] } }),
      ["eng,NOC"],
      { pageCaps: { memberships: 2 }, foreignNext: true },
    );
    const ending = await story.run(["sync"], { local: true });
    assert.deepEqual([ending.code, ending.writes], [3, []]);
    assert.ok(ending.requests.every(({ headers }) => headers.host?.startsWith("127.0.0.1")));
    assert.match(
      ending.record.problems[0]?.message ?? "",
      /the next page lies outside of http:\/\/127\.0\.0\.1/,
    );
  });

  test("whom the directory doesn't describe stays, and is named", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"] },
        rooms: { NOC: ["ann", "ghost", "old"], Bridge: ["ann", "old"] },
      }),
      ["eng,NOC", "eng,Bridge"],
      { unseenPeople: ["ghost"] },
    );
    const missing = await story.run(["sync"], { local: true });
    assert.deepEqual(missing.writes, ["remove old from Bridge: 204", "remove old from NOC: 204"]);
    assert.deepEqual(missing.record.problems, [
      {
        line: 2,
        column: "room",
        message:
          'Webex does not say who these members of space "NOC" are, so they stay: Ghost (ghost@acme.example); remove them in Webex by hand, or list their addresses under protect.people in policy.json',
      },
    ]);
    assert.deepEqual([missing.code, story.sandbox.members("NOC")], [3, ["ann", "ghost", "rollcall"]]);
    assert.deepEqual(missing.rooms.NOC?.kept, ["Ghost: unknown", ...kept]);

    story.sandbox.addToRoom("Bridge", "old");
    story.sandbox.fault({ route: "GET /people", status: 403 });
    const refused = await story.run(["sync"], { local: true });
    assert.deepEqual([refused.code, refused.writes], [3, []]);
    assert.match(
      refused.record.problems[1]?.message ?? "",
      /^Webex could not be asked who .*\[GET\] \/people: 403/,
    );
    assert.deepEqual(
      refused.record.problems.map(({ line }) => line),
      [2, 3],
    );
  });
});

test("thirty requests that wait at once are answered in the end, and Node warns of nothing", async () => {
  const titles = crowd(30, "room");
  await using story = await startStory(
    organisation({
      groups: { eng: ["ann"] },
      rooms: Object.fromEntries(titles.map((title) => [title, []])),
    }),
    titles.map((title) => `eng,${title}`),
  );
  // Each space shows its addition only on the second look back, so that all wait for it together.
  story.sandbox.fault({
    route: "GET /memberships",
    after: 30,
    times: 30,
    edit: (body) => ({ ...Object(body), items: Object(body).items.slice(0, 1) }),
  });
  const ending = await story.run(["sync"], { local: true });
  assert.equal(ending.record.totals.added, 30);
});
