import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import type { IssuedTokens } from "../token/rotate.ts";
import { parseReply } from "./errors.ts";
import { type ClientIdentity, GrantError, postForm, readTokens } from "./oauth-token.ts";

export interface DeviceAuthorization {
  readonly userCode: string;
  readonly verificationUrl: string;
  readonly deviceCode: string;
  readonly intervalSeconds: number;
  readonly expiresInSeconds: number;
}

const schema = v.object({
  device_code: v.string(),
  user_code: v.string(),
  verification_uri: v.string(),
  verification_uri_complete: v.optional(v.string()),
  expires_in: v.optional(v.number(), 300),
  interval: v.optional(v.number(), 5),
});

const grantType = "urn:ietf:params:oauth:grant-type:device_code";

/** Requests a code for another machine. @throws {WebexError}. https://developer.webex.com/docs/login-with-webex */
export async function requestDeviceCode(
  client: ClientIdentity,
  scopes: readonly string[],
): Promise<DeviceAuthorization> {
  const path = "/device/authorize";
  const fields = { scope: scopes.join(" ") };
  const { body } = await postForm(client, { path, fields, clientIn: "form" });
  const reply = parseReply(schema, body, "POST", path);
  return {
    userCode: reply.user_code,
    verificationUrl: reply.verification_uri_complete ?? reply.verification_uri,
    deviceCode: reply.device_code,
    intervalSeconds: reply.interval,
    expiresInSeconds: reply.expires_in,
  };
}

/** Polls for consent. @throws {WebexError}, or the reason of `stop`. https://www.rfc-editor.org/rfc/rfc8628 */
export async function awaitDeviceTokens(
  client: ClientIdentity,
  device: DeviceAuthorization,
  stop: AbortSignal,
  sleep: (ms: number, signal: AbortSignal) => Promise<unknown> = (ms, signal) =>
    delay(ms, undefined, { signal }),
): Promise<IssuedTokens> {
  const path = "/device/token";
  const fields = { grant_type: grantType, device_code: device.deviceCode, client_id: client.clientId };
  let intervalSeconds = device.intervalSeconds;
  for (let waitedSeconds = 0; ; waitedSeconds += intervalSeconds) {
    await sleep(intervalSeconds * 1000, stop);
    try {
      return readTokens(await postForm(client, { path, fields, clientIn: "header" }), path);
    } catch (error) {
      if (!(error instanceof GrantError) || waitedSeconds >= device.expiresInSeconds) throw error;
      if (error.error.includes("slow_down")) intervalSeconds += 5;
      // While the person has not decided, Webex answers 428 where the RFC says 400.
      else if (error.status !== 428 && error.error !== "authorization_pending") throw error;
    }
  }
}
