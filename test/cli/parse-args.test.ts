import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { commands } from "../../src/cli/options.ts";
import { parseCommandLine } from "../../src/cli/parse-args.ts";

function run(command: string, options: object = {}) {
  return { kind: "run", command, options };
}

const understood: readonly [fact: string, args: readonly string[], invocation: object][] = [
  ["a command alone", ["validate"], run("validate")],
  ["an option followed by its value", ["plan", "--json", "a.json"], run("plan", { json: "a.json" })],
  ["an option with = and its value", ["plan", "--json=a=b.json"], run("plan", { json: "a=b.json" })],
  ["a value that begins with a hyphen", ["plan", "--json", "-"], run("plan", { json: "-" })],
  ["a value after = that begins with two hyphens", ["plan", "--json=--x"], run("plan", { json: "--x" })],
  ["a switch", ["sync", "--dry-run"], run("sync", { "dry-run": true })],
  ["a digest", ["sync", "--approve", "0123456789ab"], run("sync", { approve: "0123456789ab" })],
  [
    "options in any order",
    ["sync", "--reports", "out", "--dry-run", "--policy=p.json", "--mappings", "m.csv"],
    run("sync", { reports: "out", "dry-run": true, policy: "p.json", mappings: "m.csv" }),
  ],
];
for (const [fact, args, invocation] of understood) {
  test(`the parser understands ${fact}: ${args.join(" ")}`, () =>
    assert.deepEqual(parseCommandLine(args), invocation));
}

const malformed = (digest: string) =>
  `sync --approve "${digest}" is malformed; the report shows the digest to give`;
const mistakes: readonly [args: readonly string[], message: string][] = [
  [["synk"], 'there is no command "synk"; did you mean "sync"?'],
  [["--dry-run"], 'there is no command "--dry-run"; choose one of '],
  [["sync", "--dryrun"], 'sync has no option --dryrun; did you mean "--dry-run"?'],
  [["sync", "--aprove=x"], 'sync has no option --aprove; did you mean "--approve"?'],
  [
    ["validate", "--zzzz"],
    "validate has no option --zzzz; choose one of --mappings, --policy, --organisation",
  ],
  [
    ["validate", "--json", "x"],
    "validate has no option --json; choose one of --mappings, --policy, --organisation",
  ],
  [["sync", "-x"], "sync has no option -x; choose one of "],
  [["sync", "--__proto__"], "sync has no option --__proto__; choose one of "],
  [["sync", "--constructor", "x"], "sync has no option --constructor; choose one of "],
  [["sync", "now"], 'sync does not take "now"'],
  [["sync", "--", "--dry-run"], 'sync does not take "--dry-run"'],
  [["sync", "--json"], "sync needs a value: --json <file>"],
  [["sync", "--json="], "sync needs a value: --json <file>"],
  [["sync", "--json", ""], "sync needs a value: --json <file>"],
  [["sync", "--json", "--dry-run"], "sync needs a value: --json <file>"],
  [["sync", "--json", "a", "--json=b"], "sync takes --json only once"],
  [["sync", "--dry-run", "--dry-run"], "sync takes --dry-run only once"],
  [["sync", "--dry-run=true"], "sync takes --dry-run without a value"],
  [["sync", "--approve"], "sync needs a value: --approve <digest>"],
  [["sync", "--approve", "xyz"], malformed("xyz")],
  [["sync", "--approve", "0123456789xy"], malformed("0123456789xy")],
  [["sync", "--approve", "0123456789ab0"], malformed("0123456789ab0")],
  [["plan", "--approve", "0123456789ab"], "plan has no option --approve; choose one of "],
];
for (const [args, message] of mistakes) {
  test(`a mistake is reported on one line: ${args.join(" ")}`, () => {
    const invocation = parseCommandLine(args);
    assert.equal(invocation.kind, "mistake");
    const told = invocation.kind === "mistake" ? invocation.message : "";
    assert.equal(told.slice(0, message.length), message);
    if (!message.endsWith(" ")) assert.equal(told, message);
    assert.doesNotMatch(told, /\n/);
  });
}

for (const args of [["sy\nnc"], ["sync", "no\nw"], ["sync", "--dry\nrun"], ["sync", "--approve", "a\nb"]]) {
  test(`text with a line break is reported on one line: ${JSON.stringify(args)}`, () => {
    const invocation = parseCommandLine(args);
    assert.ok(invocation.kind === "mistake");
    assert.doesNotMatch(invocation.message, /\n/);
  });
}

for (const args of [[], ["--help"], ["-h"], ["help"]]) {
  test(`[${args.join(" ")}] shows the program's help with every command`, () => {
    const invocation = parseCommandLine(args);
    assert.ok(invocation.kind === "help");
    for (const name of ["validate", "plan", "sync", "demo"])
      assert.match(invocation.text, new RegExp(`^  ${name} `, "m"));
  });
}

for (const args of [["--help"], ["-h"], ["--json", "--help"], ["--zzzz", "--help"]]) {
  test(`[sync ${args.join(" ")}] shows the command's help with every option`, () => {
    const invocation = parseCommandLine(["sync", ...args]);
    assert.ok(invocation.kind === "help");
    for (const option of ["--mappings <file>", "--dry-run", "--approve <digest>"]) {
      assert.ok(invocation.text.includes(`  ${option} `), option);
    }
  });
}

test("each command has an npm script with its name", async () => {
  const { scripts } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  for (const { name } of commands) assert.equal(scripts[name], `node --import tsx src/main.ts ${name}`);
});
