import type { Config } from "../config.ts";
import { createTokenFile } from "../disk/token-file.ts";
import type { TokenRecord } from "../membership/record.ts";
import { rotateToken, type TokenStore } from "../token/rotate.ts";
import { createTokenIssuer } from "../webex/access-token.ts";
import { createWebexClient, type WebexClient } from "../webex/client.ts";

/** A Webex that answers, and what became of the token on the way there. */
export interface Session {
  readonly client: WebexClient;
  readonly token: TokenRecord;
}

/**
 * Rotates the token and opens Webex with the access token it brought.
 * @throws when the refresh token cannot be stored or is refused; nothing was changed in Webex then.
 */
export async function openSession(
  config: Config,
  mask: (secret: string) => void,
  stop: AbortSignal,
): Promise<Session> {
  const { webexUrl: baseUrl, clientId, clientSecret } = config;
  const store = await openStore(config);
  const { accessToken, record } = await rotateToken(
    store,
    createTokenIssuer({ baseUrl, clientId, clientSecret }),
    mask,
  );
  return { client: createWebexClient({ baseUrl, accessToken, stop }), token: record };
}

async function openStore({ tokenPlace }: Config): Promise<TokenStore> {
  if (tokenPlace.kind === "file") return createTokenFile(tokenPlace.path, tokenPlace.seed);
  // Loaded only when the token lives on GitHub: the sealing library is large.
  const { createSecretStore } = await import("../github/secret-store.ts");
  return createSecretStore(tokenPlace);
}
