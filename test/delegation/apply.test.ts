import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPlans } from "../../src/delegation/apply.ts";
import type { DelegateChange, DelegationWriter } from "../../src/delegation/backend.ts";
import { type HostPlan, planHost } from "../../src/delegation/plan.ts";
import type { DelegationMode } from "../../src/delegation/request.ts";

const host = "ann@acme.example";

const [cat, dan, eve, zoe] = ["cat", "dan", "eve", "zoe"].map((name) => `${name}@acme.example`) as [
  string,
  string,
  string,
  string,
];

/** A Webex with one list a host; each reading and writing is noted, and a test may do something in between. */
function createLists(
  lists: Record<string, string[]>,
  meddle: (step: string, lists: Record<string, string[]>) => void = () => undefined,
) {
  const steps: string[] = [];
  const note = (step: string) => {
    meddle(step, lists);
    steps.push(step);
  };
  return {
    steps,
    lists,
    reader: {
      readDelegates: async (of: string) => {
        note(`read ${of}`);
        return [...(lists[of] ?? [])];
      },
    },
    writer: {
      readsFirst: false,
      changeDelegates: async (change: DelegateChange) => {
        note(`write ${change.host}`);
        lists[change.host] = [...change.after];
        return change;
      },
    },
    stop: new AbortController().signal,
    waitForConsistency: async () => note("settle"),
  };
}

function plan(mode: DelegationMode, delegates: string[], before: string[], of = host): HostPlan {
  return planHost({ host: of, mode, delegates }, before);
}

test("a host with nothing to change is neither read again nor written to", async () => {
  const webex = createLists({ [host]: [cat] });
  const [outcome] = await applyPlans([plan("add", [cat], [cat])], webex);
  assert.deepEqual([outcome?.after, outcome?.error, webex.steps], [[cat], null, []]);
});

test("a host is read again, changed, and read back", async () => {
  const webex = createLists({ [host]: [cat] });
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], webex);
  assert.deepEqual(outcome, {
    host,
    before: [cat],
    after: [eve],
    added: [eve],
    removed: [cat],
    error: null,
    notices: [],
  });
  assert.deepEqual(webex.steps, [`read ${host}`, `write ${host}`, `read ${host}`]);
});

test("a change by somebody else since the plan is kept and reported", async () => {
  const webex = createLists({ [host]: [cat, zoe] });
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], webex);
  assert.deepEqual([outcome?.after, outcome?.added, outcome?.error], [[cat, zoe, eve], [eve], null]);
  assert.deepEqual(outcome?.notices, [
    `somebody else changed the list during this run, which was left so: ${zoe} appeared`,
  ]);
});

test("nothing is sent when somebody else has already made the change", async () => {
  const webex = createLists({ [host]: [cat, eve] });
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], webex);
  assert.deepEqual([outcome?.added, outcome?.error, webex.steps], [[], null, [`read ${host}`]]);
});

test("a list that cannot be read right before the write is not written", async () => {
  const webex = createLists({ [host]: [cat] }, () => {
    throw new Error("503");
  });
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], webex);
  assert.deepEqual(
    [outcome?.error, outcome?.added, webex.lists[host]],
    ["nothing was written, because the list could not be read right before: 503", [], [cat]],
  );
});

test("a write that somebody else overwrote is reported as a lost update", async () => {
  let reads = 0;
  const webex = createLists({ [host]: [cat] }, (step, lists) => {
    // Right before the read-back another program writes the list that it had read earlier.
    if (step.startsWith("read") && ++reads === 2) lists[host] = [cat, zoe];
  });
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], webex);
  assert.deepEqual([outcome?.added, outcome?.after], [[], [cat, zoe]]);
  assert.equal(
    outcome?.error,
    `lost update: somebody else wrote this list at the same time (${zoe} appeared; ${eve}, whom this run added, disappeared); look at it and run again`,
  );
});

test("after replace an additional delegate is an error, even when all the named ones are there", async () => {
  let reads = 0;
  const webex = createLists({ [host]: [cat] }, (step, lists) => {
    if (step.startsWith("read") && ++reads === 2) lists[host]?.push(zoe);
  });
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], webex);
  assert.deepEqual([outcome?.added, outcome?.removed], [[eve], [cat]]);
  assert.match(outcome?.error ?? "", /lost update: .*zoe@acme\.example appeared/);
});

test("a change that Webex accepted but does not show fails after two reads", async () => {
  const webex = createLists({ [host]: [cat] });
  const idle = {
    ...webex,
    writer: { readsFirst: false, changeDelegates: async (change: DelegateChange) => change },
  };
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], idle);
  assert.deepEqual(
    [outcome?.added, outcome?.removed, outcome?.error],
    [
      [],
      [],
      `Webex accepted the change, but ${eve} did not become a delegate and ${cat} still is a delegate`,
    ],
  );
  assert.deepEqual(webex.steps, [`read ${host}`, `read ${host}`, "settle", `read ${host}`]);
});

test("the read-back decides, so a refused write that took effect is a success", async () => {
  const webex = createLists({ [host]: [cat] });
  const writer = {
    readsFirst: false,
    changeDelegates: async (change: DelegateChange) => {
      await webex.writer.changeDelegates(change);
      throw new Error("504");
    },
  };
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], { ...webex, writer });
  assert.deepEqual([outcome?.added, outcome?.error], [[eve], null]);
});

test("what Webex accepted before the rest was refused is told, also where nobody can look", async () => {
  let reads = 0;
  const webex = createLists({ [host]: [cat] }, (step) => {
    if (step.startsWith("read") && ++reads > 1) throw new Error("the run was stopped");
  });
  const writer: DelegationWriter = {
    readsFirst: false,
    async changeDelegates({ add, remove }, accepted) {
      accepted({ remove: [zoe] });
      accepted({ add });
      accepted({ add: [zoe] });
      throw new Error(`${remove} could not be taken out`);
    },
  };
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], { ...webex, writer });
  assert.deepEqual([outcome?.added, outcome?.removed, outcome?.after], [[eve], [], null]);
  assert.match(
    outcome?.error ?? "",
    /^cat@acme\.example could not be taken out; and the outcome could not be verified/,
  );
});

test("an outcome that cannot be read back is reported as unverified, with Webex's answer to the write", async () => {
  let reads = 0;
  const fail = (step: string) => {
    if (step.startsWith("read") && ++reads > 1) throw new Error("503");
  };
  const webex = createLists({ [host]: [cat] }, fail);
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], webex);
  assert.deepEqual(
    [outcome?.after, outcome?.added, outcome?.error],
    [null, [eve], "the outcome could not be verified: 503"],
  );
});

test("a host that fails does not stop the others, and no host gets another's delegates", async () => {
  const ben = "ben@acme.example";
  const webex = createLists({ [host]: [cat], [ben]: [dan] }, (step) => {
    if (step === `write ${host}`) throw new Error("403 not permitted");
  });
  const outcomes = await applyPlans([plan("add", [eve], [cat]), plan("add", [eve], [dan], ben)], webex);
  assert.deepEqual(
    outcomes.map(({ host, after, error }) => [host, after, error]),
    [
      [host, [cat], "403 not permitted"],
      [ben, [dan, eve], null],
    ],
  );
});

test("after a stop no new change starts", async () => {
  const webex = createLists({ [host]: [cat] });
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], { ...webex, stop: AbortSignal.abort() });
  assert.deepEqual(
    [outcome?.error, webex.lists[host]],
    ["not begun, because the run was stopped; nothing was written", [cat]],
  );
});
