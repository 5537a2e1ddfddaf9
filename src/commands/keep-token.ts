import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../cli/context.ts";
import type { TokenPlace } from "../config/settings.ts";
import { createTokenFile } from "../disk/token-file.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { LoginConfig } from "../login-config.ts";
import type { TokenStore } from "../token/store.ts";

/** Keeps the refresh token that a login brings. */
export interface Keeper {
  /** Fails before anybody is asked for consent, if the token would have nowhere to go. */
  prove(): Promise<void>;
  /** Keeps the token; returns what was done and what is left to do, without the token. @throws when it is not kept. */
  keep(refreshToken: string): Promise<string>;
}

/** Chooses where the token goes: a token file, a GitHub secret, or a private file that a person carries on. */
export async function createKeeper(config: LoginConfig, context: Context): Promise<Keeper> {
  const { tokenPlace } = config;
  if (tokenPlace === null) {
    return { prove: () => Promise.resolve(), keep: (refreshToken) => keepForGh(refreshToken, config) };
  }
  const store = await openStore(tokenPlace, context);
  return {
    prove: () => store.exclusively(() => store.prove()),
    async keep(refreshToken) {
      return await store.exclusively(async () => {
        // Again, as it reserves what the saving needs.
        await store.prove();
        const outcome = await store.save(refreshToken);
        if (outcome.stored) return `The refresh token is stored in ${describePlace(tokenPlace)}.`;
        const { advice, command } = outcome.recovery;
        context.tell(`\nRECOVERY: ${advice}.\n${command}\n`);
        throw new Error(outcome.reason);
      });
    },
  };
}

async function openStore(place: TokenPlace, { now }: Context): Promise<TokenStore> {
  if (place.kind === "file") return createTokenFile(place.path, null);
  const { createSecretStore } = await import("../github/secret-store.ts");
  return createSecretStore({ ...place, startedAt: now() });
}

function describePlace(place: TokenPlace): string {
  if (place.kind === "file") return place.path;
  const { owner, name } = place.repository;
  const where = place.environment === null ? "" : `, environment ${place.environment}`;
  return `the secret WEBEX_REFRESH_TOKEN of ${owner}/${name}${where}`;
}

/** GitHub's own program takes a secret from standard input: so it is in no argument and on no screen. */
async function keepForGh(refreshToken: string, config: LoginConfig): Promise<string> {
  const folder = await mkdtemp(join(config.privateDir ?? tmpdir(), "rollcall-"));
  const file = join(folder, "refresh-token");
  await replaceFile(file, refreshToken, 0o600);
  const repository = config.repositoryName === null ? "" : ` --repo ${quote(config.repositoryName)}`;
  const environment = config.environment === null ? "" : ` --env ${quote(config.environment)}`;
  return [
    "The refresh token is in a file that only you can read. This stores it and removes the file:",
    "",
    `  gh secret set WEBEX_REFRESH_TOKEN${repository}${environment} < ${quote(file)} && rm -r ${quote(folder)}`,
  ].join("\n");
}

function quote(text: string): string {
  return /^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
