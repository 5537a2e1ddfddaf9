import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeId, identityOf, isUuid } from "../../src/lib/webex-id.ts";

const uuid = "11111111-2222-4333-8444-55555555550a";

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

test("the documented example of an id decodes to its type and uuid", () => {
  const id = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS8xMTExMTExMS0yMjIyLTQzMzMtODQ0NC01NTU1NTU1NTU1MDE";
  assert.deepEqual(decodeId(id), { type: "PEOPLE", key: "11111111-2222-4333-8444-555555555501" });
});

const spellings: readonly [fact: string, id: string][] = [
  ["from the usual cluster", encode(`ciscospark://us/ROOM/${uuid}`)],
  ["from a cluster with colons", encode(`ciscospark://urn:TEAM:us-west-2_r/ROOM/${uuid}`)],
  ["from the government cluster", encode(`ciscospark://urn:TEAM:us-gov-west-1_a1/ROOM/${uuid}`)],
  ["with the uuid in capitals", encode(`ciscospark://us/ROOM/${uuid.toUpperCase()}`)],
  ["with padding", Buffer.from(`ciscospark://us/ROOM/${uuid}`).toString("base64")],
  ["as a bare uuid", uuid],
  ["as a bare uuid in capitals", uuid.toUpperCase()],
];
for (const [fact, id] of spellings) {
  test(`a room's id ${fact} names the same room`, () => assert.equal(identityOf(id, "ROOM"), `ROOM/${uuid}`));
}

const keys: readonly [fact: string, uri: string, identity: string][] = [
  ["a group's key includes its organisation", `SCIM_GROUP/${uuid}:ab`, `SCIM_GROUP/${uuid}:ab`],
  ["a membership's key includes person and room", `MEMBERSHIP/${uuid}:ab`, `MEMBERSHIP/${uuid}:ab`],
  ["a key need not be a uuid", "ROLE/id_full_admin", "ROLE/id_full_admin"],
  ["the type in an id wins over the expected type", `TEAM/${uuid}`, `TEAM/${uuid}`],
];
for (const [fact, uri, identity] of keys) {
  test(fact, () => assert.equal(identityOf(encode(`ciscospark://us/${uri}`), "ROOM"), identity));
}

test("a person and a room with the same uuid are different", () => {
  assert.notEqual(identityOf(uuid, "PEOPLE"), identityOf(uuid, "ROOM"));
});

for (const text of ["", "NOC", "ada@example.com", "C1_opaque-id", encode("https://us/ROOM/x"), "Büro"]) {
  test(`"${text}" is not a Webex id and equals only itself`, () => {
    assert.equal(decodeId(text), undefined);
    assert.equal(identityOf(text, "ROOM"), text);
  });
}

test("a uuid is distinguished from text that only looks like one", () => {
  assert.deepEqual([uuid, `${uuid}0`, uuid.slice(1), uuid.replaceAll("-", "")].map(isUuid), [
    true,
    false,
    false,
    false,
  ]);
});
