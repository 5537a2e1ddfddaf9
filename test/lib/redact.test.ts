import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanDeep, createRedactor } from "../../src/lib/redact.ts";

const secret = "YmF6cXV4-c0ffee_P0A1/99+aa";

function clean(text: string): string {
  const redactor = createRedactor();
  redactor.add(secret);
  return redactor.clean(text);
}

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

const forms: readonly (readonly [name: string, text: string])[] = [
  ["as it is", `token ${secret}!`],
  ["URL-encoded", `https://a.example/?t=${encodeURIComponent(secret)}`],
  [
    "URL-encoded in small letters",
    encodeURIComponent(secret).replaceAll("%2B", "%2b").replaceAll("%2F", "%2f"),
  ],
  ["with Markdown's backslashes", secret.replace(/[_+-]/g, "\\$&")],
  ["cut off at its end", `the answer began with ${secret.slice(0, 15)}`],
];
for (const [name, text] of forms) {
  test(`a secret ${name} is taken out`, () => {
    const cleaned = clean(text);
    assert.ok(cleaned.includes("***"), cleaned);
    assert.ok(!cleaned.replaceAll("\\", "").includes(secret.slice(0, 12)), cleaned);
  });
}

for (const before of ["", "a", "ab", "abc", "user:"]) {
  test(`a secret in base64 behind "${before}" is taken out`, () => {
    const encoded = base64(`${before}${secret} and more`);
    assert.notEqual(clean(encoded), encoded);
    const left = Buffer.from(clean(encoded).split("***")[0] ?? "", "base64").toString("utf8");
    assert.ok(!left.includes(secret.slice(0, 4)), left);
  });
}

test("a secret with a quote and a backslash is taken out of JSON", () => {
  const odd = 'pass"word\\2026';
  const redactor = createRedactor();
  redactor.add(odd);
  assert.equal(redactor.clean(JSON.stringify({ odd })), '{"odd":"***"}');
});

test("base64 for URLs is known as well", () => {
  const text = Buffer.from(`x${secret}`, "utf8").toString("base64url");
  assert.notEqual(clean(text), text);
});

test("text without a secret stays as it is, and so does a word as short as a wrong secret", () => {
  const redactor = createRedactor();
  for (const short of ["", "a", "abc", "   "]) redactor.add(short);
  assert.equal(redactor.clean("an abc of nothing"), "an abc of nothing");
  assert.equal(clean("YmF6cXV4"), "YmF6cXV4");
});

test("a secret of several lines is taken out line by line", () => {
  const redactor = createRedactor();
  redactor.add("-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n");
  assert.equal(redactor.clean("first abcdefgh, then ijklmnop"), "first ***, then ***");
});

test("a secret that begins another leaves nothing of the longer one", () => {
  const redactor = createRedactor();
  redactor.add("secret-one-a");
  redactor.add("secret-one-a-and-two");
  assert.equal(redactor.clean("<secret-one-a-and-two>"), "<***>");
});

test("every text in a record is cleaned, whatever it is nested in", () => {
  const cleaned = cleanDeep({ a: [`x ${secret}`, 1, null], b: { c: secret, d: true } }, (text) =>
    clean(text),
  );
  assert.deepEqual(cleaned, { a: ["x ***", 1, null], b: { c: "***", d: true } });
});
