import { Octokit } from "@octokit/rest";
import * as v from "valibot";
import type { Repository } from "../config/actions.ts";
import { HttpFailure, type HttpRequest, pause, sendHttp } from "../lib/http.ts";
import { cleanDeep, gate } from "../lib/redact.ts";

export type GithubClient = Octokit;

const apiVersion = "2022-11-28";

const attempts = 4;

/** GitHub keeps and shows every other option, so all texts in them are cleaned. */
const ownOptions = new Set(["method", "url", "baseUrl", "headers", "request", "mediaType"]);

/** The longest that one request waits in all because GitHub asks it to. */
const maxAskedMs = 3 * 60_000;

const unstatedPauseMs = 15_000;

/**
 * Opens a client that waits as GitHub asks and repeats reads, and writes marked `repeatable`, unless marked `single`.
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
export function createGithubClient(
  apiUrl: string,
  token: string,
  sleep: (ms: number) => Promise<unknown> = pause,
): GithubClient {
  const client = new Octokit({
    auth: token,
    baseUrl: apiUrl,
    userAgent: "webex-rollcall",
    // Callers report errors; Octokit's own log lines would repeat them.
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    request: { fetch: fetchWithin },
  });
  client.hook.before("request", (options) => {
    options.headers["x-github-api-version"] = apiVersion;
    for (const [name, value] of Object.entries(options)) {
      if (!ownOptions.has(name)) Object.assign(options, { [name]: cleanDeep(value, gate.clean) });
    }
  });
  client.hook.wrap("request", async (send, options) => {
    const isRepeatable = options.method === "GET" || options.request?.repeatable === true;
    let askedMs = 0;
    for (let attempt = 1; ; ) {
      try {
        const response = await send(options);
        refuseUnreadable(response, options.method);
        return response;
      } catch (error) {
        if (options.request?.single === true) throw error;
        const asked = askedPauseMs(error);
        askedMs += asked ?? 0;
        if (askedMs > maxAskedMs) throw error;
        if (asked === null) {
          if (attempt === attempts || !isPassing(error) || !(isRepeatable || isNeverSent(error))) throw error;
          attempt += 1;
        }
        await sleep(asked ?? 250 * 2 ** attempt * (1 - Math.random() / 2));
      }
    }
  });
  return client;
}

interface FetchInit {
  readonly method: HttpRequest["method"];
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

const maxRedirects = 3;

/** A renamed repository redirects within GitHub: reads follow, writes never, and nothing leaves the origin. */
async function fetchWithin(address: string, init: FetchInit) {
  let url = new URL(address);
  for (let redirects = 0; ; redirects += 1) {
    const { method, headers, body, signal } = init;
    const reply = await sendHttp({ method, url, headers, ...(body && { body }), ...(signal && { signal }) });
    const { status, text } = reply;
    if (status < 300 || status > 399 || status === 304) {
      return {
        status,
        headers: reply.headers,
        url: url.href,
        text: () => Promise.resolve(text),
        arrayBuffer: () => Promise.resolve(new TextEncoder().encode(text).buffer),
      };
    }
    const location = reply.headers.get("location") ?? "";
    const next = URL.canParse(location, url.href) ? new URL(location, url) : null;
    if (method !== "GET" || next?.origin !== url.origin || redirects === maxRedirects) {
      throw new Error(
        `${url.origin} answered ${status}, a redirect to ${next?.origin ?? "nowhere"} that is not followed`,
      );
    }
    url = next;
  }
}

/** A proxy or a cut connection answers text instead of JSON, and GraphQL reports its rate limit with status 200. */
function refuseUnreadable(response: Answer & { readonly url: string }, method: string): void {
  const { status, data } = response;
  const isEmpty = data === undefined || data === "";
  // A write may be confirmed by its status alone; a read never.
  const mayBeEmpty = method !== "GET" && (method === "PUT" || status !== 200);
  const isJson = typeof data === "object" && data !== null && !(data instanceof ArrayBuffer);
  if (isEmpty ? !mayBeEmpty : !isJson) {
    throw new UnreadableAnswer(
      `GitHub's answer to ${pathOf(response)} (${status}) cannot be read: it is not JSON, or was cut short`,
      response,
    );
  }
  const answer = v.safeParse(limitSchema, data);
  if (answer.success) throw new UnreadableAnswer(answer.output.errors[0].message, response);
}

/** https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api */
const limitSchema = v.object({
  errors: v.tupleWithRest(
    [v.object({ type: v.literal("RATE_LIMITED"), message: v.optional(v.string(), "rate limited") })],
    v.unknown(),
  ),
});

/** What Octokit gives, as far as it is looked at here. */
interface Answer {
  readonly status: number;
  readonly headers: object;
  readonly data: unknown;
}

/** A 2xx that does not answer the request. */
export class UnreadableAnswer extends Error {
  override readonly name = "UnreadableAnswer";

  constructor(
    message: string,
    readonly response: Answer,
  ) {
    super(message);
  }
}

/**
 * Reads what is needed of an answer, instead of believing that it is as documented.
 * @throws {UnreadableAnswer} which names the request and the place where it is not.
 */
