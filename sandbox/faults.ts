import { STATUS_CODES } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiRequest, Refusal, type Reply } from "./router.ts";

/** Something that goes wrong on one route; without any effect named, the answer is a 500. */
export interface Fault {
  /** Method and pattern, such as `PUT /memberships/{membershipId}`. */
  readonly route: string;
  /** How many requests it meets. Default: 1. */
  readonly times?: number;
  /** How many requests it lets pass first. Default: 0. */
  readonly after?: number;
  /** Meets only requests for which this is true. */
  readonly match?: (request: ApiRequest) => boolean;
  /** Answers this instead of handling the request. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the body that the API gives with such a status. */
  readonly body?: unknown;
  /** Waits before anything else. */
  readonly delayMs?: number;
  /** Cuts the connection before the request is handled. */
  readonly drop?: boolean;
  /** Handles the request, then cuts the connection without an answer. */
  readonly dropAfter?: boolean;
  /** Never answers. */
  readonly hang?: boolean;
  /** Handles the request, sends half of the answer's body and cuts the connection. */
  readonly truncate?: boolean;
}

/** Keeps the declared faults and hands each out as often as it was declared for. */
export function createFaults() {
  const declared: { fault: Fault; pass: number; left: number }[] = [];
  return {
    declare(fault: Fault): void {
      declared.push({ fault, pass: fault.after ?? 0, left: fault.times ?? 1 });
    },
    /** The fault that this request meets: the first declared one that has not been used up. */
    take(route: string, request: ApiRequest): Fault | undefined {
      for (const entry of declared) {
        const { fault } = entry;
        if (fault.route !== route || entry.left === 0 || fault.match?.(request) === false) continue;
        if (entry.pass > 0) {
          entry.pass -= 1;
          continue;
        }
        entry.left -= 1;
        return fault;
      }
      return undefined;
    },
  };
}

/** What leaves the server: no reply and no cut is a request that hangs. */
export interface Answer {
  readonly reply?: Reply;
  /** Cuts the connection at once, or after half of the reply's body. */
  readonly cut?: "at once" | "half way";
}

/** Answers a request that meets a fault; `refuse` makes the error reply of the API in question. */
export async function answerFaulty(
  fault: Fault,
  handle: () => Promise<Reply>,
  refuse: (refusal: Refusal) => Reply,
): Promise<Answer> {
  const { delayMs, dropAfter, truncate } = fault;
  if (delayMs) await delay(delayMs);
  if (fault.hang) return {};
  if (fault.drop) return { cut: "at once" };
  const status = fault.status ?? (delayMs || dropAfter || truncate ? undefined : 500);
  if (status === undefined) {
    const reply = await handle();
    if (dropAfter) return { cut: "at once" };
    return truncate ? { reply, cut: "half way" } : { reply };
  }
  const reply = refuse(
    new Refusal(status, `${STATUS_CODES[status]}, as declared by the test.`, fault.headers),
  );
  return { reply: "body" in fault ? { ...reply, body: fault.body } : reply };
}
