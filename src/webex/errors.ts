import * as v from "valibot";

/** What is known about a request that Webex refused or never answered. */
export interface WebexFailure {
  readonly method: string;
  /** The path without query or base: ids only, never a person's data or a secret. */
  readonly path: string;
  /** The HTTP status; null when no answer arrived. */
  readonly status: number | null;
  /** Webex's own words, or what went wrong on the way. */
  readonly detail: string;
  /** Webex's handle for support cases; null where it gave none. */
  readonly trackingId: string | null;
  readonly cause?: unknown;
}

/** A request to Webex that did not succeed: what was attempted, what came back, under which tracking id. */
export class WebexError extends Error {
  override readonly name = "WebexError";
  readonly status: number | null;
  readonly detail: string;
  readonly trackingId: string | null;
  /** How often the request may have reached Webex: after more than once an earlier attempt may have taken effect; 0 when the run was stopped before. */
  attempts = 1;
  /** Of a change: some attempt was left without a clear answer, so that it may have been made. */
  mayHaveWorked = false;

  constructor(failure: WebexFailure) {
    const answer = failure.status === null ? "no answer" : String(failure.status);
    super(`[${failure.method}] ${failure.path}: ${answer}: ${failure.detail}`, { cause: failure.cause });
    this.status = failure.status;
    this.detail = failure.detail;
    this.trackingId = failure.trackingId;
  }
}

/**
 * Webex's own words in an error body, read leniently: `errors`, `description` and `trackingId` may be missing.
 * https://developer.webex.com/docs/basics
 */
export function readErrorBody(body: unknown): { detail: string | null; trackingId: string | null } {
  if (typeof body !== "object" || body === null) return { detail: null, trackingId: null };
  const message = "message" in body && typeof body.message === "string" ? body.message : null;
  const trackingId = "trackingId" in body && typeof body.trackingId === "string" ? body.trackingId : null;
  const descriptions =
    "errors" in body && Array.isArray(body.errors) ? body.errors.flatMap(readDescription) : [];
  const parts = [message, ...descriptions].filter((part, index, all) => part && all.indexOf(part) === index);
  return { detail: parts.length > 0 ? parts.join(" ") : null, trackingId };
}

function readDescription(error: unknown): string[] {
  const described = typeof error === "object" && error !== null && "description" in error;
  return described && typeof error.description === "string" ? [error.description] : [];
}

/** What a missing or malformed `Retry-After` counts as; Webex has been seen to send `rand(30),add(30)`. */
const unreadableRetryAfterSeconds = 15;

/** Seconds to wait as a 429 or 423 reply asks, at least one. */
export function retryAfterSeconds(header: string | null): number {
  const text = header?.trim() ?? "";
  return /^\d+$/.test(text) ? Math.max(1, Number(text)) : unreadableRetryAfterSeconds;
}

/**
 * Checks a reply's shape and gives it its type.
 * @throws {WebexError} naming the place where the reply is not as documented.
 */
export function parseReply<Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
  method: string,
  path: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue) ?? "the reply";
  const detail = `the reply is not as documented: ${place}: expected ${issue.expected ?? "something else"}`;
  throw new WebexError({ method, path, status: 200, detail, trackingId: null });
}
