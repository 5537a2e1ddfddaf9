import type { Context } from "../cli/context.ts";
import { tellRotationFailure } from "../commands/rotation-failure.ts";
import type { Config } from "../config/settings.ts";
import { createTokenFile } from "../disk/token-file.ts";
import type { Runner } from "../github/runner.ts";
import type { TokenRecord } from "../membership/record.ts";
import { describeLife, measureLife } from "../token/expiry.ts";
import { type RotatedToken, rotateToken } from "../token/rotate.ts";
import type { TokenStore } from "../token/store.ts";
import { createTokenIssuer } from "../webex/access-token.ts";
import type { WebexClient } from "../webex/client.ts";

/** A Webex that answers, and what became of the token on the way there. */
export interface Session {
  readonly client: WebexClient;
  /** What was done with the token so far. */
  readonly token: TokenRecord;
  /** What the access token may do; null when Webex did not say. */
  readonly scopes: readonly string[] | null;
  /** The access token of the moment, for the XML API, which opens a session of its own with it. */
  readonly accessToken: string;
  /** Aborted when nothing new may begin: the run is to end, or Webex takes the access token no longer. */
  readonly stop: AbortSignal;
  /** Why Webex takes the access token no longer; null while it does. */
  readonly lostAccess: Error | null;
}

/**
 * Rotates the token and opens Webex with the access token it brought. An access token that dies later is replaced
 * once, in the same order. With `mayStartFreshRun` a run whose copy of the token is stale starts another in its place.
 * @throws when the refresh token is stale, cannot be stored or is refused; nothing was changed in Webex then.
 */
export async function openSession(
  config: Config,
  runner: Runner,
  context: Context,
  { mayStartFreshRun = false } = {},
): Promise<Session> {
  const { webexUrl: baseUrl, clientId, clientSecret } = config;
  const store = await openStore(config, context);
  const issuer = createTokenIssuer({ baseUrl, clientId, clientSecret });
  const rotate = async (): Promise<RotatedToken> => {
    const rotated = await rotateToken(store, issuer, { mask: runner.mask, stop: context.stop });
    tellLife(rotated.record, context);
    return rotated;
  };
  const first = await rotate().catch(async (error: unknown) => {
    throw await tellRotationFailure(error, { config, runner, context, mayStartFreshRun });
  });

  let { accessToken, record: token } = first;
  let lostAccess: Error | null = null;
  const lost = new AbortController();
  // Loaded only now: the first requests, which are for the token, do without it.
  const { createWebexClient } = await import("../webex/client.ts");
  const client = createWebexClient({
    baseUrl,
    accessToken,
    stop: context.stop,
    renewToken: async () => {
      context.tell("Webex takes the access token no longer; a new one is got in the same order as the first");
      const again = await rotate().catch(async (error: unknown) => {
        // A fresh run would not know what this one has done already.
        throw await tellRotationFailure(error, { config, runner, context, mayStartFreshRun: false });
      });
      token = { ...again.record, rotated: token.rotated || again.record.rotated };
      accessToken = again.accessToken;
      return accessToken;
    },
    onLostAccess: (error) => {
      lostAccess = error;
      lost.abort();
    },
  });
  return {
    client,
    scopes: first.scopes,
    stop: AbortSignal.any([context.stop, lost.signal]),
    get accessToken() {
      return accessToken;
    },
    get token() {
      return token;
    },
    get lostAccess() {
      return lostAccess;
    },
  };
}

/** Opens whatever keeps the refresh token. */
export async function openStore({ tokenPlace }: Config, { now }: Pick<Context, "now">): Promise<TokenStore> {
  if (tokenPlace.kind === "file") return createTokenFile(tokenPlace.path, tokenPlace.seed);
  // Loaded only when the token lives on GitHub: the sealing library is large.
  const { createSecretStore } = await import("../github/secret-store.ts");
  return createSecretStore({ ...tokenPlace, startedAt: now() });
}

/** The days are counted for the reader here; whether they are few is for the policy, which the report knows. */
function tellLife({ refreshTokenExpiresAt }: TokenRecord, { now, tell }: Context): void {
  const life = measureLife(refreshTokenExpiresAt, now(), 0);
  if (life !== null) tell(describeLife(life));
}
