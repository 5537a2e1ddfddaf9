import type { Repository } from "../github-place.ts";
import { createGithubClient, type GithubClient, statusOf } from "./client.ts";

/** The secret that holds the refresh token. */
export const secretName = "WEBEX_REFRESH_TOKEN";
/** The environment that README.md tells people to make; it is looked into when none is named. */
export const usualEnvironment = "webex";

/** Where the secret is, and when it was last written. */
export interface SecretPlace {
  /** The environment that holds it; null for the repository's own. */
  readonly environment: string | null;
  /** The API's path of all secrets of that place. */
  readonly path: string;
  /** Null when there is no such secret yet. */
  readonly updatedAt: Date | null;
  /** The place in words. */
  readonly what: string;
}

/**
 * Finds the secret: in the environment that is named; with none named, in the repository, and only when it is not
 * there, in the environment `webex`. Where it is nowhere yet, it will be the repository's own.
 * https://docs.github.com/en/rest/actions/secrets
 */
export async function findSecretPlace(
  github: GithubClient,
  repository: Repository,
  named: string | null,
): Promise<SecretPlace> {
  const own = describePlace(repository, named);
  const updatedAt = await readUpdatedAt(github, own.path);
  if (updatedAt !== null || named !== null) return { ...own, updatedAt };
  const usual = describePlace(repository, usualEnvironment);
  const found = await readUpdatedAt(github, usual.path);
  return found === null ? { ...own, updatedAt: null } : { ...usual, updatedAt: found };
}

/** The environment that holds the secret, as `findSecretPlace` finds it; null for the repository's own. */
export async function findSecretEnvironment(
  repository: Repository,
  secretsToken: string,
  named: string | null,
): Promise<string | null> {
  const github = createGithubClient(repository.apiUrl, secretsToken);
  return (await findSecretPlace(github, repository, named)).environment;
}

/** When the secret was last written; null when it, or its place, is not there or not to be seen. */
export async function readUpdatedAt(github: GithubClient, path: string): Promise<Date | null> {
  try {
    const { data } = await github.request(`GET ${path}/${secretName}`);
    return new Date(data.updated_at);
  } catch (error) {
    const status = statusOf(error);
    // What a token may not see, it may not write either: the probe tells then, with the permission that is missing.
    if (status === 403 || status === 404) return null;
    throw error;
  }
}

function describePlace({ owner, name }: Repository, environment: string | null) {
  const base = `/repos/${owner}/${name}`;
  return environment === null
    ? { environment, path: `${base}/actions/secrets`, what: `the secret ${secretName} of ${owner}/${name}` }
    : {
        environment,
        path: `${base}/environments/${encodeURIComponent(environment)}/secrets`,
        what: `the secret ${secretName} of ${owner}/${name}, environment ${environment}`,
      };
}
