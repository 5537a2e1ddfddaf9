import { setTimeout as delay } from "node:timers/promises";
import { graceAfter, HttpFailure, sendHttp } from "../lib/http.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { errorMessage } from "../lib/text.ts";
import { retryAfterSeconds, WebexError } from "./errors.ts";
import { buildMessage, childOf, element, parseDocument, textOf, type Xml } from "./xml.ts";

export interface XmlRequest {
  readonly operation: "GetUser" | "SetUser" | "LstsummaryUser";
  readonly content: readonly Xml[];
}

export interface XmlClient {
  /** The unchecked `bodyContent`. @throws {XmlFailure} for FAILURE, {WebexError} when no answer is of use. */
  send(request: XmlRequest): Promise<unknown>;
}

export interface XmlClientOptions {
  readonly url: string;
  readonly siteName: string;
  /** The token owner's e-mail address on sites that Control Hub manages. */
  readonly webExId: string;
  readonly accessToken: string;
  /** Gets the session ticket before its first use. */
  readonly mask: (secret: string) => void;
  readonly stop?: AbortSignal;
  readonly timeoutMs?: number;
  readonly maxWaits?: number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

const graceMs = 3000;

/** https://developer.cisco.com/docs/webex-meetings/xml-api-9-0-sp5-1-release-notes */
const rateLimit = { exceptionId: "000045", waitMs: 60_000 };

const maxPauseMs = 10 * 60_000;

const transientId = "000035";

const attempts = 4;

/** Opens a client for a spark:all token. https://developer.cisco.com/docs/webex-xml-api-reference-guide/ */
export function createXmlClient(options: XmlClientOptions): XmlClient {
  const url = new URL(options.url);
  const sleep = options.sleep ?? ((ms, signal) => delay(ms, undefined, signal ? { signal } : {}));
  const grace = graceAfter(options.stop, graceMs);
  // One at a time: one session, one renewal, and a rate limit that nobody publishes.
  const semaphore = createSemaphore(1);
  let waitsLeft = options.maxWaits ?? 10;
  let ticket: string | null = null;

  async function sendOnce(operation: string, credential: readonly Xml[], content: readonly Xml[]) {
    const user = [element("siteName", options.siteName), element("webExID", options.webExId)];
    const body = buildMessage(operation, [...user, ...credential], content);
    const { status, text, headers } = await sendHttp({
      method: "POST",
      url,
      headers: { "content-type": "text/xml; charset=UTF-8", accept: "text/xml" },
      body,
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
      ...(grace && { signal: grace }),
    }).catch((error: Error) => {
      throw fail(operation, null, error.message, error);
    });
    if (status === 429) {
      const pauseMs = retryAfterSeconds(headers.get("retry-after") ?? null) * 1000;
      throw new LimitedRequest(operation, pauseMs);
    }
    if (status !== 200) throw fail(operation, status, "the XML API did not answer the request");
    return readReply(operation, text);
  }

  /** The rate limit says that nothing was done, so waiting it out is safe for writes too. */
  async function sendPatiently<T>(operation: string, send: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; ) {
      if (options.stop?.aborted) throw fail(operation, null, "not sent, because the run was stopped");
      try {
        return await send();
      } catch (error) {
        const askedMs = askedPauseMs(error);
        const isRepeatable = operation !== "SetUser" || isNeverSent(error);
        if (askedMs !== null && askedMs <= maxPauseMs && waitsLeft > 0) waitsLeft -= 1;
        else if (askedMs !== null || attempt === attempts || !isRepeatable || !isPassing(error)) throw error;
        else attempt += 1;
        await sleep(askedMs ?? 1000 * 2 ** (attempt - 2), options.stop).catch(() => undefined);
      }
    }
  }

  /** https://developer.cisco.com/docs/webex-xml-api-reference-guide/authenticateuser */
  async function authenticate(): Promise<string> {
    const operation = "AuthenticateUser";
    const content = [element("accessToken", options.accessToken)];
    const body = await sendPatiently(operation, () => sendOnce(operation, [], content));
    const issued = textOf(body, "sessionTicket");
    if (!issued) throw fail(operation, 200, "the reply holds no session ticket");
    options.mask(issued);
    return issued;
  }

