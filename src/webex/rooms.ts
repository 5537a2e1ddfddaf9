import * as v from "valibot";
import type { Listing } from "../lib/listing.ts";
import { decodeId, identityOf } from "../lib/webex-id.ts";
import type { Room } from "../membership/directory.ts";
import type { WebexClient } from "./client.ts";
import { parseReply } from "./errors.ts";
import { readPages } from "./pagination.ts";

const pageSchema = v.object({
  items: v.array(
    v.object({
      id: v.string(),
      title: v.optional(v.string(), ""),
      type: v.string(),
      teamId: v.optional(v.string()),
      ownerId: v.optional(v.string()),
    }),
  ),
});

/**
 * Lists the group rooms that the token's owner is in. Direct rooms are left out: their title is a person's name.
 * https://developer.webex.com/docs/api/v1/rooms/list-rooms
 */
export async function listRooms(client: WebexClient): Promise<Listing<Room>> {
  const path = "/rooms";
  // By id: the documentation says that sorting by activity is unreliable beyond 3,000 rooms.
  const query = { type: "group", sortBy: "id", max: 1000 };
  return await readPages(client, { method: "GET", path, query }, (body) => {
    const { items } = parseReply(pageSchema, body, "GET", path);
    const rooms = items.filter((room) => room.type === "group");
    return {
      // A next page may lose the filter and return direct rooms. That does not make the list doubtful.
      strangers: 0,
      items: rooms.map((room) => ({
        key: identityOf(room.id, "ROOM"),
        id: room.id,
        title: room.title,
        orgKey: room.ownerId === undefined ? null : identityOf(room.ownerId, "ORGANIZATION"),
        generalOfTeamId: isGeneralSpace(room.id, room.teamId) ? room.teamId : null,
      })),
    };
  });
}

/** A team's General space has the same uuid as its team. */
function isGeneralSpace(roomId: string, teamId: string | undefined): teamId is string {
  const key = decodeId(roomId)?.key;
  return teamId !== undefined && key !== undefined && key === decodeId(teamId)?.key;
}

/**
 * Reads whether only moderators may change who is in a room.
 * https://developer.webex.com/docs/api/v1/rooms/get-room-details
 */
export async function readIsModerated(client: WebexClient, room: Room): Promise<boolean> {
  const path = `/rooms/${encodeURIComponent(room.id)}`;
  const { body } = await client.send({ method: "GET", path });
  return parseReply(v.object({ isLocked: v.optional(v.boolean(), false) }), body, "GET", path).isLocked;
}
