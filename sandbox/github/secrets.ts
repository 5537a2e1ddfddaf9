import { bodyField, Refusal, type Reply } from "../router.ts";

// The alphabet and padding that GitHub's API demands of an encrypted value.
const standardBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

interface Secret {
  readonly value: string;
  readonly createdAt: string;
  readonly updatedAt: string;
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

  /** `now` gives the time of a change; it is never the same twice. */
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

  async answerPublicKey(): Promise<Reply> {
    const { publicKey } = await this.#keys();
    return { status: 200, body: { key_id: this.#keyId, key: Buffer.from(publicKey).toString("base64") } };
  }

  answerGet(name: string): Reply {
    const secret = this.#secrets.get(name.toUpperCase());
    if (!secret) throw new Refusal(404, "Not Found");
    const { createdAt, updatedAt } = secret;
    return { status: 200, body: { name: name.toUpperCase(), created_at: createdAt, updated_at: updatedAt } };
  }

  async answerPut(name: string, body: unknown): Promise<Reply> {
    const sealed = bodyField(body, "encrypted_value");
    if (bodyField(body, "key_id") !== this.#keyId)
      throw new Refusal(422, "The key_id is not that of the current public key.");
    if (typeof sealed !== "string" || !standardBase64.test(sealed)) {
      throw new Refusal(422, "Invalid request. encrypted_value is not base64.");
    }
    const value = await this.#open(Buffer.from(sealed, "base64"));
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
