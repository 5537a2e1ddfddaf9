import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type PathOptions, resolvePaths } from "../../src/config/paths.ts";
import { defaultPolicy } from "../../src/membership/policy.ts";
import {
  InputError,
  logReportsElsewhere,
  readDelegationInputs,
  readInputs,
  readMappings,
  readPolicy,
} from "../../src/run/inputs.ts";
import { openContext } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const rooms = "group,room\neng,NOC\n";
const policy = '{ "limits": { "removalsPerRoom": { "count": 7 } } }';
const delegations = "host,delegate,until\nann@acme.example,eve@acme.example,2999-12-31\n";
const usual = {
  "mappings/rooms.csv": rooms,
  "mappings/policy.json": policy,
  "mappings/delegations.csv": delegations,
};

/** A repository with these files; `asked` has the path of each that was opened. */
function open(files: Readonly<Record<string, string>>, options: PathOptions = {}) {
  const asked: string[] = [];
  const readFile = async (path: string) => {
    asked.push(path);
    return files[path] === undefined ? null : Buffer.from(files[path]);
  };
  return { paths: resolvePaths(options), readFile, asked };
}

/** The faults that a reading throws, each as `file: message`. */
async function faultsOf(reading: Promise<unknown>): Promise<readonly string[]> {
  const error = await reading.then(
    () => assert.fail("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof InputError, String(error));
  return error.problems.map(({ file, message }) => `${file}: ${message}`);
}

const noFile = "there is no such file";

describe("what people wrote", () => {
  test("is read from the three files", async () => {
    const { paths, readFile } = open(usual);
    const inputs = await readInputs(paths, readFile);
    assert.deepEqual([inputs.mappings.length, inputs.policy.limits.removalsPerRoom.count], [1, 7]);
    assert.deepEqual(
      inputs.grants.map(({ host, delegate }) => [host, delegate]),
      [["ann@acme.example", "eve@acme.example"]],
    );
  });

  test("may be rooms.csv alone: the policy is the default one then, and nothing is delegated", async () => {
    const { paths, readFile } = open({ "mappings/rooms.csv": rooms });
    const { policy, grants } = await readInputs(paths, readFile);
    assert.deepEqual([policy, grants], [defaultPolicy, []]);
  });

  test("without rooms.csv cannot be used, and says which option names it", async () => {
    const { paths, readFile } = open({});
    const faults = [`mappings/rooms.csv: ${noFile}; name the mappings with --mappings <file>`];
    assert.deepEqual(await faultsOf(readInputs(paths, readFile)), faults);
    assert.deepEqual(await faultsOf(readMappings(paths, readFile)), faults);
  });

  test("is told of with all its faults at once, each with its file and line", async () => {
    const { paths, readFile } = open({
      "mappings/rooms.csv": "group,room\neng\n",
      "mappings/policy.json": '{ "nonsense": 1 }',
      "mappings/delegations.csv": "host,delegate\nann,eve@acme.example\n",
    });
    const error = await readInputs(paths, readFile).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof InputError);
    assert.equal(error.name, "InputError");
    assert.deepEqual([...new Set(error.problems.map(({ file }) => file))], Object.keys(usual));
    const lines = error.message.split("\n");
    assert.equal(lines.length, error.problems.length);
    assert.match(lines[0] ?? "", /^mappings\/rooms\.csv:2: /);
    assert.match(lines.at(-1) ?? "", /^mappings\/delegations\.csv:2: /);
  });

  test("faults of delegations.csv alone are enough to use nothing", async () => {
    const { paths, readFile } = open({ ...usual, "mappings/delegations.csv": "host,delegate\nann,eve\n" });
    const faults = await faultsOf(readDelegationInputs(paths, readFile));
    assert.ok(faults.length > 0 && faults.every((fault) => fault.startsWith("mappings/delegations.csv: ")));
  });

  test("a policy that was named has to be there", async () => {
    const { paths, readFile } = open(usual, { policy: "p.json" });
    const faults = [`p.json: ${noFile}; leave --policy out to use the defaults`];
    assert.deepEqual(await faultsOf(readPolicy(paths, readFile)), faults);
    const named = open({ "p.json": policy }, { policy: "p.json" });
    assert.equal((await readPolicy(named.paths, named.readFile)).limits.removalsPerRoom.count, 7);
  });

  test("is read as far as a command needs it", async () => {
    const delegating = open({ ...usual, "mappings/rooms.csv": "nonsense" });
    assert.equal((await readDelegationInputs(delegating.paths, delegating.readFile)).grants.length, 1);
    assert.deepEqual(delegating.asked.sort(), ["mappings/delegations.csv", "mappings/policy.json"]);
    const mapping = open({ ...usual, "mappings/policy.json": "nonsense" });
    assert.equal((await readMappings(mapping.paths, mapping.readFile)).length, 1);
    assert.deepEqual(mapping.asked, ["mappings/rooms.csv"]);
    const ruling = open({ ...usual, "mappings/rooms.csv": "nonsense" });
    assert.equal((await readPolicy(ruling.paths, ruling.readFile)).limits.removalsPerRoom.count, 7);
    assert.deepEqual(ruling.asked, ["mappings/policy.json"]);
  });
});

describe("the file of a secret", () => {
  const seems =
    "this seems to be the file of a secret, so nothing of it is read or shown; name the file you mean";

  test("is known by its name, and not even opened", async () => {
    const { paths, readFile, asked } = open({ ".env": "group,room\n" }, { mappings: ".env" });
    assert.deepEqual(await faultsOf(readMappings(paths, readFile)), [`.env: ${seems}`]);
    assert.deepEqual(asked, []);
  });

  test("is known by its content, and nothing of it is quoted", async () => {
    const { paths, readFile } = open({ "mappings/rooms.csv": "WEBEX_REFRESH_TOKEN=abcdefghijklmnop\n" });
    assert.deepEqual(await faultsOf(readMappings(paths, readFile)), [`mappings/rooms.csv: ${seems}`]);
  });
});

describe("a folder for reports outside of the repository", () => {
  const branch = reportBranch();

  test("is said to be none to which a report is committed", async () => {
    const { context, lines } = await openContext({}, { reports: "/var/reports" });
    logReportsElsewhere(branch, context);
    assert.deepEqual(lines, [
      "log: --reports /var/reports lies outside of the repository; the report is committed to reports",
    ]);
  });

  test("is as good as any where reports are not committed", async () => {
    const outside = await openContext({}, { reports: "/var/reports" });
    logReportsElsewhere({ kind: "folder" }, outside.context);
    const inside = await openContext({}, { reports: "docs/reports" });
    logReportsElsewhere(branch, inside.context);
    assert.deepEqual([outside.lines, inside.lines], [[], []]);
  });
});
