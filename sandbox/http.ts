import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
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

export interface ListenerOptions {
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

function send(response: ServerResponse, { reply, cut, keep = 1 }: Answer, date: number): void {
  if (cut === "at once") response.destroy();
  if (!reply) return;
  const { body } = reply;
  const isText = typeof body === "string";
  const whole = Buffer.isBuffer(body) ? body : Buffer.from(isText ? body : (JSON.stringify(body) ?? ""));
  const part = whole.subarray(0, Math.floor(whole.length * keep));
  const content = cut === "silently" ? part : whole;
  response.writeHead(reply.status, {
    date: new Date(date).toUTCString(),
    ...(content.length > 0 && {
      "content-type": Buffer.isBuffer(body)
        ? "application/zip"
        : `${isText ? "text/plain" : "application/json"}; charset=utf-8`,
      "content-length": content.length,
    }),
    ...reply.headers,
  });
  if (cut === "part way") response.write(part, () => response.destroy());
  else response.end(content);
}

function createAnswerer(half: Half, takeFaults: ListenerOptions["takeFaults"]) {
  const find = createFinder(half.routes);
  return async (
    message: IncomingMessage,
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
      const source = await text(message);
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

/** Makes the server's request listener: record, delay, fault, authorise, handle, answer. */
export function createListener(options: ListenerOptions) {
  const started = performance.now();
  let count = 0;
  const places = options.halves.flatMap((half) => {
    const answer = createAnswerer(half, options.takeFaults);
    return half.prefixes.map((prefix) => ({ half: half.name, prefix, answer }));
  });

  return async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const at = performance.now() - started;
    const url = new URL(message.url ?? "/", `http://${message.headers.host}`);
    const place = places.find(({ prefix }) => url.pathname.startsWith(`${prefix}/`));
    if (!place) {
      response.writeHead(404).end();
      return;
    }
    const { half, prefix, answer } = place;
    const { method = "GET", headers } = message;
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
        ? await answer(message, url, path, exchange, trackingId)
        : { reply: refuseAsTooMany(reception.retryAfterSeconds, trackingId) };
    const { reply, cut } = result;
    if (reply && (!cut || cut === "silently")) exchange.status = reply.status;
    if (reply && !cut && options.keepResponses) exchange.response = reply.body;
    await options.beforeAnswer(exchange);
    send(response, result, options.clock.now());
    service?.leave();
  };
}
