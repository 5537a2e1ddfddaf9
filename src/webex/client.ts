import { STATUS_CODES } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { graceAfter, HttpFailure, sendHttp } from "../lib/http.ts";
import { parseJson } from "../lib/json.ts";
import { type AccessOptions, createAccess } from "./access.ts";
import { urlOf, type WebexAddress } from "./address.ts";
import { readErrorBody, retryAfterSeconds, WebexError } from "./errors.ts";
import { createGate, type Passage } from "./gate.ts";

export interface WebexRequest extends WebexAddress {
  readonly method: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  /** False for a write that must not be sent twice. Adding and removing a member may be: Webex answers 409 or 404. */
  readonly repeatable?: boolean;
  /** True for an answer that repeating cannot change, although its status suggests so. */
  readonly isFinal?: (error: WebexError) => boolean;
}

export interface WebexReply {
  readonly status: number;
  readonly body: unknown;
  readonly link: string | null;
}

export interface WebexClient {
  readonly baseUrl: URL;
  /** @throws {WebexError} when Webex refuses, does not answer in time, or the waiting budget is used up. */
  send(request: WebexRequest): Promise<WebexReply>;
  requestCount(): number;
}

export interface WebexClientOptions extends AccessOptions {
  readonly baseUrl: string;
  /** Once it is aborted nothing new is sent; requests under way get three seconds. */
  readonly stop?: AbortSignal;
  readonly connections?: number;
  readonly timeoutMs?: number;
  readonly attempts?: number;
  /** What the whole run may spend waiting for Webex before it gives up. */
  readonly waitBudgetMs?: number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  readonly random?: () => number;
  readonly now?: () => number;
}

/** Webex publishes no numbers; the gate finds out how many of these to use at a time. */
export const maxConnections = 64;

/** The runner kills a process ten seconds after a stop. */
const graceMs = 3000;

const waitsAsTold = new Set([423, 429]);

const passing = new Set([500, 502, 503, 504]);

/** What an overloaded service answers; null when it did not answer in time. */
const overloaded = new Set([null, 503, 504]);

/**
 * Opens a client: 429 and 423 wait as `Retry-After` says, repeatable requests are sent again after 5xx and network
 * errors, and one budget for the whole run bounds all waiting.
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
      // An empty answer may confirm a write, but never a read.
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

  function pauseMs(error: WebexError, request: WebexRequest, attempt: number): number | null {
    if (attempt >= maxAttempts || request.isFinal?.(error)) return null;
    if (error.status !== null && waitsAsTold.has(error.status)) return toldPauseMs(error);
    const isPassing = error.status === null || passing.has(error.status);
    const isRepeatable = (request.repeatable ?? request.method === "GET") || isNeverSent(error);
    return isPassing && isRepeatable ? backOffMs(attempt, random) : null;
  }

  /** Overlapping pauses of several requests count once. */
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

/** Requests of the same method on the same collection should take Webex equally long. */
function kindOf({ method, path }: WebexRequest): string {
  const [collection = "", ...rest] = path
    .replace(/^https?:\/\/[^/]+\/[^/]+|\?.*$/g, "")
    .split("/")
    .slice(1);
  return `${method} ${collection} ${rest.length}`;
}

function toldPauseMs(error: WebexError): number {
  return retryAfterSeconds(error instanceof RefusedRequest ? error.retryAfter : null) * 1000;
}

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

/** Asks without a token and expects 401; returns Webex's date, if it says one. @throws {WebexError} otherwise. https://developer.webex.com/docs/basics */
export async function pingWebex(baseUrl: string, timeoutMs = 15_000): Promise<Date | null> {
  const path = "/people/me";
  const failure = { method: "GET", path, trackingId: null };
  const url = new URL(baseUrl + path);
  const { status, headers } = await sendHttp({ method: "GET", url, headers: {}, timeoutMs }).catch(
    (cause: Error) => {
      throw new WebexError({ ...failure, status: null, detail: cause.message, cause });
    },
  );
  if (status === 401) {
    const date = new Date(headers.get("date") ?? "");
    return Number.isNaN(date.getTime()) ? null : date;
  }
  throw new WebexError({ ...failure, status, detail: "Webex would have asked for a token (401)" });
}
