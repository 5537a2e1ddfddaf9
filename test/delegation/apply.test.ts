import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPlans, mergeOutcomes, preview } from "../../src/delegation/apply.ts";
import type { DelegateChange, DelegationWriter } from "../../src/delegation/backend.ts";
import { type HostPlan, planHost, refuseHost } from "../../src/delegation/plan.ts";
import type { DelegationMode } from "../../src/delegation/request.ts";
import { outcome as outcomeOf } from "../support/delegations.ts";

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

/** What replacing Cat by Eve comes to. */
const replaced = {
  host,
  before: [cat],
  after: [eve],
  added: [eve],
  removed: [cat],
  error: null,
  notices: [],
};

test("a host is read again, changed, and read back", async () => {
  const webex = createLists({ [host]: [cat] });
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], webex);
  assert.deepEqual(outcome, replaced);
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

const meddled = "somebody else changed the list during this run, which was left so: ";

test("a plan that is not carried out says what it would come to", () => {
  assert.deepEqual(preview(plan("replace", [eve], [cat])), replaced);
  assert.deepEqual(preview(plan("show", [], [cat])), outcomeOf({ host, before: [cat], after: [cat] }));
  const unread = refuseHost({ host, mode: "add", delegates: [eve] }, null, "not read");
  assert.deepEqual(preview(unread), outcomeOf({ host, before: null, after: null, error: "not read" }));
});

test("a refused host is told as it is, and Webex is not asked", async () => {
  const webex = createLists({ [host]: [cat] });
  const refused = refuseHost({ host, mode: "add", delegates: [eve] }, [cat], "not active");
  assert.deepEqual(await applyPlans([refused], webex), [
    outcomeOf({ host, before: [cat], after: [cat], error: "not active" }),
  ]);
  assert.deepEqual(webex.steps, []);
});

test("two changes of one host are told as one, from the first list to the last", () => {
  const first = outcomeOf({ host, before: [cat], after: [], removed: [cat], notices: ["one"] });
  const next = outcomeOf({ host, before: [], after: [eve], added: [eve], notices: ["two"] });
  assert.deepEqual(mergeOutcomes(undefined, next), next);
  assert.deepEqual(mergeOutcomes(first, next), {
    host,
    before: [cat],
    after: [eve],
    added: [eve],
    removed: [cat],
    error: null,
    notices: ["one", "two"],
  });
  const added = mergeOutcomes({ ...first, added: [dan] }, { ...next, removed: [dan] });
  assert.deepEqual(
    [added.added, added.removed],
    [
      [dan, eve],
      [cat, dan],
    ],
  );
});

test("of two changes of one host both errors are told, and one where there is one", () => {
  const [bad, worse] = [outcomeOf({ error: "403" }), outcomeOf({ error: "503" })];
  const errors = [
    mergeOutcomes(bad, outcomeOf()),
    mergeOutcomes(outcomeOf(), worse),
    mergeOutcomes(bad, worse),
  ];
  assert.deepEqual(
    errors.map(({ error }) => error),
    ["403", "503", "403; 503"],
  );
});

test("right before the write only those are changed who are still meant", async () => {
  const webex = createLists({ [host]: [cat] });
  const asked: string[] = [];
  const confirm = async (request: HostPlan["request"]) => {
    asked.push(request.host, ...request.delegates);
    return [eve];
  };
  const [outcome] = await applyPlans([plan("add", [dan, eve], [cat])], { ...webex, confirm });
  assert.deepEqual([asked, outcome?.added, webex.lists[host]], [[host, dan, eve], [eve], [cat, eve]]);
});

test("nothing is written when nobody is meant any more", async () => {
  const webex = createLists({ [host]: [cat] });
  const [outcome] = await applyPlans([plan("remove", [cat], [cat])], { ...webex, confirm: async () => [] });
  assert.deepEqual([outcome?.removed, outcome?.error, webex.steps], [[], null, [`read ${host}`]]);
});

test("nothing is written when nobody can say who is still meant", async () => {
  const webex = createLists({ [host]: [cat] });
  const confirm = () => Promise.reject(new Error("delegations.csv cannot be read"));
  const [outcome] = await applyPlans([plan("remove", [cat], [cat])], { ...webex, confirm });
  assert.deepEqual(outcome, {
    ...outcomeOf({ host, before: [cat], after: [cat] }),
    error: "delegations.csv cannot be read",
  });
  assert.deepEqual(webex.lists[host], [cat]);
});

test("a writer that reads the list itself is not preceded by a reading, and what it found is told", async () => {
  const webex = createLists({ [host]: [cat, zoe] });
  const writer: DelegationWriter = {
    readsFirst: true,
    async changeDelegates(change) {
      const before = webex.lists[host] ?? [];
      return webex.writer.changeDelegates({ ...change, before, after: [...before, ...change.add] });
    },
  };
  const [outcome] = await applyPlans([plan("add", [eve], [cat, dan])], { ...webex, writer });
  assert.deepEqual(webex.steps, [`write ${host}`, `read ${host}`]);
  assert.deepEqual(
    [outcome?.before, outcome?.after],
    [
      [cat, zoe],
      [cat, zoe, eve],
    ],
  );
  assert.deepEqual(outcome?.notices, [`${meddled}${zoe} appeared; ${dan} disappeared`]);
});

