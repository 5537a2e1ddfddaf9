import assert from "node:assert/strict";
import { test } from "node:test";
import { findNearest, suggestNearest } from "../../src/lib/did-you-mean.ts";
import { quoteText } from "../../src/lib/text.ts";

const cases: readonly [fact: string, name: string, candidates: string[], expected: string[]][] = [
  ["a missing letter is one mistake", "Grup", ["group", "room", "mode", "note"], ["group"]],
  ["two swapped letters are one mistake", "snyc", ["sync", "audit", "add-only"], ["sync"]],
  ["case and accents are ignored", "INGENIEURE", ["Ingénieure", "Legal"], ["Ingénieure"]],
  ["punctuation and spaces are ignored", "NOC on call", ["NOC On-call", "Sales"], ["NOC On-call"]],
  ["words may be in another order", "on-call NOC", ["NOC On-call", "Sales"], ["NOC On-call"]],
  [
    "words in another order may contain a mistake",
    "Brlin Engineering",
    ["Engineering Berlin"],
    ["Engineering Berlin"],
  ],
  ["a part of a name is near", "eng", ["Engineering", "Sales"], ["Engineering"]],
  ["an option is known by its beginning", "dry", ["dry-run", "delegate"], ["dry-run"]],
  ["a name with too much in it is near", "synchronise", ["sync", "demo"], ["sync"]],
  ["two letters that begin a word are no part of it", "no", ["Northern"], []],
  ["fewer slips come first", "platform", ["Plattforms", "Platfrom", "Legal"], ["Platfrom", "Plattforms"]],
  ["a slip ranks before a part", "eng", ["Engineering", "Enk"], ["Enk", "Engineering"]],
  ["a name that shares no more than a letter or two is not near", "title", ["group", "room", "mode"], []],
  ["a code that lost its zeros is near", "NOC 7", ["NOC 007", "NOC 8", "Sales"], ["NOC 007", "NOC 8"]],
  ["zeros and a space may be lost at once", "NOC7", ["NOC 0007", "Sales"], ["NOC 0007"]],
  ["zeros within a number count", "Floor 100", ["Floor 10000000000"], ["Floor 10000000000"]],
  [
    "an added prefix and suffix are no distance",
    "NOC On-call",
    ["ACME NOC On-call (EU)"],
    ["ACME NOC On-call (EU)"],
  ],
  ["a prefix may be grown together with the name", "Dispatch", ["xyzDispatch", "Sales"], ["xyzDispatch"]],
  [
    "a name that is written with too much around it is near",
    "Webex-Dispatch-2026",
    ["Dispatch"],
    ["Dispatch"],
  ],
  [
    "letters of another script that look the same are the same",
    "\u041D\u041E\u0421",
    ["HOC", "Sales"],
    ["HOC"],
  ],
  ["a Cyrillic name is near in other case", "МОСКВА", ["Москва", "Sales"], ["Москва"]],
  ["short names must be equal but for case", "QA", ["HR", "QC", "qa"], ["qa"]],
  ["scripts without case or spaces work", "日本", ["日本語", "東京"], ["日本語"]],
  ["a candidate that occurs twice is returned once", "Saless", ["Sales", "Sales"], ["Sales"]],
  ["nothing is near an empty name", "", ["a", "group"], []],
  ["nothing is near a name without letters", "--", ["--", "group"], []],
  ["nothing is found among no candidates", "group", [], []],
];

for (const [fact, name, candidates, expected] of cases) {
  test(fact, () => assert.deepEqual(findNearest(name, candidates), expected));
}

test("the order of candidates does not matter", () => {
  const candidates = ["Team A", "Team B", "Team C", "Team D"];
  assert.deepEqual(findNearest("Team X", candidates), ["Team A", "Team B", "Team C"]);
  assert.deepEqual(findNearest("Team X", candidates.toReversed()), ["Team A", "Team B", "Team C"]);
});

test("no more candidates are returned than requested", () => {
  assert.deepEqual(findNearest("Team X", ["Team A", "Team B"], 1), ["Team A"]);
});

test("asking again with the same list gives the same answer", () => {
  const candidates = ["NOC On-call", "Sales"];
  assert.deepEqual(findNearest("Sale", candidates), ["Sales"]);
  assert.deepEqual(findNearest("Sale", candidates), ["Sales"]);
});

test("a typo is found among 20,000 long and similar names", () => {
  const candidates = Array.from(
    { length: 20_000 },
    (_, index) => `Universal team ${"x".repeat(index % 40)} ${index}`,
  );
  assert.deepEqual(findNearest("Engineerng Berlin", [...candidates, "Engineering Berlin"]), [
    "Engineering Berlin",
  ]);
});

test("a suggestion lists the nearest names, or the given fallback", () => {
  assert.equal(suggestNearest("Grup", ["group", "room"]), '; did you mean "group"?');
  assert.equal(
    suggestNearest("Team X", ["Team A", "Team B", "Team C"]),
    '; did you mean "Team A", "Team B" or "Team C"?',
  );
  assert.equal(
    suggestNearest("gr\u043Eup", ["group"]),
    '; did you mean "group"? "group" has U+006F where U+043E is written',
  );
  assert.equal(suggestNearest("title", ["group"], "; nothing like it"), "; nothing like it");
  assert.equal(suggestNearest("title", ["group"]), "");
});

test("text from outside is quoted, kept on one line and shortened", () => {
  assert.equal(quoteText('a "b"\nc'), '"a \\"b\\"\\nc"');
  assert.equal(quoteText("😀".repeat(60)), `"${"😀".repeat(60)}"`);
  assert.equal(quoteText("😀".repeat(5000)), `"${"😀".repeat(60)}…"`);
});
