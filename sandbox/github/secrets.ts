import { bodyField, Refusal, type Reply } from "../router.ts";

/** The alphabet and padding that GitHub's API demands. */
export const standardBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

interface Secret {
  readonly value: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

// https://docs.github.com/en/actions/reference/security/secrets#naming-your-secrets
const secretName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const maxBytes = 48 * 1024;

function requireName(name: string): void {
  if (!secretName.test(name)) {
    const rule =
      "Secret names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). " +
      "Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_).";
    throw new Refusal(422, rule);
  }
  if (/^GITHUB_/i.test(name)) throw new Refusal(422, "Secret names must not start with GITHUB_.");
}

function showSecret(name: string, { createdAt, updatedAt }: Secret) {
  return { name, created_at: createdAt, updated_at: updatedAt };
}

async function loadSodium() {
  const { default: sodium } = await import("libsodium-wrappers");
  await sodium.ready;
  return sodium;
}

/** The Actions secrets of a repository or of one of its environments, with the key pair they are sealed for. */
export class SecretScope {
  readonly #secrets = new Map<string, Secret>();
  readonly #now: () => string;
  readonly #keyId: string;
  #keyPair: Promise<{ publicKey: Uint8Array; privateKey: Uint8Array }> | undefined;

  constructor(keyId: string, now: () => string) {
    this.#keyId = keyId;
    this.#now = now;
  }

  /** What is stored under that name; names are the same in any case. */
  value(name: string): string | undefined {
    return this.#secrets.get(name.toUpperCase())?.value;
  }

  store(name: string, value: string): void {
    const updatedAt = this.#now();
    const createdAt = this.#secrets.get(name.toUpperCase())?.createdAt ?? updatedAt;
    this.#secrets.set(name.toUpperCase(), { value, createdAt, updatedAt });
  }

  touch(name: string, updatedAt = this.#now()): void {
    const secret = this.#secrets.get(name.toUpperCase());
    if (!secret) throw new Error(`there is no secret "${name}"`);
    this.#secrets.set(name.toUpperCase(), { ...secret, updatedAt });
  }

  async answerPublicKey(): Promise<Reply> {
    const { publicKey } = await this.#keys();
    return { status: 200, body: { key_id: this.#keyId, key: Buffer.from(publicKey).toString("base64") } };
  }

  answerGet(name: string): Reply {
    const secret = this.#secrets.get(name.toUpperCase());
    if (!secret) throw new Refusal(404, "Not Found");
    return { status: 200, body: showSecret(name.toUpperCase(), secret) };
  }

  answerList(): Reply {
    const secrets = [...this.#secrets].map(([name, secret]) => showSecret(name, secret));
    return { status: 200, body: { total_count: secrets.length, secrets } };
  }

  async answerPut(name: string, body: unknown): Promise<Reply> {
    requireName(name);
    const sealed = bodyField(body, "encrypted_value");
    for (const field of ["encrypted_value", "key_id"]) {
      if (bodyField(body, field) === undefined)
        throw new Refusal(422, `Invalid request.\n\n"${field}" wasn't supplied.`);
    }
    if (bodyField(body, "key_id") !== this.#keyId)
      throw new Refusal(422, "The key_id is not that of the current public key.");
    if (typeof sealed !== "string" || !standardBase64.test(sealed)) {
      throw new Refusal(422, "Invalid request. encrypted_value is not base64.");
    }
    const value = await this.#open(Buffer.from(sealed, "base64"));
    if (Buffer.byteLength(value) > maxBytes) {
      throw new Refusal(422, `The value of ${name} is larger than ${maxBytes / 1024} KB.`);
    }
    const status = this.value(name) === undefined ? 201 : 204;
    this.store(name, value);
    return status === 201 ? { status, body: {} } : { status };
  }

  answerDelete(name: string): Reply {
    if (!this.#secrets.delete(name.toUpperCase())) throw new Refusal(404, "Not Found");
    return { status: 204 };
  }

  #keys() {
    this.#keyPair ??= loadSodium().then((sodium) => sodium.crypto_box_keypair());
    return this.#keyPair;
  }

  async #open(box: Uint8Array): Promise<string> {
    const sodium = await loadSodium();
    const { publicKey, privateKey } = await this.#keys();
    try {
      return sodium.to_string(sodium.crypto_box_seal_open(box, publicKey, privateKey));
    } catch {
      throw new Refusal(422, "Invalid request. encrypted_value can't be opened.");
    }
  }
}