test("a list that somebody else filled up meanwhile is left as it is", async () => {
  const full = Array.from({ length: 20 }, (_, index) => `d${index}@acme.example`);
  const webex = createLists({ [host]: full });
  const [outcome] = await applyPlans([plan("add", [eve], full.slice(1))], webex);
  assert.match(outcome?.error ?? "", /^21 delegates would be too many/);
  assert.deepEqual(
    [outcome?.notices, webex.steps],
    [[`${meddled}d0@acme.example appeared`], [`read ${host}`]],
  );
});

test("what somebody else did after the write is told, and is no failure of an addition", async () => {
  const webex = createLists({ [host]: [cat, dan] }, (step, lists) => {
    if (step.startsWith("write")) queueMicrotask(() => (lists[host] = [cat, eve, zoe]));
  });
  const [outcome] = await applyPlans([plan("add", [eve], [cat, dan])], webex);
  assert.deepEqual([outcome?.error, outcome?.after], [null, [cat, eve, zoe]]);
  assert.deepEqual(outcome?.notices, [`${meddled}${zoe} appeared; ${dan} disappeared`]);
});

test("what the error says is not said a second time as a notice", async () => {
  const webex = createLists({ [host]: [cat] }, (step, lists) => {
    if (step.startsWith("write")) queueMicrotask(() => (lists[host] = [cat, zoe]));
  });
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], webex);
  assert.match(outcome?.error ?? "", /^lost update/);
  assert.deepEqual(outcome?.notices, []);
});

test("a host who was left out of their own delegates is told so, also after the write", async () => {
  const webex = createLists({ [host]: [cat] });
  const [outcome] = await applyPlans([plan("add", [host, eve], [cat])], webex);
  assert.deepEqual(
    [outcome?.added, outcome?.notices],
    [[eve], [`${host} was left out of their own delegates`]],
  );
});

test("a change that shows only after a while is a success", async () => {
  let late: string[] | undefined;
  const webex = createLists({ [host]: [cat] }, (step, lists) => {
    if (step === "settle" && late) lists[host] = late;
  });
  const writer: DelegationWriter = {
    readsFirst: false,
    async changeDelegates(change) {
      late = [...change.after];
      return change;
    },
  };
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], { ...webex, writer });
  assert.deepEqual([outcome?.error, outcome?.added, outcome?.removed], [null, [eve], [cat]]);
});

test("a list that cannot be read back at once is read a second time", async () => {
  let reads = 0;
  const webex = createLists({ [host]: [cat] }, (step) => {
    if (step.startsWith("read") && ++reads === 2) throw new Error("503");
  });
  const [outcome] = await applyPlans([plan("add", [eve], [cat])], webex);
  assert.deepEqual([outcome?.error, outcome?.after], [null, [cat, eve]]);
});

test("a refused write is not waited for, and Webex's reason is the error", async () => {
  const webex = createLists({ [host]: [cat] }, (step) => {
    if (step.startsWith("write")) throw new Error("403");
  });
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], webex);
  assert.deepEqual(outcome, { ...outcomeOf({ host, before: [cat], after: [cat] }), error: "403" });
  assert.ok(!webex.steps.includes("settle"));
});

test("a refused replace that somebody else carried out is an error only where others were added as well", async () => {
  const after = async (list: string[]) => {
    const webex = createLists({ [host]: [cat] }, (step, lists) => {
      if (!step.startsWith("write")) return;
      lists[host] = list;
      throw new Error("409");
    });
    const [outcome] = await applyPlans([plan("replace", [eve], [cat])], webex);
    return outcome?.error;
  };
  assert.deepEqual([await after(["EVE@acme.example"]), await after([eve, zoe])], [null, "409"]);
});

test("what did not happen is told by name: somebody missing, or somebody left", async () => {
  const errorAfter = async (before: string[], mode: DelegationMode, after: string[]) => {
    const webex = createLists({ [host]: before });
    const writer: DelegationWriter = {
      readsFirst: false,
      async changeDelegates(change) {
        webex.lists[host] = after;
        return change;
      },
    };
    const [outcome] = await applyPlans([plan(mode, [dan, eve], before)], { ...webex, writer });
    return outcome?.error;
  };
  assert.equal(
    await errorAfter([cat], "add", [cat]),
    `Webex accepted the change, but ${dan}, ${eve} did not become a delegate`,
  );
  assert.equal(
    await errorAfter([dan, eve], "remove", ["DAN@acme.example", eve]),
    `Webex accepted the change, but ${dan}, ${eve} still is a delegate`,
  );
});

