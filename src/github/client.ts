import { setTimeout as delay } from "node:timers/promises";
import { Octokit } from "@octokit/rest";
import * as v from "valibot";
import type { Repository } from "../config/actions.ts";
import { cleanDeep, gate } from "../lib/redact.ts";

/** GitHub's REST and GraphQL operations, as one token may use them. */
export type GithubClient = Octokit;

const timeoutMs = 30_000;

const apiVersion = "2022-11-28";

const attempts = 4;

/** What Octokit needs as it is; everything else of a request is what GitHub gets to keep, and to show. */
const ownOptions = new Set(["method", "url", "baseUrl", "headers", "request", "mediaType"]);

/**
 * Opens a client for one GitHub. Every request has a timeout; reads, and writes that say so with
 * `request: { repeatable: true }`, are sent again after 5xx and network errors.
 */
export function createGithubClient(
  apiUrl: string,
  token: string,
  sleep: (ms: number) => Promise<unknown> = delay,
): GithubClient {
  const client = new Octokit({
    auth: token,
    baseUrl: apiUrl,
    userAgent: "webex-rollcall",
    // Errors are told by whoever catches them; Octokit's own log lines would come on top.
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    request: {
      fetch: (url: string, init: RequestInit) =>
        fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) }),
    },
  });
  client.hook.before("request", (options) => {
    options.headers["x-github-api-version"] = apiVersion;
    for (const [name, value] of Object.entries(options)) {
      if (!ownOptions.has(name)) Object.assign(options, { [name]: cleanDeep(value, gate.clean) });
    }
  });
  client.hook.wrap("request", async (send, options) => {
    const isRepeatable = options.method === "GET" || options.request?.repeatable === true;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send(options);
      } catch (error) {
        if (attempt === attempts || !isRepeatable || !isPassing(error)) throw error;
        await sleep(500 * 2 ** attempt * (1 - Math.random() / 2));
      }
    }
  });
  return client;
}

/** A path or a branch as it stands in an address: the slashes stay, which Octokit would encode too. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The HTTP status of a refused request; null for anything else. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && "status" in error && typeof error.status === "number"
    ? error.status
    : null;
}

/** Octokit reports a network error as status 500 too. */
function isPassing(error: unknown): boolean {
  return (statusOf(error) ?? 500) >= 500;
}

function quiet(): void {}

const answerSchema = v.object({ data: v.object({ viewer: v.object({ login: v.string() }) }) });

/**
 * Whose token it is, by which own comments and issues are told from others'. By GraphQL, because `GET /user` refuses
 * a workflow's token. https://docs.github.com/en/graphql/reference/queries#viewer
 */
export async function readViewer(github: GithubClient, { graphqlUrl: url }: Repository): Promise<string> {
  const request = { repeatable: true };
  const { data } = await github.request({ method: "POST", url, query: "{ viewer { login } }", request });
  const answer = v.safeParse(answerSchema, data);
  if (!answer.success) throw new Error("GitHub does not say whose token this is (GraphQL viewer.login)");
  return answer.output.data.viewer.login;
}

/** True for what the viewer wrote and marked: neither somebody else's copy of the marker nor the viewer's other texts. */
export function isOwn(
  text: { readonly login: string | undefined; readonly body: string | null | undefined },
  viewer: string,
  marker: string,
): boolean {
  const isMarked = text.body?.trimStart().startsWith(marker) ?? false;
  return isMarked && text.login?.toLowerCase() === viewer.toLowerCase();
}
