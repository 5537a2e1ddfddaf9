import sodium from "libsodium-wrappers";
import type { Repository } from "../config/actions.ts";
import type { WorkflowRun } from "../config/settings.ts";
import type { Recovery, SaveOutcome, TokenCopyAge, TokenStore } from "../token/store.ts";
import { createGithubClient, type GithubClient, statusOf } from "./client.ts";
import { explainRefusal } from "./permissions.ts";
import { readRun } from "./workflows.ts";

/** Which secret, with which token it may be written, and which run has a copy of it. */
export interface SecretStoreOptions {
  readonly repository: Repository;
  /** The environment that holds the secret; null where none is named. */
  readonly environment: string | null;
  readonly secretsToken: string;
  /** The secret's value as this run was given it: GitHub never shows it again. */
  readonly refreshToken: string;
  /** The workflow run that was given it; null outside of a runner. */
  readonly run: WorkflowRun | null;
  /** When this process began: an environment's secrets were read before that. */
  readonly startedAt: Date;
}

/** Written and deleted to prove that the place can be written; the real secret is never rewritten to find out. */
const probeName = "WEBEX_WRITE_PROBE";

/** GitHub's servers and ours agree on the time to the second. */
const clockSlackMs = 2000;

/**
 * Keeps the refresh token in a GitHub secret, sealed for GitHub alone.
 * https://docs.github.com/en/rest/actions/secrets
 */
export function createSecretStore(options: SecretStoreOptions): TokenStore {
  const { repository } = options;
  const github = createGithubClient(repository.apiUrl, options.secretsToken);
  let refreshToken = options.refreshToken;
  /** When this run itself stored its copy; from then on it is dated by that. */
  let savedAt: Date | null = null;
  let place: SecretScope | null = null;
  let seal: Seal | null = null;

  const findScope = async () => {
    place ??= await findSecretScope(github, repository, options.environment);
    return place;
  };

  return {
    // Jobs that share the secret are kept apart by their concurrency group; GitHub has no lock.
    exclusively: (work) => work(),
    load: () => Promise.resolve({ refreshToken, isStored: true }),
    async dateCopy() {
      const { path, what, updatedAt } = await explaining("look at", options, findScope);
      // Outside of a runner nothing waits in a queue: a person has put the copy there just now.
      const { run } = options;
      if (run === null) return null;
      if (savedAt !== null) {
        const until = new Date(savedAt.getTime() + clockSlackMs);
        return { what, updatedAt: await readUpdatedAt(github, path), takenFrom: until, takenUntil: until };
      }
      return { what, updatedAt, ...(await dateRun(await findScope(), run, options)) };
    },
    async prove() {
      await explaining("write", options, async () => {
        const { path } = await findScope();
        seal = await createSeal(github, path);
        const request = { repeatable: true };
        await github.request(`PUT ${path}/${probeName}`, { ...seal("probe"), request });
        await github.request(`DELETE ${path}/${probeName}`, { request }).catch((error: unknown) => {
          // Sent again after an answer that got lost, it is gone already.
          if (statusOf(error) !== 404) throw error;
        });
      });
    },
    async save(next): Promise<SaveOutcome> {
      if (seal === null || place === null) throw new Error("the place must be proved before it is written");
      const { path, what } = place;
      try {
        savedAt = await putSecret(github, path, seal, next);
        refreshToken = next;
        return { stored: true };
      } catch (error) {
        const reason = `${what} could not be written: ${explainRefusal(error, "SECRETS_TOKEN", usualPermission(options))}`;
        return { stored: false, reason, recovery: recover(repository, path, seal(next)) };
      }
    },
  };
}

/** Between which instants the run was given its copy. */
async function dateRun(
  { environment }: SecretScope,
  run: WorkflowRun,
  { repository, secretsToken, startedAt }: SecretStoreOptions,
): Promise<Pick<TokenCopyAge, "takenFrom" | "takenUntil">> {
  const github = createGithubClient(repository.apiUrl, run.token ?? secretsToken);
  const queuedAt = (await readRun(github, repository, run.id))?.createdAt ?? null;
  // A re-run has been seen to hold the secrets of the first attempt: https://github.com/cli/cli/issues/13522
  if (run.attempt > 1) return { takenFrom: queuedAt, takenUntil: queuedAt };
  // A repository's secrets are read when the run is queued, an environment's when the job starts:
  // https://docs.github.com/en/actions/reference/security/secrets
  if (environment === null && queuedAt !== null) return { takenFrom: queuedAt, takenUntil: queuedAt };
  return { takenFrom: queuedAt, takenUntil: startedAt };
}

