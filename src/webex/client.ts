import { STATUS_CODES } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { graceAfter, HttpFailure, sendHttp } from "../lib/http.ts";
import { parseJson } from "../lib/json.ts";
import { type AccessOptions, createAccess } from "./access.ts";
import { urlOf, type WebexAddress } from "./address.ts";
import { readErrorBody, retryAfterSeconds, WebexError } from "./errors.ts";
import { createGate, type Passage } from "./gate.ts";

/** One request to Webex. */
export interface WebexRequest extends WebexAddress {
  readonly method: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  /** False for a write that must not be sent twice. Adding and removing a member may be: Webex answers 409 or 404. */
  readonly repeatable?: boolean;
  /** An answer that repeating can never mend, although its status suggests so. */
  readonly isFinal?: (error: WebexError) => boolean;
}

/** What Webex answered; `body` is parsed JSON that nobody has checked yet. */
export interface WebexReply {
  readonly status: number;
  readonly body: unknown;
  readonly link: string | null;
}

/** Sends requests to one Webex API, as many at once and as many a second as it bears. */
export interface WebexClient {
  readonly baseUrl: URL;
  /** @throws {WebexError} when Webex refuses, does not answer in time, or the waiting budget is used up. */
  send(request: WebexRequest): Promise<WebexReply>;
  /** How many requests went out so far, repeats included. */
  requestCount(): number;
}

/** The client's limits and collaborators; every default is what production uses. */
export interface WebexClientOptions extends AccessOptions {
  readonly baseUrl: string;
  /** Aborted when the run is to stop: nothing new is sent from then on; what is under way gets three seconds. */
  readonly stop?: AbortSignal;
  /** The most requests under way, however much Webex would bear. */
  readonly connections?: number;
  /** For the headers, and again for every pause in the body. */
  readonly timeoutMs?: number;
  readonly attempts?: number;
  /** What the whole run may spend waiting for Webex before it gives up. */
  readonly waitBudgetMs?: number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  readonly random?: () => number;
  /** A clock in milliseconds that only goes forward. */
  readonly now?: () => number;
}

/** Webex publishes no numbers; how many of these are used at a time, the gate finds out. */
export const maxConnections = 64;

/** What is under way at a stop has this long to end: the runner kills the process after ten seconds. */
const graceMs = 3000;

const waitsAsTold = new Set([423, 429]);

const passing = new Set([500, 502, 503, 504]);

/** What a service answers that has too much to do; no answer in time (null) says the same. */
const overloaded = new Set([null, 503, 504]);

/**
 * Opens a client. 429 and 423 wait as `Retry-After` says; repeatable requests are also
 * sent again after 5xx and network errors, with jittered back-off; a budget for the whole run bounds all waiting.
 * https://developer.webex.com/docs/basics and https://developer.webex.com/blog/rate-limiting-and-the-webex-api
 */
