import type { Room } from "../membership/directory.ts";
import type { WebexClient } from "./client.ts";

/**
 * Writes a message into a room of the token's owner. It is sent once: a second one would be read by people.
 * https://developer.webex.com/docs/api/v1/messages/create-a-message
 * @throws {WebexError} when Webex refuses it, or does not say that it took it.
 */
export async function sendMessage(client: WebexClient, room: Room, markdown: string): Promise<void> {
  const body = { roomId: room.id, markdown };
  await client.send({ method: "POST", path: "/messages", body, repeatable: false });
}
