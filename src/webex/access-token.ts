import { setTimeout as delay } from "node:timers/promises";
import type { TokenIssuer } from "../token/rotate.ts";
import { WebexError } from "./errors.ts";
import { type ClientIdentity, GrantError, postForm, readTokens } from "./oauth-token.ts";
import { retryAfterSeconds } from "./retry-after.ts";

/** Which integration asks, and how it waits between attempts. */
export interface IssuerOptions extends ClientIdentity {
  readonly sleep?: (ms: number) => Promise<unknown>;
}

const path = "/access_token";
const attempts = 4;
/** A run that has not begun may as well be run again later. */
const longestPauseMs = 60_000;
/** Statuses with which Webex says that it did nothing yet. */
const notNow = new Set([429, 500, 502, 503, 504]);
/** The request cannot have reached Webex. */
const notReached = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/**
 * Exchanges refresh tokens at Webex's token endpoint. https://developer.webex.com/docs/integrations
 * Repeated only when Webex answered that it did not do it, or was never reached: after a timeout or a reset the
 * refresh token may be spent.
 */
export function createTokenIssuer(options: IssuerOptions): TokenIssuer {
  const sleep = options.sleep ?? ((ms) => delay(ms));
  return {
    async refresh(refreshToken) {
      const fields = { grant_type: "refresh_token", refresh_token: refreshToken };
      for (let attempt = 1; ; attempt += 1) {
        try {
          return readTokens(await postForm(options, { path, fields, clientIn: "form" }), path);
        } catch (error) {
          if (!(error instanceof WebexError)) throw error;
          const isTooLong = askedPauseMs(error) > longestPauseMs;
          if (attempt === attempts || isTooLong || !mayRepeat(error)) throw advise(error);
          await sleep(Math.max(1000 * 2 ** (attempt - 1), askedPauseMs(error)));
        }
      }
    },
  };
}

/** What Webex asks to wait before the next attempt. */
function askedPauseMs(error: WebexError): number {
  const isTold = error instanceof GrantError && error.status === 429 && error.retryAfter !== null;
  return isTold ? retryAfterSeconds(error.retryAfter) * 1000 : 0;
}

function mayRepeat(error: WebexError): boolean {
  if (error.status !== null) return notNow.has(error.status);
  return isNotReached(error);
}

function isNotReached({ cause }: WebexError): boolean {
  return cause instanceof Error && "code" in cause && notReached.has(String(cause.code));
}

/** Adds what a person can do about it. */
function advise(error: WebexError): WebexError {
  error.message += adviceFor(error);
  return error;
}

function adviceFor(error: WebexError): string {
  const { status } = error;
  if (status === 400 || status === 401) {
    const isClient = error instanceof GrantError && error.error === "invalid_client";
    const first = isClient ? "; check WEBEX_CLIENT_ID and WEBEX_CLIENT_SECRET" : "";
    const left = "The stored refresh token was left as it is";
    return isClient
      ? `${first}. ${left}; if both are right, log in again (npm run login)`
      : `. ${left}. Log in again (npm run login)`;
  }
  if (status === 200 || (status === null && !isNotReached(error)))
    return "; not repeated, because Webex may have spent the refresh token. Run again: if Webex then refuses it, log in again (npm run login)";
  return ". Nothing was changed; run again later";
}
