import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoomOutcome } from "../../src/membership/apply.ts";
import { describeFailed } from "../../src/membership/describe-failed.ts";
import type { MembershipReader } from "../../src/membership/directory.ts";
import type { FailedChange } from "../../src/membership/record.ts";
import { described } from "../support/builders.ts";

const failure = (name: string, facts: Partial<FailedChange> = {}): FailedChange => ({
  personId: `id-${name}`,
  displayName: null,
  email: null,
  action: "add",
  error: "403",
  trackingId: null,
  ...facts,
});

const outcome = (...failed: readonly FailedChange[]): RoomOutcome => {
  return { added: [], removed: [], failed, kept: [], after: 3, notBegun: 0, unverified: null, problems: [] };
};

/** Ids as the builders spell them are opaque: they are the key themselves. */
const readerOf = (...names: readonly string[]) => {
  const asked: (readonly string[])[] = [];
  const reader: Pick<MembershipReader, "lookUpPeople"> = {
    async lookUpPeople(ids) {
      asked.push(ids);
      const people = new Map(names.map((name) => [`id-${name}`, described(name)]));
      return { people, failure: null };
    },
  };
  return { reader, asked };
};

test("whom nobody could add is asked for once, in any number of spaces, and told by name and address", async () => {
  const { reader, asked } = readerOf("ada", "zoe");
  const given = new Map([
    ["NOC", outcome(failure("zoe"), failure("ada", { displayName: "A list's word" }))],
    ["Lobby", outcome(failure("ada"))],
  ]);
  const told = await describeFailed(given, reader);
  assert.deepEqual(asked, [["id-ada", "id-zoe"]]);
  const ada = failure("ada", { displayName: "ada", email: "ada@acme.example" });
  const zoe = failure("zoe", { displayName: "zoe", email: "zoe@acme.example" });
  assert.deepEqual(
    [...told],
    [
      ["NOC", outcome(zoe, ada)],
      ["Lobby", outcome(ada)],
    ],
  );
});

test("who is known already, or could not be removed, is not asked for", async () => {
  const { reader, asked } = readerOf("ada", "eve");
  const known = failure("ada", { displayName: "Ada", email: "a@acme.example" });
  const removal = failure("eve", { action: "remove" });
  const given = new Map([["NOC", outcome(known, removal)]]);
  assert.equal(await describeFailed(given, reader), given);
  assert.deepEqual(asked, []);
  const told = await describeFailed(new Map([["NOC", outcome(known, removal, failure("bob"))]]), reader);
  assert.deepEqual(asked, [["id-bob"]]);
  assert.deepEqual(told.get("NOC")?.failed, [known, removal, failure("bob")]);
});

test("whom Webex knows without a name or an address keeps the name from the group's list", async () => {
  const people = new Map([["id-ada", described("", { emails: [] })]]);
  const reader = { lookUpPeople: async () => ({ people, failure: null }) };
  const given = failure("ada", { displayName: "Ada" });
  const told = await describeFailed(new Map([["NOC", outcome(given)]]), reader);
  assert.deepEqual(told.get("NOC")?.failed, [given]);
});

test("people are known by bare ids, too", async () => {
  const personId = "aaaaaaaa-0000-11f0-9000-0000000000a1";
  const people = new Map([[`PEOPLE/${personId}`, described("ada")]]);
  const reader = { lookUpPeople: async () => ({ people, failure: null }) };
  const told = await describeFailed(new Map([["NOC", outcome(failure("ada", { personId }))]]), reader);
  assert.equal(told.get("NOC")?.failed[0]?.displayName, "ada");
});
