import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import { diffRoom, type GroupReading } from "../../src/membership/diff.ts";
import type { RoomMember } from "../../src/membership/directory.ts";
import {
  complete,
  feed,
  group,
  incomplete,
  member,
  owner,
  room,
  uncertain,
  user,
} from "../support/builders.ts";

const noc = room("NOC");

const own = member("rollcall");

function compare(
  groups: readonly GroupReading[],
  listing: Listing<RoomMember>,
  obstacle: string | null = null,
) {
  const of = feed(noc, groups, { obstacle });
  const difference = diffRoom(of, groups, listing, { owner });
  assert.equal(difference.feed, of);
  const { feed: _, ...rest } = difference;
  return rest;
}

/** A room in which everything is as it should be: only the token's owner is in it. */
const equal = {
  before: 1,
  absent: [],
  surplus: [own],
  exempt: [],
  presentCount: 0,
  moderatorCount: 0,
  isOpenToOwner: true,
  emptyGroups: [],
  obstacle: null,
  uncertainties: [],
  isUnsteady: false,
  faults: [],
  addresses: [],
};

test("a room that holds its groups' people and the token's owner differs by the owner only", () => {
  assert.deepEqual(compare([group("eng", "ada")], complete(own, member("ada"))), {
    ...equal,
    before: 2,
    presentCount: 1,
  });
});

test("a room is compared with the union of its groups", () => {
  const groups = [group("eng", "ada", "bob"), group("ops", "bob", "cyd")];
  assert.deepEqual(compare(groups, complete(own, member("bob"), member("eve"))), {
    ...equal,
    before: 3,
    absent: [user("ada"), user("cyd")],
    surplus: [own, member("eve")],
    presentCount: 1,
  });
});

test("an owner who is in a group is nobody who has to go, and not counted among the people", () => {
  assert.deepEqual(compare([group("eng", "rollcall")], complete(own)), { ...equal, surplus: [] });
});

test("people are told apart by key only: a namesake with the same address is somebody else", () => {
  const namesake = member("ada", { key: "PEOPLE/other" });
  assert.deepEqual(compare([group("eng", "ada")], complete(own, namesake)), {
    ...equal,
    before: 2,
    absent: [user("ada")],
    surplus: [own, namesake],
  });
});

test("a member who is listed twice is one member", () => {
  const chief = member("ada", { isModerator: true });
  assert.deepEqual(compare([group("eng", "ada")], complete(own, chief, chief)), {
    ...equal,
    before: 2,
    presentCount: 1,
    moderatorCount: 1,
  });
});

test("an incomplete member list tells no difference, and not how many there are", () => {
  assert.deepEqual(compare([group("eng", "ada")], incomplete("503", own, member("eve"))), {
    ...equal,
    before: null,
    surplus: [],
    obstacle: "its member list is incomplete: 503",
  });
});

test("a list without the token's owner may be the moderators only, so it tells no difference", () => {
  const chief = member("eve", { isModerator: true });
  assert.deepEqual(compare([group("eng", "ada")], complete(chief)), {
    ...equal,
    before: null,
    surplus: [],
    moderatorCount: 1,
    obstacle: "the token's owner, rollcall@acme.example, is not in its member list; add them to the space",
  });
});

test("a room with a row that does not resolve tells no difference", () => {
  assert.deepEqual(compare([group("eng", "ada")], complete(own), "line 3 names no single group"), {
    ...equal,
    surplus: [],
    obstacle: "line 3 names no single group",
  });
});

test("a group that is not surely known is named, and whom it lists is known all the same", () => {
  assert.deepEqual(compare([uncertain(group("eng", "ada")), group("ops")], complete(own)), {
    ...equal,
    absent: [user("ada")],
    emptyGroups: ["ops"],
    uncertainties: ["eng"],
  });
});

test("a group that nobody could read is not an empty group", () => {
  assert.deepEqual(compare([uncertain(group("eng"))], complete(own)), { ...equal, uncertainties: ["eng"] });
});