export function createWebexClient(options: WebexClientOptions): WebexClient {
  const baseUrl = new URL(options.baseUrl);
  const prefix = baseUrl.pathname.replace(/\/+$/, "");
  const sleep = options.sleep ?? ((ms, signal) => delay(ms, undefined, signal ? { signal } : {}));
  const random = options.random ?? Math.random;
  const now = options.now ?? (() => performance.now());
  const maxAttempts = options.attempts ?? 5;
  const connections = options.connections ?? maxConnections;
  const budgetMs = options.waitBudgetMs ?? 10 * 60_000;
  const grace = graceAfter(options.stop, graceMs);
  const gate = createGate({ max: connections, now, sleep, stop: options.stop });
  const access = createAccess(options);
  let requestCount = 0;
  let waitedMs = 0;
  let waitsUntil = 0;

  async function sendOnce(request: WebexRequest, token: string): Promise<WebexReply> {
    const url = urlOf(baseUrl, request);
    const failure = { method: request.method, path: url.pathname.slice(prefix.length) };
    requestCount += 1;
    const body = request.body === undefined ? null : JSON.stringify(request.body);
    const reply = await sendHttp({
      method: request.method,
      // Whatever a path or a next page says: the token goes to the API's own origin only.
      url: new URL(url.pathname + url.search, baseUrl.origin),
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        ...(body !== null && { "content-type": "application/json" }),
      },
      ...(body !== null && { body }),
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
      ...(grace && { signal: grace }),
    }).catch((cause: Error) => {
      throw new WebexError({ ...failure, status: null, detail: cause.message, trackingId: null, cause });
    });
    const { status, headers, text } = reply;
    const parsed = parseJson(text);
    if (status >= 200 && status < 300) {
      // A reading that says nothing is no answer; a write may well be answered by its status alone.
      if (parsed !== undefined || (text === "" && request.method !== "GET")) {
        return { status, body: text && parsed, link: headers.get("link") ?? null };
      }
      const type = headers.get("content-type") ?? "no content type";
      const detail = `the reply was cut short or is not JSON (${status}, ${type})`;
      throw new WebexError({
        ...failure,
        status: null,
        detail,
        trackingId: headers.get("trackingid") ?? null,
      });
    }
    const said = readErrorBody(parsed);
    throw new RefusedRequest(headers.get("retry-after") ?? null, {
      ...failure,
      status,
      detail: said.detail ?? STATUS_CODES[status] ?? "unknown status",
      trackingId: said.trackingId ?? headers.get("trackingid") ?? null,
    });
  }

  /** The pause before the next attempt, or null when there must be none. */
  function pauseMs(error: WebexError, request: WebexRequest, attempt: number): number | null {
    if (attempt >= maxAttempts || request.isFinal?.(error)) return null;
    if (error.status !== null && waitsAsTold.has(error.status)) return toldPauseMs(error);
    const isPassing = error.status === null || passing.has(error.status);
    const isRepeatable = (request.repeatable ?? request.method === "GET") || isNeverSent(error);
    return isPassing && isRepeatable ? backOffMs(attempt, random) : null;
  }

  /** Adds a pause to what the run has waited; where the pauses of several requests overlap, they count once. */
  function countWait(pause: number): void {
    const start = Math.max(now(), waitsUntil);
    waitsUntil = Math.max(waitsUntil, now() + pause);
    waitedMs += waitsUntil - start;
  }

  async function sendUntilAnswered(
    request: WebexRequest,
    token: string,
    passage: Passage,
  ): Promise<WebexReply> {
    if (options.stop?.aborted) throw stopped(request);
    let sent = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await sendOnce(request, token);
        passage.answered(kindOf(request));
        return reply;
      } catch (error) {
        if (!(error instanceof WebexError)) throw error;
        if (!isNeverSent(error)) sent += 1;
        error.attempts = Math.max(1, sent);
        const pause = pauseMs(error, request, attempt);
        if (pause !== null) countWait(pause);
        if (pause !== null && waitedMs > budgetMs) throw outOfBudget(error, budgetMs);
        if (error.status === 429) passage.refused(toldPauseMs(error));
        else if (overloaded.has(error.status)) passage.overloaded();
        else passage.answered(kindOf(request));
        if (pause === null) throw error;
        // The gate makes the pause after a 429, for all requests at once.
        if (error.status !== 429) await sleep(pause, options.stop).catch(() => undefined);
        await passage.again();
        // Not the same as never sent: the request may have taken effect.
        if (options.stop?.aborted) throw giveUp(error, "not repeated, because the run was stopped");
      }
    }
  }

  return {
    baseUrl,
    requestCount: () => requestCount,
    send: (request) =>
      gate.run((passage) => access.use((token) => sendUntilAnswered(request, token, passage))),
  };
}

/** Requests that should take Webex equally long: the same method on the same collection. */
function kindOf({ method, path }: WebexRequest): string {
  const [collection = "", ...rest] = path
    .replace(/^https?:\/\/[^/]+\/[^/]+|\?.*$/g, "")
    .split("/")
    .slice(1);
  return `${method} ${collection} ${rest.length}`;
}

/** How long a 429 or 423 tells to wait. */
function toldPauseMs(error: WebexError): number {
  return retryAfterSeconds(error instanceof RefusedRequest ? error.retryAfter : null) * 1000;
}

/** A refusal with the header that says how long to wait. */
class RefusedRequest extends WebexError {
  constructor(
    readonly retryAfter: string | null,
    failure: ConstructorParameters<typeof WebexError>[0],
  ) {
    super(failure);
  }
}

/** 1, 2, 4, 8 seconds, each shortened by up to half so that clients do not march in step. */
function backOffMs(attempt: number, random: () => number): number {
  return 1000 * 2 ** (attempt - 1) * (1 - random() / 2);
}

function isNeverSent({ cause }: WebexError): boolean {
  return cause instanceof HttpFailure && !cause.mayBeSent;
}

function stopped(request: WebexRequest): WebexError {
  const detail = "not sent, because the run was stopped";
  const { method, path } = request;
  const error = new WebexError({ method, path, status: null, detail, trackingId: null });
  error.attempts = 0;
  return error;
}

function outOfBudget(error: WebexError, budgetMs: number): WebexError {
  const limit = `this run waits ${budgetMs / 1000} s for Webex at most, and that would be exceeded`;
  return giveUp(error, `given up: ${limit}. Run it again later`);
}

function giveUp(error: WebexError, reason: string): WebexError {
  error.message += `; ${reason}`;
  return error;
}

/**
 * Asks Webex without a token, which it refuses with 401: whoever says so is reachable, and no token was spent.
 * https://developer.webex.com/docs/basics
 * @throws {WebexError} when nothing answers, or something else does.
 */
export async function pingWebex(baseUrl: string, timeoutMs = 15_000): Promise<void> {
  const path = "/people/me";
  const failure = { method: "GET", path, trackingId: null };
  const url = new URL(baseUrl + path);
  const { status } = await sendHttp({ method: "GET", url, headers: {}, timeoutMs }).catch((cause: Error) => {
    throw new WebexError({ ...failure, status: null, detail: cause.message, cause });
  });
  if (status === 401) return;
  throw new WebexError({ ...failure, status, detail: "Webex would have asked for a token (401)" });
}
