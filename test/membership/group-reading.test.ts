import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import { judgeGroup } from "../../src/membership/diff.ts";
import type { GroupMember } from "../../src/membership/directory.ts";
import { complete, group, incomplete, uncertain, user } from "../support/builders.ts";

const eng = group("eng").group;

test("an empty group that Webex says is empty is complete", () => {
  assert.deepEqual(judgeGroup(eng, 0, complete()), group("eng"));
});

test("a group of users is complete when as many arrived as Webex says there are", () => {
  assert.deepEqual(judgeGroup(eng, 2, complete(user("ada"), user("bob"))), group("eng", "ada", "bob"));
});

test("a member who is listed twice counts once", () => {
  const listing = complete(user("ada"), user("ada"));
  assert.deepEqual(judgeGroup(eng, 1, listing), group("eng", "ada"));
  assert.deepEqual(judgeGroup(eng, 2, listing), uncertain(group("eng", "ada"), "1 of 2 members arrived"));
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
    assert.deepEqual(judgeGroup(eng, size, listing), uncertain(group("eng", "ada"), reason));
  });
}

test("an empty list of a group that has members is not an empty group", () => {
  assert.deepEqual(judgeGroup(eng, 3, complete()), uncertain(group("eng"), "0 of 3 members arrived"));
});
