import assert from "node:assert/strict";
import { test } from "node:test";
import type { Organisation } from "../../../sandbox/organisation.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import type { Quirks } from "../../../sandbox/webex/quirks.ts";
import { list, nextOf, signIn, small } from "../client.ts";

/** Reads the group "on-call" by pages of this size, as first letters of names, and its memberSize. */
async function readOnCall(quirks: Quirks, count: number, organisation: Organisation = small) {
  await using sandbox = await startSandbox(organisation, quirks);
  const call = await signIn(sandbox);
  const pages: string[] = [];
  for (let startIndex = 1; startIndex <= 10; startIndex += count) {
    const path = `/groups/${sandbox.groupId("on-call")}/members?startIndex=${startIndex}&count=${count}`;
    const answer = await call("GET", path);
    const members = list(answer, "members");
    if (members.length === 0) return { pages, memberSize: answer.body.memberSize };
    pages.push(members.map((member) => String(member.displayName)[0]).join(""));
  }
  return { pages };
}

test("a group's members come in pages by startIndex and count", async () => {
  assert.deepEqual(await readOnCall({}, 2), { pages: ["ab", "cd", "e"], memberSize: 5 });
});

test("the largest page of members can be capped", async () => {
  const { pages } = await readOnCall({ pageCaps: { groupMembers: 3 } }, 500);
  assert.deepEqual(pages, ["abc"]);
});

test("a member is an id of the kind that people and memberships have, a type and a label", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  const answer = await call("GET", `/groups/${sandbox.groupId("on-call")}/Members?count=1`);
  const ann = { id: sandbox.personId("ann"), type: "user", displayName: "ann Example" };
  assert.deepEqual(answer.body.members, [ann]);
  assert.equal((await call("GET", "/groups/nonsense/members")).status, 404);
});

test("nested groups are members of another type and count in memberSize", async () => {
  const groups = [
    { name: "on-call", members: ["ann"], nestedGroups: ["deputies"] },
    { name: "deputies", members: ["bob"] },
  ];
  await using sandbox = await startSandbox({ ...small, groups });
  const call = await signIn(sandbox);
  const { body } = await call("GET", `/groups/${sandbox.groupId("on-call")}/members`);
  assert.equal(body.memberSize, 2);
  assert.deepEqual((body.members as unknown[])[1], {
    id: sandbox.groupId("deputies"),
    type: "group",
    displayName: "deputies",
  });
});

test("an empty group has no members field unless the switch is off", async () => {
  for (const membersOmittedWhenEmpty of [undefined, false]) {
    const quirks = membersOmittedWhenEmpty === undefined ? {} : { membersOmittedWhenEmpty };
    await using sandbox = await startSandbox(small, quirks);
    const call = await signIn(sandbox);
    const { body } = await call("GET", `/groups/${sandbox.groupId("empty")}/members`);
    assert.deepEqual(
      [body.memberSize, body.members],
      [0, membersOmittedWhenEmpty === false ? [] : undefined],
    );
  }
});

test("groupMembersCut ends the members early while memberSize counts them all", async () => {
  assert.deepEqual(await readOnCall({ groupMembersCut: 3 }, 2), { pages: ["ab", "c"], memberSize: 5 });
});

test("groupMembersMissing leaves people out while memberSize counts them", async () => {
  assert.deepEqual(await readOnCall({ groupMembersMissing: ["bob"] }, 5), { pages: ["acde"], memberSize: 5 });
});

test("groupMembersByPageSize loses members on pages smaller than the group only", async () => {
  assert.deepEqual((await readOnCall({ groupMembersByPageSize: true }, 2)).pages, ["b", "d"]);
  assert.deepEqual((await readOnCall({ groupMembersByPageSize: true }, 5)).pages, ["abcde"]);
});

test("groups are found by displayName with eq and sw", async () => {
  const groups = ['say "hi"', "on-call", "on-call EU"].map((name) => ({ name, members: [] }));
  await using sandbox = await startSandbox({ ...small, groups });
  const call = await signIn(sandbox);
  const find = async (filter: string) => {
    const answer = await call("GET", `/groups?filter=${encodeURIComponent(filter)}`);
    return list(answer, "groups").map((group) => group.displayName);
  };
  assert.deepEqual(await find('displayName eq "on-call"'), ["on-call"]);
  assert.deepEqual(await find('displayName sw "on"'), ["on-call", "on-call EU"]);
  assert.deepEqual(await find('displayName eq "say \\"hi\\""'), ['say "hi"']);
  assert.equal((await call("GET", "/groups?filter=id%20eq%20%22x%22")).status, 400);
});

test("the list of groups is paged, and its total can be that of one page", async () => {
  for (const [quirks, total] of [
    [{ pageCaps: { groups: 1 } }, 2],
    [{ pageCaps: { groups: 1 }, groupTotalIsPageCount: true }, 1],
  ] as const) {
    await using sandbox = await startSandbox(small, quirks);
    const call = await signIn(sandbox);
    const { body } = await call("GET", "/groups?startIndex=2&count=100");
    assert.deepEqual([body.totalResults, body.startIndex, body.itemsPerPage], [total, 2, 1]);
    assert.deepEqual((body.groups as { displayName: string }[])[0]?.displayName, "empty");
  }
});

