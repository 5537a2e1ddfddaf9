import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultPolicy } from "../../src/membership/policy.ts";
import { findIdleProtections } from "../../src/membership/protection.ts";
import { owner } from "../support/builders.ts";

/** The problems of a policy that protects these, in an organisation where the run has met eve and jon. */
async function find(
  protectedPeople: readonly string[],
  answers: Readonly<Record<string, boolean | null>> = {},
) {
  const asked: string[] = [];
  const hasAddress = (address: string) => {
    asked.push(address);
    return Promise.resolve(answers[address] ?? (address in answers ? null : false));
  };
  const people = new Map(
    [["Eve@acme.example"], ["jon.snow@acme.example"], []].map((emails, index) => {
      return [`PEOPLE/${index}`, { displayName: "somebody", emails, kind: "person" }] as const;
    }),
  );
  const policy = { ...defaultPolicy, protect: { ...defaultPolicy.protect, people: protectedPeople } };
  const problems = await findIdleProtections({ hasAddress }, policy, { owner, people });
  return {
    asked,
    messages: problems.map(({ message }) => message.replace(/^protect\.people in policy\.json names /, "")),
  };
}

test("without anybody to protect nothing is asked", async () => {
  assert.deepEqual(await find([]), { asked: [], messages: [] });
});

test("an address of somebody whom the run has met, or of the token's owner, costs no request", async () => {
  assert.deepEqual(await find(["eve@acme.example", "rollcall@acme.example"]), { asked: [], messages: [] });
});

test("an address that Webex knows is no problem, and neither is one that Webex cannot be asked about", async () => {
  const answers = { "ceo@acme.example": true, "cfo@acme.example": null };
  assert.deepEqual(await find(["ceo@acme.example", "cfo@acme.example"], answers), {
    asked: ["ceo@acme.example", "cfo@acme.example"],
    messages: [],
  });
});

const idle = "but nobody bears this address, so it protects nobody";
const nearest: readonly [fact: string, address: string, ending: string][] = [
  ["a slip in the name", "john.snow@acme.example", '; did you mean "jon.snow@acme.example"?'],
  ["a slip in the domain", "eve@acme.exmaple", '; did you mean "eve@acme.example"?'],
  ["the domain alone is no likeness", "bob@acme.example", "; correct it or remove it"],
  ["nothing is like it", "x@y.example", "; correct it or remove it"],
];
for (const [fact, address, ending] of nearest) {
  test(`an address that nobody bears is told with the nearest one: ${fact}`, async () => {
    assert.deepEqual((await find([address])).messages, [`"${address}", ${idle}${ending}`]);
  });
}

test("an owner without an address protects nobody by it", async () => {
  const policy = { ...defaultPolicy, protect: { ...defaultPolicy.protect, people: ["ceo@acme.example"] } };
  const met = { owner: { ...owner, email: null }, people: new Map() };
  const [problem, ...others] = await findIdleProtections({ hasAddress: async () => false }, policy, met);
  assert.match(problem?.message ?? "", /so it protects nobody; correct it or remove it$/);
  assert.deepEqual(others, []);
});

test("an address of somebody who is about to be added protects them, whom nobody finds by it", async () => {
  const policy = { ...defaultPolicy, protect: { ...defaultPolicy.protect, people: ["guest@b.example"] } };
  const guest = { displayName: "a guest", emails: ["Guest@b.example"], kind: "guest" } as const;
  let lookUps = 0;
  const lookUpNewcomers = async () => {
    lookUps += 1;
    return { people: new Map([["PEOPLE/guest", guest]]), failure: null };
  };
  const hasAddress = () => Promise.resolve(false);
  const met = { owner, people: new Map(), lookUpNewcomers };
  assert.deepEqual(await findIdleProtections({ hasAddress }, policy, met), []);
  const other = { ...policy, protect: { ...policy.protect, people: ["ceo@b.example"] } };
  assert.equal((await findIdleProtections({ hasAddress }, other, met)).length, 1);
  assert.equal(lookUps, 2);
  const found = await findIdleProtections({ hasAddress: () => Promise.resolve(true) }, other, met);
  assert.deepEqual([found, lookUps], [[], 2], "where all are found nobody is looked up");
  const lookUpNobody = async () => ({ people: new Map(), failure: "503" });
  assert.deepEqual(
    await findIdleProtections({ hasAddress }, other, { ...met, lookUpNewcomers: lookUpNobody }),
    [],
  );
});
