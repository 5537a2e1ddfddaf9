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
      title: v.fallback(v.string(), ""),
      type: v.string(),
      teamId: v.fallback(v.nullable(v.string()), null),
      ownerId: v.fallback(v.nullable(v.string()), null),
      isLocked: v.fallback(v.boolean(), false),
    }),
  ),
});

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
      items: rooms.map((room) => ({
        key: identityOf(room.id, "ROOM"),
        id: room.id,
        title: room.title,
        orgKey: room.ownerId === null ? null : identityOf(room.ownerId, "ORGANIZATION"),
        generalOfTeamId: isGeneralSpace(room.id, room.teamId) ? room.teamId : null,
        isModerated: room.isLocked,
      })),
    };
  });
}

/** A team's General space has the same uuid as its team. */
function isGeneralSpace(roomId: string, teamId: string | null): teamId is string {
  const key = decodeId(roomId)?.key;
  return teamId !== null && key !== undefined && key === decodeId(teamId)?.key;
}
