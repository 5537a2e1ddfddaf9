import assert from "node:assert/strict";
import { test } from "node:test";
import { findFeatures, findMissingScopes, listScopes } from "../../src/token/scopes.ts";

test("the XML API's bundle is asked for without the user scopes it holds, and beside the others", () => {
  assert.deepEqual(listScopes(["memberships", "delegates", "xml"]), [
    "identity:groups_read",
    "meeting:admin_preferences_read",
    "meeting:admin_preferences_write",
    "spark-admin:people_read",
    "spark:all",
  ]);
});

test("what was granted beyond need is no matter, what is missing is named", () => {
  const granted = listScopes(["memberships"]);
  assert.deepEqual(findMissingScopes(["memberships"], [...granted, "spark:calls_read"]), []);
  assert.deepEqual(findMissingScopes(["memberships", "delegates"], granted), listScopes(["delegates"]));
});

test("the bundle stands for a user's own scopes only", () => {
  assert.deepEqual(findMissingScopes(["memberships"], ["spark:all"]), ["identity:groups_read"]);
});

test("what a set-up needs follows from its site and its policy", () => {
  const policy = { report: { notify: null }, delegation: { backend: "rest" } } as const;
  const siteUrl = "acme.webex.com";
  assert.deepEqual(findFeatures({ siteUrl: null, policy }), ["memberships"]);
  assert.deepEqual(findFeatures({ siteUrl, policy }), ["memberships", "delegates"]);
  const xml = { ...policy, delegation: { backend: "xml" } } as const;
  assert.deepEqual(findFeatures({ siteUrl, policy: xml }), ["memberships", "delegates", "xml"]);
  assert.deepEqual(
    findFeatures({ siteUrl: null, policy: xml }),
    ["memberships"],
    "without a site there are none",
  );
  const told = { ...policy, report: { notify: "NOC" } };
  assert.deepEqual(findFeatures({ siteUrl: null, policy: told }), ["memberships", "messages"]);
});
