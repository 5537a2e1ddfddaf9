import { request } from "undici";
import * as v from "valibot";
import type { Room } from "../membership/directory.ts";
import type { WebexClient } from "./client.ts";
import { WebexError } from "./errors.ts";
import { parseReply } from "./parse.ts";

/**
 * Asks Webex without a token, which it refuses with 401: whoever says so is reachable, and no token was spent.
 * https://developer.webex.com/docs/basics
 * @throws {WebexError} when nothing answers, or something else does.
 */
export async function reachWebex(baseUrl: string, timeoutMs = 15_000): Promise<void> {
  const path = "/people/me";
  const failure = { method: "GET", path, trackingId: null };
  const status = await request(baseUrl + path, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs })
    .then(async ({ statusCode, body }) => {
      await body.dump();
      return statusCode;
    })
    .catch((cause: Error) => {
      throw new WebexError({ ...failure, status: null, detail: cause.message, cause });
    });
  if (status === 401) return;
  throw new WebexError({ ...failure, status, detail: "Webex would have asked for a token (401)" });
}

/**
 * Whether only moderators may change who is in a room.
 * https://developer.webex.com/docs/api/v1/rooms/get-room-details
 */
export async function readIsModerated(client: WebexClient, room: Room): Promise<boolean> {
  const path = `/rooms/${encodeURIComponent(room.id)}`;
  const { body } = await client.send({ method: "GET", path });
  return parseReply(v.object({ isLocked: v.optional(v.boolean(), false) }), body, "GET", path).isLocked;
}

/**
 * How many members Webex says a group has; null when it does not say.
 * https://developer.webex.com/docs/api/v1/groups/get-group-details
 */
export async function readGroupSize(client: WebexClient, groupId: string): Promise<number | null> {
  const path = `/groups/${encodeURIComponent(groupId)}`;
  const { body } = await client.send({ method: "GET", path });
  return parseReply(v.object({ memberSize: v.nullish(v.number(), null) }), body, "GET", path).memberSize;
}
