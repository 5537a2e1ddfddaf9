import sodium from "libsodium-wrappers";
import * as v from "valibot";
import type { Repository } from "../config/actions.ts";
import type { WorkflowRun } from "../config/settings.ts";
import { graceAfter, pause } from "../lib/http.ts";
import type { Recovery, SaveOutcome, TokenCopyAge, TokenStore } from "../token/store.ts";
import { createGithubClient, type GithubClient, parseAnswer, readTokenEnd, statusOf } from "./client.ts";
import { type Patience, persist } from "./patience.ts";
import { explainRefusal } from "./permissions.ts";
import { readRun } from "./workflows.ts";

export interface SecretStoreOptions {
  readonly repository: Repository;
  readonly environment: string | null;
  readonly secretsToken: string;
  /** As this run was given it: GitHub never shows it again. */
  readonly refreshToken: string;
  readonly run: WorkflowRun | null;
  /** Measures spans only: what GitHub dated is compared by GitHub's clock. */
  readonly now: () => Date;
  readonly sleep?: Patience["sleep"];
}

/** Written and deleted to prove that the place can be written; the real secret is never rewritten to find out. */
const probeName = "WEBEX_WRITE_PROBE";

const looks = 3;

/** A run ends after 25 minutes: one that waited for it began no later than this after it had stored. */
const longestRunMs = 30 * 60_000;

interface Proof {
  readonly scope: SecretScope;
  readonly seal: Seal;
  /** Whatever is written later is not older. */
  readonly probedAt: Date;
  readonly before: Date | null;
}

/**
 * Keeps the refresh token in a GitHub secret, sealed for GitHub alone; it counts as stored when its date shows it.
 * https://docs.github.com/en/rest/actions/secrets
 */
export function createSecretStore(options: SecretStoreOptions): TokenStore {
  const { repository, now, sleep } = options;
  const github = createGithubClient(repository.apiUrl, options.secretsToken, sleep);
  const startedAt = now();
  let refreshToken = options.refreshToken;
  let savedAt: Date | null = null;
  let proof: Proof | null = null;
  let credentialEnd: Date | null = null;
  let scope: SecretScope | null = null;

  const findScope = async () => {
    scope ??= await findSecretScope(github, repository, options.environment);
    return scope;
  };
  const wait = sleep ?? pause;

  /** Where this run was given a value, "not found" is believed at the second look only. */
  const dateSecret = async (path: string): Promise<SecretDate> => {
    const first = await readSecretDate(github, `${path}/${secretName}`);
    if (first.updatedAt !== null || options.run === null) return first;
    await wait(1000);
    return await readSecretDate(github, `${path}/${secretName}`);
  };

  return {
    // Jobs that share the secret are kept apart by their concurrency group; GitHub has no lock.
    exclusively: (work) => work(),
    load: () => Promise.resolve({ refreshToken, isStored: true }),
    async dateCopy() {
      const askedAt = now();
      const { what, environment, date } = await explaining("look at", options, async () => {
        const found = await findScope();
        return { ...found, date: await dateSecret(found.path) };
      });
      // Outside of a runner nothing waits in a queue: a person has put the copy there just now.
      const { run } = options;
      if (run === null) return null;
      const { updatedAt } = date;
      if (savedAt !== null) return { what, updatedAt, takenFrom: savedAt, takenUntil: savedAt };
      // By the clock that dated the secret, in whole seconds: it may be one later than told.
      const elapsedMs = askedAt.getTime() - startedAt.getTime();
      const beganAt = date.now === null ? null : new Date(date.now.getTime() + 1000 - elapsedMs);
      return { what, updatedAt, ...(await dateRun({ environment, beganAt, updatedAt }, run, options)) };
    },
    async prove() {
      await explaining("write", options, async () => {
        const found = await findScope();
        const seal = await createSeal(github, found.path);
        const path = `${found.path}/${probeName}`;
        const request = { repeatable: true };
        const { status, headers } = await github.request(`PUT ${path}`, { ...seal("probe"), request });
        requireStored(status);
        credentialEnd = readTokenEnd(headers);
        const probedAt = await findProbe(() => readSecretDate(github, path), wait);
        await github.request(`DELETE ${path}`, { request }).catch((error: unknown) => {
          // Sent again after an answer that got lost, it is gone already.
          if (statusOf(error) !== 404) throw error;
        });
        const { updatedAt: before } = await readSecretDate(github, `${found.path}/${secretName}`);
        proof = { scope: found, seal, probedAt, before };
      });
    },
    credentialEnd: () => credentialEnd,
    async save(next, stop): Promise<SaveOutcome> {
      if (proof === null) throw new Error("the place must be proved before it is written");
      const { path, what } = proof.scope;
      let { seal } = proof;
      const known = proof;
      const attempt = async (signal: AbortSignal | undefined) => {
        const request = { single: true, ...(signal && { signal }) };
        try {
          const { status } = await github.request(`PUT ${path}/${secretName}`, { ...seal(next), request });
          requireStored(status);
        } catch (error) {
          // The key may have been replaced meanwhile.
          if (statusOf(error) === 422) seal = await createSeal(github, path, request);
          throw error;
        }
        const { updatedAt } = await readSecretDate(github, `${path}/${secretName}`, request);
        return requireNewer(updatedAt, known);
      };
      try {
        savedAt = await persist(attempt, () => false, { stop, ...(sleep && { sleep }) });
        refreshToken = next;
        return { stored: true };
      } catch (error) {
        const reason = `${what} could not be written: ${explainRefusal(error, "SECRETS_TOKEN", usualPermission(options))}`;
        // GitHub opens only what is sealed with a key it still has.
        const signal = graceAfter(stop, keyGraceMs);
        const request = { single: true, ...(signal && { signal }) };
        const fresh = await createSeal(github, path, request).catch(() => seal);
        return { stored: false, reason, recovery: recover(repository, path, fresh(next)) };
      }
    },
  };
}

