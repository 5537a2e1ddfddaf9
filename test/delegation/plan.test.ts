import assert from "node:assert/strict";
import { test } from "node:test";
import type { SiteUser } from "../../src/delegation/backend.ts";
import type { DelegationObservation } from "../../src/delegation/observe.ts";
import { planDelegation } from "../../src/delegation/plan.ts";
import type { DelegationRequest } from "../../src/delegation/request.ts";

const ann = "ann@acme.example";
const eve = "eve@acme.example";
const gil = "gil@acme.example";

function user(address: string, facts: Partial<SiteUser> = {}): { value: SiteUser | null } {
  return { value: { address, displayName: address, isActive: true, canHost: true, ...facts } };
}

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
