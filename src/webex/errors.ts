import * as v from "valibot";
import { withoutFullStop } from "../lib/text.ts";

export interface WebexFailure {
  readonly method: string;
  /** Without query or base: ids only, never a person's data or a secret. */
  readonly path: string;
  /** Null when no answer arrived. */
  readonly status: number | null;
  readonly detail: string;
  readonly trackingId: string | null;
  readonly cause?: unknown;
}

/** A request to Webex that did not succeed: what was attempted, what came back, under which tracking id. */
export class WebexError extends Error {
  override readonly name = "WebexError";
  readonly status: number | null;
  readonly detail: string;
  readonly trackingId: string | null;
  /** After more than one, an earlier attempt may have taken effect; 0 when the run was stopped before. */
  attempts = 1;
  /** Some attempt of a change got no clear answer, so that it may have taken effect. */
  mayHaveWorked = false;

  constructor(failure: WebexFailure) {
    const answer = failure.status === null ? "no answer" : String(failure.status);
    super(`[${failure.method}] ${failure.path}: ${answer}: ${withoutFullStop(failure.detail)}`, {
      cause: failure.cause,
    });
    this.status = failure.status;
    this.detail = failure.detail;
    this.trackingId = failure.trackingId;
  }
}

/** Webex's own words in an error body, of which every part may be missing. https://developer.webex.com/docs/basics */
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

/** Webex has been seen to send `rand(30),add(30)`. */
const unreadableRetryAfterSeconds = 15;

/** Seconds to wait as a 429 or 423 reply asks, at least one. */
export function retryAfterSeconds(header: string | null): number {
  const text = header?.trim() ?? "";
  return /^\d+$/.test(text) ? Math.max(1, Number(text)) : unreadableRetryAfterSeconds;
}

/** An id as Webex gives it: an empty one names nothing, and would ask for something else where it is part of an address. */
export const idSchema = v.pipe(v.string(), v.nonEmpty());

/** Gives a reply its type. @throws {WebexError} naming the place where the reply is not as documented. */
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
