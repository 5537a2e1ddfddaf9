import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import { judgeGroup } from "../../src/membership/diff.ts";
import type { GroupHead, GroupMember } from "../../src/membership/directory.ts";
import { complete, group, incomplete, uncertain, user } from "../support/builders.ts";

const eng = group("eng").group;

/** What one page says of the group. */
function head(memberSize: number | null, facts: Partial<GroupHead> = {}): GroupHead {
  return { key: eng.key, displayName: "eng", memberSize, lastModified: "2026-11-22", ...facts };
}

function judge(size: number | null, members: Listing<GroupMember>) {
  return judgeGroup(eng, { heads: [head(size)], members });
}

test("an empty group that Webex says is empty is complete", () => {
  assert.deepEqual(judge(0, complete()), group("eng"));
});

test("a group of users is complete when as many arrived as Webex says there are", () => {
  assert.deepEqual(judge(2, complete(user("ada"), user("bob"))), group("eng", "ada", "bob"));
});

test("a member who is listed twice counts once", () => {
  const listing = complete(user("ada"), user("ada"));
  assert.deepEqual(judge(1, listing), group("eng", "ada"));
  assert.deepEqual(judge(2, listing), uncertain(group("eng", "ada"), "1 of 2 members arrived", true));
});

const doubts: readonly [fact: string, size: number | null, listing: Listing<GroupMember>, reason: string][] =
  [
    ["fewer arrived than there are", 2, complete(user("ada")), "1 of 2 members arrived"],
    ["more arrived than there are", 0, complete(user("ada")), "1 of 0 members arrived"],
    [
      "Webex does not say how many there are",
      null,
      complete(user("ada")),
      "Webex does not say how many members it has",
    ],
    ["a page did not arrive", 1, incomplete("503", user("ada")), "503"],
    [
      "it holds a group",
      2,
      complete(user("ada"), user("ops", "group")),
      'it holds the group "ops", and nested groups are not expanded',
    ],
    [
      "it holds a machine",
      2,
      complete(user("ada"), user("tv", "machine")),
      'it holds a member of type "machine" ("tv")',
    ],
    ["a member has no type", 2, complete(user("ada"), user("x", "")), 'it holds a member of type "" ("x")'],
  ];

for (const [fact, size, listing, reason] of doubts) {
  test(`a group is not surely known when ${fact}; the users among its members are`, () => {
    const isUnsteady = /arrived$/.test(reason);
    assert.deepEqual(judge(size, listing), uncertain(group("eng", "ada"), reason, isUnsteady));
  });
}

test("an empty list of a group that has members is not an empty group", () => {
  assert.deepEqual(judge(3, complete()), uncertain(group("eng"), "0 of 3 members arrived", true));
});

const adaAndBob = complete(user("ada"), user("bob"));
const changes: readonly [fact: string, second: GroupHead][] = [
  ["its size", head(3)],
  ["its stamp", head(2, { lastModified: "2026-11-23" })],
];
for (const [fact, second] of changes) {
  test(`a group is not surely known when ${fact} differs between two pages, although the count is right`, () => {
    assert.deepEqual(
      judgeGroup(eng, { heads: [head(2), second], members: adaAndBob }),
      uncertain(group("eng", "ada", "bob"), "it changed while it was read", true),
    );
  });
}

for (const [fact, facts, name] of [
  ["id", { key: "SCIM_GROUP/ops" }, "eng"],
  ["name", { displayName: "ops" }, "ops"],
] as const) {
  test(`of a group that came under another ${fact} than asked nobody is believed to be a member`, () => {
    assert.deepEqual(
      judgeGroup(eng, { heads: [head(2), head(2, facts)], members: adaAndBob }),
      uncertain(group("eng"), `Webex answered with the group "${name}"`, true),
    );
  });
}

test("what a reply leaves out of a group's id, name and stamp is not held against it", () => {
  const heads = [head(2, { key: null, displayName: null, lastModified: null })];
  assert.deepEqual(judgeGroup(eng, { heads, members: adaAndBob }), group("eng", "ada", "bob"));
  const organisation = [head(2, { key: `${eng.key}:acme` })];
  assert.deepEqual(judgeGroup(eng, { heads: organisation, members: adaAndBob }), group("eng", "ada", "bob"));
});
