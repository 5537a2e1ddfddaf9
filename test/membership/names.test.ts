import assert from "node:assert/strict";
import { test } from "node:test";
import { createNameMemory, extendNames, isSameThing } from "../../src/membership/names.ts";

const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
const home = "bbbbbbbb-0000-11f0-9000-0000000000b2";
const encode = (uri: string) => Buffer.from(`ciscospark://${uri}`).toString("base64url");

test("a name is recalled in any spelling that looks the same, and apart from the other column's", () => {
  const memory = createNameMemory([{ column: "room", name: "NOC On-call", id: "x" }]);
  assert.equal(memory.recall("room", "NOC\u00A0On-call\u200B "), "x");
  assert.equal(memory.recall("group", "NOC On-call"), null);
  assert.equal(memory.recall("room", "NOC"), null);
  assert.equal(
    createNameMemory([{ column: "room", name: "__proto__", id: "y" }]).recall("room", "__proto__"),
    "y",
  );
});

test("an id is the same in another cluster, and a group's with or without its organisation", () => {
  const room = encode(`us/ROOM/${uuid}`);
  assert.ok(isSameThing("room", encode(`urn:TEAM:us-west-2_r/ROOM/${uuid}`), room));
  assert.ok(!isSameThing("room", encode(`us/ROOM/${home}`), room));
  const group = encode(`us/SCIM_GROUP/${uuid}:${home}`);
  for (const id of [encode(`eu/SCIM_GROUP/${uuid}:${home}`), encode(`us/SCIM_GROUP/${uuid}`), uuid]) {
    assert.ok(isSameThing("group", id, group), id);
    assert.ok(isSameThing("group", group, id), id);
    assert.ok(!isSameThing("group", id, encode(`us/SCIM_GROUP/${home}`)), id);
  }
  assert.ok(isSameThing("group", "opaque", "opaque"));
  assert.ok(isSameThing("room", uuid, room));
  assert.ok(isSameThing("room", room, uuid));
  // In a space's id a colon parts nothing.
  assert.ok(!isSameThing("room", "opaque:1", "opaque:2"));
});

test("what is kept stays, what is met for the first time is added, and the order depends on nothing else", () => {
  const noc = { column: "room", name: "NOC", id: "1" } as const;
  const eng = { column: "group", name: "Eng", id: "2" } as const;
  assert.deepEqual(extendNames([noc], [{ ...noc, id: "9" }, eng]), [eng, noc]);
  const ops = { column: "room", name: "Aft", id: "3" } as const;
  const expected = [eng, ops, noc];
  for (const met of [expected, expected.toReversed(), [noc, eng, ops]])
    assert.deepEqual(extendNames([], met), expected);
});
