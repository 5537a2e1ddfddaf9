import sodium from "libsodium-wrappers";
import type { GithubClient } from "./client.ts";

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