test("one group answers without its members", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  const { body } = await call("GET", `/groups/${sandbox.groupId("on-call")}`);
  assert.deepEqual([body.displayName, body.memberSize, "members" in body], ["on-call", 5, false]);
});

test("a change of members moves the size and the time of the group, and of no other", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  const look = async (name: string) => {
    const { memberSize, lastModified } = (await call("GET", `/groups/${sandbox.groupId(name)}`)).body;
    return { memberSize, lastModified: String(lastModified) };
  };
  const [before, empty] = [await look("on-call"), await look("empty")];
  sandbox.removeFromGroup("on-call", "ann");
  const removed = await look("on-call");
  sandbox.addToGroup("on-call", "rollcall");
  const added = await look("on-call");
  assert.deepEqual([before.memberSize, removed.memberSize, added.memberSize], [5, 4, 5]);
  assert.ok(before.lastModified < removed.lastModified && removed.lastModified < added.lastModified);
  assert.deepEqual(await look("empty"), empty);
  const id = sandbox.groupId("on-call");
  sandbox.renameGroup("on-call", "duty");
  assert.equal((await call("GET", `/groups/${id}`)).body.displayName, "duty");
});

test("pages of a list that changes meanwhile really lose and repeat members", async () => {
  for (const [change, names] of [
    ["leaves", "abde"],
    ["joins in front", "abbcde"],
  ] as const) {
    await using sandbox = await startSandbox(small);
    const call = await signIn(sandbox);
    const page = async (startIndex: number) => {
      const path = `/groups/${sandbox.groupId("on-call")}/members?startIndex=${startIndex}&count=2`;
      return list(await call("GET", path), "members").map(({ displayName }) => String(displayName)[0]);
    };
    const first = await page(1);
    if (change === "leaves") sandbox.removeFromGroup("on-call", "ann");
    else sandbox.setGroup("on-call", ["rollcall", "ann", "bob", "cat", "dan", "eve"]);
    assert.equal([...first, ...(await page(3)), ...(await page(5))].join(""), names);
  }
});

test("includeMembers shows the first 500 members of a group, and says nothing of the others", async () => {
  const people = Array.from({ length: 501 }, (_, index) => {
    return { key: `p${index}`, displayName: `p${index}`, email: `p${index}@acme.example.com` };
  });
  const groups = [{ name: "all", members: people.map(({ key }) => key) }];
  await using sandbox = await startSandbox({ ...small, people, groups, rooms: [] });
  const call = await signIn(sandbox);
  const { body } = await call("GET", `/groups/${sandbox.groupId("all")}?includeMembers=true`);
  assert.deepEqual([body.memberSize, (body.members as unknown[]).length], [501, 500]);
  const [listed] = list(await call("GET", "/groups?includeMembers=true"), "groups");
  assert.deepEqual(listed?.members, body.members);
});

test("groups and their members can have next links", async () => {
  await using sandbox = await startSandbox(small, { groupLinks: true, pageCaps: { groups: 1 } });
  const call = await signIn(sandbox);
  const path = `/groups/${sandbox.groupId("on-call")}/members?count=4`;
  const first = await call("GET", path);
  const next = await call("GET", nextOf(first) ?? "");
  assert.deepEqual([list(next, "members").length, nextOf(next)], [1, undefined]);
  const second = await call("GET", nextOf(await call("GET", "/groups")) ?? "");
  assert.deepEqual([list(second, "groups")[0]?.displayName, nextOf(second)], ["empty", undefined]);
});

test("devices are machines in a group, and people without a name and of types of the future are shown", async () => {
  const people = [
    { key: "board", displayName: "Board Room", email: "board@devices.example", type: "place" },
    { key: "guest", displayName: null, email: "guest@guests.example", type: "appuser" },
    { key: "later", displayName: "Later", email: "later@acme.example.com", type: "hologram" },
  ];
  const members = people.map(({ key }) => key);
  const rooms = [{ title: "NOC", members }];
  await using sandbox = await startSandbox({
    name: "acme",
    people,
    groups: [{ name: "odd", members }],
    rooms,
  });
  const call = await signIn(sandbox);
  const listed = list(await call("GET", `/groups/${sandbox.groupId("odd")}/members`), "members");
  assert.deepEqual(
    listed.map(({ type, displayName }) => [type, displayName]),
    [
      ["machine", "Board Room"],
      ["user", null],
      ["user", "Later"],
    ],
  );
  const inRoom = list(await call("GET", `/memberships?roomId=${sandbox.roomId("NOC")}`));
  assert.equal(
    inRoom.find(({ personEmail }) => personEmail === "guest@guests.example")?.personDisplayName,
    null,
  );
  const types = await Promise.all(members.map((key) => call("GET", `/people/${sandbox.personId(key)}`)));
  assert.deepEqual(
    types.map(({ body }) => body.type),
    ["place", "appuser", "hologram"],
  );
});
