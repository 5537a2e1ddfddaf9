import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import * as v from "valibot";
import { commands } from "../../src/cli/options.ts";
import { holdsSecret, readRootAction, readTemplateWorkflows, readWorkflow, root } from "./read-workflows.ts";

const action = "your-organisation/rollcall@v0";
const secrets = ["WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN"];
const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;

async function readTemplateJobs() {
  const workflows = (await readTemplateWorkflows()).filter(({ id }) => id !== "approve");
  return workflows.flatMap(({ id, path, workflow }) => {
    const { find: _, ...jobs } = workflow.jobs;
    return Object.values(jobs).map((job) => ({ id, path, workflow, job }));
  });
}

/** What stands beside the check-out and Rollcall, by its id, or by the action that it uses. */
const otherSteps: Readonly<Record<string, readonly string[]>> = {
  restore: ["actions/checkout"],
  discover: ["commit", "propose"],
};

test("the action has the inputs and outputs that the contract names", async () => {
  const { action } = await readRootAction();
  assert.deepEqual(Object.keys(action.inputs), ["command", "arguments", "organisation"]);
  const names = [
    "status",
    "added",
    "removed",
    "held",
    "failed",
    "digest",
    "organisation",
    "report",
    "organisations",
  ];
  assert.deepEqual(
    Object.entries(action.outputs).map(([name, { value }]) => [name, value]),
    names.map((name) => [name, `\${{ steps.rollcall.outputs.${name} }}`]),
  );
});

test("only the step of the action that runs Rollcall has the secrets that its caller gives", async () => {
  const { action } = await readRootAction();
  const [run, ...others] = action.runs.steps.filter(({ env }) => env.WEBEX_REFRESH_TOKEN !== "");
  assert.equal(run?.id, "rollcall");
  assert.deepEqual(others, []);
  for (const { name, env } of action.runs.steps.filter((step) => step !== run)) {
    for (const secret of [...secrets, "GITHUB_TOKEN"]) assert.equal(env[secret], "", `${name}: ${secret}`);
  }
  for (const secret of secrets) assert.equal(run !== undefined && secret in run.env, false);
});

