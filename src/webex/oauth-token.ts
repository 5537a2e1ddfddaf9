import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { parseJson } from "../lib/json.ts";
import type { IssuedTokens, TokenIssuer } from "../token/rotate.ts";
import { parseReply, readErrorBody, retryAfterSeconds, WebexError } from "./errors.ts";

/** Which integration asks, and where. */
export interface ClientIdentity {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeoutMs?: number;
}

/** One form that is posted to Webex's authorization server. */
export interface FormRequest {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The device grant wants the client in an HTTP Basic header, all others in the form. */
  readonly clientIn: "form" | "header";
}

/** What came back; Webex's clock is in `date`, in ms. */
export interface FormReply {
  readonly body: unknown;
  readonly date: number;
}

/** A refusal of the authorization server: `error` is OAuth's code for it (RFC 6749, section 5.2), "" without one. */
export class GrantError extends WebexError {
  constructor(
    readonly error: string,
    /** What a 429 asks to wait; null where nothing was asked. */
    readonly retryAfter: string | null,
    failure: ConstructorParameters<typeof WebexError>[0],
  ) {
    super(failure);
  }
}

// Lenient: by now the refresh token may be spent, and a field that only informs must not lose its successor.
const tokensSchema = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  refresh_token: v.nullish(v.string()),
  refresh_token_expires_in: v.fallback(v.optional(v.number()), undefined),
  scope: v.fallback(v.optional(v.string()), undefined),
});

const refusalSchema = v.object({ error: v.string(), error_description: v.optional(v.string()) });

/**
 * Posts a form once. https://developer.webex.com/docs/integrations
 * @throws {GrantError} for every answer but 200, {WebexError} when none arrived.
 */
export async function postForm(
  client: ClientIdentity,
  { path, fields, clientIn }: FormRequest,
): Promise<FormReply> {
  const { clientId, clientSecret, timeoutMs = 30_000 } = client;
  const form = {
    ...fields,
    ...(clientIn === "form" && { client_id: clientId, client_secret: clientSecret }),
  };
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString("base64");
  // Node's own fetch, which is there at once: loading a client of our own would delay the first request of each run.
  const { status, headers, text } = await fetch(client.baseUrl + path, {
    method: "POST",
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      ...(clientIn === "header" && { authorization: `Basic ${basic}` }),
    },
    body: new URLSearchParams(form).toString(),
  })
    .then(async (reply) => ({ status: reply.status, headers: reply.headers, text: await reply.text() }))
    .catch((error: unknown) => {
      throw explainSilence(error, path);
    });
  const body = parseJson(text);
  // Webex's clock, not ours: a wrong clock here would warn too late.
  const date = Date.parse(headers.get("date") ?? "") || Date.now();
  if (status === 200) return { body, date };
  const refusal = v.safeParse(refusalSchema, body);
  const { error, error_description } = refusal.success
    ? refusal.output
    : { error: "", error_description: undefined };
  const said = readErrorBody(body);
  const detail = [error || (said.detail ?? "no reason given"), error_description].filter(Boolean).join(": ");
  throw new GrantError(error || (said.detail ?? ""), headers.get("retry-after"), {
    method: "POST",
    path,
    status,
    detail,
    trackingId: said.trackingId ?? headers.get("trackingid"),
  });
}

/** What fetch says, "fetch failed", is no help: what it failed of is in the cause. */
function explainSilence(error: unknown, path: string): WebexError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  // Refused on several addresses, it has no message of its own.
  const detail = (cause instanceof Error && (cause.message || code || cause.name)) || String(cause);
  return new WebexError({ method: "POST", path, status: null, detail, trackingId: null, cause });
}

/** Checks the form of an answer with tokens. @throws {WebexError} when it is not as documented. */
export function readTokens({ body, date }: FormReply, path: string): IssuedTokens {
  const tokens = parseReply(tokensSchema, body, "POST", path);
  const expirySeconds = tokens.refresh_token_expires_in;
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token || null,
    refreshTokenExpiresAt: expirySeconds === undefined ? null : new Date(date + expirySeconds * 1000),
    scopes: tokens.scope === undefined ? null : tokens.scope.split(/\s+/).filter(Boolean),
  };
}

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
