import assert from "node:assert/strict";
import { test } from "node:test";
import { openClient } from "../support/open-webex.ts";
import { type Script, startScript } from "../support/scripted-server.ts";

/** What a GET that is refused so is told as. */
async function log(script: Script) {
  await using server = await startScript(() => script);
  const { client } = openClient({ baseUrl: `${server.url}/v1`, attempts: 1 });
  const path = "/people?email=ann%40example.com";
  const error = await client.send({ method: "GET", path }).then(
    () => undefined,
    (reason: Error & { trackingId?: string }) => reason,
  );
  return [error?.message, error?.trackingId];
}

const refused = "[GET] /people: 403: ";
const bodies: readonly [fact: string, body: unknown, headers: Record<string, string>, ...told: unknown[]][] =
  [
    [
      "message, descriptions and tracking id",
      { message: "No.", errors: [{ description: "Scope." }, { description: "Role." }], trackingId: "T1" },
      {},
      `${refused}No. Scope. Role`,
      "T1",
    ],
    [
      "a description that repeats the message",
      { message: "No.", errors: [{ description: "No." }] },
      {},
      `${refused}No`,
      null,
    ],
    ["a tracking id in the header only", { message: "No." }, { TrackingID: "T2" }, `${refused}No`, "T2"],
    [
      "two tracking ids, of which the body's wins",
      { trackingId: "T1" },
      { TrackingID: "T2" },
      `${refused}Forbidden`,
      "T1",
    ],
    [
      "errors without a description",
      { message: "No.", errors: [{ errorCode: 7 }, null, "x"] },
      {},
      `${refused}No`,
      null,
    ],
    [
      "errors that are not a list",
      { message: "No.", errors: { description: "x" } },
      {},
      `${refused}No`,
      null,
    ],
    ["a message that is not a string", { message: { text: "No." } }, {}, `${refused}Forbidden`, null],
    ["a body that is not an object", ["No."], {}, `${refused}Forbidden`, null],
    ["a body that is null", null, {}, `${refused}Forbidden`, null],
    ["a body that is not JSON", "<html>No.</html>", {}, `${refused}Forbidden`, null],
    ["no body", "", {}, `${refused}Forbidden`, null],
  ];
for (const [fact, body, headers, ...told] of bodies) {
  test(`an error copes with ${fact}, and never shows the query`, async () => {
    assert.deepEqual(await log({ status: 403, headers, body }), told);
  });
}

test("an unknown status is reported as it is", async () => {
  assert.deepEqual(await log({ status: 499 }), ["[GET] /people: 499: unknown status", null]);
});
