import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer, SiteUser } from "../../src/delegation/backend.ts";
import type { DelegationObservation } from "../../src/delegation/observe.ts";
import { checkDelegate, mergeChange, planDelegation, planList } from "../../src/delegation/plan.ts";
import type { DelegationRequest } from "../../src/delegation/request.ts";
import { mail } from "../support/delegations.ts";

const ann = "ann@acme.example";
const eve = "eve@acme.example";
const gil = "gil@acme.example";

function user(address: string, facts: Partial<SiteUser> = {}): { value: SiteUser | null } {
  return { value: { address, displayName: address, isActive: true, canHost: true, ...facts } };
}

/** An address that was looked up, and the answer. */
type Looked = readonly [address: string, answer: Answer<SiteUser | null>];

function plan(request: Partial<DelegationRequest>, seen: Partial<DelegationObservation> = {}) {
  const observation = {
    users: new Map([
      [ann, user(ann)],
      [eve, user(eve)],
    ]),
    delegates: new Map([[ann, { value: [gil] }]]),
    directory: [],
    ...seen,
  };
  const { hosts, problems } = planDelegation(
    { mode: "add", hosts: [ann], delegates: [eve], until: null, ...request },
    observation,
  );
  return {
    changes: hosts.map(({ change }) => change?.after ?? null),
    refusals: hosts.map(({ refusal }) => refusal),
    problems,
  };
}

test("known and active people are planned without a notice", () => {
  assert.deepEqual(plan({}), { changes: [[gil, eve]], refusals: [null], problems: [] });
});

test("an unknown delegate concerns every host and is reported with the nearest addresses", () => {
  const users = new Map([
    [ann, user(ann)],
    ["even@acme.example", { value: null }],
  ]);
  const { problems } = plan({ delegates: ["even@acme.example"] }, { users, directory: [ann, eve] });
  assert.deepEqual(problems, ['the site has no user "even@acme.example"; did you mean "eve@acme.example"?']);
});

test("inactive delegates and those who may not host are refused; when Webex does not say, they are accepted", () => {
  const with_ = (facts: Partial<SiteUser>) =>
    plan(
      {},
      {
        users: new Map([
          [ann, user(ann)],
          [eve, user(eve, facts)],
        ]),
      },
    ).problems;
  assert.deepEqual(with_({ isActive: false }), [
    "the delegate eve@acme.example is not active on the site; activate the account first",
  ]);
  assert.deepEqual(with_({ canHost: false }), [
    "the delegate eve@acme.example may not host meetings on the site, which a delegate must; give a host licence first",
  ]);
  assert.deepEqual(with_({ canHost: null }), []);
});

test("an unknown host is left alone and reported, and the others go on", () => {
  const users = new Map([
    [ann, user(ann)],
    [eve, user(eve)],
    ["anne@acme.example", { value: null }],
  ]);
  const seen = { users, directory: [ann, eve] };
  assert.deepEqual(plan({ hosts: ["anne@acme.example", ann] }, seen), {
    changes: [null, [gil, eve]],
    refusals: ['the site has no user "anne@acme.example"; did you mean "ann@acme.example"?', null],
    problems: [],
  });
});

test("a host whose delegates cannot be read is never written to", () => {
  const delegates = new Map([[ann, { error: "[GET] …: 503" }]]);
  for (const mode of ["add", "remove", "replace"] as const) {
    assert.deepEqual(plan({ mode }, { delegates }), {
      changes: [null],
      refusals: ["the host's delegates could not be read, so nothing was written: [GET] …: 503"],
      problems: [],
    });
  }
});

test("an inactive host gets no delegates, but can lose them", () => {
  const users = new Map([
    [ann, user(ann, { isActive: false })],
    [gil, { value: null }],
    [eve, user(eve)],
  ]);
  const refusal = "this user is not active on the site; activate the account first";
  assert.deepEqual(plan({}, { users }).refusals, [refusal]);
  assert.deepEqual(plan({ mode: "remove", delegates: [gil] }, { users }), {
    changes: [[]],
    refusals: [null],
    problems: [],
  });
});

