import assert from "node:assert/strict";
import { test } from "node:test";
import { readTemplateWorkflows, readWorkflows, root } from "./read-workflows.ts";
import { explainAbsence, findTool, runTool } from "./tool.ts";

const actionlint = await findTool("actionlint");

test("actionlint finds no error in any workflow", {
  skip: explainAbsence("actionlint", actionlint),
}, async () => {
  // Its exceptions, with their reasons, are in .github/actionlint.yaml. Without shellcheck and pyflakes, which some
  // machines have and others do not: the outcome must not depend on that.
  const files = [...(await readWorkflows()), ...(await readTemplateWorkflows())].map(({ path }) => path);
  const { stdout, stderr } = await runTool(
    actionlint ?? "",
    ["-oneline", "-shellcheck=", "-pyflakes=", ...files],
    root,
  );
  assert.equal(stdout + stderr, "");
});
