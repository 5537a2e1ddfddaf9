import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import { parseCsv } from "../../src/lib/csv.ts";
import { cleanText } from "../../src/report/markdown.ts";
import { check } from "./check.ts";
import { renderListing, renderPages } from "./hostile-pages.ts";

const pieces = [
  "</td><script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<details>",
  "</details>",
  "<summary>",
  "</code>",
  "<code>",
  "<!--",
  "-->",
  "<a href='//evil.example'>x</a>",
  "| x |",
  "|",
  "\\|",
  "\\",
  "@everyone",
  "@acme/security",
  "＠everyone",
  "`",
  "``",
  "```",
  "~~~",
  "```mermaid",
  "[x](javascript:alert(1))",
  "![x](https://evil.example/x.png)",
  "](",
  "[^1]",
  "[^1]: x",
  "[x]: https://evil.example",
  "https://evil.example",
  "http://evil.example/a_b_c",
  "www.evil.example",
  "evil@evil.example",
  "mailto:evil@evil.example",
  "xmpp:evil@evil.example",
  "<https://evil.example>",
  "&lt;script&gt;",
  "&#60;script&#62;",
  "&commat;everyone",
  "&#64;everyone",
  "&NewLine;",
  "$x$",
  "$$",
  "::warning::x",
  "##[error]x",
  "\u001b[31m",
  "\u2028",
  "\u2029",
  "\u202E",
  "\u2066",
  "\u200B",
  "\0",
  "\r\n",
  "\n\n",
  "\n",
  "\t",
  "# h",
  "- x",
  "1. x",
  "+ x",
  "> q",
  "---",
  "***",
  "===",
  "_x_",
  "__x__",
  "*x*",
  "~~x~~",
  ":smile:",
  "%%{init: {}}%%",
  '"]; click A "javascript:alert(1)"',
  "=1+1",
  "{{x}}",
  "#123",
  "GH-1",
  "acme/rooms#1",
  "fixes #1",
  "- [ ] x",
  "[!NOTE]",
  "x".repeat(10_000),
  "😀",
  "e\u0301",
  "‮",
] as const;

const hostileName = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...pieces) },
      { weight: 1, arbitrary: fc.constantFrom("a", " ", "Ann Bolt", "7") },
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(""));

/** What went wrong always says something. */
const hostileMessage = hostileName.filter((text) => cleanText(text) !== "");

/** What a name leaves of itself in a file that takes addresses only. */
const hostileAddress = hostileName.map(
  (name) => `${name.replace(/[\s@"(),:;<>[\\\]]/g, "") || "a"}@acme.example`,
);

/** As GitHub renders it; a mail address becomes a link in any text, and that is no harm. */
function toHtml(markdown: string): string {
  const html = micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
  return html.replace(/<a href="(?:mailto|xmpp):[^"]*">([\s\S]*?)<\/a>/g, "$1");
}

/** What GitHub's renderer lets a page be made of, as this one is. */
const allowed = new Set(
  "a blockquote br code del details div em h1 h2 h3 h4 hr img input kbd li ol p picture pre source strong sub summary sup table tbody td th thead tr ul".split(
    " ",
  ),
);

/** How often each element stands in a page. */
function countElements(html: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, name = ""] of html.replace(/<!--[\s\S]*?-->/g, "").matchAll(/<([a-z][a-z0-9-]*)/gi))
    counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  return counts;
}

/** Where a page leads, and what it loads; the order follows from the names. */
function listLinks(html: string): string[] {
  return [...html.matchAll(/\b(?:href|src)="([^"]*)"/g)]
    .map(([, address = ""]) => address.replace(/#.*$/, "#"))
    .sort();
}

/** The text that people read, without what stands in code: GitHub looks for mentions in nothing else. */
function textOutsideCode(html: string): string {
  return html
    .replace(/<(pre|code)\b[^>]*>[\s\S]*?<\/\1>/g, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(lt|gt|quot|amp|#x?[0-9a-f]+);/gi, (entity) => (entity === "&amp;" ? "&" : " "));
}

const harmless = renderPages({
  name: "Ann Bolt",
  title: "Operations",
  text: "nothing special",
  address: "zoe@acme.example",
});

test("the pages are all there, and each says something", () => {
  assert.equal(harmless.size, 13);
  for (const [name, markdown] of harmless) assert.ok(markdown.length > 100, `${name}: ${markdown}`);
});

/** What each page is made of, and where it leads, when the texts are harmless. */
const calm = new Map(
  [...harmless].map(([page, markdown]) => {
    const html = toHtml(markdown);
    return [page, { elements: countElements(html), links: listLinks(html) }];
  }),
);

test("no name, title or message of Webex changes what a page is made of, mentions anybody, links or loads anything", () =>
  check([hostileName, hostileName, hostileMessage, hostileAddress], (name, title, text, address) => {
    const pages = renderPages({ name, title, text, address });
    assert.deepEqual([...pages.keys()], [...harmless.keys()]);
    for (const [page, markdown] of pages) {
      const html = toHtml(markdown);
      const elements = countElements(html);
      const expected = calm.get(page) ?? assert.fail(page);
      for (const element of elements.keys()) assert.ok(allowed.has(element), `${page}: <${element}>`);
      for (const element of allowed) {
        const [count, most] = [elements.get(element) ?? 0, expected.elements.get(element) ?? 0];
        // Some texts stand in code, and a blank one makes no paragraph; in all else a page is made of the same.
        const isAsExpected = element === "code" || (element === "p" ? count <= most : count === most);
        assert.ok(isAsExpected, `${page}: ${count} <${element}> instead of ${most}`);
      }
      assert.deepEqual(listLinks(html), expected.links, page);
      assert.doesNotMatch(textOutsideCode(html), /(?:^|[^\w`/])@[a-z\d]/i, `${page} mentions somebody`);
      assert.doesNotMatch(markdown, /[\u202A-\u202E\u2066-\u2069\u200B\u2028\u2029]|[^\P{Cc}\n]/u, page);
      assert.ok(markdown.length < 200_000, `${page} has ${markdown.length} characters`);
    }
  }));

test("no name of Webex adds a row to the list of what exists, or a cell that a spreadsheet would run", () =>
  check([hostileName, hostileName, hostileMessage, hostileAddress], (name, title, text, address) => {
    const listing = renderListing({ name, title, text, address });
    const { rows, problems } = parseCsv(Buffer.from(listing), {
      required: ["group", "room"],
      optional: ["mode", "note"],
    });
    assert.deepEqual([rows.length, rows[0]?.cells.mode, problems], [1, "audit", []]);
    assert.equal(listing.split("\n").length, 11);
    assert.doesNotMatch(listing, /[\u202A-\u202E\u2066-\u2069\u2028\u2029]|[^\P{Cc}\n]/u);
    // Some spreadsheets split at semicolons, and all of them see cells in comments.
    const comments = listing.split("\n").filter((line) => line.startsWith("#"));
    const cells = [...comments.flatMap((line) => line.split(",")), ...Object.values(rows[0]?.cells ?? {})];
    for (const cell of cells.flatMap((text) => text.split(";")))
      assert.doesNotMatch(cell, /^\s*[=+@-]/, listing);
  }));
