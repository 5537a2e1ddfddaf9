import type { Session } from "../../src/run/session.ts";
import type { WebexClient, WebexRequest } from "../../src/webex/client.ts";
import { WebexError } from "../../src/webex/errors.ts";

/** A Webex without a network: `answer` gives the body of each answer, and null refuses the request. */
export function answerWebex(answer: (request: WebexRequest) => unknown): {
  readonly client: WebexClient;
  readonly sent: readonly WebexRequest[];
} {
  const sent: WebexRequest[] = [];
  const client: WebexClient = {
    baseUrl: new URL("https://webex.example/v1"),
    requestCount: () => sent.length,
    async send(request) {
      sent.push(request);
      const body = answer(request);
      if (body !== null) return { status: 200, body, link: null };
      const { method, path } = request;
      throw new WebexError({ method, path, status: 403, detail: "may not see it", trackingId: null });
    },
  };
  return { client, sent };
}

/** An id as Webex makes them. */
export function webexId(kind: string, key: string): string {
  return Buffer.from(`ciscospark://us/${kind}/${key}`).toString("base64url");
}

/** A session with this Webex, whose access token lives. */
export function createSession(client: WebexClient, facts: Partial<Session> = {}): Session {
  return {
    client,
    token: { refreshed: true, rotated: false, refreshTokenExpiresAt: null },
    scopes: null,
    storeEnd: null,
    accessToken: "",
    stop: new AbortController().signal,
    lostAccess: null,
    waitForConsistency: async () => undefined,
    close: () => undefined,
    ...facts,
  };
}