/** Writes the secret and returns GitHub's time of it. A key that GitHub has replaced meanwhile is read again. */
async function putSecret(github: GithubClient, path: string, seal: Seal, value: string): Promise<Date> {
  const put = async (sealed: SealedValue) => {
    const request = { repeatable: true };
    const { headers } = await github.request(`PUT ${path}/${secretName}`, { ...sealed, request });
    const date = Date.parse(headers.date ?? "");
    return Number.isNaN(date) ? new Date() : new Date(date);
  };
  try {
    return await put(seal(value));
  } catch (error) {
    if (statusOf(error) !== 422) throw error;
    return await put((await createSeal(github, path))(value));
  }
}

async function explaining<T>(
  verb: "look at" | "write",
  options: SecretStoreOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { repository, environment } = options;
    const place = environment === null ? "" : `, environment ${environment}`;
    const missing =
      statusOf(error) === 404 && environment !== null
        ? ` (if there is no environment ${environment}, make it under Settings, Environments)`
        : "";
    throw new Error(
      `SECRETS_TOKEN cannot ${verb} the secrets of ${repository.owner}/${repository.name}${place}: ` +
        `${explainRefusal(error, "SECRETS_TOKEN", usualPermission(options))}${missing}. The token was not refreshed`,
      { cause: error },
    );
  }
}

function usualPermission({ environment }: SecretStoreOptions): string {
  return environment === null ? "Secrets: Read and write" : "Environments: Read and write";
}

/** What a person needs to store the token that this run could not store. */
function recover({ serverUrl }: Repository, path: string, sealed: SealedValue): Recovery {
  const host = new URL(serverUrl).host;
  const hostname = host === "github.com" ? "" : ` --hostname ${host}`;
  return {
    advice:
      "The new refresh token is saved, sealed so that only GitHub can open it: store it with this command",
    facts: [
      ["encrypted_value", sealed.encrypted_value],
      ["key_id", sealed.key_id],
    ],
    command: `gh api${hostname} -X PUT ${path}/${secretName} -f encrypted_value='${sealed.encrypted_value}' -f key_id='${sealed.key_id}'`,
  };
}

/** The secret that holds the refresh token. */
export const secretName = "WEBEX_REFRESH_TOKEN";

/** The environment that README.md tells people to make; it is looked into when none is named. */
export const usualEnvironment = "webex";

/** Where the secret is, and when it was last written. */
export interface SecretScope {
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
export async function findSecretScope(
  github: GithubClient,
  repository: Repository,
  named: string | null,
): Promise<SecretScope> {
  const own = describeStore(repository, named);
  const updatedAt = await readUpdatedAt(github, own.path);
  if (updatedAt !== null || named !== null) return { ...own, updatedAt };
  const usual = describeStore(repository, usualEnvironment);
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
  return (await findSecretScope(github, repository, named)).environment;
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

function describeStore({ owner, name }: Repository, environment: string | null) {
  const base = `/repos/${owner}/${name}`;
  return environment === null
    ? { environment, path: `${base}/actions/secrets`, what: `the secret ${secretName} of ${owner}/${name}` }
    : {
        environment,
        path: `${base}/environments/${encodeURIComponent(environment)}/secrets`,
        what: `the secret ${secretName} of ${owner}/${name}, environment ${environment}`,
      };
}

/** A value that only GitHub can open, as the API takes it. */
export interface SealedValue {
  readonly encrypted_value: string;
  readonly key_id: string;
}

/** Seals values for one place of secrets. */
export type Seal = (value: string) => SealedValue;

/**
 * Reads the public key of a place of secrets and loads libsodium.
 * https://docs.github.com/en/rest/guides/encrypting-secrets-for-the-rest-api
 */
export async function createSeal(github: GithubClient, secretsPath: string): Promise<Seal> {
  const { data } = await github.request(`GET ${secretsPath}/public-key`);
  await sodium.ready;
  const keyId = String(data.key_id);
  // The API takes padded standard base64; libsodium's own default is the other one.
  const key = sodium.from_base64(data.key, sodium.base64_variants.ORIGINAL);
  return (value) => ({
    encrypted_value: sodium.to_base64(sodium.crypto_box_seal(value, key), sodium.base64_variants.ORIGINAL),
    key_id: keyId,
  });
}