  async function sendInSession({ operation, content }: XmlRequest): Promise<unknown> {
    for (let isRenewed = false; ; isRenewed = true) {
      ticket ??= await authenticate();
      const credential = [element("sessionTicket", ticket)];
      try {
        return await sendPatiently(operation, () => sendOnce(operation, credential, content));
      } catch (error) {
        if (isRenewed || !(error instanceof XmlFailure) || !error.mayBeDeadTicket) throw error;
        ticket = null;
      }
    }
  }

  return { send: (request) => semaphore.run(() => sendInSession(request)) };
}

const maxDetail = 300;

/** Only SUCCESS is success, whatever the HTTP status. */
function readReply(operation: string, text: string): unknown {
  let message: unknown;
  try {
    message = childOf(parseDocument(text), "message");
  } catch (error) {
    // The parser repeats what it stumbles over, however long.
    throw fail(operation, 200, errorMessage(error).slice(0, maxDetail));
  }
  const response = childOf(message, "header", "response");
  const verdict = textOf(response, "result");
  if (verdict === "SUCCESS") return childOf(message, "body", "bodyContent");
  if (verdict !== "FAILURE") {
    throw fail(operation, 200, "the reply is not as documented: it says neither SUCCESS nor FAILURE");
  }
  const reason = textOf(response, "reason")?.slice(0, maxDetail) || "no reason given";
  throw new XmlFailure(operation, textOf(response, "exceptionID") ?? "without an exception id", reason);
}

class LimitedRequest extends WebexError {
  constructor(
    operation: string,
    readonly pauseMs: number,
  ) {
    const detail = "the rate limit is reached; run again later";
    super({ method: "POST", path: `XML ${operation}`, status: 429, detail, trackingId: null });
  }
}

/** What the API asks to wait, having done nothing; null where it asks for nothing. */
function askedPauseMs(error: unknown): number | null {
  if (error instanceof LimitedRequest) return error.pauseMs;
  const isLimited = error instanceof XmlFailure && error.exceptionId === rateLimit.exceptionId;
  return isLimited ? rateLimit.waitMs : null;
}

function isNeverSent(error: unknown): boolean {
  return error instanceof WebexError && error.cause instanceof HttpFailure && !error.cause.mayBeSent;
}

function isPassing(error: unknown): boolean {
  if (error instanceof XmlFailure) return error.exceptionId === transientId;
  return error instanceof WebexError && (error.status === null || error.status >= 500);
}

function fail(operation: string, status: number | null, detail: string, cause?: unknown): WebexError {
  return new WebexError({
    method: "POST",
    path: `XML ${operation}`,
    status,
    detail,
    trackingId: null,
    cause,
  });
}

const meanings: Readonly<Record<string, string>> = {
  "000001": "access denied: the token's owner must be administrator of the site",
  "000015": "no such record",
  "000035": "the service behind the XML API does not respond; run again later",
  "000045": "the rate limit is reached; run again later",
  "030001": "the site has no such user",
  "030002":
    "wrong user or credential: the token needs the scope spark:all, and its owner an account on the site",
  "060019": "the host is unknown",
  "060021": "the token's owner may not schedule for this host",
};

/** The XML API answered FAILURE, which it does inside of HTTP 200. */
export class XmlFailure extends WebexError {
  /** Decides what the failure means; the reason is for people and may change. */
  readonly exceptionId: string;

  constructor(operation: string, exceptionId: string, reason: string) {
    const meaning = meanings[exceptionId];
    const detail = `FAILURE ${exceptionId}: ${reason}${meaning ? ` (${meaning})` : ""}`;
    super({ method: "POST", path: `XML ${operation}`, status: 200, detail, trackingId: null });
    this.exceptionId = exceptionId;
  }

  /** Nobody documents the failure of a dead ticket, so any id without a known meaning may be it. */
  get mayBeDeadTicket(): boolean {
    return this.exceptionId === "030002" || !Object.hasOwn(meanings, this.exceptionId);
  }
}