test("people who have left the site can be removed as delegates; an address found nowhere is a typing error", () => {
  const users = new Map([
    [ann, user(ann)],
    [gil, { value: null }],
    ["gill@acme.example", { value: null }],
  ]);
  assert.deepEqual(plan({ mode: "remove", delegates: [gil] }, { users }).problems, []);
  assert.deepEqual(plan({ mode: "remove", delegates: ["gill@acme.example"] }, { users }).problems, [
    'gill@acme.example is not a delegate of these hosts, and the site has no user "gill@acme.example"; did you mean "gil@acme.example"?',
  ]);
});

test("a host whom nobody could look up is not written to, and the reason is told", () => {
  const refusals = (...users: readonly Looked[]) => plan({}, { users: new Map(users) }).refusals;
  assert.deepEqual(refusals([ann, { error: "503" }], [eve, user(eve)]), [
    "the site could not be asked about this host: 503",
  ]);
  assert.deepEqual(refusals([eve, user(eve)]), ["the site could not be asked about this host: nobody asked"]);
});

test("a host whose list was not read is not written to", () => {
  const request = { host: ann, mode: "remove", delegates: [eve] } as const;
  assert.deepEqual(planList(request, new Map([[gil, { value: [eve] }]])), {
    request,
    before: null,
    change: null,
    refusal: "the host's delegates were not read",
    notices: [],
  });
});

test("delegates whom nobody could look up are a problem, and nothing is written", () => {
  const problems = (...users: readonly Looked[]) => plan({}, { users: new Map(users) }).problems;
  assert.deepEqual(problems([ann, user(ann)], [eve, { error: "503" }]), [
    "the site could not be asked about the delegate eve@acme.example: 503",
  ]);
  assert.deepEqual(problems([ann, user(ann)]), [
    "the site could not be asked about the delegate eve@acme.example: nobody asked",
  ]);
});

test("show looks at no delegate, and replace checks those who would come in", () => {
  assert.deepEqual(plan({ mode: "show" }, { users: new Map([[ann, user(ann)]]) }), {
    changes: [null],
    refusals: [null],
    problems: [],
  });
  const users = new Map([
    [ann, user(ann)],
    [eve, { value: null }],
  ]);
  assert.deepEqual(plan({ mode: "replace" }, { users }).problems, [
    'the site has no user "eve@acme.example"',
  ]);
});

test("somebody who is found has no fault", () => {
  assert.deepEqual(checkDelegate(eve, { users: new Map([[eve, user(eve)]]), directory: [] }), []);
});

test("an inactive host is told of where delegates are shown or removed, and refused where some come in", () => {
  const seen = {
    users: new Map([
      [ann, user(ann, { isActive: false })],
      [eve, user(eve)],
    ]),
    delegates: new Map([[ann, { value: [gil] }]]),
    directory: [],
  };
  const hostOf = (mode: DelegationRequest["mode"]) =>
    planDelegation({ mode, hosts: [ann], delegates: mode === "show" ? [] : [eve], until: null }, seen)
      .hosts[0];
  const refusal = "this user is not active on the site; activate the account first";
  for (const mode of ["add", "replace"] as const) {
    assert.deepEqual(
      [hostOf(mode)?.refusal, hostOf(mode)?.before, hostOf(mode)?.change],
      [refusal, [gil], null],
    );
  }
  for (const mode of ["show", "remove"] as const) {
    assert.deepEqual(
      [hostOf(mode)?.refusal, hostOf(mode)?.notices],
      [null, ["ann@acme.example is not active on the site"]],
    );
  }
});

test("an inactive host whose list cannot be read is told the reason, and not that they are inactive", () => {
  const users = new Map([
    [ann, user(ann, { isActive: false })],
    [eve, user(eve)],
  ]);
  assert.deepEqual(plan({ mode: "add" }, { users, delegates: new Map([[ann, { error: "503" }]]) }).refusals, [
    "the host's delegates could not be read, so nothing was written: 503",
  ]);
});

