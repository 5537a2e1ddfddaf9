import assert from "node:assert/strict";
import { test } from "node:test";
import { createNameIndex } from "../../src/lib/name-index.ts";
import { explainUnseenDifference, looksSecret, normaliseText, quoteText } from "../../src/lib/text.ts";

const same: readonly [fact: string, text: string][] = [
  ["outer blanks", "  NOC On-call\t"],
  ["a no-break space", "NOC\u00A0On-call"],
  ["a narrow no-break space", "NOC\u202FOn-call"],
  ["a thin space", "NOC\u2009On-call"],
  ["an ideographic space", "NOC\u3000On-call"],
  ["a tab", "NOC\tOn-call"],
  ["a line feed", "NOC\nOn-call"],
  ["a carriage return and a line feed", "NOC\r\nOn-call"],
  ["a line separator", "NOC\u2028On-call"],
  ["a next-line character", "NOC\u0085On-call"],
  ["a zero-width space", "NOC On\u200B-call"],
  ["a joiner", "NOC On-\u200Dcall"],
  ["a word joiner", "NOC\u2060 On-call"],
  ["a byte-order mark in the middle", "NOC \uFEFFOn-call"],
  ["a soft hyphen", "NOC On-\u00ADcall"],
  ["direction marks", "\u200ENOC On-call\u200F"],
  ["an embedding in a direction", "\u202ANOC On-call\u202C"],
  ["an isolate", "\u2066NOC On-call\u2069"],
  ["a variation selector", "NOC On-call\uFE0F"],
  ["a control character", "NOC \u0007On-call"],
];
for (const [fact, text] of same) {
  test(`names are equal whatever nobody can see of them: ${fact}`, () =>
    assert.equal(normaliseText(text), "NOC On-call"));
}

test("names are composed, also where something unseen stood between letter and accent", () => {
  assert.deepEqual(["Cafe\u0301", "Cafe\u200B\u0301", "Caf\u00E9"].map(normaliseText), [
    "Café",
    "Café",
    "Café",
  ]);
});

test("what can be seen stays: case, double spaces, dashes, emoji", () => {
  for (const text of ["noc", "NOC  On-call", "NOC–On-call", "👩 Devs"])
    assert.equal(normaliseText(text), text);
});

test("an index finds by every spelling of a name, and all namesakes", () => {
  const index = createNameIndex(["NOC\u00A0On-call", "NOC On-call ", "Café"], (name) => name);
  assert.deepEqual(index.find("NOC On-\u200Bcall"), ["NOC\u00A0On-call", "NOC On-call "]);
  assert.deepEqual(index.find("Cafe\u0301"), ["Café"]);
  assert.deepEqual(index.find("noc on-call"), []);
  assert.deepEqual(index.names, ["NOC On-call", "Café"]);
});

const unseen: readonly [fact: string, written: string, name: string, explanation: string][] = [
  ["a Cyrillic letter", "N\u041EC", "NOC", '"NOC" has U+004F where U+041E is written'],
  ["a Latin letter in a Cyrillic name", "B\u0430рна", "Варна", '"Варна" has U+0412 where U+0042 is written'],
  ["letters apart", "\u0421O\u0421", "COC", '"COC" has U+0043 U+0043 where U+0421 U+0421 is written'],
  ["a dash", "On\u2013call", "On-call", '"On-call" has U+002D where U+2013 is written'],
  ["an apostrophe", "Ann\u2019s", "Ann's", '"Ann\'s" has U+0027 where U+2019 is written'],
  ["typographic quotes around it", "“NOC”", "NOC", '"NOC" has nothing where U+201C U+201D is written'],
  ["a space too many", "NOC  A", "NOC A", '"NOC A" has nothing where U+0020 is written'],
  ["a combining mark on its own", "NOC\u0308", "NOC", '"NOC" has nothing where U+0308 is written'],
  ["nothing", "NOC", "NOC", ""],
  ["a letter that can be seen", "NOB", "NOC", ""],
  ["an accent that can be seen", "Zurich", "Zürich", ""],
  ["a word more", "War room", "room", ""],
  ["a letter more of the same script", "日本", "日本語", ""],
];
for (const [fact, written, name, explanation] of unseen) {
  test(`a difference is told by code point where the eye does not see it: ${fact}`, () =>
    assert.equal(explainUnseenDifference(written, name), explanation));
}

const letters = "aB3".repeat(12);
const secrets: readonly [fact: string, text: string, isSecret: boolean][] = [
  ["a Webex token", `MDEyMzQ1Njc4OTAxMjM0NTY3ODk_P0A1_99999999-8888-4777-8666-555555555555`, true],
  ["a GitHub token", `ghp_${letters}`, true],
  ["a fine-grained GitHub token", `github_pat_11ABCDEFG0_${letters}`, true],
  ["a JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3", true],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", true],
  ["a long random text", `x=${letters}`, true],
  ["a Webex id", Buffer.from(`ciscospark://us/ROOM/${"a1B2c3d4".repeat(5)}`).toString("base64url"), false],
  ["a uuid", "AAAAAAAA-0000-11f0-9000-0000000000a1", false],
  ["a group of a directory", "SG-APP-Webex-Users-DE-Berlin-01_ReadOnly_Members", false],
  ["a long word", "Donaudampfschifffahrtsgesellschaftskapitän2", false],
  ["an address", "a.rather.long.name.of.somebody.01@Subsidiary.example.com", false],
];
for (const [fact, text, isSecret] of secrets) {
  test(`${fact} ${isSecret ? "is never quoted" : "is no secret"}`, () => {
    assert.equal(looksSecret(text), isSecret);
    assert.equal(quoteText(text).includes(text.slice(0, 20)), !isSecret);
  });
}
