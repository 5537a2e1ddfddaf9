import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import { emailOf, organisation } from "../support/organisation.ts";
import { assertNoSecretShown, assertTokenKept, needsAct, useActRepository } from "./act-story.ts";

const repository = useActRepository();

/** A site on which cy may schedule for bob already. */
async function startSite() {
  const people = organisation({ groups: { NOC: ["ann", "bob", "cy"] }, rooms: {} });
  const users = [
    { person: "ann" },
    { person: "bob", delegates: [emailOf("cy")] },
    { person: "cy" },
    { person: "rollcall" },
  ];
  return await startSandbox({ ...people, meetings: { users } }, { github: { environments: ["webex"] } });
}

for (const backend of ["rest", "xml"] as const) {
  test(
    `a manual Delegate run lets two people schedule for two hosts, with ${backend}`,
    needsAct,
    async () => {
      await using sandbox = await startSite();
      const inputs = {
        mode: "add",
        host: `${emailOf("ann")}, ${emailOf("bob")}`,
        delegate: emailOf("cy"),
        backend,
      };
      const ending = await repository.run(sandbox, {
        workflow: "delegate",
        event: "workflow_dispatch",
        payload: { inputs },
        actor: "dora",
      });
      assert.equal(ending.succeeded, true, ending.log);
      assert.deepEqual(sandbox.meetings.user("ann").delegates, [emailOf("cy")]);
      assert.deepEqual(sandbox.meetings.user("bob").delegates, [emailOf("cy")]);
      assert.equal(sandbox.github.commits.length, 1);
      const record = [...sandbox.github.files()].find(([path]) =>
        /^reports\/delegations\/.*\.json$/.test(path),
      );
      assert.match(record?.[1] ?? "", /"actor": "dora"/);
      assert.match(ending.log, /Requested by dora, started by dora\./);
      assertTokenKept(sandbox);
      assertNoSecretShown(sandbox, ending.log);
    },
  );
}

test("a Delegate run with dry_run shows the changes and writes only the token", needsAct, async () => {
  await using sandbox = await startSite();
  const inputs = { mode: "replace", host: emailOf("bob"), delegate: emailOf("ann"), dry_run: "true" };
  const ending = await repository.run(sandbox, {
    workflow: "delegate",
    event: "workflow_dispatch",
    payload: { inputs },
  });
  assert.equal(ending.succeeded, true, ending.log);
  assert.deepEqual(sandbox.meetings.user("bob").delegates, [emailOf("cy")]);
  assert.deepEqual(sandbox.github.commits, []);
  assertTokenKept(sandbox);
});

test(
  "a delegation with an end is added to the file, and Sync revokes it after its last day",
  needsAct,
  async () => {
    await using sandbox = await startSite();
    const grants = "mappings/delegations.csv";
    const inputs = { mode: "add", host: emailOf("ann"), delegate: emailOf("cy"), until: "2999-12-31" };
    const added = await repository.run(sandbox, {
      workflow: "delegate",
      event: "workflow_dispatch",
      payload: { inputs },
    });
    assert.equal(added.succeeded, true, added.log);
    const written = sandbox.github.files().get(grants) ?? "";
    assert.match(written, /2999-12-31/);

    sandbox.github.writeFile(grants, written.replace("2999-12-31", "2001-12-31"));
    sandbox.github.writeFile("mappings/rooms.csv", "group,room\n");
    const synced = await repository.run(sandbox, { workflow: "sync", event: "push" });
    assert.equal(synced.succeeded, true, synced.log);
    assert.deepEqual(sandbox.meetings.user("ann").delegates, []);
    assert.doesNotMatch(sandbox.github.files().get(grants) ?? "", /2001-12-31/);
    assertTokenKept(sandbox);
  },
);
