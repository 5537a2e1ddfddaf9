import * as v from "valibot";
import type { Listing } from "../lib/listing.ts";
import { decodeId, identityOf } from "../lib/webex-id.ts";
import type { Room } from "../membership/directory.ts";
import type { WebexClient } from "./client.ts";
import { idSchema, parseReply, WebexError } from "./errors.ts";
import { readPages } from "./pagination.ts";

const roomSchema = v.object({
  id: idSchema,
  title: v.fallback(v.string(), ""),
  type: v.string(),
  teamId: v.fallback(v.nullable(v.string()), null),
  ownerId: v.fallback(v.nullable(v.string()), null),
  isLocked: v.fallback(v.boolean(), false),
});

const pageSchema = v.object({ items: v.array(roomSchema) });

/** Lists the group rooms of the token's owner. https://developer.webex.com/docs/api/v1/rooms/list-rooms */
export async function listRooms(client: WebexClient): Promise<Listing<Room>> {
  const path = "/rooms";
  // By id: sorting by activity is unreliable beyond 3,000 rooms. A direct room's title is a person's name.
  const query = { type: "group", sortBy: "id", max: 1000 };
  return await readPages(client, { method: "GET", path, query }, (body) => {
    const { items } = parseReply(pageSchema, body, "GET", path);
    const rooms = items.filter((room) => room.type === "group");
    return {
      // A next page may lose the filter and return direct rooms. That does not make the list doubtful.
      strangers: 0,
      items: rooms.map(describeRoom),
    };
  });
}

/**
 * Reads one group room of the token's owner by its id, which may be a bare uuid; null when Webex does not answer with
 * that room. https://developer.webex.com/docs/api/v1/rooms/get-room-details
 */
export async function readRoom(client: WebexClient, id: string): Promise<Room | null> {
  const path = `/rooms/${encodeURIComponent(id)}`;
  try {
    const { body } = await client.send({ method: "GET", path });
    const room = parseReply(roomSchema, body, "GET", path);
    const isAsked = identityOf(room.id, "ROOM") === identityOf(id, "ROOM");
    return isAsked && room.type === "group" ? describeRoom(room) : null;
  } catch (error) {
    if (error instanceof WebexError) return null;
    throw error;
  }
}

function describeRoom(room: v.InferOutput<typeof roomSchema>): Room {
  return {
    key: identityOf(room.id, "ROOM"),
    id: room.id,
    title: room.title,
    orgKey: room.ownerId === null ? null : identityOf(room.ownerId, "ORGANIZATION"),
    generalOfTeamId: isGeneralSpace(room.id, room.teamId) ? room.teamId : null,
    isModerated: room.isLocked,
  };
}

/** A team's General space has the same uuid as its team. */
function isGeneralSpace(roomId: string, teamId: string | null): teamId is string {
  const key = decodeId(roomId)?.key;
  return teamId !== null && key !== undefined && key === decodeId(teamId)?.key;
}
