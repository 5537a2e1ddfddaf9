import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { Repository, RepositoryAccess } from "../config/actions.ts";
import type { WorkflowRun } from "../config/settings.ts";
import { errorMessage } from "../lib/text.ts";
import { createGithubClient, type GithubClient, parseAnswer, statusOf } from "./client.ts";
import { hintAt } from "./permissions.ts";

export interface RunFacts {
  readonly createdAt: Date;
  readonly workflowId: number;
  readonly isDispatchedByBot: boolean;
}

const actorSchema = v.nullish(v.object({ login: v.string() }));

const runSchema = v.object({
  created_at: v.pipe(
    v.string(),
    v.check((text) => !Number.isNaN(Date.parse(text)), "no time"),
  ),
  workflow_id: v.number(),
  event: v.optional(v.string()),
  actor: actorSchema,
  triggering_actor: actorSchema,
});

/** Reads a run; null where that is refused. https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run */
export async function readRun(
  github: GithubClient,
  repository: Repository,
  runId: number,
): Promise<RunFacts | null> {
  try {
    const place = { owner: repository.owner, repo: repository.name, run_id: runId };
    const run = parseAnswer(runSchema, await github.actions.getWorkflowRun(place));
    const actor = run.triggering_actor ?? run.actor;
    const isDispatchedByBot = run.event === "workflow_dispatch" && (actor?.login.endsWith("[bot]") ?? false);
    return { createdAt: new Date(run.created_at), workflowId: run.workflow_id, isDispatchedByBot };
  } catch (error) {
    const status = statusOf(error);
    if (status !== null && status >= 400 && status < 500) return null;
    throw error;
  }
}

/** What is started in the place of a run. */
export interface FreshRun {
  /** Another workflow, by its file; null for the run's own, which then gets the inputs of the run as well. */
  readonly workflow: string | null;
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Starts the workflow once more, because a fresh run gets fresh secrets; a run that was started so starts no other.
 * Returns what happened, in words.
 * https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
 */
export async function dispatchFreshRun(
  repository: Repository,
  run: WorkflowRun,
  fresh: FreshRun,
): Promise<string> {
  const byHand = "start a new run by hand (Actions, Run workflow; not Re-run)";
  if (run.token === null || run.ref === null) return byHand;
  const github = createGithubClient(repository.apiUrl, run.token);
  try {
    const facts = await readRun(github, repository, run.id);
    if (run.isDispatchedByBot || facts?.isDispatchedByBot)
      return `${byHand}; this run was dispatched by a workflow already, so it starts no other`;
    if (facts === null)
      return `${byHand}; with "permissions: actions: write" the workflow could do it itself`;
    await github.actions.createWorkflowDispatch({
      owner: repository.owner,
      repo: repository.name,
      ref: run.ref,
      ...(fresh.workflow === null
        ? { workflow_id: facts.workflowId, inputs: { ...(await readInputs(run.eventPath)), ...fresh.inputs } }
        : { workflow_id: fresh.workflow, inputs: fresh.inputs }),
    });
    return "a fresh run was started by dispatch";
  } catch (error) {
    const hint = hintAt(error, '; with "permissions: actions: write" the workflow could do it itself');
    return `${byHand}${hint} (${errorMessage(error)})`;
  }
}

async function readInputs(eventPath: string | null): Promise<Record<string, string>> {
  if (eventPath === null) return {};
  try {
    const event: unknown = JSON.parse(await readFile(eventPath, "utf8"));
    const inputs = typeof event === "object" && event !== null && "inputs" in event ? event.inputs : null;
    return Object.fromEntries(
      Object.entries(inputs ?? {}).flatMap(([name, value]) =>
        value === null ? [] : [[name, String(value)]],
      ),
    );
  } catch {
    return {};
  }
}

/**
 * Enables the workflow again, because GitHub stops a public repository's schedules after 60 days without activity.
 * https://docs.github.com/en/rest/actions/workflows#enable-a-workflow
 * @throws when GitHub refuses; it takes `permissions: actions: write`.
 */
export async function keepScheduleEnabled(
  { repository, token }: RepositoryAccess,
  workflow: string,
): Promise<void> {
  const github = createGithubClient(repository.apiUrl, token);
  const here = { owner: repository.owner, repo: repository.name };
  const { private: isPrivate } = parseAnswer(
    v.object({ private: v.optional(v.boolean()) }),
    await github.repos.get(here),
  );
  if (isPrivate) return;
  const request = { repeatable: true };
  await github.actions.enableWorkflow({ ...here, workflow_id: workflow, request });
}
