import * as v from "valibot";
import type { Repository, RepositoryAccess } from "../config/actions.ts";
import {
  createGithubClient,
  encodePath,
  type GithubClient,
  objectId,
  parseAnswer,
  readViewer,
  statusOf,
} from "./client.ts";
import { createSeal } from "./secret-store.ts";

/** A place for variables and secrets: an environment, or with null the repository itself. */
export type Place = string | null;

export interface OpenPull {
  readonly number: number;
  readonly url: string;
}

export interface NewPull {
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

/** The port by which a repository is set up; each call throws what GitHub answered. */
export interface RepositorySetup {
  /** Whose token it is. */
  readLogin(): Promise<string>;
  /** Makes the environment, or lets only this branch into one that has no rule yet; its other rules stay. */
  limitEnvironment(name: string, branch: string): Promise<void>;
  readVariables(place: Place): Promise<ReadonlyMap<string, string>>;
  setVariable(place: Place, name: string, value: string): Promise<void>;
  listSecrets(place: Place): Promise<ReadonlySet<string>>;
  /** Sealed, so that GitHub alone can open it. */
  setSecret(place: Place, name: string, value: string): Promise<void>;
  hasBranch(name: string): Promise<boolean>;
  /** Leaves a branch that is there as it is. */
  makeBranch(name: string, from: string): Promise<void>;
  findPull(branch: string): Promise<OpenPull | null>;
  openPull(pull: NewPull): Promise<OpenPull>;
  /** Returns the page of the workflow's runs. */
  startWorkflow(file: string, branch: string): Promise<string>;
}

const refSchema = v.object({ object: v.object({ sha: objectId }) });

const variablesSchema = v.object({
  total_count: v.number(),
  variables: v.array(v.object({ name: v.string(), value: v.string() })),
});

const secretsSchema = v.object({ total_count: v.number(), secrets: v.array(v.object({ name: v.string() })) });

const pullSchema = v.object({ number: v.number(), html_url: v.string() });

const rulesSchema = v.object({
  deployment_branch_policy: v.nullish(v.object({ custom_branch_policies: v.boolean() })),
  protection_rules: v.fallback(
    v.array(
      v.object({
        wait_timer: v.optional(v.number()),
        prevent_self_review: v.optional(v.boolean()),
        reviewers: v.optional(
          v.array(v.object({ type: v.string(), reviewer: v.object({ id: v.number() }) })),
        ),
      }),
    ),
    [],
  ),
});

/** https://docs.github.com/en/rest/deployments/environments, …/rest/actions/variables, …/rest/pulls/pulls */
export function createRepositorySetup({ repository, token }: RepositoryAccess): RepositorySetup {
  const github = createGithubClient(repository.apiUrl, token);
  const base = `/repos/${repository.owner}/${repository.name}`;
  const repeatable = { request: { repeatable: true } };
  return {
    readLogin: () => readViewer(github, repository),
    async limitEnvironment(name, branch) {
      const path = `${base}/environments/${encodeURIComponent(name)}`;
      const found = await orNull(github.request(`GET ${path}`));
      const rules = found === null ? null : parseAnswer(rulesSchema, found);
      if (!rules?.deployment_branch_policy?.custom_branch_policies) {
        const deployment_branch_policy = { protected_branches: false, custom_branch_policies: true };
        await github.request(`PUT ${path}`, { ...keepRules(rules), deployment_branch_policy, ...repeatable });
      }
      await github.request(`POST ${path}/deployment-branch-policies`, { name: branch, type: "branch" });
    },
    async readVariables(place) {
      const found = await listAll(github, `${base}${placePath(place)}/variables`, (answer) => {
        const { total_count: total, variables: items } = parseAnswer(variablesSchema, answer);
        return { total, items };
      });
      return new Map(found.map(({ name, value }) => [name, value]));
    },
    async setVariable(place, name, value) {
      const path = `${base}${placePath(place)}/variables`;
      await github.request(`POST ${path}`, { name, value }).catch(async (error: unknown) => {
        // It is there already.
        if (statusOf(error) !== 409) throw error;
        await github.request(`PATCH ${path}/${name}`, { name, value, ...repeatable });
      });
    },
    async listSecrets(place) {
      const found = await listAll(github, `${base}${placePath(place)}/secrets`, (answer) => {
        const { total_count: total, secrets: items } = parseAnswer(secretsSchema, answer);
        return { total, items };
      });
      return new Set(found.map(({ name }) => name));
    },
    async setSecret(place, name, value) {
      const path = `${base}${placePath(place)}/secrets`;
      const seal = await createSeal(github, path);
      const { status } = await github.request(`PUT ${path}/${name}`, { ...seal(value), ...repeatable });
      if (status !== 201 && status !== 204)
        throw new Error(`GitHub answered ${status}, not that it stored ${name}`);
      await github.request(`GET ${path}/${name}`);
    },
    hasBranch: async (name) => (await readHead(github, base, name)) !== null,
    async makeBranch(name, from) {
      if ((await readHead(github, base, name)) !== null) return;
      const sha = await readHead(github, base, from);
      if (sha === null) throw new Error(`there is no branch ${from}`);
      await github.request(`POST ${base}/git/refs`, { ref: `refs/heads/${name}`, sha });
    },
    async findPull(branch) {
      const head = `${repository.owner}:${branch}`;
      const answer = await github.request(`GET ${base}/pulls`, { state: "open", head });
      const [pull] = parseAnswer(v.array(pullSchema), answer);
      return pull === undefined ? null : { number: pull.number, url: pull.html_url };
    },
    async openPull({ branch, base: into, title, body }) {
      const pull = { title, body, head: branch, base: into };
      const { number, html_url: url } = parseAnswer(
        pullSchema,
        await github.request(`POST ${base}/pulls`, pull),
      );
      return { number, url };
    },
    async startWorkflow(file, branch) {
      await github.request(`POST ${base}/actions/workflows/${file}/dispatches`, { ref: branch });
      return workflowPage(repository, file);
    },
  };
}

/** The page of a workflow's runs. */
export function workflowPage({ serverUrl, owner, name }: Repository, file: string): string {
  return `${serverUrl}/${owner}/${name}/actions/workflows/${file}`;
}

function placePath(place: Place): string {
  return place === null ? "/actions" : `/environments/${encodeURIComponent(place)}`;
}

/** What is left out of the request would be taken away. */
function keepRules(rules: v.InferOutput<typeof rulesSchema> | null): object {
  const all = rules?.protection_rules ?? [];
  const timer = all.find(({ wait_timer }) => wait_timer !== undefined)?.wait_timer;
  const review = all.find(({ reviewers }) => reviewers !== undefined);
  return {
    ...(timer !== undefined && { wait_timer: timer }),
    ...(review !== undefined && {
      reviewers: review.reviewers?.map(({ type, reviewer }) => ({ type, id: reviewer.id })),
      prevent_self_review: review.prevent_self_review ?? false,
    }),
  };
}

/** Environments list at most 30 on a page. */
const perPage = 30;

async function listAll<T>(
  github: GithubClient,
  path: string,
  read: (answer: Parameters<typeof parseAnswer>[1]) => {
    readonly total: number;
    readonly items: readonly T[];
  },
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let page = 1; ; page += 1) {
    const found = await orNull(github.request(`GET ${path}`, { per_page: perPage, page }));
    // An environment that is not there has none.
    if (found === null) return all;
    const { total, items } = read(found);
    all.push(...items);
    if (items.length === 0 || all.length >= total) return all;
  }
}

async function readHead(github: GithubClient, base: string, branch: string): Promise<string | null> {
  const found = await orNull(github.request(`GET ${base}/git/ref/heads/${encodePath(branch)}`));
  return found === null ? null : parseAnswer(refSchema, found).object.sha;
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