export function parseAnswer<const Schema extends v.GenericSchema>(
  schema: Schema,
  answer: Answer & { readonly url: string },
): v.InferOutput<Schema> {
  const read = v.safeParse(schema, answer.data);
  if (read.success) return read.output;
  const place = v.getDotPath(read.issues[0]);
  const what = `GitHub's answer to ${pathOf(answer)} is not as documented`;
  throw new UnreadableAnswer(place === null ? what : `${what} (${place})`, answer);
}

function pathOf({ url }: { readonly url: string }): string {
  return new URL(url).pathname;
}

/** No listing that is read here is nearly as long: more means that the pages go in circles. */
const maxPages = 1000;

/**
 * Reads all pages of a listing.
 * https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
 * @throws {UnreadableAnswer} where one is not as documented, or the listing does not end.
 */
export async function listPages<const Schema extends v.GenericSchema>(
  github: GithubClient,
  route: string,
  query: Readonly<Record<string, string>>,
  item: Schema,
): Promise<readonly v.InferOutput<Schema>[]> {
  const all: v.InferOutput<Schema>[] = [];
  for (let page = 1; ; page += 1) {
    const answer = await github.request(route, { ...query, per_page: 100, ...(page > 1 && { page }) });
    all.push(...parseAnswer(v.array(item), answer));
    if (!/\brel="next"/.test(answer.headers.link ?? "")) return all;
    if (page === maxPages)
      throw new UnreadableAnswer(
        `GitHub's list at ${pathOf(answer)} does not end after ${maxPages} pages`,
        answer,
      );
  }
}

/** The id of a commit, a tree or a file's content: it becomes part of addresses, and must not lead elsewhere. */
export const objectId = v.pipe(v.string(), v.regex(/^\w[\w-]*$/));

/** Encodes a path or a branch for an address and keeps the slashes, which Octokit would encode too. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The HTTP status of a refused request; null for anything else. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && "status" in error && typeof error.status === "number"
    ? error.status
    : null;
}

/** A header of the answer that an error came from; null where there is none. */
export function headerOf(error: unknown, name: string): string | null {
  if (!(error instanceof Error) || !("response" in error)) return null;
  const { response } = error;
  if (typeof response !== "object" || response === null || !("headers" in response)) return null;
  const headers: unknown = response.headers;
  if (typeof headers !== "object" || headers === null) return null;
  const value: unknown = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === "string" && value !== "" ? value : null;
}

/**
 * When the token of a request ends, as the answer's headers say; null where it has no end, or GitHub does not say.
 * https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/token-expiration-and-revocation
 */
export function readTokenEnd(headers: Readonly<Record<string, unknown>>): Date | null {
  // "2026-12-01 05:17:10 UTC", or with an offset.
  const end = new Date(String(headers["github-authentication-token-expiration"] ?? ""));
  return Number.isNaN(end.getTime()) ? null : end;
}

/**
 * Milliseconds that GitHub asks to wait, by its own clock; null where it asks for nothing.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
export function askedPauseMs(error: unknown): number | null {
  const isLimit =
    statusOf(error) === 429 || (error instanceof UnreadableAnswer && v.is(limitSchema, error.response.data));
  if (!isLimit && statusOf(error) !== 403) return null;
  const retryAfter = headerOf(error, "retry-after");
  if (retryAfter !== null) {
    return /^\d+$/.test(retryAfter.trim()) ? Math.max(1, Number(retryAfter)) * 1000 : unstatedPauseMs;
  }
  if (headerOf(error, "x-ratelimit-remaining") === "0") {
    const reset = Number(headerOf(error, "x-ratelimit-reset") ?? Number.NaN) * 1000;
    const now = Date.parse(headerOf(error, "date") ?? "") || Date.now();
    return Number.isNaN(reset) ? unstatedPauseMs : Math.max(0, reset - now) + 1000;
  }
  return isLimit ? unstatedPauseMs : null;
}

function isPassing(error: unknown): boolean {
  return (statusOf(error) ?? 500) >= 500;
}

function isNeverSent(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof HttpFailure && !error.cause.mayBeSent;
}

function quiet(): void {}

const answerSchema = v.object({
  data: v.object({ viewer: v.object({ login: v.pipe(v.string(), v.minLength(1)) }) }),
});

/** Whose token it is (`GET /user` refuses a workflow's). https://docs.github.com/en/graphql/reference/queries#viewer */
export async function readViewer(github: GithubClient, { graphqlUrl: url }: Repository): Promise<string> {
  const request = { repeatable: true };
  const { data } = await github.request({ method: "POST", url, query: "{ viewer { login } }", request });
  const answer = v.safeParse(answerSchema, data);
  if (!answer.success) throw new Error("GitHub does not say whose token this is (GraphQL viewer.login)");
  return answer.output.data.viewer.login;
}

/** True for what the viewer wrote and marked: neither another's copy of the marker nor the viewer's other texts. */
export function isOwn(
  text: { readonly login: string | undefined; readonly body: string | null | undefined },
  viewer: string,
  marker: string,
): boolean {
  const isMarked = text.body?.trimStart().startsWith(marker) ?? false;
  return isMarked && text.login?.toLowerCase() === viewer.toLowerCase();
}
