import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { resolvePaths } from "../../src/config/paths.ts";

test("without options every file has its usual place", () => {
  const usual = { reports: "reports", delegations: "mappings/delegations.csv" };
  assert.deepEqual(resolvePaths({}), {
    organisation: null,
    mappings: "mappings/rooms.csv",
    policy: "mappings/policy.json",
    isPolicyNamed: false,
    disk: usual,
    repository: usual,
    reportsElsewhere: null,
    overview: null,
    json: null,
    markdown: null,
    owed: null,
  });
});

test("of several organisations each has its own places, and the paths given win", () => {
  const own = { reports: "reports/acme", delegations: "mappings/acme/delegations.csv" };
  const { mappings, policy, disk, repository, overview } = resolvePaths({}, "acme");
  assert.deepEqual(
    [mappings, policy, disk, repository, overview],
    ["mappings/acme/rooms.csv", "mappings/acme/policy.json", own, own, "reports"],
  );
  const given = resolvePaths({ mappings: "a.csv", policy: "p.json", reports: "out" }, "acme");
  assert.deepEqual(
    [given.mappings, given.policy, given.repository.reports, given.overview],
    ["a.csv", "p.json", "out", null],
  );
});

test("delegations.csv lies beside the mappings, and a named policy is known as named", () => {
  const { disk, repository, isPolicyNamed } = resolvePaths({ mappings: "teams/rooms.csv", policy: "p.json" });
  assert.deepEqual(
    [disk.delegations, repository.delegations],
    ["teams/delegations.csv", "teams/delegations.csv"],
  );
  assert.equal(isPolicyNamed, true);
});

for (const outside of [".", "..", "../reports", "/var/reports"]) {
  test(`nothing is committed to ${outside}, which is no folder of the repository`, () => {
    const { disk, repository, reportsElsewhere } = resolvePaths({
      reports: outside,
      mappings: "/etc/rooms.csv",
    });
    assert.deepEqual([disk.reports, reportsElsewhere], [outside, outside]);
    assert.deepEqual(repository, { reports: "reports", delegations: "mappings/delegations.csv" });
  });
}

test("a folder that is spelled in another way is committed as the repository knows it", () => {
  for (const reports of ["./docs/reports/", join(process.cwd(), "docs/reports")]) {
    const { repository, reportsElsewhere } = resolvePaths({ reports });
    assert.deepEqual([repository.reports, reportsElsewhere], ["docs/reports", null]);
  }
});

test("JSON goes to a file only where one is named", () => {
  assert.deepEqual(
    [resolvePaths({ json: true }).json, resolvePaths({ json: "a.json" }).json],
    [null, "a.json"],
  );
});

test("what is owed lies beside the record", () => {
  assert.equal(resolvePaths({ json: "out/record.json" }).owed, "out/record.owed.json");
  assert.equal(resolvePaths({ json: "record" }).owed, "record.owed.json");
});
