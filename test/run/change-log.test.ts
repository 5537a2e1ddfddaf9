import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DelegationWriter } from "../../src/delegation/backend.ts";
import type { MembershipWriter } from "../../src/membership/apply.ts";
import { createChangeLog } from "../../src/run/change-log.ts";
import { addition, removal, room } from "../support/builders.ts";
import { openContext } from "../support/open-context.ts";

const runner = { GITHUB_ACTIONS: "true" };

/** A Webex that makes every change, or finds each made already. */
const willing: MembershipWriter = {
  addMember: async (_, person) => person,
  removeMember: async () => true,
};
const late: MembershipWriter = { addMember: async () => null, removeMember: async () => false };

const delegates: DelegationWriter = {
  readsFirst: true,
  async changeDelegates(change, accepted) {
    accepted({ add: change.add });
    accepted({ remove: change.remove });
    return change;
  },
};

const change = {
  host: "ann@acme.example",
  before: ["old@acme.example"],
  add: ["new@acme.example"],
  remove: ["old@acme.example"],
  after: ["new@acme.example"],
  makeRoom: [],
};

describe("the log of changes", () => {
  test("has each change of a space, on a runner in one folded group that ends with the changes", async () => {
    const { context, lines } = await openContext(runner);
    const log = createChangeLog(context);
    const writer = log.watchMemberships(willing);
    const noc = room("NOC");
    assert.deepEqual(await writer.addMember(noc, addition("ann")), addition("ann"));
    assert.equal(await writer.removeMember(noc, removal("bob")), true);
    log.end();
    log.end();
    assert.deepEqual(lines, [
      "fold: Changes, as they were made",
      'print: added "ann <ann@acme.example>" to "NOC"',
      'print: removed "bob <bob@acme.example>" from "NOC"',
      "unfold: Changes, as they were made",
    ]);
  });

  test("is for those who ask for details on a person's machine", async () => {
    const { context, lines } = await openContext();
    await createChangeLog(context).watchMemberships(willing).addMember(room("NOC"), addition("ann"));
    assert.ok(lines.includes('detail: added "ann <ann@acme.example>" to "NOC"'), String(lines));
  });

  test("has nothing of what somebody else had done before, and opens no group for it", async () => {
    const { context, lines } = await openContext(runner);
    const log = createChangeLog(context);
    const writer = log.watchMemberships(late);
    assert.equal(await writer.addMember(room("NOC"), addition("ann")), null);
    assert.equal(await writer.removeMember(room("NOC"), removal("bob")), false);
    log.end();
    assert.deepEqual(lines, []);
  });

  test("names who has no name, or no address, by the other one", async () => {
    const { context, lines } = await openContext(runner);
    const writer = createChangeLog(context).watchMemberships(willing);
    await writer.addMember(room("NOC"), { ...addition("ann"), displayName: "ann@acme.example" });
    await writer.addMember(room("NOC"), { ...addition("ann"), email: null });
    assert.deepEqual(lines.slice(1), [
      'print: added "ann@acme.example" to "NOC"',
      'print: added "ann" to "NOC"',
    ]);
  });

  test("has each delegate as soon as Webex has accepted it, and passes it on", async () => {
    const { context, lines } = await openContext(runner);
    const writer = createChangeLog(context).watchDelegates(delegates);
    const parts: unknown[] = [];
    assert.equal(writer.readsFirst, true);
    assert.equal(await writer.changeDelegates(change, (part) => parts.push(part)), change);
    assert.deepEqual(parts, [{ add: change.add }, { remove: change.remove }]);
    assert.deepEqual(lines.slice(1), [
      "print: new@acme.example may now schedule for ann@acme.example",
      "print: old@acme.example may no longer schedule for ann@acme.example",
    ]);
  });
});
