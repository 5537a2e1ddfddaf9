import type { GithubPlace } from "../github-place.ts";
import { createGithubClient } from "./client.ts";

const workflow = "sync.yml";

/**
 * Keeps the schedule alive: in a public repository GitHub stops schedules after 60 days without activity, and
 * enabling the workflow counts from anew. A private repository's schedule never stops, so nothing is sent there.
 * https://docs.github.com/en/rest/actions/workflows#enable-a-workflow
 * @throws when GitHub refuses; it takes `permissions: actions: write`.
 */
export async function keepScheduleEnabled({ repository, token }: GithubPlace): Promise<void> {
  const github = createGithubClient(repository.apiUrl, token);
  const here = { owner: repository.owner, repo: repository.name };
  const { data } = await github.repos.get(here);
  if (data.private) return;
  const request = { repeatable: true };
  await github.actions.enableWorkflow({ ...here, workflow_id: workflow, request });
}