const keyGraceMs = 7500;

/** https://docs.github.com/en/rest/actions/secrets#create-or-update-a-repository-secret */
function requireStored(status: number): void {
  if (status !== 201 && status !== 204)
    throw new Error(`the answer was ${status} where GitHub confirms a secret with 201 or 204`);
}

/** GitHub dates in whole seconds: a write in the same second as the one before is repeated in a later second. */
function requireNewer(updatedAt: Date | null, { probedAt, before }: Proof): Date {
  if (updatedAt !== null && updatedAt >= probedAt && (before === null || updatedAt > before))
    return updatedAt;
  throw new Error(
    "GitHub confirmed the secret, but its date (updated_at) does not show that it was written; is something in between, such as a proxy?",
  );
}

async function findProbe(
  look: () => Promise<SecretDate>,
  wait: (ms: number) => Promise<unknown>,
): Promise<Date> {
  for (let count = 1; ; count += 1) {
    const { updatedAt } = await look();
    if (updatedAt !== null) return updatedAt;
    if (count === looks)
      throw new Error(
        `GitHub confirmed the secret ${probeName}, but it is not there; is something in between, such as a proxy?`,
      );
    await wait(1000);
  }
}

/** All instants are by GitHub's clock. */
async function dateRun(
  { environment, beganAt, updatedAt }: Pick<SecretScope, "environment"> & RunDates,
  run: WorkflowRun,
  { repository, secretsToken }: SecretStoreOptions,
): Promise<Omit<TokenCopyAge, "what" | "updatedAt">> {
  const queuedAt = (await findRun(repository, run, secretsToken))?.createdAt ?? null;
  // A re-run has been seen to get the secrets of the first attempt: https://github.com/cli/cli/issues/13522
  if (run.attempt > 1) {
    const unsure = "this is a re-run that may hold the value of its first attempt";
    return { takenFrom: queuedAt, takenUntil: queuedAt, unsure };
  }
  // This machine's clock alone never makes a copy stale.
  const began = beganAt ?? updatedAt;
  if (environment !== null) return { takenFrom: queuedAt, takenUntil: began };
  // A repository's secrets are read when the run is queued, an environment's when the job starts:
  // https://docs.github.com/en/actions/reference/security/secrets
  if (queuedAt !== null) return { takenFrom: queuedAt, takenUntil: queuedAt };
  // Without the time of queueing, the run may have waited for the one that stored the newest value.
  const mayHaveWaited = updatedAt !== null && began !== null && +began - +updatedAt < longestRunMs;
  const unsure =
    "when this run was queued cannot be read (the workflow's token needs actions: read), so it may have waited for the run that stored it";
  return { takenFrom: null, takenUntil: mayHaveWaited ? null : began, unsure };
}

interface RunDates {
  readonly beganAt: Date | null;
  readonly updatedAt: Date | null;
}

async function findRun(repository: Repository, { id, token }: WorkflowRun, secretsToken: string) {
  for (const one of token === null ? [secretsToken] : [token, secretsToken]) {
    const found = await readRun(createGithubClient(repository.apiUrl, one), repository, id);
    if (found !== null) return found;
  }
  return null;
}

