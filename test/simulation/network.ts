import type { IncomingHttpHeaders } from "node:http";
import { Dispatcher, errors } from "undici";
import type { Arrival, Departure } from "../../sandbox/http.ts";
import type { Machine } from "./machine.ts";

/** Where requests arrive; how long they and their answers are on the way is drawn. */
export interface Route {
  readonly machine: Machine;
  readonly random: () => number;
  receive(arrival: Arrival): Promise<Departure>;
}

const defaultTimeoutMs = 30_000;

/** Hands the requests of the product to a sandbox in the same process, after a while, and brings back the answers. */
export class VirtualNetwork extends Dispatcher {
  readonly #route: () => Route;

  constructor(route: () => Route) {
    super();
    this.#route = route;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { machine, random, receive } = this.#route();
    const { process } = machine;
    let isOver = false;
    const end = (finish: () => void) => {
      if (isOver) return;
      isOver = true;
      waiting.cancel();
      finish();
    };
    const fail = (error: Error) => end(() => handler.onError?.(error));
    const abort = (reason?: Error) => fail(reason ?? new errors.RequestAbortedError());
    const waiting = machine.plan(options.headersTimeout ?? defaultTimeoutMs, process, () =>
      fail(new errors.HeadersTimeoutError()),
    );
    // As long as an answer is being made, it comes.
    waiting.setAwaited(false);
    handler.onConnect?.(abort);
    if (isOver) return true;

    const deliver = ({ head, content, isCut }: Departure) => {
      const cut = () => fail(new errors.SocketError("other side closed"));
      if (head === null) return isCut ? cut() : undefined;
      if (isOver) return;
      const headers = Object.entries(head.headers).flatMap(([name, value]) => [
        Buffer.from(name),
        Buffer.from(String(value)),
      ]);
      handler.onHeaders?.(head.status, headers, () => undefined, "");
      if (content.length > 0) handler.onData?.(Buffer.from(content));
      if (isCut) cut();
      else end(() => handler.onComplete?.([]));
    };
    // Once sent, a request arrives, whatever becomes of its sender.
    machine.plan(drawDelay(random), null, () => {
      const { body } = options;
      const arrival: Arrival = {
        method: options.method,
        origin: String(options.origin),
        target: options.path,
        headers: readHeaders(options.headers, String(options.origin)),
        readBody: async () => (typeof body === "string" ? body : ""),
      };
      receive(arrival).then((departure) => {
        waiting.setAwaited(true);
        machine.plan(drawDelay(random), process, () => deliver(departure));
      });
    });
    return true;
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  override destroy(): Promise<void> {
    return Promise.resolve();
  }
}

/** Milliseconds: mostly few, now and then so many that others overtake. */
function drawDelay(random: () => number): number {
  const drawn = random();
  return drawn < 0.03 ? 1 + 4000 * random() : 1 + 80 * drawn * drawn;
}

function readHeaders(headers: Dispatcher.DispatchOptions["headers"], origin: string): IncomingHttpHeaders {
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { host: new URL(origin).host, ...Object.fromEntries(entries) };
}
