import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import * as v from "valibot";
import type { IssuedTokens, TokenIssuer } from "../token/rotate.ts";
import { parseReply } from "./parse.ts";
import { readErrorBody, WebexError } from "./webex-error.ts";

/** Which integration asks, and where. */
export interface IssuerOptions {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeoutMs?: number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

const tokensSchema = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  refresh_token: v.optional(v.string()),
  refresh_token_expires_in: v.optional(v.number()),
});

const path = "/access_token";
const attempts = 4;
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
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await refreshOnce(options, refreshToken);
        } catch (error) {
          if (attempt === attempts || !(error instanceof WebexError) || !mayRepeat(error)) throw error;
          await sleep(1000 * 2 ** (attempt - 1));
        }
      }
    },
  };
}

async function refreshOnce(options: IssuerOptions, refreshToken: string): Promise<IssuedTokens> {
  const failure = { method: "POST", path };
  const timeoutMs = options.timeoutMs ?? 30_000;
  const { statusCode, headers, text } = await request(options.baseUrl + path, {
    method: "POST",
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({
      grant_type: "refresh_token",
      client_id: options.clientId,
      client_secret: options.clientSecret,
      refresh_token: refreshToken,
    }).toString(),
  })
    .then(async (reply) => ({ ...reply, text: await reply.body.text() }))
    .catch((cause: Error) => {
      throw new WebexError({
        ...failure,
        status: null,
        detail: explainSilence(cause),
        trackingId: null,
        cause,
      });
    });
  const body = parseJson(text);
  if (statusCode !== 200) {
    const said = readErrorBody(body);
    const tracking = headers.trackingid;
    throw new WebexError({
      ...failure,
      status: statusCode,
      detail: explainRefusal(statusCode, readGrantError(body) ?? said.detail ?? "no reason given"),
      trackingId: said.trackingId ?? (typeof tracking === "string" ? tracking : null),
    });
  }
  const tokens = parseReply(tokensSchema, body, "POST", path);
  const lifeSeconds = tokens.refresh_token_expires_in;
  // Webex's clock, not ours: a wrong clock here would warn too late.
  const now = Date.parse(typeof headers.date === "string" ? headers.date : "") || Date.now();
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? null,
    refreshTokenExpiresAt: lifeSeconds === undefined ? null : new Date(now + lifeSeconds * 1000),
  };
}

function mayRepeat(error: WebexError): boolean {
  if (error.status !== null) return notNow.has(error.status);
  return error.cause instanceof Error && "code" in error.cause && notReached.has(String(error.cause.code));
}

function explainSilence(cause: Error): string {
  return `${cause.message}; not repeated, because Webex may have spent the refresh token. Run again: if Webex then refuses it, log in again (npm run login)`;
}

function explainRefusal(status: number, reason: string): string {
  if (status !== 400 && status !== 401) return reason;
  return reason.includes("invalid_client")
    ? `${reason}; check WEBEX_CLIENT_ID and WEBEX_CLIENT_SECRET`
    : `${reason}; the stored refresh token was left as it is. Log in again (npm run login)`;
}

/** The form of an OAuth error (RFC 6749, section 5.2). */
function readGrantError(body: unknown): string | null {
  const result = v.safeParse(
    v.object({ error: v.string(), error_description: v.optional(v.string()) }),
    body,
  );
  if (!result.success) return null;
  const { error, error_description } = result.output;
  return error_description ? `${error}: ${error_description}` : error;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
