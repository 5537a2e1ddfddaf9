import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeSpan, cutText, escapeMarkdown, linkTo, md, type View } from "../../src/report/markdown.ts";

describe("a text from outside", () => {
  const unchanged = [
    "O'Brien, Ann-Marie (NOC)",
    "R&D / AT&T",
    "snake_case_room",
    "Zoë Müller 李小龙",
    "C# & F#",
    "50% + 3 = more!",
    "ada@example.com",
    "Family 👩‍👩‍👧 ❤️",
  ];
  for (const name of unchanged) {
    it(`stays as it is when it is as ordinary as ${name}`, () => assert.equal(escapeMarkdown(name), name));
  }

  const harmless: readonly [what: string, text: string, escaped: string][] = [
    ["cannot end a table cell", "| x |", "\\| x \\|"],
    ["cannot end a table cell by a backslash of its own", "a\\| b", "a&#92;\\| b"],
    ["cannot start a new line", "a\n\n# b\r\n| c", "a # b \\| c"],
    ["cannot inject HTML", "</td><script>", "&lt;/td&gt;&lt;script&gt;"],
    ["cannot close or open a comment", "--> <!--", "\\--&gt; &lt;!--"],
    ["cannot smuggle in an entity", "&lt;b&gt; &#64;all", "&amp;lt;b&amp;gt; &amp;#&#8203;64;all"],
    ["cannot mention anyone", "@everyone", "@&#8203;everyone"],
    [
      "cannot mention anyone from the middle",
      "hi (@everyone) a@everyone",
      "hi (@&#8203;everyone) a@&#8203;everyone",
    ],
    ["cannot refer to an issue", "see #123, GH-7", "see #&#8203;123, GH-&#8203;7"],
    ["cannot start a code span", "a`b", "a\\`b"],
    ["cannot be emphasised", "*a* _b_ ~~c~~", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~"],
    ["cannot be a link", "[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"],
    ["cannot be an image", "![x](y)", "!\\[x\\](y)"],
    [
      "cannot be linked by GitHub",
      "https://evil.io www.evil.io",
      "https:&#8203;//evil.io www&#8203;.evil.io",
    ],
    ["cannot be a formula", "$x$", "&#36;x&#36;"],
    ["cannot open a heading or a list", "# a", "\\# a"],
    ["cannot open a numbered list", "1. a", "1\\. a"],
    ["cannot turn the line around", "abc\u202Etxt.exe\u2066", "abctxt.exe"],
    ["cannot hide characters", "a\u200Bb\u00ADc\uFEFFd\u3164\u200D", "abcd"],
    ["cannot control the terminal", "a\u001B[31mb\u0000\u0007", "a\\[31mb"],
    ["keeps its meaning when it is broken Unicode", "a\uD83Db", "a\uFFFDb"],
    ["cannot stack accents over the page", `a${"\u0301".repeat(50)}`, `a${"\u0301".repeat(4)}`],
  ];
  for (const [what, text, escaped] of harmless) {
    it(what, () => assert.equal(escapeMarkdown(text), escaped));
  }

  it("is cut after 80 characters with an ellipsis", () => {
    assert.equal(escapeMarkdown("x".repeat(10_000)), `${"x".repeat(79)}…`);
  });

  it("is cut between characters, not within one", () => {
    assert.equal(cutText("👩‍👩‍👧".repeat(5), 3), "👩‍👩‍👧👩‍👩‍👧…");
  });
});

describe("a code span", () => {
  it("holds an address as it is, for copying", () => {
    assert.equal(codeSpan("ada_l@example.com"), "`ada_l@example.com`");
  });
  it("has a fence longer than any run of backticks in it", () => {
    assert.equal(codeSpan("a``b"), "```a``b```");
    assert.equal(codeSpan("`a"), "`` `a ``");
  });
  it("becomes an element where a pipe would end a table's cell", () => {
    assert.equal(codeSpan("a|<b>"), "<code>a\\|&lt;b&gt;</code>");
  });
  it("is nothing when there is nothing to show", () => {
    assert.equal(codeSpan("\n"), "");
  });
});

describe("a link", () => {
  it("cannot be ended by its address", () => {
    assert.equal(linkTo(md`page`, "runs/a b)(|.md"), "[page](runs/a%20b%29%28%7C.md)");
  });
});

describe("a view", () => {
  it("holds no text that was not made harmless, however deep", () => {
    const allowed: View = { rows: [md`a`, 1, true, null], more: { text: escapeMarkdown("<b>") } };
    // @ts-expect-error A plain text.
    const plain: View = "<b>";
    // @ts-expect-error A plain text within.
    const deep: View = { rows: [{ text: String(allowed) }] };
    // @ts-expect-error What a template would turn into a text by itself.
    const date: View = { checkedAt: new Date(0) };
    assert.equal([allowed, plain, deep, date].length, 4);
  });
});
