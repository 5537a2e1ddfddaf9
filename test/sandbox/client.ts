import type { Organisation } from "../../sandbox/organisation.ts";
import type { Sandbox } from "../../sandbox/server.ts";

type Json = Record<string, unknown>;

/** An answer with its body read as JSON where there is one. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** Sends a request below one address with one authorization; the path may be a whole address. */
export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

export function createCall(base: string, authorization: string): Call {
  return async (method, path, body) => {
    const response = await fetch(path.startsWith("http") ? path : base + path, {
      method,
      headers: { authorization, ...(body !== undefined && { "content-type": "application/json" }) },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? {} : (JSON.parse(text) as Json),
    };
  };
}

/** Sends a token request with the right client; the fields given win. */
export async function requestToken(sandbox: Sandbox, fields: Record<string, string> = {}): Promise<Answer> {
  const environment = sandbox.environment();
  const response = await fetch(`${environment.WEBEX_API_URL}/access_token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "refresh_token",
      client_id: environment.WEBEX_CLIENT_ID ?? "",
      client_secret: environment.WEBEX_CLIENT_SECRET ?? "",
      refresh_token: environment.WEBEX_REFRESH_TOKEN ?? "",
      ...fields,
    }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

/** A caller of the sandbox's Webex with a fresh access token. */
export async function signIn(sandbox: Sandbox): Promise<Call> {
  const { body } = await requestToken(sandbox);
  return createCall(`${sandbox.url}/v1`, `Bearer ${body.access_token}`);
}

/** The objects in a field that holds a list. */
export function list(answer: Answer, field = "items"): Json[] {
  return answer.body[field] as Json[];
}

/** The address of the next page. */
export function nextOf(answer: Answer): string | undefined {
  return /<(.*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
}

/** All pages of a listing, to a limit. */
export async function readPages(call: Call, path: string, limit = 10): Promise<Json[][]> {
  const pages: Json[][] = [];
  for (let next: string | undefined = path; next && pages.length < limit; ) {
    const answer: Answer = await call("GET", next);
    pages.push(list(answer));
    next = nextOf(answer);
  }
  return pages;
}

/** Five people, two groups and one room "NOC" with all five in it. */
export const small: Organisation = {
  name: "acme",
  people: ["ann", "bob", "cat", "dan", "eve"].map((key) => ({
    key,
    displayName: `${key} Example`,
    email: `${key}@acme.example.com`,
  })),
  groups: [
    { name: "on-call", members: ["ann", "bob", "cat", "dan", "eve"] },
    { name: "empty", members: [] },
  ],
  rooms: [{ title: "NOC", members: ["ann", "bob", "cat", "dan", "eve"] }],
};
