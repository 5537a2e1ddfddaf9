import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { graceAfter, HttpFailure, type HttpReply, sendHttp } from "../lib/http.ts";
import { parseJson } from "../lib/json.ts";
import type { IssuedTokens, RefreshedTokens, TokenIssuer } from "../token/rotate.ts";
import { parseReply, readErrorBody, retryAfterSeconds, WebexError } from "./errors.ts";

export interface ClientIdentity {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeoutMs?: number;
}

export interface FormRequest {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The device grant wants the client in an HTTP Basic header, all others in the form. */
  readonly clientIn: "form" | "header";
  readonly signal?: AbortSignal;
}

/** `date` is Webex's clock in ms. */
export interface FormReply {
  readonly body: unknown;
  readonly date: number;
}

/** A refusal of the authorization server; `error` is OAuth's code (RFC 6749, section 5.2), "" without one. */
export class GrantError extends WebexError {
  constructor(
    readonly error: string,
    readonly retryAfter: string | null,
    failure: ConstructorParameters<typeof WebexError>[0],
  ) {
    super(failure);
  }

  /** Webex refuses the integration's id or secret, which says nothing of the refresh token. */
  get refusesClient(): boolean {
    return /(invalid|unauthorized)_client/i.test(this.error);
  }

  get refusesToken(): boolean {
    const isAboutForm = /invalid_request|unsupported_grant_type/i.test(this.error);
    return (this.status === 400 || this.status === 401) && !this.refusesClient && !isAboutForm;
  }
}

// Lenient: the refresh token may be spent by now, and nothing odd may lose its successor.
const tokensSchema = v.object({
  access_token: v.fallback(v.optional(v.string()), undefined),
  refresh_token: v.nullish(v.string()),
  // Within a century: what is no date would end the run.
  refresh_token_expires_in: v.fallback(
    v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100 * 365 * 24 * 60 * 60))),
    undefined,
  ),
  scope: v.fallback(v.optional(v.string()), undefined),
});

const refusalSchema = v.object({ error: v.string(), error_description: v.optional(v.string()) });

/** Posts a form once. @throws {GrantError} on refusal, {WebexError}. https://developer.webex.com/docs/integrations */
export async function postForm(
  client: ClientIdentity,
  { path, fields, clientIn, signal }: FormRequest,
): Promise<FormReply> {
  const { clientId, clientSecret, timeoutMs } = client;
  const form = {
    ...fields,
    ...(clientIn === "form" && { client_id: clientId, client_secret: clientSecret }),
  };
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString("base64");
  const { status, headers, text } = await sendHttp({
    method: "POST",
    url: new URL(client.baseUrl + path),
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      ...(clientIn === "header" && { authorization: `Basic ${basic}` }),
    },
    body: new URLSearchParams(form).toString(),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(signal && { signal }),
  }).catch((error: HttpFailure) => orWhatArrived(error, path));
  // Webex's clock, not ours: a wrong clock here would warn too late.
  const date = Date.parse(headers.get("date") ?? "") || Date.now();
  const body = parseJson(text) ?? (status === 200 ? readWholeTokens(text) : undefined);
  if (status === 200) return { body, date };
  const refusal = v.safeParse(refusalSchema, body);
  const { error, error_description } = refusal.success
    ? refusal.output
    : { error: "", error_description: undefined };
  const said = readErrorBody(body);
  const detail = [error || (said.detail ?? "no reason given"), error_description].filter(Boolean).join(": ");
  throw new GrantError(error || (said.detail ?? ""), headers.get("retry-after") ?? null, {
    method: "POST",
    path,
    status,
    detail,
    trackingId: said.trackingId ?? headers.get("trackingid") ?? null,
  });
}

function orWhatArrived(error: HttpFailure, path: string): HttpReply {
  const { received } = error;
  if (received?.status === 200 && readWholeTokens(received.text) !== undefined) return received;
  throw new WebexError({
    method: "POST",
    path,
    status: null,
    detail: error.message,
    trackingId: null,
    cause: error,
  });
}

