import * as v from "valibot";
import type { Repository } from "../config/actions.ts";
import {
  createGithubClient,
  encodePath,
  type GithubClient,
  parseAnswer,
  readTokenEnd,
  statusOf,
} from "./client.ts";
import { readContents } from "./contents.ts";

/** `branches` is null where all are let in. */
export interface EnvironmentFacts {
  readonly branches: readonly string[] | null;
  readonly hasReviewers: boolean;
}

/** What stands in the way of a commit to a branch. */
export interface BranchRules {
  /** Rules of rulesets that refuse a commit, in words. */
  readonly refusals: readonly string[];
  /** Those of them that do not hold for the token that asks. */
  readonly bypassed: readonly string[];
  /** The older kind of protection, which does not tell who may pass it. */
  readonly isProtected: boolean;
}

export interface RepositoryFacts {
  readonly isPrivate: boolean;
  readonly defaultBranch: string;
  readonly isOfOrganisation: boolean;
  readonly isFork: boolean;
  /** When the token that asked ends; null where it has no end. */
  readonly tokenEnd: Date | null;
}

export interface RepositoryReader {
  readRepository(): Promise<RepositoryFacts>;
  readEnvironment(name: string): Promise<EnvironmentFacts | null>;
  readWorkflowState(file: string): Promise<string | null>;
  /** Null when there is no such branch. */
  readRules(branch: string): Promise<BranchRules | null>;
  /** A text file of a branch; null when there is none. */
  readText(path: string, branch: string): Promise<string | null>;
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
      const answer = await github.repos.get(place);
      const found = parseAnswer(repositorySchema, answer);
      return {
        isPrivate: found.private,
        defaultBranch: found.default_branch,
        isFork: found.fork,
        isOfOrganisation: found.owner.type === "Organization",
        tokenEnd: readTokenEnd(answer.headers),
      };
    },
    async readEnvironment(name) {
      const environment_name = encodeURIComponent(name);
      const found = await orNull(github.repos.getEnvironment({ ...place, environment_name }));
      if (found === null) return null;
      const { deployment_branch_policy: policy, protection_rules: rules } = parseAnswer(
        environmentSchema,
        found,
      );
      const hasReviewers = rules.some((rule) => rule.type === "required_reviewers");
      if (!policy) return { branches: null, hasReviewers };
      if (!policy.custom_branch_policies) return { branches: ["every protected branch"], hasReviewers };
      return { branches: await readBranches(github, place, environment_name), hasReviewers };
    },
    async readWorkflowState(file) {
      const answer = await github.actions.listRepoWorkflows({ ...place, per_page: 100 });
      return (
        parseAnswer(workflowsSchema, answer).workflows.find(
          ({ path }) => path === `.github/workflows/${file}`,
        )?.state ?? null
      );
    },
    async readRules(branch) {
      const found = await orNull(github.repos.getBranch({ ...place, branch }));
      if (found === null) return null;
      const refusals = await listRefusals(github, place, branch);
      // Where rules can be read, only the older protection is left to be unsure of.
      const { protected: isListed, protection } = parseAnswer(branchSchema, found);
      const isProtected = refusals === null ? isListed : protection?.enabled === true;
      return { refusals: [], bypassed: [], ...refusals, isProtected };
    },
    async readText(path, branch) {
      const contents = await readContents(github, { ...place, path, ref: branch });
      return contents.kind === "file" ? contents.bytes.toString("utf8") : null;
    },
    async proveContentsWritable() {
      await github.git.createBlob({ ...place, content: "", encoding: "utf-8" });
    },
  };
}

const repositorySchema = v.object({
  private: v.optional(v.boolean(), false),
  default_branch: v.string(),
  fork: v.optional(v.boolean(), false),
  owner: v.optional(v.object({ type: v.optional(v.string()) }), {}),
});

const environmentSchema = v.object({
  deployment_branch_policy: v.nullish(v.object({ custom_branch_policies: v.optional(v.boolean(), false) })),
  protection_rules: v.optional(v.array(v.object({ type: v.string() })), []),
});

const workflowsSchema = v.object({
  workflows: v.array(v.object({ path: v.string(), state: v.optional(v.string()) })),
});

const branchSchema = v.object({
  protected: v.optional(v.boolean(), false),
  protection: v.optional(v.object({ enabled: v.optional(v.boolean()) })),
});

const policiesSchema = v.object({ branch_policies: v.array(v.object({ name: v.optional(v.string()) })) });

type Place = { readonly owner: string; readonly repo: string };

const rulesSchema = v.array(
  v.object({
    type: v.string(),
    ruleset_id: v.optional(v.number()),
    ruleset_source: v.optional(v.string(), ""),
  }),
);

const rulesetSchema = v.object({
  name: v.string(),
  current_user_can_bypass: v.optional(v.string(), "never"),
});

/** What a commit through the API cannot do; GitHub signs it, and it is on top of the branch. */
const refusing: Readonly<Record<string, string>> = {
  pull_request: "requires a pull request",
  required_status_checks: "requires status checks",
  required_deployments: "requires deployments",
  merge_queue: "requires a merge queue",
  workflows: "requires workflows to pass",
  update: "restricts updates",
};

/**
 * Reads the rules of a branch that refuse a commit; null where GitHub knows no rules.
 * https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch
 */
async function listRefusals(
  github: GithubClient,
  place: Place,
  branch: string,
): Promise<Pick<BranchRules, "refusals" | "bypassed"> | null> {
  const base = `GET /repos/${place.owner}/${place.repo}`;
  const found = await orNull(github.request(`${base}/rules/branches/${encodePath(branch)}`));
  if (found === null) return null;
  const refusals: string[] = [];
  const bypassed: string[] = [];
  for (const { type, ruleset_id: id, ruleset_source: source } of parseAnswer(rulesSchema, found)) {
    const what = refusing[type];
    if (what === undefined) continue;
    // The rulesets of an organisation are not shown to a repository's token.
    const answer = id === undefined ? null : await orNull(github.request(`${base}/rulesets/${id}`));
    const ruleset = v.safeParse(rulesetSchema, answer?.data);
    const mayBypass = ruleset.success && /^(always|exempt)$/.test(ruleset.output.current_user_can_bypass);
    const name = ruleset.success ? `the ruleset "${ruleset.output.name}"` : `a ruleset of ${source}`;
    (mayBypass ? bypassed : refusals).push(`${name} ${what}`);
  }
  return { refusals, bypassed };
}

async function readBranches(github: GithubClient, place: Place, environment_name: string): Promise<string[]> {
  const answer = await github.repos.listDeploymentBranchPolicies({ ...place, environment_name });
  return parseAnswer(policiesSchema, answer).branch_policies.flatMap(({ name }) =>
    name === undefined ? [] : [name],
  );
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
