import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attempt,
  type DelegationReader,
  rememberAnswers,
  type SiteUser,
} from "../../src/delegation/backend.ts";

const ann: SiteUser = { address: "ann", displayName: "Ann", isActive: true, canHost: true };

/** A site that notes each question and counts its answers, so that a second answer can be told from the first. */
function createReader() {
  const log: string[] = [];
  const reader: DelegationReader = {
    async proveAccess(mayWrite) {
      log.push(`access ${mayWrite}`);
      if (mayWrite) throw new Error("may only read");
    },
    async listUsers() {
      log.push("list");
      return { complete: true, items: [ann] };
    },
    async findUser(address) {
      log.push(`find ${address}`);
      return address === "ann" ? { ...ann, displayName: `Ann ${log.length}` } : null;
    },
    async readDelegates(host) {
      log.push(`delegates of ${host}`);
      if (host === "dan") throw new Error(`no answer ${log.length}`);
      return [`${host} ${log.length}`];
    },
  };
  return { log, reader };
}

test("an attempt is the answer, or why there is none", async () => {
  assert.deepEqual(await attempt(async () => null), { value: null });
  assert.deepEqual(await attempt(() => Promise.reject(new Error("503"))), { error: "503" });
  const fail = () => {
    throw new Error("not even asked");
  };
  assert.deepEqual(await attempt(fail), { error: "not even asked" });
});

test("each question is asked once, also while its answer is still to come, and has one answer", async () => {
  const { log, reader } = createReader();
  const once = rememberAnswers(reader);
  const [first, second] = await Promise.all([once.readDelegates("ann"), once.readDelegates("ann")]);
  assert.deepEqual([first, second, await once.readDelegates("ann")], [["ann 1"], ["ann 1"], ["ann 1"]]);
  const users = [await once.findUser("ann"), await once.findUser("ann")];
  assert.deepEqual(
    users.map((user) => user?.displayName),
    ["Ann 2", "Ann 2"],
  );
  assert.deepEqual(await once.listUsers(), await once.listUsers());
  await once.proveAccess(false);
  await once.proveAccess(false);
  assert.deepEqual(log, ["delegates of ann", "find ann", "list", "access false"]);
});

test("each host and each user is a question of its own", async () => {
  const { log, reader } = createReader();
  const once = rememberAnswers(reader);
  assert.deepEqual(
    [await once.readDelegates("ann"), await once.readDelegates("ben")],
    [["ann 1"], ["ben 2"]],
  );
  assert.deepEqual([await once.findUser("ben"), (await once.findUser("ann"))?.displayName], [null, "Ann 4"]);
  assert.equal(await once.findUser("ben"), null);
  assert.equal(log.length, 4);
});

test("a question that failed fails the same way again", async () => {
  const { log, reader } = createReader();
  const once = rememberAnswers(reader);
  await assert.rejects(once.readDelegates("dan"), /^Error: no answer 1$/);
  await assert.rejects(once.readDelegates("dan"), /^Error: no answer 1$/);
  await assert.rejects(once.proveAccess(true), /may only read/);
  await assert.rejects(once.proveAccess(true), /may only read/);
  assert.deepEqual(log, ["delegates of dan", "access true"]);
});
