import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeId, identityOf, isUuid, readReference } from "../../src/lib/webex-id.ts";

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

const organisation = "99999999-8888-4777-8666-555555555555";
const references: readonly [fact: string, text: string, type: string | null, key: string][] = [
  ["an id of the API", encode(`ciscospark://us/ROOM/${uuid}`), "ROOM", uuid],
  ["an id of another cluster", encode(`ciscospark://urn:TEAM:us-west-2_r/ROOM/${uuid}`), "ROOM", uuid],
  ["an id that somebody has decoded", `ciscospark://us/ROOM/${uuid.toUpperCase()}`, "ROOM", uuid],
  [
    "a group's id",
    encode(`ciscospark://us/SCIM_GROUP/${uuid}:${organisation}`),
    "SCIM_GROUP",
    `${uuid}:${organisation}`,
  ],
  ["a bare uuid", uuid, null, uuid],
  ["a bare uuid in capitals", uuid.toUpperCase(), null, uuid],
  [
    "a uuid with its organisation's",
    `${uuid}:${organisation.toUpperCase()}`,
    null,
    `${uuid}:${organisation}`,
  ],
  ["the app's link", `webexteams://im?space=${uuid}`, "ROOM", uuid],
  [
    "the app's link with more in it",
    `webexteams://im?source=app&space=${uuid.toUpperCase()}&message=1`,
    "ROOM",
    uuid,
  ],
  ["the link of the web app", `https://web.webex.com/spaces/${uuid}`, "ROOM", uuid],
  ["the link of the web app to a chat", `https://web.webex.com/spaces/${uuid}/chat?x=1`, "ROOM", uuid],
  ["the older link", `https://teams.webex.com/spaces/${uuid}/chat`, "ROOM", uuid],
  ["a link in capitals", `HTTPS://WEB.WEBEX.COM/SPACES/${uuid.toUpperCase()}`, "ROOM", uuid],
  ["a link without its scheme", `web.webex.com/spaces/${uuid}`, "ROOM", uuid],
  ["a link in angle brackets", `<https://web.webex.com/spaces/${uuid}>`, "ROOM", uuid],
];
for (const [fact, text, type, key] of references) {
  test(`an id is read from ${fact}`, () => assert.deepEqual(readReference(text), { type, key }));
}

const titles = [
  "NOC",
  `NOC ${uuid}`,
  `Moved to https://web.webex.com/spaces/${uuid}`,
  `https://web.webex.com/spaces/${uuid}0`,
  `https://example.com/spaces/${uuid}`,
  `https://webex.com.example/spaces/${uuid}`,
  `https://web.webex.com/search?q=spaces/${uuid}`,
  uuid.slice(1),
];
for (const text of titles) {
  test(`"${text}" is a title, not an id`, () => assert.equal(readReference(text), null));
}
