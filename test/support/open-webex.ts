import type { Sandbox } from "../../sandbox/server.ts";
import { createWebexClient, type WebexClient, type WebexClientOptions } from "../../src/webex/client.ts";
import { createTokenIssuer } from "../../src/webex/oauth-token.ts";

/** A client that waits for nothing, and what it would have waited. */
export interface PatientClient {
  readonly client: WebexClient;
  /** The pauses it was told to make, in milliseconds. */
  readonly pauses: readonly number[];
}

/** A client for any server, with a made-up token. */
export function openClient(
  options: Partial<WebexClientOptions> & { readonly baseUrl: string },
): PatientClient {
  const pauses: number[] = [];
  let time = 0;
  const client = createWebexClient({
    accessToken: "secret-access-token",
    random: () => 0,
    now: () => time,
    sleep: async (ms) => {
      pauses.push(ms);
      time += ms;
    },
    ...options,
  });
  return { client, pauses };
}

/** A client for the sandbox's Webex, with a token of the sandbox. */
export async function openWebex(sandbox: Sandbox): Promise<PatientClient> {
  const env = sandbox.environment();
  const baseUrl = env.WEBEX_API_URL ?? "";
  const issuer = createTokenIssuer({
    baseUrl,
    clientId: env.WEBEX_CLIENT_ID ?? "",
    clientSecret: env.WEBEX_CLIENT_SECRET ?? "",
  });
  const { accessToken } = await issuer.refresh(sandbox.currentRefreshToken);
  if (accessToken === null) throw new Error("the sandbox sent no access token");
  return openClient({ baseUrl, accessToken });
}