/** The refresh token in an answer that is cut short may be the only one that still works. */
function readWholeTokens(text: string): object | undefined {
  const read = (name: string) => {
    const [, value] = new RegExp(`"${name}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(text) ?? [];
    return value === undefined ? undefined : parseJson(value);
  };
  const [access_token, refresh_token] = [read("access_token"), read("refresh_token")];
  return refresh_token === undefined ? undefined : { access_token, refresh_token };
}

/** Reads an answer with tokens. @throws {WebexError} when it is not as documented. */
export function readTokens(reply: FormReply, path: string): IssuedTokens {
  const { accessToken, ...tokens } = readWhatIsLeft(reply, path);
  if (accessToken === null) throw lackingToken(path, "access token");
  return { accessToken, ...tokens };
}

/** A refresh token without an access token is worth keeping. */
function readWhatIsLeft({ body, date }: FormReply, path: string): RefreshedTokens {
  const tokens = parseReply(tokensSchema, body, "POST", path);
  const expirySeconds = tokens.refresh_token_expires_in;
  const [accessToken, refreshToken] = [tokens.access_token || null, tokens.refresh_token || null];
  if (accessToken === null && refreshToken === null) throw lackingToken(path, "token");
  return {
    accessToken,
    refreshToken,
    refreshTokenExpiresAt: expirySeconds === undefined ? null : new Date(date + expirySeconds * 1000),
    scopes: tokens.scope === undefined ? null : tokens.scope.split(/\s+/).filter(Boolean),
  };
}

function lackingToken(path: string, what: string): WebexError {
  const detail = `the reply is not as documented: it holds no ${what}`;
  return new WebexError({ method: "POST", path, status: 200, detail, trackingId: null });
}

export interface IssuerOptions extends ClientIdentity {
  readonly sleep?: (ms: number, stop?: AbortSignal) => Promise<unknown>;
}

const path = "/access_token";

const attempts = 4;

/** A run that has not begun may as well be run again later. */
const longestPauseMs = 60_000;

/** Statuses with which Webex says that it did nothing yet. */
const notNow = new Set([429, 500, 502, 503, 504]);

/** Losing the answer may lose the token, but the runner kills the process soon after a stop. */
const graceMs = 4500;

/**
 * Exchanges refresh tokens; repeats only when Webex did nothing or was never reached: after a timeout the token may be
 * spent. https://developer.webex.com/docs/integrations
 */
export function createTokenIssuer(options: IssuerOptions): TokenIssuer {
  const sleep = options.sleep ?? ((ms, stop) => delay(ms, undefined, stop ? { signal: stop } : {}));
  return {
    async refresh(refreshToken, stop) {
      const fields = { grant_type: "refresh_token", refresh_token: refreshToken };
      const signal = graceAfter(stop, graceMs);
      const form = { path, fields, clientIn: "form", ...(signal && { signal }) } as const;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return readWhatIsLeft(await postForm(options, form), path);
        } catch (error) {
          if (!(error instanceof WebexError)) throw error;
          const isOver = attempt === attempts || askedPauseMs(error) > longestPauseMs;
          if (isOver || !mayRepeat(error)) throw advise(error);
          await sleep(Math.max(1000 * 2 ** (attempt - 1), askedPauseMs(error)), stop).catch(() => undefined);
          if (stop?.aborted) throw advise(error);
        }
      }
    },
  };
}

function askedPauseMs(error: WebexError): number {
  const isTold = error instanceof GrantError && error.status === 429 && error.retryAfter !== null;
  return isTold ? retryAfterSeconds(error.retryAfter) * 1000 : 0;
}

function mayRepeat(error: WebexError): boolean {
  if (error.status !== null) return notNow.has(error.status);
  return isNotReached(error);
}

function isNotReached({ cause }: WebexError): boolean {
  return cause instanceof HttpFailure && !cause.mayBeSent;
}

function advise(error: WebexError): WebexError {
  error.message = error.message.replace(/\.$/, "") + adviceFor(error);
  return error;
}

function adviceFor(error: WebexError): string {
  const { status } = error;
  if (error instanceof GrantError && (status === 400 || status === 401)) {
    const left = "The stored refresh token was left as it is";
    return error.refusesClient
      ? `. Webex does not accept the integration: check WEBEX_CLIENT_ID and WEBEX_CLIENT_SECRET (developer.webex.com, My Apps). ${left}`
      : `. ${left}${error.refusesToken ? ". Log in again (npm run login)" : ""}`;
  }
  // A redirect, or a gateway's error, comes from something that may have asked Webex before.
  const isUnclear =
    status === null ? !isNotReached(error) : status < 400 || (status >= 500 && !notNow.has(status));
  if (isUnclear)
    return "; not repeated, because Webex may have spent the refresh token. Run again: if Webex then refuses it, log in again (npm run login)";
  return ". Nothing was changed; run again later";
}