async function explaining<T>(
  verb: "look at" | "write",
  options: SecretStoreOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DoubleSecret) throw new Error(`${error.message}. The token was not refreshed`);
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

/** The environment that README.md tells people to make; Rollcall looks into it when none is named. */
export const usualEnvironment = "webex";

export interface SecretScope {
  readonly environment: string | null;
  readonly path: string;
  readonly what: string;
}

/**
 * Finds the secret: in the environment that is named, else in the repository, else in the environment `webex`; where
 * it does not exist yet, the named one's or the repository's own. https://docs.github.com/en/rest/actions/secrets
 * @throws when it is in both places: a run may be given the one and store the other.
 */
export async function findSecretScope(
  github: GithubClient,
  repository: Repository,
  named: string | null,
): Promise<SecretScope> {
  const own = describeStore(repository, named);
  const other = describeStore(repository, named === null ? usualEnvironment : null);
  const [inOwn, inOther] = [await isThere(github, own), await isThere(github, other)];
  if (inOwn && inOther)
    throw new DoubleSecret(describeDouble(repository, named ?? usualEnvironment, named !== null));
  return inOther && named === null ? other : own;
}

/** What a token may not see counts as not there: the probe tells the missing permission. */
async function isThere(github: GithubClient, { path }: SecretScope): Promise<boolean> {
  try {
    return (await readSecretDate(github, `${path}/${secretName}`)).updatedAt !== null;
  } catch (error) {
    if (statusOf(error) === 403) return false;
    throw error;
  }
}

/** The next run will spend one of the two copies. */
class DoubleSecret extends Error {}

function describeDouble({ owner, name }: Repository, environment: string, isNamed: boolean): string {
  const full = `${owner}/${name}`;
  const remove = `gh secret delete ${secretName} --repo ${full}`;
  const both = `${secretName} is a secret of ${full} and of its environment ${environment} as well, and one of the two is out of date`;
  return isNamed
    ? `${both}. WEBEX_ENVIRONMENT names the environment, so delete the repository's: ${remove}`
    : `${both}. WEBEX_ENVIRONMENT is not set, so the repository's is in use: delete the environment's (${remove} --env ${environment}), or set WEBEX_ENVIRONMENT to ${environment} and delete the repository's (${remove})`;
}

/** The environment that `findSecretScope` finds; null for the repository's own. */
export async function findSecretEnvironment(
  repository: Repository,
  secretsToken: string,
  named: string | null,
): Promise<string | null> {
  const github = createGithubClient(repository.apiUrl, secretsToken);
  return (await findSecretScope(github, repository, named)).environment;
}

/** Both by GitHub's clock. */
interface SecretDate {
  readonly updatedAt: Date | null;
  readonly now: Date | null;
}

const secretSchema = v.object({ updated_at: v.pipe(v.string(), v.isoTimestamp()) });

async function readSecretDate(github: GithubClient, path: string, request: object = {}): Promise<SecretDate> {
  try {
    const { data, headers } = await github.request(`GET ${path}`, { request });
    const secret = v.safeParse(secretSchema, data);
    if (!secret.success) throw new Error("GitHub does not say when the secret was updated (updated_at)");
    const now = new Date(headers.date ?? "");
    return { updatedAt: new Date(secret.output.updated_at), now: Number.isNaN(now.getTime()) ? null : now };
  } catch (error) {
    if (statusOf(error) === 404) return { updatedAt: null, now: null };
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

export interface SealedValue {
  readonly encrypted_value: string;
  readonly key_id: string;
}

const keySchema = v.object({
  key_id: v.union([v.string(), v.number()]),
  /** 32 bytes in base64. */
  key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/)),
});

export type Seal = (value: string) => SealedValue;

/** Makes a seal for one place. https://docs.github.com/en/rest/guides/encrypting-secrets-for-the-rest-api */
export async function createSeal(
  github: GithubClient,
  secretsPath: string,
  request: object = {},
): Promise<Seal> {
  await sodium.ready;
  const answer = await github.request(`GET ${secretsPath}/public-key`, { request });
  const found = parseAnswer(keySchema, answer);
  const keyId = String(found.key_id);
  // The API takes padded standard base64; libsodium's own default is the other one.
  const key = sodium.from_base64(found.key, sodium.base64_variants.ORIGINAL);
  return (value) => ({
    encrypted_value: sodium.to_base64(sodium.crypto_box_seal(value, key), sodium.base64_variants.ORIGINAL),
    key_id: keyId,
  });
}
