import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** What every token that the sandbox issues ends with. */
const issued = "_P0A1_99999999-8888-4777-8666-555555555555";
const names = ["WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN", "GITHUB_TOKEN"];
/** Shorter ones are words that a test has put in the place of a secret. */
const shortestSecret = 20;

/** Everything that a run left behind, by place. */
export type Texts = ReadonlyMap<string, string>;

/** The secrets that a run was given, and the mark of those that it was sent. */
export function listSecrets(env: Readonly<Record<string, string>>): readonly string[] {
  return [
    issued,
    ...names.flatMap((name) => env[name] ?? []).filter((value) => value.length >= shortestSecret),
  ];
}

/** Reads all files of a folder but those that are there to hold a token. */
export async function readTexts(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Map<string, string>> {
  const tokenFile = basename(env.WEBEX_TOKEN_FILE ?? "refresh-token");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const held = ["token", "refresh-token", tokenFile];
  const files = entries.filter((entry) => entry.isFile() && !held.includes(entry.name));
  const texts = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name);
    return [file, await readFile(file, "utf8")] as const;
  });
  return new Map(await Promise.all(texts));
}

/** Fails when one of the texts holds one of the secrets, as it is or encoded. */
export function assertNoSecret(texts: Texts, secrets: readonly string[]): void {
  for (const secret of secrets) {
    const forms = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    ];
    const places = [...texts].filter(([, text]) => forms.some((form) => text.includes(form)));
    assert.deepEqual(
      places.map(([place]) => place),
      [],
      "a secret was told",
    );
  }
}

/** A log without the lines that hide a secret in the others: GitHub's runner does not show them. */
export function withoutMasks(log: string): string {
  return log.replace(/^::add-mask::.*$/gm, "");
}
