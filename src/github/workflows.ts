import { readFile } from "node:fs/promises";
import type { Repository, RepositoryAccess } from "../config/actions.ts";
import type { WorkflowRun } from "../config/settings.ts";
import { errorMessage } from "../lib/text.ts";
import { createGithubClient, type GithubClient, statusOf } from "./client.ts";
import { hintAt } from "./permissions.ts";

/** When a run was queued and which workflow it belongs to. */
export interface RunFacts {
  readonly createdAt: Date;
  readonly workflowId: number;
  /** True when a workflow's token dispatched it. */
  readonly isDispatchedByBot: boolean;
}

/**
 * Looks a workflow run up; null when the token may not (Actions: read) or the run is not there.
 * https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run
 */
export async function readRun(
  github: GithubClient,
  repository: Repository,
  runId: number,
): Promise<RunFacts | null> {
  try {
    const { data } = await github.actions.getWorkflowRun({
      owner: repository.owner,
      repo: repository.name,
      run_id: runId,
    });
    const actor = data.triggering_actor ?? data.actor;
    const isDispatchedByBot = data.event === "workflow_dispatch" && (actor?.login.endsWith("[bot]") ?? false);
    const createdAt = new Date(data.created_at);
    if (Number.isNaN(createdAt.getTime())) throw new Error("GitHub does not say when this run was queued");
    return { createdAt, workflowId: data.workflow_id, isDispatchedByBot };
  } catch (error) {
    const status = statusOf(error);
    if (status !== null && status >= 400 && status < 500) return null;
    throw error;
  }
}

/**
 * Starts the same workflow once more, with the same inputs, on the same branch: a fresh run is given fresh secrets.
 * Once only: a run that was started so itself starts no other. Returns what happened, in words.
 * https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
 */
export async function dispatchFreshRun(repository: Repository, run: WorkflowRun): Promise<string> {
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
      workflow_id: facts.workflowId,
      ref: run.ref,
      inputs: await readInputs(run.eventPath),
    });
    return "a fresh run was started by dispatch";
  } catch (error) {
    const hint = hintAt(error, '; with "permissions: actions: write" the workflow could do it itself');
    return `${byHand}${hint} (${errorMessage(error)})`;
  }
}

/** The inputs that this run was dispatched with, from the event that the runner keeps in a file. */
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
 * Keeps the schedule of that workflow alive: in a public repository GitHub stops schedules after 60 days without activity, and
 * enabling the workflow counts from anew. A private repository's schedule never stops, so nothing is sent there.
 * https://docs.github.com/en/rest/actions/workflows#enable-a-workflow
 * @throws when GitHub refuses; it takes `permissions: actions: write`.
 */
export async function keepScheduleEnabled(
  { repository, token }: RepositoryAccess,
  workflow: string,
): Promise<void> {
  const github = createGithubClient(repository.apiUrl, token);
  const here = { owner: repository.owner, repo: repository.name };
  const { data } = await github.repos.get(here);
  if (data.private) return;
  const request = { repeatable: true };
  await github.actions.enableWorkflow({ ...here, workflow_id: workflow, request });
}
