import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "./clock.ts";
import { type Answer, answerFaulty, type Met } from "./faults.ts";
import { type ApiRequest, createFinder, Refusal, type Reply, type Routes } from "./router.ts";
import type { Service } from "./service.ts";

export interface Half {
  readonly name: "webex" | "github" | "xml";
  /** What its addresses begin with. */
  readonly prefixes: readonly string[];
  readonly routes: Routes;
  /** Takes every body as a text, whatever it is called. */
  readonly readsTexts?: boolean;
  authorise(request: ApiRequest, route: string): void;
  headers(trackingId: string, route: string): Readonly<Record<string, string>>;
  errorBody(refusal: Refusal, trackingId: string): unknown;
}

export interface Exchange {
  /** The first is 1. */
  readonly number: number;
  /** Milliseconds since the sandbox started. */
  readonly at: number;
  readonly half: Half["name"];
  readonly method: string;
  /** Without the half's prefix, with the query. */
  readonly path: string;
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** Undefined until the answer is sent, and for good when none was. */
  readonly status?: number;
  readonly response?: unknown;
}

export interface ReceiverOptions {
  readonly halves: readonly Half[];
  readonly latencyMs: number;
  readonly service?: Service | undefined;
  readonly keepResponses: boolean;
  readonly takeFaults: (route: string, request: ApiRequest) => Met;
  readonly clock: Clock;
  readonly record: (exchange: Exchange) => void;
  /** Called when a request has been handled; its answer leaves only after that. */
  readonly beforeAnswer: (exchange: Exchange) => Promise<void>;
}

type Recording = { -readonly [Field in keyof Exchange]: Exchange[Field] };

function parseBody(type: string, source: string): unknown {
  if (source === "") return undefined;
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return Object.fromEntries(new URLSearchParams(source));
  }
  if (!type.startsWith("application/json")) throw new Refusal(415, "Unsupported Media Type");
  try {
    return JSON.parse(source);
  } catch {
    throw new Refusal(400, "The request body is not valid JSON.");
  }
}

const nothing = new Uint8Array();

function depart({ reply, cut, keep = 1 }: Answer, date: number): Departure {
  if (!reply) return { head: null, content: nothing, isCut: cut === "at once" };
  const { body } = reply;
  const isText = typeof body === "string";
  const whole = Buffer.isBuffer(body) ? body : Buffer.from(isText ? body : (JSON.stringify(body) ?? ""));
  const part = whole.subarray(0, Math.floor(whole.length * keep));
  const length = cut === "silently" ? part.length : whole.length;
  const headers = {
    date: new Date(date).toUTCString(),
    ...(length > 0 && {
      "content-type": Buffer.isBuffer(body)
        ? "application/zip"
        : `${isText ? "text/plain" : "application/json"}; charset=utf-8`,
      "content-length": length,
    }),
    ...reply.headers,
  };
  const isCut = cut === "part way";
  return { head: { status: reply.status, headers }, content: isCut || cut ? part : whole, isCut };
}

function createAnswerer(half: Half, takeFaults: ReceiverOptions["takeFaults"]) {
  const find = createFinder(half.routes);
  return async (
    readBody: Arrival["readBody"],
    url: URL,
    path: string,
    exchange: Recording,
    trackingId: string,
  ): Promise<Answer> => {
    const headersOf = () => half.headers(trackingId, exchange.route);
    const refuse = (refusal: Refusal): Reply => ({
      status: refusal.status,
      headers: { ...headersOf(), ...refusal.headers },
      body: half.errorBody(refusal, trackingId),
    });
    const orRefuse = (error: unknown): Reply =>
      refuse(error instanceof Refusal ? error : new Refusal(500, `The sandbox failed: ${error}`));

    const { number, method, headers } = exchange;
    try {
      const source = await readBody();
      exchange.body = half.readsTexts ? source : parseBody(headers["content-type"] ?? "", source);
      const { route, handler, parameters } = find(method, path);
      exchange.route = route;
      const request = { number, method, url, parameters, headers, body: exchange.body };
      const handle = async (): Promise<Reply> => {
        try {
          half.authorise(request, route);
          const reply = await handler(request);
          return { ...reply, headers: { ...headersOf(), ...reply.headers } };
        } catch (error) {
          return orRefuse(error);
        }
      };
      const { changes, answering } = takeFaults(route, request);
      for (const { changeBefore } of changes) changeBefore?.();
      const answer = answering
        ? await answerFaulty(answering, request, handle, refuse)
        : { reply: await handle() };
      for (const { changeAfter } of changes) changeAfter?.();
      return answer;
    } catch (error) {
      return { reply: orRefuse(error) };
    }
  };
}

