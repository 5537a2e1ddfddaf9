import * as v from "valibot";
import { parseJson } from "../lib/json.ts";
import type { IssuedTokens } from "../token/rotate.ts";
import { readErrorBody, WebexError } from "./errors.ts";
import { parseReply } from "./parse.ts";

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
  const lifeSeconds = tokens.refresh_token_expires_in;
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token || null,
    refreshTokenExpiresAt: lifeSeconds === undefined ? null : new Date(date + lifeSeconds * 1000),
    scopes: tokens.scope === undefined ? null : tokens.scope.split(/\s+/).filter(Boolean),
  };
}
