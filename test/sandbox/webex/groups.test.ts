import assert from "node:assert/strict";
import { test } from "node:test";
import type { Organisation } from "../../../sandbox/organisation.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import type { Quirks } from "../../../sandbox/webex/quirks.ts";
import { list, signIn, small } from "../client.ts";

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
