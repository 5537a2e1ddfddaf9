import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../../sandbox/server.ts";
import type { Quirks } from "../../../sandbox/webex/quirks.ts";
import { list, signIn, small } from "../client.ts";

const people = [
  ...small.people,
  { key: "helper", displayName: "Helper", email: "helper@webex.bot", type: "bot" },
  { key: "gus", displayName: "Gus Guest", email: "gus@partner.example.com", organisation: "partner" },
];

async function start(quirks: Quirks = {}) {
  const sandbox = await startSandbox({ ...small, people }, quirks);
  return { sandbox, call: await signIn(sandbox) };
}

test("the token's owner is /people/me", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const { body } = await call("GET", "/people/me");
  assert.deepEqual([body.id, body.emails], [sandbox.personId("rollcall"), ["rollcall@acme.example.com"]]);
});

test("another person can be the token's owner", async () => {
  await using sandbox = await startSandbox({ ...small, owner: "bob" });
  const call = await signIn(sandbox);
  assert.equal((await call("GET", "/people/me")).body.id, sandbox.personId("bob"));
});

test("people have a type and an organisation", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const { body: ann } = await call("GET", `/people/${sandbox.personId("ann")}`);
  const { body: bot } = await call("GET", `/people/${sandbox.personId("helper")}`);
  const { body: guest } = await call("GET", `/people/${sandbox.personId("gus")}`);
  assert.deepEqual([ann.type, bot.type, guest.type], ["person", "bot", "person"]);
  assert.equal(ann.orgId, bot.orgId);
  assert.notEqual(ann.orgId, guest.orgId);
  assert.equal((await call("GET", "/people/nobody")).status, 404);
});

test("up to 85 ids are looked up in one request, the others named as not found", async () => {
  const { sandbox, call } = await start({ unseenPeople: ["bob"] });
  await using _ = sandbox;
  const [ann, bob] = [sandbox.personId("ann"), sandbox.personId("bob")];
  const answer = await call("GET", `/people?id=${ann},${bob},nobody`);
  assert.deepEqual(
    list(answer).map((person) => person.id),
    [ann],
  );
  assert.deepEqual(answer.body.notFoundIds, [bob, "nobody"]);
  assert.equal((await call("GET", `/people/${bob}`)).status, 404);
  assert.deepEqual(list(await call("GET", "/people?email=bob@acme.example.com")), []);
  assert.equal("notFoundIds" in (await call("GET", `/people?id=${ann}`)).body, false);
  assert.equal((await call("GET", `/people?id=${Array(86).fill(ann).join(",")}`)).status, 400);
});

test("an address or the beginning of a name finds people of the own organisation only", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const find = async (query: string) =>
    list(await call("GET", `/people?${query}`)).map((person) => person.displayName);
  assert.deepEqual(await find("email=Ann@acme.example.com"), ["ann Example"]);
  assert.deepEqual(await find("email=gus@partner.example.com"), []);
  assert.deepEqual(await find("displayName=He"), ["Helper"]);
  assert.equal((await call("GET", "/people")).status, 400);
});

test("administrators alone are told of accounts, and only of their own organisation's", async () => {
  const own = [
    ...people,
    { key: "off", displayName: "Off", email: "off@acme.example.com", loginEnabled: false },
    { key: "new", displayName: "New", email: "new@acme.example.com", invitePending: true },
  ];
  await using sandbox = await startSandbox({ ...small, people: own });
  const call = await signIn(sandbox);
  const find = async (key: string) => {
    const { body } = await call("GET", `/people/${sandbox.personId(key)}`);
    return [body.loginEnabled, body.invitePending];
  };
  assert.deepEqual(await find("off"), [false, false]);
  assert.deepEqual(await find("new"), [true, true]);
  assert.deepEqual(await find("gus"), [undefined, undefined]);
  await using plain = await startSandbox({ ...small, people: own }, { scope: "spark:people_read" });
  const asked = await (await signIn(plain))("GET", `/people?email=off@acme.example.com`);
  assert.equal("loginEnabled" in (list(asked)[0] ?? {}), false);
});

test("every address finds its person, two people may share one, and one that was given up finds nobody", async () => {
  const { sandbox, call } = await start();
  await using _ = sandbox;
  const find = async (email: string) =>
    list(await call("GET", `/people?email=${email}`)).map((person) => person.displayName);
  sandbox.changePerson("ann", { email: "ann.new@acme.example.com", moreEmails: ["bob@acme.example.com"] });
  assert.deepEqual(await find("Ann.New@acme.example.com"), ["ann Example"]);
  assert.deepEqual(await find("ann@acme.example.com"), []);
  assert.deepEqual((await find("bob@acme.example.com")).sort(), ["ann Example", "bob Example"]);
});