function refuseAsTooMany(seconds: number, trackingId: string): Reply {
  return {
    status: 429,
    headers: { "retry-after": String(seconds), trackingid: trackingId },
    body: { message: "Too Many Requests", trackingId },
  };
}

/** A request as it arrives, by whatever way. */
export interface Arrival {
  readonly method: string;
  /** Where it was sent, without a path. */
  readonly origin: string;
  /** The path with the query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readBody(): Promise<string>;
}

/** What leaves the server, byte for byte; no head is a connection that is cut, or a request that hangs. */
export interface Departure {
  readonly head: { readonly status: number; readonly headers: OutgoingHttpHeaders } | null;
  readonly content: Uint8Array;
  /** The connection is cut: before anything is sent, or after the content. */
  readonly isCut: boolean;
}

/** Makes the server's request listener. */
export function createListener(receive: (arrival: Arrival) => Promise<Departure>) {
  return async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "GET", url: target = "/", headers } = message;
    const origin = `http://${headers.host}`;
    const readBody = () => text(message);
    const { head, content, isCut } = await receive({ method, origin, target, headers, readBody });
    if (head === null) {
      if (isCut) response.destroy();
      return;
    }
    response.writeHead(head.status, head.headers);
    if (isCut) response.write(content, () => response.destroy());
    else response.end(content);
  };
}

/** Makes what takes every request: record, delay, fault, authorise, handle, answer. */
export function createReceiver(options: ReceiverOptions): (arrival: Arrival) => Promise<Departure> {
  const started = performance.now();
  let count = 0;
  const places = options.halves.flatMap((half) => {
    const answer = createAnswerer(half, options.takeFaults);
    return half.prefixes.map((prefix) => ({ half: half.name, prefix, answer }));
  });

  return async ({ method, origin, target, headers, readBody }) => {
    const at = performance.now() - started;
    const url = new URL(target, origin);
    const place = places.find(({ prefix }) => url.pathname.startsWith(`${prefix}/`));
    if (!place) return { head: { status: 404, headers: {} }, content: nothing, isCut: false };
    const { half, prefix, answer } = place;
    const path = url.pathname.slice(prefix.length);
    count += 1;
    const exchange: Recording = {
      number: count,
      at,
      half,
      method,
      path: path + url.search,
      route: "",
      headers,
      body: undefined,
    };
    options.record(exchange);
    const trackingId = `SANDBOX_${count}`;

    const service = half === "webex" ? options.service : undefined;
    const reception = service?.arrive(performance.now());
    const delayMs = options.latencyMs + (reception?.delayMs ?? 0);
    if (delayMs > 0) await delay(delayMs);
    const result: Answer =
      reception?.retryAfterSeconds === undefined
        ? await answer(readBody, url, path, exchange, trackingId)
        : { reply: refuseAsTooMany(reception.retryAfterSeconds, trackingId) };
    const { reply, cut } = result;
    if (reply && (!cut || cut === "silently")) exchange.status = reply.status;
    if (reply && !cut && options.keepResponses) exchange.response = reply.body;
    await options.beforeAnswer(exchange);
    service?.leave();
    return depart(result, options.clock.now());
  };
}
