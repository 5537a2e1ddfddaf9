import assert from "node:assert/strict";
import { test } from "node:test";
import { openBackend } from "../../src/run/delegation-backend.ts";
import { answerWebex, createSession, webexId } from "../support/answered-webex.ts";
import { openContext } from "../support/open-context.ts";

const env = {
  WEBEX_CLIENT_ID: "client",
  WEBEX_CLIENT_SECRET: "not-a-client-secret",
  WEBEX_TOKEN_FILE: "refresh-token",
  WEBEX_SITE_URL: "acme.webex.com",
};

/** Opens the XML API for somebody with these addresses. */
async function open(emails: readonly string[]) {
  const { client } = answerWebex(() => ({ id: webexId("PEOPLE", "me"), emails }));
  const { context } = await openContext(env);
  return await openBackend("xml", context.settings.readSiteConfig(), createSession(client), () => undefined);
}

test("the XML API is opened by the address of the token's owner, and not without one", async () => {
  const { reader, createWriter } = await open(["me@acme.example"]);
  assert.ok(reader && createWriter().readsFirst);
  await assert.rejects(
    open([]),
    /^Error: Webex does not say the e-mail address of the token's owner, which the XML API needs$/,
  );
});
