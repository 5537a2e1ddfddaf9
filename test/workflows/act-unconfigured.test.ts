import assert from "node:assert/strict";
import { test } from "node:test";
import { needsAct, startNoc, useActRepository } from "./act-story.ts";

const repository = useActRepository();
const nothing = {
  variables: { WEBEX_CLIENT_ID: "" },
  secrets: { WEBEX_CLIENT_SECRET: "", WEBEX_REFRESH_TOKEN: "", SECRETS_TOKEN: "" },
};

test("a scheduled run of a copy that is not set up succeeds with a to-do list", needsAct, async () => {
  await using sandbox = await startNoc();
  const ending = await repository.run(sandbox, { workflow: "sync", event: "schedule", ...nothing });
  assert.equal(ending.succeeded, true, ending.log);
  assert.match(ending.log, /WEBEX_REFRESH_TOKEN/);
  assert.deepEqual(sandbox.github.commits, []);
});

test("a manual run of a copy that is not set up fails with the same list", needsAct, async () => {
  await using sandbox = await startNoc();
  const ending = await repository.run(sandbox, { workflow: "sync", event: "workflow_dispatch", ...nothing });
  assert.equal(ending.succeeded, false);
  assert.match(ending.log, /WEBEX_REFRESH_TOKEN/);
});
