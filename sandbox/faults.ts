import { STATUS_CODES } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiRequest, Refusal, type Reply } from "./router.ts";

export interface When {
  /** Method and pattern, such as `PUT /memberships/{membershipId}`. */
  readonly route?: string;
  /** In the record of requests; the first is 1. */
  readonly number?: number;
  readonly match?: (request: ApiRequest) => boolean;
  /** How many such requests it lets pass first. Default: 0. */
  readonly after?: number;
  /** How many requests it meets. Default: 1. */
  readonly times?: number;
}

/** What goes wrong, or happens, at a request; with nothing but `When` named, the answer is a 500. */
export interface Fault extends When {
  /** Changes the organisation before the request is handled; `changeAfter` once the answer is formed. */
  readonly changeBefore?: () => void;
  readonly changeAfter?: () => void;
  /** Answers this, and does not handle the request unless it `applies`. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the body that the API gives with such a status: an error's, or none below 400. */
  readonly body?: unknown;
  /** Answers this status with the same address on another origin, which is this server too: it sees who follows. */
  readonly redirect?: 302 | 307;
  /** Cuts the connection before the request is handled. */
  readonly drop?: boolean;
  readonly hang?: boolean;
  /** Handles the request nevertheless, whatever is answered. */
  readonly applies?: boolean;
  /** Handles the request, then cuts the connection without an answer. */
  readonly dropAfter?: boolean;
  readonly delayMs?: number;
  readonly edit?: (body: unknown) => unknown;
  /** Sends the beginning of the answer's body and cuts the connection; or ends there, as though that were all. */
  readonly truncate?: boolean | "silently";
  /** The part of the body that is sent. Default: 0.5. */
  readonly keep?: number;
}

type Answering = Omit<Fault, keyof When>;

const page = "<!doctype html><html><title>Sign in</title><body>Sign in to the network first.</body></html>";

export const falseAnswers = {
  "429": { status: 429, headers: { "retry-after": "2" } },
  "429 malformed": { status: 429, headers: { "retry-after": "rand(30),add(30)" } },
  "429 for an hour": { status: 429, headers: { "retry-after": "3600" } },
  "401": { status: 401 },
  "403": { status: 403 },
  "404": { status: 404 },
  "409": { status: 409 },
  "500": { status: 500 },
  "502": { status: 502 },
  "503": { status: 503 },
  dropped: { drop: true },
  "applied, then dropped": { dropAfter: true },
  hanging: { hang: true },
  "truncated JSON": { truncate: "silently" },
  "200 with a page of HTML": { status: 200, headers: { "content-type": "text/html" }, body: page },
  "200 without a body": { status: 200 },
  "204 without effect": { status: 204 },
  "redirect to another origin": { redirect: 307 },
} satisfies Readonly<Record<string, Answering>>;

/** Errors of GraphQL, which come inside of a 200. */
export const graphqlErrors = {
  rateLimited: graphqlError({ type: "RATE_LIMITED", message: "API rate limit exceeded for installation." }),
  internal: graphqlError({
    message:
      "Something went wrong while executing your query. Please include `SAND:BOX0:1` when reporting this issue.",
  }),
  stale: graphqlError({
    type: "STALE_DATA",
    path: ["createCommitOnBranch"],
    message: `Expected branch to point to "${"0".repeat(40)}" but it did not.  Pull and try again.`,
  }),
} satisfies Readonly<Record<string, Answering>>;

function graphqlError(error: object) {
  return { status: 200, body: { data: null, errors: [error] } };
}

const whenAndChanges = new Set(["route", "number", "match", "after", "times", "changeBefore", "changeAfter"]);

function isChange(fault: Fault): boolean {
  const hasChange = fault.changeBefore !== undefined || fault.changeAfter !== undefined;
  return hasChange && Object.keys(fault).every((key) => whenAndChanges.has(key));
}

/** Keeps the declared faults and hands each out as often as it was declared for. */
export function createFaults() {
  const declared: { fault: Fault; pass: number; left: number }[] = [];
  return {
    declare(...faults: readonly Fault[]): void {
      for (const fault of faults) declared.push({ fault, pass: fault.after ?? 0, left: fault.times ?? 1 });
    },
    forget(): void {
      declared.splice(0);
    },
    /** What this request meets: all changes, and of what answers the first declared one that is not used up. */
    take(route: string, request: ApiRequest): Met {
      const changes: Fault[] = [];
      let answering: Fault | undefined;
      for (const entry of declared) {
        const { fault } = entry;
        const isMet =
          entry.left > 0 &&
          (fault.route ?? route) === route &&
          (fault.number ?? request.number) === request.number;
        if (!isMet || (answering && !isChange(fault)) || fault.match?.(request) === false) continue;
        if (entry.pass > 0) {
          entry.pass -= 1;
          continue;
        }
        entry.left -= 1;
        changes.push(fault);
        if (!isChange(fault)) answering = fault;
      }
      return { changes, answering };
    },
  };
}

export interface Met {
  readonly changes: readonly Fault[];
  readonly answering: Fault | undefined;
}

/** What leaves the server: no reply and no cut is a request that hangs. */
export interface Answer {
  readonly reply?: Reply;
  readonly cut?: "at once" | "part way" | "silently";
  readonly keep?: number;
}

/** Answers a request that meets a fault; `refuse` makes the error reply of the API in question. */
export async function answerFaulty(
  fault: Fault,
  request: ApiRequest,
  handle: () => Promise<Reply>,
  refuse: (refusal: Refusal) => Reply,
): Promise<Answer> {
  const { delayMs, drop, dropAfter, hang, applies, edit, truncate, keep = 0.5 } = fault;
  const isTrue = dropAfter || delayMs !== undefined || edit || truncate;
  const status = fault.status ?? fault.redirect ?? (isTrue || drop || hang ? undefined : 500);
  const isHandled = applies || (status === undefined && !drop && !hang);
  if (delayMs) await delay(delayMs);
  const handled = isHandled ? await handle() : undefined;
  if (hang) return {};
  if (drop || dropAfter) return { cut: "at once" };
  const reply = status === undefined ? handled : createFalseReply(status, fault, request, refuse);
  if (!reply) return {};
  const edited = edit ? { ...reply, body: edit(reply.body) } : reply;
  return truncate
    ? { reply: edited, cut: truncate === "silently" ? truncate : "part way", keep }
    : { reply: edited };
}

function createFalseReply(
  status: number,
  fault: Fault,
  request: ApiRequest,
  refuse: (refusal: Refusal) => Reply,
): Reply {
  const elsewhere = new URL(request.url);
  elsewhere.hostname = "localhost";
  const headers = { ...(fault.redirect && { location: elsewhere.href }), ...fault.headers };
  const reply = refuse(new Refusal(status, `${STATUS_CODES[status]}, as declared by the test.`, headers));
  if ("body" in fault) return { ...reply, body: fault.body };
  return status < 400 ? { ...reply, body: undefined } : reply;
}
