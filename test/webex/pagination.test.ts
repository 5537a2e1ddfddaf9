import assert from "node:assert/strict";
import { test } from "node:test";
import { readNextPage, readPages } from "../../src/webex/pagination.ts";
import { openClient } from "../support/open-webex.ts";
import { type Received, type Script, startScript } from "../support/scripted-server.ts";

/** Reads a listing of numbers; those below zero belong to something else. */
async function read(answer: (request: Received, index: number, url: string) => Script) {
  let url = "";
  await using server = await startScript((request, index) => answer(request, index, url));
  url = server.url;
  const { client } = openClient({ baseUrl: `${url}/v1`, attempts: 1 });
  const listing = await readPages(client, { method: "GET", path: "/list", query: { max: 2 } }, (body) => {
    const items = body as number[];
    return { items: items.filter((item) => item >= 0), strangers: items.filter((item) => item < 0).length };
  });
  return { listing, paths: server.requests.map(({ path }) => path), url };
}

function page(items: readonly number[], next?: string): Script {
  return { body: items, ...(next === undefined ? {} : { headers: { link: `<${next}>; rel="next"` } }) };
}

/** Pages of which each leads to the next. */
function inTurn(...pages: readonly (readonly number[])[]) {
  return (_: Received, index: number, url: string) =>
    page(pages[index] ?? [], index + 1 < pages.length ? `${url}/v1/list?after=${index + 1}` : undefined);
}

test("one page without a next link is a complete listing", async () => {
  const { listing, paths } = await read(inTurn([1, 2]));
  assert.deepEqual(listing, { complete: true, items: [1, 2] });
  assert.deepEqual(paths, ["/v1/list?max=2"]);
});

test("pages are followed to the end", async () => {
  const { listing } = await read(inTurn([1, 2], [3, 4], [5]));
  assert.deepEqual(listing, { complete: true, items: [1, 2, 3, 4, 5] });
});

test("an empty page in the middle does not end a listing", async () => {
  const { listing } = await read(inTurn([1], [], [2]));
  assert.deepEqual(listing, { complete: true, items: [1, 2] });
});

test("the next link is requested unchanged, with its bare `before` and without added parameters", async () => {
  const { paths } = await read((_, index, url) =>
    index === 0 ? page([1], `${url}/v1/list?q=a%20b&max=1&before&after=Y2lz`) : page([2]),
  );
  assert.deepEqual(paths, ["/v1/list?max=2", "/v1/list?q=a%20b&max=1&before&after=Y2lz"]);
});

test("endless empty pages make a listing incomplete", async () => {
  const { listing, paths } = await read((_, index, url) => page([], `${url}/v1/list?after=${index}`));
  const reason = "10 pages in a row were empty, with no end";
  assert.deepEqual(listing, { complete: false, items: [], reason });
  assert.equal(paths.length, 10);
});

test("the same number of empty pages with an end are a complete listing", async () => {
  const { listing } = await read(inTurn(...Array.from({ length: 10 }, () => [])));
  assert.deepEqual(listing, { complete: true, items: [] });
});

test("a page that links to itself or to an earlier page makes a listing incomplete", async () => {
  const { listing } = await read((_, __, url) => page([1], `${url}/v1/list?max=2`));
  const reason = "page 1 continues with a page that was read before";
  assert.deepEqual(listing, { complete: false, items: [1], reason });
  const circle = await read((_, index, url) => page([index], `${url}/v1/list?after=${index % 2}`));
  assert.equal(circle.listing.complete, false);
  assert.equal(circle.paths.length, 3);
});

test("foreign items make a listing incomplete and are left out", async () => {
  const { listing, paths } = await read(inTurn([1, -2, -3], [4]));
  const reason = "page 1 held 2 items of something else";
  assert.deepEqual(listing, { complete: false, items: [1], reason });
  assert.equal(paths.length, 1);
});

test("an unreadable page makes a listing incomplete, and the pages before it are kept", async () => {
  const { listing } = await read((_, index, url) =>
    index === 0 ? page([1], `${url}/v1/list?after=1`) : { status: 404, body: { message: "Not there." } },
  );
  assert.deepEqual(listing, { complete: false, items: [1], reason: "[GET] /list: 404: Not there" });
});

const unmatched: readonly [fact: string, next: (url: string) => string][] = [
  ["another host", () => "https://evil.example/v1/list?after=1"],
  ["another port", () => "http://127.0.0.1:1/v1/list?after=1"],
  ["another scheme", (url) => `${url.replace("http:", "https:")}/v1/list`],
  ["another path", (url) => `${url}/v2/list`],
  ["a path that only starts the same", (url) => `${url}/v10/list`],
  ["a path that climbs out", (url) => `${url}/v1/../admin/list`],
  ["a user in front of the host", (url) => url.replace("http://127.0.0.1", "http://127.0.0.1@evil.example")],
  ["a malformed address", () => "https,//webexapis.com/v1/list?after=1"],
];
for (const [fact, next] of unmatched) {
  test(`a next link to ${fact} is not followed and makes a listing incomplete`, async () => {
    const { listing, paths, url } = await read((_, __, origin) => page([1], next(origin)));
    const reason = `[GET] /v1/: 200: the next page lies outside of ${url}/v1/`;
    assert.deepEqual(listing, { complete: false, items: [1], reason });
    assert.equal(paths.length, 1);
  });
}

test("an error of our own code does not count as an incomplete listing", async () => {
  await using server = await startScript(() => page([1]));
  const { client } = openClient({ baseUrl: server.url });
  const broken = () => {
    throw new TypeError("a fault of ours");
  };
  await assert.rejects(readPages(client, { method: "GET", path: "/list" }, broken), TypeError);
});

const base = new URL("https://webexapis.com/v1");
const target = "https://webexapis.com/v1/people?max=10&before&after=Y2lz,a;b";
const headers: readonly [fact: string, link: string | null, found: boolean][] = [
  ["no header", null, false],
  ["a quoted rel", `<${target}>; rel="next"`, true],
  ["an unquoted rel", `<${target}>; rel=next`, true],
  ["a rel in capitals", `<${target}>; REL="NEXT"`, true],
  ["a rel with spaces around it", `<${target}> ;  rel = "next"`, true],
  ["a rel of several words", `<${target}>; rel="last next"`, true],
  ["a rel behind other parameters", `<${target}>; title="a, \\"b\\"; c"; type=x/y; rel="next"`, true],
  ["a rel behind a parameter without a value", `<${target}>; crossorigin; rel="next"`, true],
  ["a rel behind a parameter with a hyphen", `<${target}>; x-page="2"; rel=next`, true],
  ["several links, the next one last", `<https://x/1>; rel="first", <${target}>; rel="next"`, true],
  ["several links, the next one first", `<${target}>; rel="next", <https://x/1>; rel="prev"`, true],
  ["only another rel", `<${target}>; rel="prev"`, false],
  ["a rel that only starts the same", `<${target}>; rel=next-archive`, false],
  ["no rel", `<${target}>`, false],
];
for (const [fact, link, found] of headers) {
  test(`a Link header with ${fact} ${found ? "has a next page" : "has none"}`, () => {
    const next = readNextPage({ status: 200, body: {}, link }, base);
    assert.deepEqual(next, found ? { method: "GET", path: target } : null);
  });
}

test("a relative next link is resolved against the API's base URL", () => {
  const next = readNextPage({ status: 200, body: {}, link: '</v1/people?after=1>; rel="next"' }, base);
  assert.equal(next?.path, "https://webexapis.com/v1/people?after=1");
});
