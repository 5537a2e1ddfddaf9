import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listing } from "../../src/lib/listing.ts";
import { countSilently } from "../../src/lib/progress.ts";
import type { MembershipReader, RoomMember } from "../../src/membership/directory.ts";
import { planChanges } from "../../src/membership/plan.ts";
import { defaultPolicy } from "../../src/membership/policy.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { observeRestore, prepareRestore } from "../../src/membership/restore.ts";
import { room as roomRecord, runRecord } from "../report/build-record.ts";
import { complete, described, incomplete, member, owner, room } from "../support/builders.ts";
import { listingsOnly } from "../support/listings-only.ts";

const self = member("rollcall");

/** Ids as the builders spell them: the key is the id itself. */
const listed = (name: string) => ({
  personId: `PEOPLE/${name}`,
  displayName: name,
  email: `${name}@acme.example`,
});

/** A reader of one room with these members, which counts what it is asked. */
function createReader(members: Listing<RoomMember>, facts: Partial<MembershipReader> = {}) {
  const lookedUp: string[] = [];
  const reader: MembershipReader = {
    ...listingsOnly,
    readOwner: async () => owner,
    listGroups: () => assert.fail("the groups have no say in an undo"),
    listGroupMembers: () => assert.fail("the groups have no say in an undo"),
    listRooms: async () => complete(room("NOC")),
    listRoomMembers: async () => members,
    findHolders: () => assert.fail("no address has a say in an undo"),
    async lookUpPeople(ids) {
      lookedUp.push(...ids);
      const people = ids.map((id) => id.replace("id-", ""));
      return {
        people: new Map(people.map((name) => [`PEOPLE/${name}`, described(name)])),
        failure: null,
      };
    },
    ...facts,
  };
  return { reader, lookedUp };
}

const trusted = { isVerified: true, mappedRooms: new Set(["ROOM/NOC"]) };

/** What undoing this record plans, in names. */
async function planRestore(reader: MembershipReader, record: RunRecord) {
  const observation = await observeRestore(reader, record, { log: () => undefined, count: countSilently });
  const { rooms, problems } = planChanges(observation, defaultPolicy);
  return {
    rooms: prepareRestore(rooms, observation.moderators, trusted).map(({ additions, removals, kept }) => ({
      add: additions.map((one) => one.displayName + (one.asModerator ? " as moderator" : "")),
      remove: removals.map((one) => one.displayName),
      kept: kept.map((one) => `${one.displayName}: ${one.reason}`),
    })),
    problems: problems.map((problem) => problem.message),
    notices: observation.notices,
  };
}

const noc = (facts: Parameters<typeof roomRecord>[1]) =>
  runRecord([roomRecord("NOC", { roomId: "ROOM/NOC", ...facts })]);

test("a run that changed nobody leaves nothing to undo, and reads no room's members", async () => {
  const { reader } = createReader(complete(), { listRoomMembers: () => assert.fail("nothing to look at") });
  assert.deepEqual(await planRestore(reader, noc({})), { rooms: [], problems: [], notices: [] });
});

test("the removed are added, moderators as moderators; the added are removed", async () => {
  const { reader, lookedUp } = createReader(complete(self, member("ann"), member("bob")));
  const record = noc({
    added: [listed("bob")],
    removed: [
      { ...listed("eve"), wasModerator: false },
      { ...listed("mia"), wasModerator: true },
    ],
  });
  assert.deepEqual(await planRestore(reader, record), {
    rooms: [{ add: ["eve", "mia as moderator"], remove: ["bob"], kept: [] }],
    problems: [],
    notices: [],
  });
  assert.deepEqual(lookedUp, ["id-bob"], "the record describes whom it removed");
});

test("somebody the run added who is protected by now stays", async () => {
  const members = complete(
    self,
    member("ann"),
    member("bob", { isModerator: true }),
    member("mia", { isModerator: true }),
  );
  const record = noc({ added: [listed("bob")] });
  const { rooms } = await planRestore(createReader(members).reader, record);
  assert.deepEqual(rooms, [{ add: [], remove: [], kept: ["bob: moderator"] }]);
});

test("a room that is incompletely known, or that the owner has left, is not touched", async () => {
  const record = noc({ added: [listed("bob")], removed: [{ ...listed("eve"), wasModerator: false }] });
  const partly = await planRestore(
    createReader(incomplete("a page is missing", self, member("bob"))).reader,
    record,
  );
  assert.deepEqual(partly.rooms, [{ add: [], remove: [], kept: [] }]);
  assert.deepEqual(partly.problems, [
    'nothing is changed in space "NOC": its member list is incomplete: a page is missing',
  ]);
  const left = await planRestore(createReader(complete(member("bob"))).reader, record);
  assert.deepEqual(left.rooms, [{ add: [], remove: [], kept: [] }]);
  assert.match(
    left.problems[0] ?? "",
    /the token's owner, rollcall@acme\.example, is not in its member list/,
  );
});

test("a room that is missing from a whole list is gone; from an incomplete one it is a problem", async () => {
  const record = noc({ added: [listed("bob")] });
  const gone = createReader(complete(), { listRooms: async () => complete() });
  assert.deepEqual(await planRestore(gone.reader, record), {
    rooms: [],
    problems: [],
    notices: [
      'Space "NOC" is gone, or rollcall@acme.example is no longer in it; its one change is left as it is.',
    ],
  });
  const unknown = createReader(complete(), { listRooms: async () => incomplete("a page is missing") });
  assert.deepEqual((await planRestore(unknown.reader, record)).problems, [
    'space "NOC" cannot be found, because the list of spaces is incomplete: a page is missing; its one change is left as it is',
  ]);
});
