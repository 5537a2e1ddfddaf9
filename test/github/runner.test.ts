import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readActions } from "../../src/config/actions.ts";
import { createRunner, type Runner } from "../../src/github/runner.ts";

const files = { GITHUB_OUTPUT: "", GITHUB_STEP_SUMMARY: "" };
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollcall-"));
  for (const name of ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] as const) {
    files[name] = join(folder, name);
    await writeFile(files[name], "");
    process.env[name] = files[name];
  }
});

after(async () => {
  for (const name of Object.keys(files)) delete process.env[name];
  await rm(folder, { recursive: true });
});

/** A runner with the variables of GitHub's, or with some of them. */
function onRunner(env: Record<string, string> = { GITHUB_ACTIONS: "true", ...files }): Promise<Runner> {
  return createRunner(readActions(env));
}

/** What is printed while `work` runs, which must not wait for anything. */
function capture(work: () => void): string[] {
  const { write } = process.stdout;
  let printed = "";
  process.stdout.write = (text: string | Uint8Array) => {
    printed += String(text);
    return true;
  };
  try {
    work();
  } finally {
    process.stdout.write = write;
  }
  return printed.split(/\r?\n/).filter(Boolean);
}

test("a secret is masked, an empty one is not: it would mask everything", async () => {
  const runner = await onRunner();
  assert.deepEqual(
    capture(() => runner.mask("s3cret")),
    ["::add-mask::s3cret"],
  );
  assert.deepEqual(
    capture(() => runner.mask("")),
    [],
  );
});

test("an annotation names file and line, and data cannot end the command", async () => {
  const runner = await onRunner();
  const annotations = [
    { file: "mappings/rooms.csv", line: 2, message: "no room is titled\n::error::NOC" },
    { file: "mappings/policy.json", line: null, message: "unknown key" },
  ];
  assert.deepEqual(
    capture(() => runner.annotate(annotations)),
    [
      "::error title=Rollcall,file=mappings/rooms.csv,line=2::no room is titled%0A::error::NOC",
      "::error title=Rollcall,file=mappings/policy.json::unknown key",
    ],
  );
});

test("nine annotations are shown, and a tenth that tells how many more there are", async () => {
  const runner = await onRunner();
  const many = (count: number) =>
    Array.from({ length: count }, (_, line) => ({ file: "rooms.csv", line: line + 1, message: "wrong" }));
  assert.equal(capture(() => runner.annotate(many(9))).length, 9);
  const lines = capture(() => runner.annotate(many(12)));
  assert.equal(lines.length, 10);
  assert.equal(lines.at(-1), "::error title=Rollcall::3 more, see the summary of this run");
});

test("outputs go into the file of the step, each under its name", async () => {
  const runner = await onRunner();
  runner.setOutputs({ status: "changed", added: 2 });
  const written = await readFile(files.GITHUB_OUTPUT, "utf8");
  assert.match(written, /^status<<(\S+)\nchanged\n\1\nadded<<(\S+)\n2\n\2\n$/);
});

test("the summary goes into the file of the step", async () => {
  const runner = await onRunner();
  await runner.writeSummary("# Page\n");
  assert.equal(await readFile(files.GITHUB_STEP_SUMMARY, "utf8"), "# Page\n");
});

for (const [fact, env] of [
  ["on a person's machine", {}],
  ["where only the other abilities are offered", { GITHUB_OUTPUT: "/nowhere" }],
] as const) {
  test(`${fact} nothing is masked, annotated or summed up`, async () => {
    const runner = await onRunner(env);
    const lines = capture(() => {
      runner.mask("s3cret");
      runner.annotate([{ file: "rooms.csv", line: 1, message: "wrong" }]);
    });
    await runner.writeSummary("lost");
    assert.deepEqual(lines, []);
    assert.doesNotMatch(await readFile(files.GITHUB_STEP_SUMMARY, "utf8"), /lost/);
  });
}

test("on a person's machine outputs go nowhere", async () => {
  const runner = await onRunner({});
  assert.deepEqual(
    capture(() => runner.setOutputs({ status: "changed" })),
    [],
  );
});
