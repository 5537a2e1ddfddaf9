import assert from "node:assert/strict";
import { test } from "node:test";
import type { DelegationReader, SiteUser } from "../../src/delegation/backend.ts";
import { observeDelegation, observeUsers } from "../../src/delegation/observe.ts";

const user = (address: string, isActive = true): SiteUser => ({
  address,
  displayName: address,
  isActive,
  canHost: true,
});

/** A site with ann, ben and cat (who has left), and a log of what was asked. */
function createReader(more: Partial<DelegationReader> = {}) {
  const log: string[] = [];
  const users = [user("ann"), user("ben"), user("cat", false)];
  const reader: DelegationReader = {
    proveAccess: () => Promise.resolve(),
    async listUsers() {
      log.push("list");
      return { items: users, complete: true };
    },
    async findUser(address) {
      log.push(`find ${address}`);
      return users.find((one) => one.address === address) ?? null;
    },
    async readDelegates(host) {
      log.push(`delegates of ${host}`);
      return host === "ann" ? ["ben"] : [];
    },
    ...more,
  };
  return { reader, log };
}

const request = { mode: "add", hosts: ["ann"], delegates: ["ben", "ann"], until: null } as const;

test("each address is looked up once, and the site is listed only where somebody is unknown", async () => {
  const { reader, log } = createReader();
  const observed = await observeDelegation(reader, request);
  assert.deepEqual(log, ["find ann", "find ben", "delegates of ann"]);
  assert.deepEqual(
    [[...observed.users], [...observed.delegates], observed.directory],
    [
      [
        ["ann", { value: user("ann") }],
        ["ben", { value: user("ben") }],
      ],
      [["ann", { value: ["ben"] }]],
      [],
    ],
  );
});

test("where somebody is unknown the active users are there to suggest, and only known hosts are read", async () => {
  const { reader, log } = createReader();
  const observed = await observeDelegation(reader, { ...request, hosts: ["ann", "dan"] });
  assert.deepEqual(observed.directory, ["ann", "ben"]);
  assert.deepEqual(observed.users.get("dan"), { value: null });
  assert.deepEqual([...observed.delegates.keys()], ["ann"]);
  assert.ok(!log.includes("delegates of dan"));
});

test("one answer that fails stops no other, and is no unknown user", async () => {
  const fail = () => Promise.reject(new Error("no answer"));
  const failing = createReader({ findUser: fail, readDelegates: fail });
  const observed = await observeDelegation(failing.reader, request);
  assert.deepEqual(observed.users.get("ann"), { error: "no answer" });
  assert.deepEqual([[...observed.delegates], failing.log], [[], []]);
  const { reader } = createReader({ readDelegates: fail });
  const lists = (await observeDelegation(reader, request)).delegates;
  assert.deepEqual([...lists], [["ann", { error: "no answer" }]]);
});

test("a site that cannot be listed suggests nobody, and that is all", async () => {
  const { reader } = createReader({ listUsers: () => Promise.reject(new Error("no answer")) });
  const { users, directory } = await observeUsers(reader, ["dan"]);
  assert.deepEqual([[...users], directory], [[["dan", { value: null }]], []]);
});
