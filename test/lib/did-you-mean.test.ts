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
  ["part of a name is near", "eng", ["Engineering", "Sales"], ["Engineering"]],
  ["the beginning of an option is near", "dry", ["dry-run", "delegate"], ["dry-run"]],
  ["a name with extra letters is near", "synchronise", ["sync", "demo"], ["sync"]],
  ["two letters do not count as part of a name", "no", ["Northern"], []],
  ["fewer mistakes come first", "platform", ["Plattforms", "Platfrom", "Legal"], ["Platfrom", "Plattforms"]],
  ["a mistake ranks before a part", "eng", ["Engineering", "Enk"], ["Enk", "Engineering"]],
  ["a name that shares only a letter or two is not near", "title", ["group", "room", "mode"], []],
  ["short names must be equal except for case", "QA", ["HR", "QC", "qa"], ["qa"]],
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
  assert.equal(suggestNearest("title", ["group"], "; nothing like it"), "; nothing like it");
  assert.equal(suggestNearest("title", ["group"]), "");
});

test("text from outside is quoted, kept on one line and shortened", () => {
  assert.equal(quoteText('a "b"\nc'), '"a \\"b\\"\\nc"');
  assert.equal(quoteText("😀".repeat(60)), `"${"😀".repeat(60)}"`);
  assert.equal(quoteText("😀".repeat(5000)), `"${"😀".repeat(60)}…"`);
});