test("nobody is called a typing error while a host's delegates are unknown", () => {
  const users = new Map([
    [ann, user(ann)],
    [eve, user(eve)],
    ["gill@acme.example", { value: null }],
  ]);
  const request = { mode: "remove", hosts: [ann, eve], delegates: ["gill@acme.example"] } as const;
  const problemsWhen = (list: DelegationObservation["delegates"]) =>
    plan(request, { users, delegates: list }).problems;
  const known = { value: [gil] };
  assert.deepEqual(problemsWhen(new Map([[ann, known]])), []);
  assert.equal(
    problemsWhen(
      new Map([
        [ann, known],
        [eve, known],
      ]),
    ).length,
    1,
  );
});

test("somebody whom nobody could look up, or who is found, can be removed", () => {
  const problems = (answer: { value: SiteUser | null } | { error: string } | undefined) => {
    const users = new Map([[ann, user(ann)] as const, ...(answer ? [[eve, answer] as const] : [])]);
    return plan({ mode: "remove" }, { users }).problems;
  };
  assert.deepEqual([problems(undefined), problems({ error: "503" }), problems(user(eve))], [[], [], []]);
});

test("people who are delegates now, and users of the site, are suggested for an address that is to be removed", () => {
  const users = new Map([
    [ann, user(ann)],
    ["gill@acme.example", { value: null }],
  ]);
  const { problems } = plan(
    { mode: "remove", delegates: ["gill@acme.example"] },
    { users, directory: ["will@acme.example", gil] },
  );
  assert.deepEqual(problems, [
    'gill@acme.example is not a delegate of these hosts, and the site has no user "gill@acme.example"; did you mean "gil@acme.example" or "will@acme.example"?',
  ]);
});

test("similar names are suggested from the same domain, and the nearest address where there are none", () => {
  const suggested = (address: string, directory: readonly string[]) =>
    plan(
      { delegates: [address] },
      {
        users: new Map([
          [ann, user(ann)],
          [address, { value: null }],
        ]),
        directory,
      },
    ).problems.map((problem) => problem.replace(/^.*; did you mean/, ""));
  assert.deepEqual(
    suggested("evelyn@acme.example", ["evelin@ACME.example", "ev@acme.example", "zoe@acme.example"]),
    [' "evelin@acme.example"?'],
  );
  assert.deepEqual(suggested("evelyn@acme.example", ["evelyn@acne.example", "evelyn.a@acnes.example"]), [
    ' "evelyn@acne.example"?',
  ]);
  assert.deepEqual(suggested("evelyn@acme.example", ["zoe@acme.example"]), [
    'the site has no user "evelyn@acme.example"',
  ]);
});

/** A change of ann's delegates; what it was planned on does not count when it is merged. */
function change(add: readonly string[], remove: readonly string[]) {
  return { host: ann, before: [], add, remove, after: [], makeRoom: [] };
}

test("a change is made to the list as it is now: others' changes stay, and what is done already is not done again", () => {
  const latest = ["Gil@acme.example", mail("cat"), mail("zoe")];
  assert.deepEqual(mergeChange(change([eve, "CAT@acme.example"], [gil, mail("dan")]), latest), {
    host: ann,
    before: latest,
    add: [eve],
    remove: ["Gil@acme.example"],
    after: [mail("cat"), mail("zoe"), eve],
    makeRoom: [],
  });
});

test("a merged list names each address once", () => {
  const { before, after } = mergeChange(change([eve], []), [gil, "GIL@acme.example"]);
  assert.deepEqual([before, after], [[gil], [gil, eve]]);
});

test("a merged list has at most 20 delegates; removing from a longer one is always possible", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => mail(`d${index}`));
  assert.equal(mergeChange(change([eve], []), many(19)).after.length, 20);
  assert.equal(mergeChange(change([eve], [mail("d0")]), many(20)).after.length, 20);
  assert.throws(
    () => mergeChange(change([eve], []), many(20)),
    /^Error: 21 delegates would be too many \(20 now, 1 more\): Webex allows a host at most 20; remove some first$/,
  );
  assert.equal(mergeChange(change([mail("d1")], [mail("d0")]), many(25)).after.length, 24);
});
