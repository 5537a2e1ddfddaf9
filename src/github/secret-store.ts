import sodium from "libsodium-wrappers";
import type { Repository } from "../config.ts";
import type { TokenStore } from "../token/rotate.ts";
import { createGithubClient, statusOf } from "./client.ts";

const secretName = "WEBEX_REFRESH_TOKEN";

/** Which secret, and with which token it may be written. */
export interface SecretPlace {
  readonly repository: Repository;
  /** The environment that holds the secret; null for the repository's own. */
  readonly environment: string | null;
  readonly secretsToken: string;
  /** The secret's value as this run was given it: GitHub never shows it again. */
  readonly refreshToken: string;
}

/**
 * Keeps the refresh token in a GitHub secret, sealed for GitHub alone.
 * https://docs.github.com/en/rest/actions/secrets and https://docs.github.com/en/rest/guides/encrypting-secrets-for-the-rest-api
 */
export function createSecretStore(place: SecretPlace): TokenStore {
  const github = createGithubClient(place.repository.apiUrl, place.secretsToken);
  const { owner, name: repo } = place.repository;
  const scope =
    place.environment === null ? "actions" : `environments/${encodeURIComponent(place.environment)}`;
  const where = `the secret ${secretName} of ${owner}/${repo}${place.environment === null ? "" : `, environment ${place.environment}`}`;
  let publicKey: Promise<{ readonly keyId: string; readonly key: Uint8Array }> | null = null;

  function readKey() {
    publicKey ??= (async () => {
      const { data } = await github.request(`GET /repos/${owner}/${repo}/${scope}/secrets/public-key`);
      await sodium.ready;
      return {
        keyId: String(data.key_id),
        key: sodium.from_base64(data.key, sodium.base64_variants.ORIGINAL),
      };
    })();
    return publicKey;
  }

  async function seal(value: string) {
    const { keyId, key } = await readKey();
    // The API takes padded standard base64; libsodium's own default is the other one.
    const sealed = sodium.to_base64(sodium.crypto_box_seal(value, key), sodium.base64_variants.ORIGINAL);
    return { encrypted_value: sealed, key_id: keyId };
  }

  return {
    load: () => Promise.resolve(place.refreshToken),
    async prove() {
      await seal("a value that is never sent").catch((error: unknown) => {
        throw new Error(`${where} cannot be prepared for writing: ${explain(error)}`);
      });
    },
    async save(refreshToken) {
      const sealed = await seal(refreshToken);
      const route = `PUT /repos/${owner}/${repo}/${scope}/secrets/${secretName}`;
      await github.request(route, { ...sealed, request: { repeatable: true } }).catch((error: unknown) => {
        throw new Error(
          `${where} could not be written, so the new refresh token is lost: ${explain(error)}. Nothing was changed in Webex; log in again (npm run login)`,
        );
      });
    },
  };
}

function explain(error: unknown): string {
  const status = statusOf(error);
  const hint =
    status === 401 || status === 403 || status === 404
      ? "; SECRETS_TOKEN needs Secrets: write (or Environments: write for an environment's secret) on this repository"
      : "";
  return (error instanceof Error ? error.message : String(error)) + hint;
}