test("a removal that another program undid is a lost update that names everybody", async () => {
  const webex = createLists({ [host]: [cat, dan] });
  const writer: DelegationWriter = {
    readsFirst: false,
    async changeDelegates(change) {
      webex.lists[host] = [cat, zoe];
      return change;
    },
  };
  const [outcome] = await applyPlans([plan("replace", [dan, eve], [cat, dan])], { ...webex, writer });
  assert.equal(
    outcome?.error,
    `lost update: somebody else wrote this list at the same time (${zoe} appeared; ${dan} disappeared; ${eve}, whom this run added, disappeared; ${cat}, whom this run removed, appeared again); look at it and run again`,
  );
});

test("of a refused change that nobody can look at, only what Webex accepted counts", async () => {
  let reads = 0;
  const webex = createLists({ [host]: [cat] }, (step) => {
    if (step.startsWith("read") && ++reads > 1) throw new Error("503");
    if (step.startsWith("write")) throw new Error("403");
  });
  const [outcome] = await applyPlans([plan("replace", [eve], [cat])], webex);
  assert.deepEqual(outcome, {
    host,
    before: [cat],
    after: null,
    added: [],
    removed: [],
    error: "403; and the outcome could not be verified: 503",
    notices: [],
  });
});

test("somebody who was taken out and put back was neither added nor removed", async () => {
  let reads = 0;
  const webex = createLists({ [host]: [cat, zoe] }, (step) => {
    if (step.startsWith("read") && ++reads > 1) throw new Error("503");
  });
  const writer: DelegationWriter = {
    readsFirst: false,
    async changeDelegates(_, accepted) {
      accepted({ remove: [cat, zoe] });
      accepted({ add: [zoe] });
      throw new Error("403");
    },
  };
  const [outcome] = await applyPlans([plan("replace", [eve], [cat, zoe])], { ...webex, writer });
  assert.deepEqual([outcome?.added, outcome?.removed], [[], [cat]]);
});

/** A host whose write leaves this list, whatever was to be written. */
async function applyTo(before: string[], [mode, delegates]: [DelegationMode, string[]], after: string[]) {
  const webex = createLists({ [host]: before });
  const writer: DelegationWriter = {
    readsFirst: false,
    async changeDelegates(change) {
      webex.lists[host] = after;
      return change;
    },
  };
  const [outcome] = await applyPlans([plan(mode, delegates, before)], { ...webex, writer });
  return {
    error: outcome?.error,
    added: outcome?.added,
    removed: outcome?.removed,
    notices: outcome?.notices,
  };
}

test("of a change that came about in part, only the rest is an error", async () => {
  const { error, added } = await applyTo([cat], ["add", [dan, eve]], [cat, eve]);
  assert.deepEqual(
    [error, added],
    [`Webex accepted the change, but ${dan} did not become a delegate`, [eve]],
  );
  const taken = await applyTo([cat, dan], ["remove", [cat, dan]], [dan]);
  assert.deepEqual(
    [taken.error, taken.removed],
    [`Webex accepted the change, but ${dan} still is a delegate`, [cat]],
  );
});

test("a lost update names only what was lost", async () => {
  const lost = "lost update: somebody else wrote this list at the same time";
  const again = "look at it and run again";
  const errorOf = async (...of: Parameters<typeof applyTo>) => (await applyTo(...of)).error;
  assert.equal(
    await errorOf([cat], ["add", [dan, eve]], [cat, zoe]),
    `${lost} (${zoe} appeared; ${dan}, ${eve}, whom this run added, disappeared); ${again}`,
  );
  assert.equal(
    await errorOf([cat, dan], ["remove", [cat, dan]], [cat, dan, zoe]),
    `${lost} (${zoe} appeared; ${cat}, ${dan}, whom this run removed, appeared again); ${again}`,
  );
  assert.equal(
    await errorOf([cat], ["replace", [dan, eve]], [dan, zoe]),
    `${lost} (${zoe} appeared; ${eve}, whom this run added, disappeared); ${again}`,
  );
  assert.equal(
    await errorOf([cat, dan, zoe], ["replace", [dan, eve]], [dan, eve, zoe, cat]),
    `Webex accepted the change, but ${cat}, ${zoe} still is a delegate`,
  );
});

test("after replace a named delegate whom somebody else took away is an error", async () => {
  const { error } = await applyTo([cat, dan], ["replace", [dan, eve]], [eve]);
  assert.match(error ?? "", /^lost update: .*\(dan@acme\.example disappeared\)/);
});

test("all whom somebody else added or took away are named", async () => {
  const { notices } = await applyTo([cat, dan], ["add", [eve]], [eve, zoe, host]);
  assert.deepEqual(notices, [`${meddled}${zoe}, ${host} appeared; ${cat}, ${dan} disappeared`]);
});
