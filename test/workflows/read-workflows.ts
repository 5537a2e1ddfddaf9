import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { parse } from "yaml";

/** The repository's root. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

const texts = v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {});

const stepSchema = v.strictObject({
  name: v.optional(v.string()),
  id: v.optional(v.string()),
  if: v.optional(v.string()),
  uses: v.optional(v.string()),
  with: texts,
  shell: v.optional(v.string()),
  env: texts,
  run: v.optional(v.string()),
});

const concurrencySchema = v.strictObject({
  group: v.string(),
  queue: v.optional(v.picklist(["single", "max"])),
  "cancel-in-progress": v.boolean(),
});

const jobSchema = v.strictObject({
  name: v.string(),
  needs: v.optional(v.union([v.string(), v.array(v.string())])),
  if: v.optional(v.string()),
  "runs-on": v.string(),
  // Absent or not, it is for the rules to say.
  "timeout-minutes": v.optional(v.number()),
  environment: v.optional(v.strictObject({ name: v.string(), deployment: v.boolean() })),
  concurrency: v.optional(concurrencySchema),
  permissions: v.optional(v.record(v.string(), v.picklist(["read", "write"]))),
  env: texts,
  strategy: v.optional(v.unknown()),
  outputs: texts,
  steps: v.array(stepSchema),
});

const inputSchema = v.strictObject({
  description: v.string(),
  type: v.picklist(["string", "boolean", "choice", "number"]),
  required: v.optional(v.boolean(), false),
  default: v.optional(v.union([v.string(), v.boolean()])),
  options: v.optional(v.array(v.string())),
});

const filterSchema = {
  branches: v.optional(v.array(v.string())),
  paths: v.optional(v.array(v.string())),
  types: v.optional(v.array(v.string())),
};

// Strict: a key that these tests have never heard of is looked at before it is let in.
const workflowSchema = v.strictObject({
  name: v.string(),
  "run-name": v.string(),
  on: v.strictObject({
    schedule: v.optional(v.array(v.strictObject({ cron: v.string() }))),
    push: v.optional(v.strictObject(filterSchema)),
    pull_request: v.optional(v.nullable(v.strictObject(filterSchema))),
    issue_comment: v.optional(v.strictObject(filterSchema)),
    pull_request_target: v.optional(v.strictObject(filterSchema)),
    workflow_dispatch: v.optional(v.nullable(v.strictObject({ inputs: v.record(v.string(), inputSchema) }))),
  }),
  permissions: v.record(v.string(), v.string()),
  concurrency: v.optional(concurrencySchema),
  env: texts,
  jobs: v.record(v.string(), jobSchema),
});

// Its workflows are short: what only people read is left out.
const templateWorkflowSchema = v.strictObject({
  ...workflowSchema.entries,
  "run-name": v.optional(v.never()),
});

const actionSchema = v.object({
  inputs: v.record(v.string(), v.object({ default: v.optional(v.string()) })),
  outputs: v.optional(v.record(v.string(), v.object({ value: v.string() })), {}),
  runs: v.strictObject({ using: v.literal("composite"), steps: v.array(stepSchema) }),
});

/** One step of a job or of the set-up action. */
export type Step = v.InferOutput<typeof stepSchema>;
/** One job. */
export type Job = v.InferOutput<typeof jobSchema>;
/** One workflow. */
export type Workflow = v.InferOutput<typeof workflowSchema>;

/** A file below .github, by its path from the repository's root. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** A workflow with its file. */
export interface NamedWorkflow extends Source {
  /** The file's name without its ending. */
  readonly id: string;
  readonly workflow: Workflow;
}

/** A job with where it stands, for messages. */
export interface NamedJob {
  readonly where: string;
  readonly job: Job;
}

async function readSource(path: string): Promise<Source> {
  return { path, text: await readFile(new URL(path, `file://${root}`), "utf8") };
}

async function readSources(folder: string): Promise<readonly (Source & { readonly id: string })[]> {
  const files = (await readdir(`${root}${folder}`)).filter((file) => /\.ya?ml$/.test(file)).sort();
  return await Promise.all(
    files.map(async (file) => ({
      ...(await readSource(`${folder}/${file}`)),
      id: file.replace(/\.ya?ml$/, ""),
    })),
  );
}

/** All workflows, parsed; the first one that is not as the schema says is an error. */
export async function readWorkflows(): Promise<readonly NamedWorkflow[]> {
  const sources = await readSources(".github/workflows");
  return sources.map((source) => ({ ...source, workflow: v.parse(workflowSchema, parse(source.text)) }));
}

/** The workflows of the template, which use the action of this repository. */
export async function readTemplateWorkflows() {
  const sources = await readSources("template/.github/workflows");
  return sources.map((source) => ({
    ...source,
    workflow: v.parse(templateWorkflowSchema, parse(source.text)),
  }));
}

/** One workflow by its file's name without ending. */
export async function readWorkflow(id: string): Promise<NamedWorkflow> {
  const found = (await readWorkflows()).find((candidate) => candidate.id === id);
  if (!found) throw new Error(`cannot find the workflow ${id}`);
  return found;
}

async function readAction(path: string) {
  const source = await readSource(path);
  return { ...source, action: v.parse(actionSchema, parse(source.text)) };
}

/** The composite set-up action. */
export async function readSetUpAction() {
  return await readAction(".github/actions/set-up/action.yml");
}

/** The composite action that opens a pull request. */
export async function readProposeAction() {
  return await readAction(".github/actions/propose/action.yml");
}

/** The action that other repositories use. */
export async function readRootAction() {
  return await readAction("action.yml");
}

/** All jobs of all workflows. */
export async function readJobs(): Promise<readonly NamedJob[]> {
  return (await readWorkflows()).flatMap(({ path, workflow }) =>
    Object.entries(workflow.jobs).map(([id, job]) => ({ where: `${path}, job ${id}`, job })),
  );
}

/** The jobs that are given a secret. */
export async function readSecretJobs(): Promise<readonly NamedJob[]> {
  return (await readJobs()).filter(({ job }) => holdsSecret(job));
}

/** The jobs that are given the refresh token. */
export async function readTokenJobs(): Promise<readonly NamedJob[]> {
  return (await readSecretJobs()).filter(({ job }) =>
    job.steps.some(({ env }) => "WEBEX_REFRESH_TOKEN" in env),
  );
}

/** True where anything in a value reads a secret; the workflow's own token, which only its job knows, is not meant. */
export function holdsSecret(value: unknown): boolean {
  return /\bsecrets\b\s*[.[)]/.test(JSON.stringify(value));
}

/** True for the step that gets everything ready, before which no secret may be in sight. */
export function isSetUp({ uses }: Step): boolean {
  return uses === "./.github/actions/set-up";
}
