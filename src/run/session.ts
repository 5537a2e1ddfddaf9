import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../cli/context.ts";
import type { Config, TokenStoreConfig } from "../config/settings.ts";
import { createTokenFile } from "../disk/token-file.ts";
import type { FreshRun } from "../github/workflows.ts";
import { defaultPolicy } from "../membership/policy.ts";
import { describeExpiry, measureExpiry } from "../token/expiry.ts";
import { type RotatedToken, rotateToken, StaleTokenError, UnstoredTokenError } from "../token/rotate.ts";
import type { Recovery, TokenRecord, TokenStore } from "../token/store.ts";
import type { WebexClient } from "../webex/client.ts";
import { createTokenIssuer } from "../webex/oauth-token.ts";
import { describeRecovery } from "./recovery.ts";

/** A Webex that answers, and what became of the token on the way there. */
export interface Session {
  readonly client: WebexClient;
  /** What was done with the token so far. */
  readonly token: TokenRecord;
  /** What the access token may do; null when Webex did not say. */
  readonly scopes: readonly string[] | null;
  /** When the token that writes the secret ends; null where the store says no end. */
  readonly storeEnd: Date | null;
  /** The access token of the moment, for the XML API, which opens a session of its own with it. */
  readonly accessToken: string;
  /** Aborted when nothing new may begin: the run is to end, or Webex no longer accepts the access token. */
  readonly stop: AbortSignal;
  /** Why Webex no longer accepts the access token; null while it does. */
  readonly lostAccess: Error | null;
  /** Waits as long as Webex may need to show a change, before something is looked at a second time. */
  waitForConsistency(): Promise<unknown>;
  /** Tells how many requests there were, where details are asked for. */
  close(): void;
}

const consistencyMs = 2_000;

/**
 * Rotates the token and opens Webex with the access token it brought. An access token that dies later is replaced
 * once, in the same order. A run whose copy of the token is stale starts `freshRun` in its place.
 * @throws when the refresh token is stale, cannot be stored or is refused; nothing was changed in Webex then.
 */
export async function openSession(
  config: Config,
  context: Context,
  freshRun: FreshRun | null = null,
): Promise<Session> {
  const { webexUrl: baseUrl, clientId, clientSecret } = config;
  const store = await openStore(config.tokenStore, context);
  const issuer = createTokenIssuer({ baseUrl, clientId, clientSecret });
  const rotate = async (): Promise<RotatedToken> => {
    try {
      const rotated = await rotateToken(store, issuer, { mask: context.runner.mask, stop: context.stop });
      logExpiry(rotated.record, context);
      return rotated;
    } catch (error) {
      if (error instanceof UnstoredTokenError) await showRecovery(error.recovery, context);
      throw error;
    }
  };
  const first = await rotate().catch(async (error: unknown) => {
    throw freshRun !== null && error instanceof StaleTokenError
      ? await startFreshRun(error, config, freshRun)
      : error;
  });

  let { accessToken, record: token } = first;
  let lostAccess: Error | null = null;
  const ending = new AbortController();
  const { signal: stop } = ending;
  setMaxListeners(0, stop);
  const end = () => ending.abort(context.stop.reason);
  if (context.stop.aborted) end();
  else context.stop.addEventListener("abort", end);
  // Loaded only now: the first requests, which are for the token, do without it.
  const { createWebexClient } = await import("../webex/client.ts");
  const client = createWebexClient({
    baseUrl,
    accessToken,
    connections: config.maxRequests,
    stop,
    renewToken: async () => {
      context.log(
        "Webex rejected the access token; Rollcall refreshes it once, in the same order as at the start",
      );
      // No fresh run takes over from here: it would not know what this one has done already.
      const again = await rotate();
      token = { ...again.record, rotated: token.rotated || again.record.rotated };
      accessToken = again.accessToken;
      return accessToken;
    },
    onLostAccess: (error) => {
      lostAccess = error;
      ending.abort();
    },
  });
  return {
    client,
    scopes: first.scopes,
    storeEnd: store.credentialEnd(),
    stop,
    get accessToken() {
      return accessToken;
    },
    get token() {
      return token;
    },
    get lostAccess() {
      return lostAccess;
    },
    // Nobody waits for a change to show once the run is to end.
    waitForConsistency: () => delay(consistencyMs, undefined, { signal: stop }).catch(() => undefined),
    close: () => context.detail(`${client.requestCount()} requests to Webex`),
  };
}

/** How a run in a session ended: with what was found, or with an error; `opened` is null when it never began. */
export type Ending<Opened, Found> =
  | { readonly opened: Opened; readonly found: Found }
  | { readonly opened: Opened | null; readonly error: unknown };

/** Opens a session and works in it. Never throws what `open` or `work` throw: the run has to tell it. */
export async function runInSession<Opened extends { readonly session: Session }, Found>(
  open: () => Promise<Opened>,
  work: (opened: Opened) => Promise<Found>,
): Promise<Ending<Opened, Found>> {
  let opened: Opened | null = null;
  try {
    opened = await open();
    return { opened, found: await work(opened) };
  } catch (error) {
    return { opened, error };
  } finally {
    opened?.session.close();
  }
}

/** Opens whatever keeps the refresh token. */
export async function openStore(
  tokenStore: TokenStoreConfig,
  { now, stop }: Pick<Context, "now" | "stop">,
): Promise<TokenStore> {
  if (tokenStore.kind === "file") {
    const sleep = async (ms: number) => {
      if (stop.aborted) throw new Error("the run was stopped while another one had the token");
      await delay(ms);
    };
    return createTokenFile(tokenStore.path, tokenStore.seed, { sleep });
  }
  // Loaded only when the token lives on GitHub: the sealing library is large.
  const { createSecretStore } = await import("../github/secret-store.ts");
  return createSecretStore({ ...tokenStore, now });
}

/** Few days are told to everybody, by the policy's own number once it is known; many to those who want details. */
function logExpiry({ refreshTokenExpiresAt }: TokenRecord, { now, log, detail }: Context): void {
  const expiry = measureExpiry(refreshTokenExpiresAt, now(), defaultPolicy.report.tokenWarningDays);
  if (expiry !== null) (expiry.isShort ? log : detail)(describeExpiry(expiry));
}

/** In the log and in the summary: one of the two may be out of reach when it is needed. */
async function showRecovery(recovery: Recovery, { log, runner }: Context): Promise<void> {
  const { line, summary } = describeRecovery(recovery);
  log(line);
  await runner.writeSummary(summary);
}

/** Starts another run in the place of one with a stale copy of the token. Returns the error to end this one with. */
async function startFreshRun(
  error: StaleTokenError,
  { tokenStore }: Config,
  freshRun: FreshRun,
): Promise<Error> {
  if (tokenStore.kind !== "secret" || tokenStore.run === null) return error;
  const { dispatchFreshRun } = await import("../github/workflows.ts");
  const done = await dispatchFreshRun(tokenStore.repository, tokenStore.run, freshRun);
  return new StaleTokenError(`${error.message}: ${done}`, { cause: error.cause });
}
