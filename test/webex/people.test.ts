import assert from "node:assert/strict";
import { test } from "node:test";
import type { Organisation } from "../../sandbox/organisation.ts";
import { type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import { identityOf } from "../../src/lib/webex-id.ts";
import { createWebexReader } from "../../src/webex/directory.ts";
import { lookUpPeople, readOwner } from "../../src/webex/people.ts";
import { openClient, openWebex } from "../support/open-webex.ts";
import { startScript } from "../support/scripted-server.ts";

const many = Array.from({ length: 180 }, (_, index) => `p${index}`);
const acme: Organisation = {
  name: "acme",
  people: [
    { key: "ann", displayName: "Ann", email: "ann@acme.example" },
    { key: "bell", displayName: "Bell", email: "bell@webex.bot", type: "bot" },
    { key: "gus", displayName: "Gus", email: "gus@acme.example", type: "appuser" },
    { key: "tv", displayName: "TV", email: "tv@acme.example", type: "xr_headset" },
    ...many.map((key) => ({ key, displayName: key, email: `${key}@acme.example` })),
  ],
  groups: [
    { name: "twice", members: ["ann"] },
    { name: "again", members: ["ann"] },
  ],
  rooms: [],
};

async function start(options: SandboxOptions = {}) {
  const sandbox = await startSandbox(acme, options);
  const { client, pauses } = await openWebex(sandbox);
  const keyOf = (name: string) => identityOf(sandbox.personId(name), "PEOPLE");
  const lookUps = () => sandbox.requests.filter(({ route }) => route === "GET /people");
  return { sandbox, client, pauses, keyOf, lookUps, reader: createWebexReader(client) };
}

test("the token's owner has a key, an address and an organisation", async () => {
  const { sandbox, client, keyOf } = await start();
  await using _ = sandbox;
  const owner = await readOwner(client);
  assert.match(String(owner.orgKey), /^ORGANIZATION\/[0-9a-f-]{36}$/);
  assert.deepEqual(owner, {
    key: keyOf("rollcall"),
    displayName: "Rollcall",
    email: "rollcall@acme.example.com",
    orgKey: owner.orgKey,
  });
});

test("a token without an owner is an error", async () => {
  const { sandbox, client } = await start();
  await using _ = sandbox;
  sandbox.expireAccessTokens();
  await assert.rejects(readOwner(client), { status: 401 });
});

test("people are described with what they are; a machine is a device whatever Webex calls it", async () => {
  const { sandbox, client, keyOf } = await start();
  await using _ = sandbox;
  const names = ["ann", "bell", "gus", "tv"];
  const people = await lookUpPeople(client, names.map(sandbox.personId));
  assert.deepEqual(
    people,
    new Map([
      [keyOf("ann"), { displayName: "Ann", emails: ["ann@acme.example"], kind: "person" }],
      [keyOf("bell"), { displayName: "Bell", emails: ["bell@webex.bot"], kind: "bot" }],
      [keyOf("gus"), { displayName: "Gus", emails: ["gus@acme.example"], kind: "guest" }],
      [keyOf("tv"), { displayName: "TV", emails: ["tv@acme.example"], kind: "device" }],
    ]),
  );
});

for (const type of ["constructor", "__proto__", "toString"]) {
  test(`a type called ${type} is not a person`, async () => {
    await using server = await startScript(() => ({ body: { items: [{ id: "p1", type }] } }));
    const people = await lookUpPeople(openClient({ baseUrl: server.url }).client, ["p1"]);
    assert.deepEqual(people, new Map([["p1", { displayName: "", emails: [], kind: "other" }]]));
  });
}

test("a person without a type is unknown, and so is one that Webex does not find", async () => {
  await using server = await startScript(() => ({ body: { items: [{ id: "p1" }], notFoundIds: ["p2"] } }));
  const people = await lookUpPeople(openClient({ baseUrl: server.url }).client, ["p1", "p2"]);
  assert.deepEqual(people, new Map([["p1", { displayName: "", emails: [], kind: null }]]));
});

test("people are looked up 85 at a time, and no request is sent for an empty list", async () => {
  const { sandbox, reader, lookUps } = await start();
  await using _ = sandbox;
  assert.equal((await reader.lookUpPeople([])).people.size, 0);
  assert.equal(lookUps().length, 0);
  assert.equal((await reader.lookUpPeople(many.map(sandbox.personId))).people.size, 180);
  const sizes = lookUps().map(
    ({ path }) => new URLSearchParams(path.split("?")[1]).get("id")?.split(",").length,
  );
  assert.deepEqual(sizes.sort(), [10, 85, 85]);
});

test("a failed look-up leaves its people unknown, and the others are described", async () => {
  const { sandbox, reader, keyOf } = await start({ unseenPeople: ["p1"] });
  await using _ = sandbox;
  const last = sandbox.personId("p179");
  sandbox.fault({ route: "GET /people", status: 403, match: ({ url }) => url.search.includes(last) });
  const { people, failure } = await reader.lookUpPeople(many.map(sandbox.personId));
  assert.match(String(failure), /^\[GET\] \/people: 403/);
  assert.equal(people.size, 169);
  assert.deepEqual([people.has(keyOf("p1")), people.has(keyOf("p179"))], [false, false]);
});

test("a member of two groups is one object, so that large organisations fit into memory", async () => {
  const { sandbox, reader } = await start();
  await using _ = sandbox;
  const { items } = await reader.listGroups();
  const members = await Promise.all(items.map((group) => reader.listGroupMembers(group)));
  const [first, second] = members.map(({ members: { items: people } }) => people[0]);
  assert.equal(first, second);
});

test("people of whom something is missing are described without it, and spoil nobody else", async () => {
  const items = [
    { id: "p1", displayName: null, emails: [null, "p1@acme.example"], type: "person" },
    { id: null },
  ];
  await using server = await startScript(() => ({ body: { items } }));
  const people = await lookUpPeople(openClient({ baseUrl: server.url }).client, ["p1", "p2"]);
  assert.deepEqual(
    people,
    new Map([["p1", { displayName: "", emails: ["p1@acme.example"], kind: "person" }]]),
  );
});

test("an address is known by anybody of the organisation, and by nobody of another one", async () => {
  const { sandbox, reader, lookUps } = await start();
  await using _ = sandbox;
  const addresses = ["ANN@acme.example", "nobody@acme.example"];
  assert.deepEqual(await Promise.all(addresses.map(reader.hasAddress)), [true, false]);
  assert.equal(lookUps().length, 2);
});

test("where an address cannot be looked up, nobody says that it is unknown", async () => {
  const { sandbox, reader } = await start();
  await using _ = sandbox;
  sandbox.expireAccessTokens();
  assert.equal(await reader.hasAddress("nobody@acme.example"), null);
});
