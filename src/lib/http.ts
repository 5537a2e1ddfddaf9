import { setMaxListeners } from "node:events";
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher, EnvHttpProxyAgent } from "undici";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the headers, and again for every pause in the body. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly bytes: Buffer;
}

/** No whole answer arrived: what went wrong on the way, and how far the request came. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";

  constructor(
    cause: unknown,
    /** False when the request was certainly not written: nothing can have taken effect. */
    readonly mayBeSent: boolean,
    /** What had arrived when the answer was cut short; null before its headers. */
    readonly received: HttpReply | null,
  ) {
    super(mayBeSent ? describe(cause) : `${describe(cause)}; nothing was sent`, { cause });
  }
}

const defaultTimeoutMs = 30_000;

/** How many times the limit of one pause a whole body may take. */
const maxPauses = 4;

const maxReplyBytes = 32 * 1024 * 1024;

let opened: Dispatcher | null = null;
let proxies: { noProxy?: string } = {};

/**
 * Loads the HTTP client on first use. The whole of undici takes twice as long, for interceptors, caches and mocks; it
 * restricts no paths (package.json has no `exports`), and its version is pinned.
 */
function openHttp(): Dispatcher {
  if (opened !== null) return opened;
  const load = createRequire(import.meta.url);
  const Agent: typeof EnvHttpProxyAgent = load("undici/lib/dispatcher/env-http-proxy-agent.js");
  const Base: { readonly prototype: object } = load("undici/lib/dispatcher/dispatcher.js");
  // As the whole of undici does: a tunnel through a proxy needs `connect`.
  Object.assign(Base.prototype, load("undici/lib/api/index.js"));
  // Reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY itself; certificates are those of Node (NODE_EXTRA_CA_CERTS).
  const dispatcher = new Agent({
    ...proxies,
    connect: { timeout: defaultTimeoutMs },
    maxResponseSize: maxReplyBytes,
  });
  opened = dispatcher;
  return dispatcher;
}

function findDispatcher(): Dispatcher {
  try {
    return openHttp();
  } catch (error) {
    throw new HttpFailure(error, false, null);
  }
}

/** Sends all later requests without a proxy: only this machine can reach its loopback addresses. */
export function bypassProxies(): void {
  proxies = { noProxy: "*" };
  opened = null;
}

/**
 * Sends all later requests by this dispatcher, instead of over the network as the environment describes it, which null
 * stands for. Returns what has sent them until now.
 */
export function dispatchBy(dispatcher: Dispatcher | null): Dispatcher | null {
  const before = opened;
  opened = dispatcher;
  return before;
}

/** Sends one request once and follows no redirect. @throws {HttpFailure} when no whole answer arrives. */
export async function sendHttp(options: HttpRequest): Promise<HttpReply> {
  const { method, url, headers, body, signal = ending, timeoutMs = defaultTimeoutMs } = options;
  const dispatcher = findDispatcher();
  if (signal?.aborted) throw new HttpFailure(signal.reason, false, null);
  const chunks: Buffer[] = [];
  let head: Pick<HttpReply, "status" | "headers"> | null = null;
  const readBody = () => {
    const bytes = Buffer.concat(chunks);
    return { bytes, text: bytes.toString("utf8") };
  };
  try {
    const reply = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers,
      body: body ?? null,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(signal && { signal }),
    });
    head = { status: reply.statusCode, headers: joinHeaders(reply.headers) };
    // A body that comes drop by drop never pauses for long, and would never end either.
    const limitMs = maxPauses * timeoutMs;
    const tooSlow = new Error(`the answer had not ended ${limitMs / 1000} s after it began`);
    const timer = setTimeout(() => reply.body.destroy(tooSlow), limitMs);
    try {
      for await (const chunk of reply.body) chunks.push(chunk);
    } finally {
      clearTimeout(timer);
    }
    return { ...head, ...readBody() };
  } catch (error) {
    throw new HttpFailure(error, !isBeforeSending(error), head && { ...head, ...readBody() });
  }
}

let ending: AbortSignal | undefined;

/** After `stop`, requests under way have three seconds to end, unless their sender asked for more by a signal. */
export function giveUpRequestsAfter(stop: AbortSignal): void {
  ending = graceAfter(stop, 3000);
}

/** Waits, but no longer than requests may still be sent. */
export async function pause(ms: number): Promise<void> {
  await delay(ms, undefined, ending && { signal: ending }).catch(() => undefined);
}

/** On the clock of `performance`: a grace that is asked for later has less time left. */
const stoppedAt = new WeakMap<AbortSignal, number>();

/** A signal that is aborted `ms` milliseconds after `stop`; undefined where nothing can stop it. */
export function graceAfter(stop: AbortSignal | undefined, ms: number): AbortSignal | undefined {
  if (stop === undefined) return undefined;
  const grace = new AbortController();
  setMaxListeners(0, grace.signal);
  const start = () => {
    const since = stoppedAt.get(stop) ?? performance.now();
    stoppedAt.set(stop, since);
    const reason = new Error(`given up ${ms / 1000} s after the run was stopped`);
    setTimeout(() => grace.abort(reason), since + ms - performance.now()).unref();
  };
  if (stop.aborted) start();
  else stop.addEventListener("abort", start, { once: true });
  return grace.signal;
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Map<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return joined;
}

const certificateFault = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_|HOSTNAME_MISMATCH)/;

const handshakeFault = /before secure TLS connection|wrong version number|when HTTP Tunneling/;

function isBeforeSending(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isBeforeSending);
  const syscall = "syscall" in error ? error.syscall : null;
  const code = codeOf(error);
  return (
    syscall === "connect" ||
    syscall === "getaddrinfo" ||
    code === "UND_ERR_CONNECT_TIMEOUT" ||
    certificateFault.test(code) ||
    handshakeFault.test(error.message) ||
    isBeforeSending(error.cause)
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Refused on several addresses, it has no message of its own.
  const [first]: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  if (first !== undefined) return describe(first);
  const code = codeOf(error);
  const said = error.message || error.name;
  const told = code === "" || said.includes(code) ? said : `${said} (${code})`;
  return certificateFault.test(code)
    ? `${told}; the certificate is not trusted here: where a proxy or a company's own authority signs, name its certificate file in NODE_EXTRA_CA_CERTS`
    : told;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
