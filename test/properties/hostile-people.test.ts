import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import type { RunRecord } from "../../src/membership/record.ts";
import { createRenderer } from "../../src/report/renderer.ts";
import { person, reportInput, room, runRecord } from "../report/build-record.ts";
import { check } from "./check.ts";

const renderer = createRenderer();

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

/** The pages of a run in which these names stand wherever a text from outside can stand. */
function renderAll(names: readonly [string, string, string]): ReadonlyMap<string, string> {
  const [one, title, text] = names;
  const who = { ...person("Somebody"), personId: "a-person", displayName: one };
  const record: RunRecord = runRecord(
    [
      room(title, {
        roomId: "a-room",
        groups: [text],
        people: ["ann@acme.example"],
        added: [who],
        removed: [{ ...who, wasModerator: true }],
        held: [{ ...who, reason: "removals-per-room" }],
        failed: [{ ...who, action: "add", error: text, trackingId: text }],
        kept: [{ ...who, reason: "moderator" }],
        missing: [who],
      }),
      room(one, { roomId: "another-room", frozen: text, mode: "audit", missing: [who], groups: [title] }),
    ],
    {
      problems: [{ line: 3, column: "group", message: text }],
      notices: [title],
      digest: "a1b2c3d4e5f6",
    },
  );
  const input = reportInput(record);
  const files = renderer.renderFiles(input).filter(({ path }) => path.endsWith(".md"));
  const summary = renderer.renderSummary({
    ...input,
    notices: record.notices,
    mappingsAddress: null,
    reportAddress: null,
  });
  return new Map([...files.map(({ path, text }) => [path, text] as const), ["summary", summary]]);
}

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

const harmless = renderAll(["Ann Bolt", "Operations", "nothing special"]);

test("no name, title or message of Webex changes what a page is made of, mentions anybody, links or loads anything", () =>
  check([hostileName, hostileName, hostileName], (one, title, text) => {
    const pages = renderAll([one, title, text]);
    assert.deepEqual([...pages.keys()], [...harmless.keys()]);
    for (const [name, markdown] of pages) {
      const [html, calm] = [toHtml(markdown), toHtml(harmless.get(name) ?? "")];
      const [elements, expected] = [countElements(html), countElements(calm)];
      for (const element of elements.keys()) assert.ok(allowed.has(element), `${name}: <${element}>`);
      for (const element of allowed) {
        const [count, most] = [elements.get(element) ?? 0, expected.get(element) ?? 0];
        // Some texts stand in code, and a blank one makes no paragraph; in all else a page is made of the same.
        const isAsExpected = element === "code" || (element === "p" ? count <= most : count === most);
        assert.ok(isAsExpected, `${name}: ${count} <${element}> instead of ${most}`);
      }
      assert.deepEqual(listLinks(html), listLinks(calm), name);
      assert.doesNotMatch(textOutsideCode(html), /(?:^|[^\w`/])@[a-z\d]/i, `${name} mentions somebody`);
      assert.doesNotMatch(markdown, /[\u202A-\u202E\u2066-\u2069\u200B\u2028\u2029]|[^\P{Cc}\n]/u, name);
      assert.ok(markdown.length < 200_000, `${name} has ${markdown.length} characters`);
    }
  }));
