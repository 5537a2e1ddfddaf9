import type { Repository } from "../config/actions.ts";
import { createGithubClient, type GithubClient, statusOf } from "./client.ts";

/** `branches` is null where all are let in. */
export interface EnvironmentFacts {
  readonly branches: readonly string[] | null;
  readonly hasReviewers: boolean;
}

export interface RepositoryReader {
  readRepository(): Promise<{ readonly isPrivate: boolean; readonly defaultBranch: string }>;
  readEnvironment(name: string): Promise<EnvironmentFacts | null>;
  readWorkflowState(file: string): Promise<string | null>;
  /** Null when there is no such branch. */
  readIsProtected(branch: string): Promise<boolean | null>;
  /** Writes a blob that belongs to no commit, which GitHub sweeps away: what may do this may commit. */
  proveContentsWritable(): Promise<void>;
}

/**
 * Reads how a repository is set up; each call throws what GitHub answered.
 * https://docs.github.com/en/rest/repos, …/rest/deployments/environments, …/rest/actions/workflows
 */
export function createRepositoryReader(repository: Repository, token: string): RepositoryReader {
  const github = createGithubClient(repository.apiUrl, token);
  const place = { owner: repository.owner, repo: repository.name };
  return {
    async readRepository() {
      const { data } = await github.repos.get(place);
      return { isPrivate: data.private, defaultBranch: data.default_branch };
    },
    async readEnvironment(name) {
      const environment_name = encodeURIComponent(name);
      const found = await orNull(github.repos.getEnvironment({ ...place, environment_name }));
      if (found === null) return null;
      const { deployment_branch_policy: policy, protection_rules: rules = [] } = found.data;
      const hasReviewers = rules.some((rule) => rule.type === "required_reviewers");
      if (!policy) return { branches: null, hasReviewers };
      if (!policy.custom_branch_policies) return { branches: ["every protected branch"], hasReviewers };
      return { branches: await readBranches(github, place, environment_name), hasReviewers };
    },
    async readWorkflowState(file) {
      const { data } = await github.actions.listRepoWorkflows({ ...place, per_page: 100 });
      return data.workflows.find(({ path }) => path === `.github/workflows/${file}`)?.state ?? null;
    },
    async readIsProtected(branch) {
      return (await orNull(github.repos.getBranch({ ...place, branch })))?.data.protected ?? null;
    },
    async proveContentsWritable() {
      await github.git.createBlob({ ...place, content: "", encoding: "utf-8" });
    },
  };
}

async function readBranches(
  github: GithubClient,
  place: { readonly owner: string; readonly repo: string },
  environment_name: string,
): Promise<string[]> {
  const { data } = await github.repos.listDeploymentBranchPolicies({ ...place, environment_name });
  return data.branch_policies.flatMap(({ name }) => (name === undefined ? [] : [name]));
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
