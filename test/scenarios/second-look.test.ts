import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { When } from "../../sandbox/faults.ts";
import type { Sandbox, SandboxOptions } from "../../sandbox/server.ts";
import { crowd, organisation } from "../support/organisation.ts";
import { type Ending, type Story, startStory } from "../support/story.ts";

const local = { local: true };
const self = "Rollcall: self";

const members: When = { route: "GET /memberships" };
const groupMembers: When = { route: "GET /groups/{groupId}/members" };
const addition: When = { route: "POST /memberships" };

/** A space "NOC" of Ann, who is in its group, and Old and Older, who are not; New is to come. */
async function startNoc(
  options: SandboxOptions = {},
  facts: { readonly moderators?: readonly string[]; readonly policy?: object } = {},
): Promise<Story> {
  const { moderators = [], policy } = facts;
  const story = await startStory(
    organisation({
      groups: { eng: ["ann", "new"] },
      people: { partner: {} },
      rooms: [{ title: "NOC", members: ["ann", "old", "older"], moderators }],
    }),
    ["eng,NOC"],
    options,
  );
  if (policy) await story.folder.write("mappings/policy.json", JSON.stringify(policy));
  return story;
}

const messages = ({ record }: Ending) => record.problems.map(({ message }) => message);

/** How often a run asked for something. */
const count = ({ requests }: Ending, { route }: When) =>
  requests.filter((request) => request.route === route).length;

interface Case {
  readonly name: string;
  readonly when: When;
  readonly change: (sandbox: Sandbox) => void;
  readonly removed?: readonly string[];
  readonly changed?: readonly string[];
  readonly code: number;
  readonly problem?: RegExp;
  readonly policy?: object;
  readonly moderators?: readonly string[];
}

const giveUpModerators = { protect: { moderators: false } };
const lookAgain = /the next run looks again$/;

// In each case Webex changes right before the request that is named.
const cases: readonly Case[] = [
  {
    name: "who is put back into the group before the second look stays, and the space is as declared",
    when: addition,
    change: (sandbox) => sandbox.addToGroup("eng", "old"),
    removed: ["Older"],
    changed: ["Old: changed"],
    code: 0,
  },
  {
    name: "who joins group and space after the group was read first stays",
    when: { ...members, after: 0 },
    change: (sandbox) => {
      sandbox.addToGroup("eng", "partner");
      sandbox.addToRoom("NOC", "partner");
    },
    removed: ["Old", "Older"],
    changed: ["Partner: changed"],
    code: 0,
  },
  {
    name: "who comes back between the second list of members and the second reading of the group stays",
    when: { ...groupMembers, after: 1 },
    change: (sandbox) => sandbox.addToGroup("eng", "old"),
    removed: ["Older"],
    changed: ["Old: changed"],
    code: 0,
  },
  {
    name: "who has left the space before the second look is no change of this run",
    when: addition,
    change: (sandbox) => sandbox.removeFromRoom("NOC", "old"),
    removed: ["Older"],
    changed: ["Old: changed"],
    code: 0,
  },
  {
    name: "who has become a moderator stays, and is no surplus where the policy protects moderators",
    when: addition,
    change: (sandbox) => {
      sandbox.setModerator("NOC", "ann", true);
      sandbox.setModerator("NOC", "old", true);
    },
    removed: ["Older"],
    changed: ["Old: changed"],
    code: 0,
  },
  {
    name: "who has become a moderator stays where the policy does not protect them, and the next run looks again",
    when: addition,
    change: (sandbox) => {
      sandbox.setModerator("NOC", "ann", true);
      sandbox.setModerator("NOC", "old", true);
    },
    policy: giveUpModerators,
    removed: ["Older"],
    changed: ["Old: changed"],
    code: 3,
    problem: lookAgain,
  },
  {
    name: "who has become the only moderator stays, whatever the policy says",
    when: addition,
    change: (sandbox) => sandbox.setModerator("NOC", "old", true),
    policy: giveUpModerators,
    removed: ["Older"],
    changed: ["Old: changed"],
    code: 0,
  },
  {
    name: "a moderator who was to go stays when the other moderators have gone meanwhile",
    when: addition,
    change: (sandbox) => sandbox.setModerator("NOC", "ann", false),
    policy: giveUpModerators,
    moderators: ["ann", "old"],
    removed: ["Older"],
    changed: ["Old: changed"],
    code: 0,
  },
  {
    name: "who has lost the group during the run stays for now, and the run does not say that all is well",
    when: addition,
    change: (sandbox) => sandbox.removeFromGroup("eng", "ann"),
    removed: ["Old", "Older"],
    code: 3,
    problem: /^after this run space "NOC" has members whom a second look shows in none of its groups: Ann;/,
  },
  {
    name: "a stranger who came in during the run stays for now, and the run does not say that all is well",
    when: addition,
    change: (sandbox) => sandbox.addToRoom("NOC", "partner"),
    removed: ["Old", "Older"],
    code: 3,
    problem: /shows in none of its groups: Partner; the next run looks again$/,
  },
  {
    name: "a group that was emptied during the run removes nobody",
    when: { ...groupMembers, after: 1 },
    change: (sandbox) => sandbox.setGroup("eng", []),
    changed: ["Old: changed", "Older: changed"],
    code: 3,
    problem:
      /^nobody was removed from space "NOC", because a second look was in doubt \(a group of it has no members/,
  },
  {
    name: "a group that was renamed during the run removes nobody",
    when: { ...groupMembers, after: 1 },
    change: (sandbox) => sandbox.renameGroup("eng", "engineering"),
    changed: ["Old: changed", "Older: changed"],
    code: 3,
    problem: /not known for certain: eng\); the next run looks again$/,
  },
  {
    name: "when the token's owner has left the space during the run, nobody is removed",
    when: { ...members, after: 1 },
    change: (sandbox) => sandbox.removeFromRoom("NOC", "rollcall"),
    changed: ["Old: changed", "Older: changed"],
    code: 3,
    problem: /^nobody was removed from space "NOC".*its member list is incomplete/,
  },
];

