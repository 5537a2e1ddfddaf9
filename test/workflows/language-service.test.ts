import assert from "node:assert/strict";
import { test } from "node:test";
import { validate } from "@actions/languageservice";
import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { TextDocument } from "vscode-languageserver-textdocument";
import {
  readProposeAction,
  readRootAction,
  readSetUpAction,
  readTemplateWorkflows,
  readWorkflows,
  type Source,
} from "./read-workflows.ts";

/** What GitHub's own editor support says of a file, as `path:line: message`. */
async function findFaults({ path, text }: Source): Promise<string[]> {
  const document = TextDocument.create(`file:///${path}`, "yaml", 0, text);
  // Findings of the schema have no severity at all, so every finding counts.
  const findings = await validate(document);
  return findings.map(({ range, message }) => `${path}:${range.start.line + 1}: ${message}`);
}

test("GitHub's language service finds no error in any workflow", async () => {
  const workflows = [...(await readWorkflows()), ...(await readTemplateWorkflows())];
  assert.deepEqual((await Promise.all(workflows.map(findFaults))).flat(), []);
});

test("GitHub's language service finds no error in the actions", async () => {
  assert.deepEqual(await findFaults(await readSetUpAction()), []);
  assert.deepEqual(await findFaults(await readProposeAction()), []);
  assert.deepEqual(await findFaults(await readRootAction()), []);
});

test("GitHub's workflow parser reads every workflow without an error", async () => {
  for (const { path, text } of [...(await readWorkflows()), ...(await readTemplateWorkflows())]) {
    const { context } = parseWorkflow({ name: path, content: text }, new NoOperationTraceWriter());
    assert.deepEqual(
      context.errors.getErrors().map(({ message }) => message),
      [],
      path,
    );
  }
});

test("the language service finds a misspelt key, so it does run", async () => {
  const [first] = await readWorkflows();
  assert.ok(first);
  const misspelt = first.text.replace("timeout-minutes:", "timeout-minuets:");
  // Another path, because the service remembers what it has read.
  const path = ".github/workflows/misspelt.yml";
  assert.match((await findFaults({ path, text: misspelt })).join("\n"), /timeout-minuets/);
});
