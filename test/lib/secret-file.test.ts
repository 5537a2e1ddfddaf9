import assert from "node:assert/strict";
import { test } from "node:test";
import { isSecretContent, isSecretPath } from "../../src/lib/secret-file.ts";

const secretPaths = [
  "token",
  "token.next",
  "/home/ann/refresh-token",
  "webex_secret.txt",
  "credentials.json",
  "client_secrets.json",
  ".env",
  ".env.production",
  "prod.env",
  "server.pem",
  "private.KEY",
  "C:\\Users\\ann\\.ssh\\config",
  "/run/secrets/webex",
  ".git-credentials",
];
const inputPaths = [
  "mappings/rooms.csv",
  "mappings/policy.json",
  "mappings/token-holders.csv",
  "policy.json",
  "token-policy.json",
  "tokens/rooms.csv",
  "environment.csv",
  "rooms",
];
test("a file that is there to hold a secret is known by its path", () => {
  assert.deepEqual(
    secretPaths.filter((path) => !isSecretPath(path)),
    [],
  );
  assert.deepEqual(inputPaths.filter(isSecretPath), []);
});

const contents: readonly [fact: string, text: string, isSecret: boolean][] = [
  ["a lone token", `${"x".repeat(40)}\n`, true],
  ["a token of Webex", "MDEyMzQ1Njc4OTAxMjM0NTY3ODk_P0A1_99999999-8888-4777-8666-555555555555", true],
  ["variables", "# ours\nA=1\nexport WEBEX_REFRESH_TOKEN = x\n", true],
  ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", true],
  ["a CSV", "group,room\nNOC,NOC\n", false],
  ["a CSV that is separated by semicolons", "group;room\nNOC;NOC\n", false],
  [
    "a CSV with ids of Webex",
    "group,room\nNOC,Y2lzY29zcGFyazovL3VzL1JPT00vMTExMTExMTEtMjIyMi00MzMz\n",
    false,
  ],
  ["a policy", '{"protect":{"moderators":true,"bots":true}}', false],
  ["nothing", "", false],
];
for (const [fact, text, isSecret] of contents) {
  test(`${fact} ${isSecret ? "is taken for a secret" : "is an input"}`, () =>
    assert.equal(isSecretContent(Buffer.from(text)), isSecret));
}
