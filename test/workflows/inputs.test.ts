import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../src/cli/parse-args.ts";
import { readTokenJobs, readWorkflow, readWorkflows, type Step } from "./read-workflows.ts";

/** The inputs of a manual run, and how each is told to the command. */
async function readInputs(id: string) {
  const { workflow } = await readWorkflow(id);
  const inputs = workflow.on.workflow_dispatch?.inputs ?? {};
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
  const step = steps.find((candidate) => candidate.id === "rollcall");
  assert.ok(step?.run, id);
  // By way of the matrix, where there is one.
  const finding = steps.find((candidate) => candidate.id === "find")?.env ?? {};
  return { inputs, run: step.run, told: [finding, step.env].flatMap(Object.values).join("\n") };
}

/** The words `--option` of a script. */
function findOptions(run: string): string[] {
  return [...new Set([...run.matchAll(/(?<= |\()--(?!import\b)[a-z-]+/g)].map(([option]) => option))].sort();
}

const contract = {
  sync: {
    inputs: ["dry_run", "approve", "organisation"],
    options: ["--approve", "--dry-run", "--json"],
  },
  plan: { inputs: ["pull-request", "organisation"], options: ["--pull-request"] },
  delegate: {
    inputs: ["mode", "host", "delegate", "until", "backend", "dry_run", "organisation"],
    options: ["--backend", "--delegate", "--dry-run", "--host", "--json", "--mode", "--until"],
  },
  restore: {
    inputs: ["record", "dry_run", "approve", "organisation"],
    options: ["--approve", "--dry-run", "--json", "--record"],
  },
  discover: { inputs: ["organisation"], options: ["--append", "--csv"] },
  why: {
    inputs: ["person", "space", "leaving", "organisation"],
    options: ["--leaving", "--person", "--space"],
  },
  doctor: { inputs: ["organisation"], options: [] },
} as const;

for (const [id, { inputs, options }] of Object.entries(contract)) {
  test(`the workflow ${id} has the inputs of the contract and passes each on`, async () => {
    const read = await readInputs(id);
    assert.deepEqual(Object.keys(read.inputs), inputs);
    assert.deepEqual(findOptions(read.run), options);
    for (const input of inputs) assert.match(read.told, new RegExp(`\\binputs\\.${input}\\b`), input);
  });

  test(`the command ${id} has every option that its workflow uses`, () => {
    const help = parseCommandLine([id, "--help"]);
    assert.ok(help.kind === "help", `unknown command ${id}`);
    for (const option of options) assert.match(help.text, new RegExp(`${option}\\b`));
  });
}

test("the workflow delegate offers the modes and backends of the contract, with show as the default", async () => {
  const { inputs } = await readInputs("delegate");
  assert.deepEqual(inputs.mode?.options, ["show", "add", "remove", "replace"]);
  assert.equal(inputs.mode?.default, "show");
  assert.deepEqual(inputs.backend?.options, ["policy", "rest", "xml"]);
});

test("every variable in a workflow's script comes from its step or from the runner", async () => {
  for (const { path, workflow } of await readWorkflows()) {
    for (const step of Object.values(workflow.jobs).flatMap((job) => job.steps)) {
      const used = [...(step.run ?? "").matchAll(/\$\{?([A-Z][A-Z_]+)/g)].map(([, name = ""]) => name);
      for (const name of used) {
        assert.ok(name in step.env || /^(GITHUB|RUNNER)_/.test(name), `${path}: ${name}`);
      }
    }
  }
});

test("every job with the token gets the same variables for Webex and for the token's secret", async () => {
  const shared = [
    "WEBEX_CLIENT_ID",
    "WEBEX_CLIENT_SECRET",
    "WEBEX_REFRESH_TOKEN",
    "WEBEX_ENVIRONMENT",
    "ROLLCALL_ORGANISATION",
    "WEBEX_API_URL",
    "SECRETS_TOKEN",
  ];
  const jobs = await readTokenJobs();
  const envOf = ({ job }: (typeof jobs)[number]): Step["env"] =>
    JSON.parse(
      // Each takes its organisation from elsewhere; rules.test.ts knows how.
      JSON.stringify(job.steps.find(({ id }) => id === "rollcall")?.env ?? {}).replaceAll(
        /\b(?:inputs|matrix|needs\.decide\.outputs)\.organisation\b/g,
        "ORGANISATION",
      ),
    );
  const [first = {}, ...others] = jobs.map(envOf);
  for (const name of shared) assert.ok(name in first, name);
  for (const env of others) for (const name of shared) assert.equal(env[name], first[name], name);
  for (const job of jobs) assert.ok("GITHUB_TOKEN" in envOf(job), job.where);
});
