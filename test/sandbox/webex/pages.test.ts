import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../../sandbox/server.ts";
import type { Quirks } from "../../../sandbox/webex/quirks.ts";
import { list, nextOf, readPages, signIn, small } from "../client.ts";

/** Reads the members of "NOC" with this quirk, as the first letters of their addresses, page by page. */
async function readNoc(quirks: Quirks, query = "") {
  await using sandbox = await startSandbox(small, quirks);
  const call = await signIn(sandbox);
  const pages = await readPages(call, `/memberships?roomId=${sandbox.roomId("NOC")}${query}`);
  return pages.map((page) => page.map((membership) => String(membership.personEmail)[0]).join(""));
}

const inPairs = { pageCaps: { memberships: 2 } };

test("a listing goes on with its next link until the last page", async () => {
  assert.deepEqual(await readNoc({}, "&max=4"), ["abcd", "er"]);
});

test("a page cap lowers a larger max silently", async () => {
  assert.deepEqual(await readNoc(inPairs, "&max=1000"), ["ab", "cd", "er"]);
});

test("without max a page holds 100 items", async () => {
  const people = Array.from({ length: 101 }, (_, index) => ({
    key: `p${index}`,
    displayName: `p${index}`,
    email: `p${index}@acme.example.com`,
  }));
  const rooms = [{ title: "Big", members: people.map((person) => person.key) }];
  await using sandbox = await startSandbox({ name: "acme", people, groups: [], rooms });
  const call = await signIn(sandbox);
  const pages = await readPages(call, `/memberships?roomId=${sandbox.roomId("Big")}`);
  assert.deepEqual(
    pages.map((page) => page.length),
    [100, 2],
  );
});

test("a malformed max or cursor is a 400", async () => {
  await using sandbox = await startSandbox(small);
  const call = await signIn(sandbox);
  assert.equal((await call("GET", "/rooms?max=null")).status, 400);
  assert.equal((await call("GET", "/rooms?after=nonsense")).status, 400);
});

test("bareBefore puts a before without a value into a next link that works", async () => {
  await using sandbox = await startSandbox(small, { ...inPairs, bareBefore: true });
  const call = await signIn(sandbox);
  const first = await call("GET", `/memberships?roomId=${sandbox.roomId("NOC")}`);
  assert.match(nextOf(first) ?? "", /&before&after=/);
  assert.deepEqual(await readNoc({ ...inPairs, bareBefore: true }), ["ab", "cd", "er"]);
});

test("lostFilters leads from a room's members to memberships of other rooms", async () => {
  const rooms = ["NOC", "A", "B", "C"].map((title) => ({ title, members: ["ann", "bob", "cat"] }));
  await using sandbox = await startSandbox({ ...small, rooms }, { ...inPairs, lostFilters: true });
  const call = await signIn(sandbox);
  const asked = sandbox.roomId("NOC");
  const [first = [], second = []] = await readPages(call, `/memberships?roomId=${asked}`, 2);
  assert.ok(first.every((membership) => membership.roomId === asked));
  assert.equal(second.length, 2);
  assert.ok(second.some((membership) => membership.roomId !== asked));
});

test("emptyPages between puts an empty page with a next link after each page but the last", async () => {
  assert.deepEqual(await readNoc({ ...inPairs, emptyPages: "between" }), ["ab", "", "cd", "", "er"]);
});

test("emptyPages after lets empty pages with next links follow for ever", async () => {
  const pages = await readNoc({ ...inPairs, emptyPages: "after" });
  assert.deepEqual(pages, ["ab", "cd", "er", "", "", "", "", "", "", ""]);
  assert.deepEqual(await readNoc({ emptyPages: "after" }), ["abcder"]);
});

test("loopingNext gives a page its own address as the next", async () => {
  assert.deepEqual((await readNoc({ ...inPairs, loopingNext: true })).slice(0, 3), ["ab", "ab", "ab"]);
});

test("foreignNext names another origin of the same server", async () => {
  await using sandbox = await startSandbox(small, { ...inPairs, foreignNext: true });
  const call = await signIn(sandbox);
  const next = nextOf(await call("GET", `/memberships?roomId=${sandbox.roomId("NOC")}`)) ?? "";
  assert.notEqual(new URL(next).origin, sandbox.url);
  assert.equal(list(await call("GET", next)).length, 2);
  assert.match(sandbox.requests.at(-1)?.headers.host ?? "", /^localhost:/);
});

test("duplicatesAcrossPages repeats the last item of a page on the next one", async () => {
  assert.deepEqual(await readNoc({ ...inPairs, duplicatesAcrossPages: true }), ["ab", "bcd", "der"]);
});
