import { createHash, randomBytes } from "node:crypto";
import type { IssuedTokens } from "../token/rotate.ts";
import { type ClientIdentity, postForm, readTokens } from "./oauth-token.ts";

export interface Authorization {
  readonly url: string;
  readonly redirectUri: string;
  /** Webex returns it, which proves that the answer belongs to this request. */
  readonly state: string;
  /** Sent only when the code is exchanged, so that a stolen code is useless without it. */
  readonly verifier: string;
}

/** Creates a request for consent with PKCE (RFC 7636). https://developer.webex.com/docs/login-with-webex */
export function createAuthorization(
  client: ClientIdentity,
  redirectUri: string,
  scopes: readonly string[],
): Authorization {
  const verifier = randomBytes(48).toString("base64url");
  const state = randomBytes(32).toString("base64url");
  const url = new URL(`${client.baseUrl}/authorize`);
  url.search = new URLSearchParams({
    client_id: client.clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  }).toString();
  return { url: url.href, redirectUri, state, verifier };
}

/**
 * Exchanges a code for tokens; never repeated, because a code works only once. @throws {WebexError} on refusal.
 * https://developer.webex.com/docs/integrations#getting-an-access-token
 */
export async function exchangeCode(
  client: ClientIdentity,
  { redirectUri, verifier }: Authorization,
  code: string,
): Promise<IssuedTokens> {
  const path = "/access_token";
  const fields = {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  };
  return readTokens(await postForm(client, { path, fields, clientIn: "form" }), path);
}