describe("Webex changes while a run is under way", { concurrency: 2 }, () => {
  for (const { name, when, change, removed = [], changed = [], code, problem, policy, moderators } of cases) {
    test(name, async () => {
      await using story = await startNoc(
        {},
        { ...(moderators && { moderators }), ...(policy && { policy }) },
      );
      const { sandbox } = story;
      sandbox.fault({ ...when, changeBefore: () => change(sandbox) });
      const ending = await story.run(["sync"], local);
      const room = ending.rooms.NOC;
      assert.deepEqual(room?.removed ?? [], removed);
      assert.deepEqual(
        (room?.kept ?? []).filter((one) => one.endsWith(": changed")),
        changed,
      );
      assert.equal(ending.code, code, ending.stderr);
      assert.equal(ending.record.status === "partial", code === 3);
      if (problem)
        assert.ok(
          messages(ending).some((message) => problem.test(message)),
          `${messages(ending)}`,
        );
      const sent = ending.writes.filter((write) => write.startsWith("remove"));
      assert.deepEqual(
        sent,
        removed.map((who) => `remove ${who.toLowerCase()} from NOC: 204`),
      );
    });
  }

  test("a group of 620 of which one leaves and one joins between the pages removes nobody by mistake", async () => {
    const people = crowd(620);
    await using story = await startStory(
      organisation({ groups: { all: people }, people: { joins: {} }, rooms: { Hall: [...people, "old"] } }),
      ["all,Hall"],
    );
    const { sandbox } = story;
    const changeAfter = () => sandbox.setGroup("all", [...people.slice(1), "joins"]);
    sandbox.fault({ ...groupMembers, changeAfter });
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.writes.filter((write) => write.startsWith("remove")).length, 2);
    assert.ok(!sandbox.members("Hall").includes("p0001") && !sandbox.members("Hall").includes("old"));
    assert.equal(sandbox.members("Hall").length, 621);
    assert.equal(ending.code, 0);
  });

  test("a group that never holds still is read three times and then removes nobody", async () => {
    const people = crowd(620);
    await using story = await startStory(
      organisation({ groups: { all: people }, rooms: { Hall: [...people.slice(1), "old"] } }),
      ["all,Hall"],
    );
    const { sandbox } = story;
    sandbox.fault({ ...groupMembers, times: 99, changeAfter: () => sandbox.setGroup("all", people) });
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.writes, ["add p0001 to Hall: 200"]);
    assert.deepEqual(ending.rooms.Hall?.kept, ["Old: changed", self]);
    assert.deepEqual([ending.code, count(ending, groupMembers)], [3, 6]);
    assert.match(
      messages(ending)[0] ?? "",
      /the members of group "all" are not known for certain: it changed while it was read/,
    );
  });

  test("a reply that came from another group is not believed", async () => {
    await using story = await startNoc();
    const { sandbox } = story;
    const edit = (body: unknown) => ({ ...Object(body), displayName: "engineering", members: [] });
    sandbox.fault({ ...groupMembers, times: 3, edit });
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.writes], [3, []]);
    assert.match(messages(ending)[0] ?? "", /Webex answered with the group "engineering"/);
  });

  test("the second look costs one list of members, and one reading of each group, in spaces with removals only", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], ops: ["bob"], quiet: ["cat"], grows: ["dan"] },
        rooms: { NOC: ["ann", "bob", "old"], Quiet: ["cat"], Grows: [] },
      }),
      ["eng,NOC", "ops,NOC", "quiet,Quiet", "grows,Grows"],
    );
    const first = await story.run(["sync"], local);
    // First reading, second look and read-back of NOC; first reading and read-back of Grows; Quiet once.
    assert.deepEqual([count(first, members), count(first, groupMembers)], [3 + 2 + 1, 4 + 2]);
    assert.deepEqual(first.writes, ["add dan to Grows: 200", "remove old from NOC: 204"]);
    const second = await story.run(["sync"], local);
    assert.deepEqual([count(second, members), count(second, groupMembers), second.code], [3, 4, 0]);
  });

  test("one reading of a group serves several spaces, and begins when the last of them was listed", async () => {
    const titles = crowd(8, "room");
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"] },
        rooms: Object.fromEntries(titles.map((title) => [title, ["ann", "old"]])),
      }),
      titles.map((title) => `eng,${title}`),
    );
    const ending = await story.run(["sync"], local);
    assert.equal(ending.record.totals.removed, 8);
    assert.ok(count(ending, groupMembers) <= 1 + 8);
  });

  test("whoever joins the group of a row that leads to no space, after it was read first, stays as well", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], leads: ["lee"] },
        rooms: { NOC: ["ann", "lee", "old", "older"] },
      }),
      ["eng,NOC", "leads,NCO"],
    );
    const { sandbox } = story;
    sandbox.fault({ ...members, after: 1, changeBefore: () => sandbox.addToGroup("leads", "old") });
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.writes, ["remove older from NOC: 204"]);
    assert.deepEqual([ending.code, ending.rooms.NOC?.kept], [3, [self, "Old: changed"]]);
  });

  test("a group of a row without a space that has another name by the second look keeps everybody", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann"], leads: ["lee"] }, rooms: { NOC: ["ann", "old"] } }),
      ["eng,NOC", "leads,NCO"],
    );
    const { sandbox } = story;
    sandbox.fault({
      ...members,
      after: 1,
      changeBefore: () => sandbox.renameGroup("leads", "directors"),
    });
    const ending = await story.run(["sync"], local);
    assert.deepEqual([ending.code, ending.writes], [3, []]);
    assert.match(messages(ending).join("\n"), /a second look was in doubt/);
  });

  test("a restore looks again too, at the members alone", async () => {
    await using story = await startNoc();
    const { sandbox } = story;
    sandbox.removeFromRoom("NOC", "old");
    sandbox.removeFromRoom("NOC", "older");
    sandbox.setGroup("eng", ["ann", "new", "partner"]);
    const done = await story.run(["sync"], local);
    assert.deepEqual(done.rooms.NOC?.added, ["New", "Partner"]);
    await story.folder.write("undone.json", JSON.stringify(done.record));
    sandbox.fault({
      ...members,
      after: 1,
      changeBefore: () => {
        sandbox.setModerator("NOC", "ann", true);
        sandbox.setModerator("NOC", "new", true);
      },
    });
    const undone = await story.run(["restore", "--record", "undone.json"], local);
    assert.deepEqual([undone.rooms.NOC?.removed, undone.rooms.NOC?.kept], [["Partner"], ["New: changed"]]);
    assert.deepEqual([count(undone, members), count(undone, groupMembers)], [3, 0]);
  });

  test("a bot that a group lists as a user is a bot", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"], bots: ["quiet"] },
        people: { quiet: { type: "bot" }, screen: { type: "device" } },
        rooms: { NOC: ["ann", "quiet", "screen"], Bots: ["quiet"] },
      }),
      ["eng,NOC", "bots,Bots"],
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms.NOC?.kept, ["Quiet: bot", self, "Screen: device"]);
    assert.deepEqual([ending.code, ending.writes], [0, []]);
  });
});