test("the action's scripts hold no expression, its actions are pinned, and Node replaces its shell", async () => {
  const { action, text } = await readRootAction();
  for (const { run = "", uses } of action.runs.steps) {
    assert.doesNotMatch(run, /\$\{\{/);
    if (uses !== undefined) assert.match(uses, pinned);
  }
  for (const line of text.split("\n").filter((one) => /\buses:/.test(one)))
    assert.match(line, / # v\d+\.\d+\.\d+$/);
  const run = action.runs.steps
    .find(({ id }) => id === "rollcall")
    ?.run?.trim()
    .split("\n")
    .at(-1);
  assert.match(run ?? "", /^exec node --import /);
});

test("the action installs what a run needs, once, from a cache that no pull request fills", async () => {
  const { action } = await readRootAction();
  const installs = action.runs.steps.flatMap(({ run }) => run?.match(/.*npm ci .*/g) ?? []);
  assert.deepEqual(installs, [
    '[ -e node_modules/.package-lock.json ] || npm ci --omit=dev --ignore-scripts --cache "$CACHE" --prefer-offline',
  ]);
  const [restored, saved] = action.runs.steps.filter(({ uses }) => uses?.startsWith("actions/cache/"));
  assert.match(restored?.uses ?? "", /\/restore@/);
  assert.match(saved?.uses ?? "", /\/save@/);
  assert.match(saved?.if ?? "", /&& !startsWith\(github\.event_name, 'pull_request'\)$/);
  // Of setup-node, which would keep one after every run.
  assert.equal(action.runs.steps[0]?.with["package-manager-cache"], false);
});

test("each workflow of the template has at most 25 lines and is one of this repository", async () => {
  const names = await readdir(join(root, ".github/workflows"));
  const workflows = await readTemplateWorkflows();
  assert.ok(workflows.length >= 6);
  for (const { path, text } of workflows) {
    assert.ok(text.trimEnd().split("\n").length <= 25, path);
    assert.ok(names.includes(path.split("/").at(-1) ?? ""), path);
  }
});

test("the template's workflows run the commands of their names, with options that these have", async () => {
  for (const { id, path, job } of await readTemplateJobs()) {
    const step = job.steps.find(({ uses }) => uses === action);
    assert.ok(step, path);
    const name = id === "check" ? "validate" : id;
    assert.equal(step.with.command, name, path);
    const options = commands
      .find((command) => command.name === name)
      ?.options.map((option) => `--${option.name}`);
    const given = String(step.with.arguments ?? "").match(/(?<![\w-])--[a-z-]+/g) ?? [];
    for (const option of given) assert.ok(options?.includes(option), `${path}: ${option}`);
  }
});

test("the template's jobs with the token have the same guards as this repository's", async () => {
  for (const { id, path, workflow, job } of await readTemplateJobs()) {
    const own = await readWorkflow(id);
    const { find: _, ...others } = own.workflow.jobs;
    const [ownJob] = Object.values(others);
    assert.deepEqual(workflow.permissions, {}, path);
    assert.deepEqual(job.permissions, ownJob?.permissions, path);
    // Restore is told the organisation here, and there goes by the path of the record.
    const asOwn = (value: unknown) =>
      JSON.parse(
        JSON.stringify(value ?? null).replaceAll(/\b(inputs|matrix)\.organisation\b/g, "ORGANISATION"),
      );
    assert.deepEqual(asOwn(job.environment), asOwn(ownJob?.environment), path);
    assert.deepEqual(asOwn(job.concurrency), asOwn(ownJob?.concurrency), path);
    assert.equal(job.if, id === "restore" ? undefined : ownJob?.if, path);
    assert.deepEqual(Object.keys(workflow.on), Object.keys(own.workflow.on), path);
    assert.ok((job["timeout-minutes"] ?? 0) > 0, path);
    const [checkout, ...steps] = job.steps;
    const use = steps.find(({ uses }) => uses === action);
    const more = steps.filter((step) => step !== use);
    assert.deepEqual(
      more.map((step) => step.id ?? step.uses?.replace(/@.*/, "")),
      otherSteps[id] ?? [],
      path,
    );
    assert.equal(checkout?.uses, ownJob?.steps[0]?.uses, path);
    assert.deepEqual(checkout?.with, { "persist-credentials": false }, path);
    const { steps: __, ...rest } = job;
    const withoutSecret = more.filter((step) => step.id !== "propose");
    assert.equal(holdsSecret([rest, checkout, ...withoutSecret]), false, path);
    assert.deepEqual(Object.keys(use?.env ?? {}), id === "check" ? [] : secrets, path);
  }
});

test("the template's jobs with the token are given the variables that this repository's are", async () => {
  const listVariables = (env: object = {}) =>
    [...JSON.stringify(env).matchAll(/\bvars\.([A-Z_]+)/g)]
      .map(([, name]) => name)
      .filter((name) => name !== "WEBEX_SECRET_PLACE")
      .sort();
  for (const { id, path, workflow } of await readTemplateWorkflows()) {
    const steps = Object.values((await readWorkflow(id)).workflow.jobs).flatMap((job) => job.steps);
    const own = steps.find((step) => step.id === "rollcall");
    const given = Object.values(workflow.jobs).map(({ env }) => env);
    assert.deepEqual(listVariables(given), listVariables(own?.env), path);
  }
});

test("the template finds its organisations as this repository does, in a job without a secret", async () => {
  for (const { id, path, workflow } of await readTemplateWorkflows()) {
    const { find, ...others } = workflow.jobs;
    const own = (await readWorkflow(id)).workflow.jobs.find;
    const [job] = Object.values(others);
    // Restore is told it.
    assert.equal(find !== undefined, own ? id !== "restore" : id === "check", path);
    if (find === undefined) continue;
    assert.equal(holdsSecret(find), false, path);
    assert.equal(find.environment, undefined, path);
    assert.deepEqual([find.if, find.permissions], [own?.if, own?.permissions ?? { contents: "read" }], path);
    assert.deepEqual(find.outputs, { organisations: `\${{ steps.find.outputs.organisations }}` }, path);
    const [checkout, step, ...more] = find.steps;
    assert.deepEqual(
      [checkout?.with, step?.uses, step?.id],
      [{ "persist-credentials": false }, action, "find"],
    );
    assert.deepEqual([step?.with.command, more], ["organisations", []], path);
    const { matrix } = v.parse(v.object({ matrix: v.unknown() }), job?.strategy);
    assert.deepEqual(
      [job?.needs, matrix],
      ["find", { organisation: `\${{ fromJSON(needs.find.outputs.organisations) }}` }],
    );
  }
});

test("the template's Approve decides without a secret, and has the guards of this repository's", async () => {
  const { workflow } = (await readTemplateWorkflows()).find(({ id }) => id === "approve") ?? assert.fail();
  const own = (await readWorkflow("approve")).workflow;
  const { decide, sync, ...more } = workflow.jobs;
  assert.deepEqual([more, workflow.permissions, workflow.on], [{}, {}, own.on]);
  assert.equal(holdsSecret([decide, workflow.env]), false);
  assert.deepEqual([decide?.if, decide?.permissions], [own.jobs.decide?.if, { issues: "write" }]);
  assert.deepEqual(
    [sync?.needs, sync?.if, sync?.environment, sync?.concurrency, sync?.permissions],
    [
      own.jobs.sync?.needs,
      own.jobs.sync?.if,
      own.jobs.sync?.environment,
      own.jobs.sync?.concurrency,
      own.jobs.sync?.permissions,
    ],
  );
  const [checkout, run, answer, ...others] = sync?.steps ?? [];
  assert.deepEqual([checkout?.with, others], [{ "persist-credentials": false }, []]);
  assert.deepEqual(Object.keys(run?.env ?? {}), secrets);
  assert.deepEqual([run?.with.command, answer?.with.command, answer?.if], ["sync", "approval", "always()"]);
  assert.equal(holdsSecret([checkout, answer]), false);
});

test("the template begins with a table without rows", async () => {
  assert.match(await readFile(join(root, "template/mappings/rooms.csv"), "utf8"), /^group,room,mode,note\n$/);
});
