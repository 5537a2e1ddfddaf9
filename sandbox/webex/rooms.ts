import type { Routes } from "../router.ts";
import { parameter, Refusal } from "../router.ts";
import { answerPage } from "./pages.ts";
import type { Quirks } from "./quirks.ts";
import type { Room, World } from "./world.ts";

/** `/rooms`: those that the token's owner is in. */
export function roomRoutes(world: World, quirks: Quirks): Routes {
  const isVisible = (room: Room) => room.members.people.includes(world.owner);

  function showRoom(room: Room) {
    return {
      id: room.id,
      title: room.title,
      type: room.type,
      isLocked: room.isLocked,
      ...(room.team && { teamId: room.team.id }),
      creatorId: world.owner.id,
      ownerId: room.ownerId,
      created: "2026-01-02T03:04:05.678Z",
      lastActivity: "2026-01-02T03:04:05.678Z",
      isAnnouncementOnly: false,
      isReadOnly: false,
      isPublic: room.isPublic,
    };
  }

  return {
    "GET /rooms": (request) => {
      const type = request.url.searchParams.get("type");
      const rooms = world.rooms.filter((room) => isVisible(room) && (type === null || room.type === type));
      return answerPage(request, "rooms", rooms, quirks, showRoom);
    },
    "GET /rooms/{roomId}": (request) => {
      const room = world.findRoom(parameter(request, "roomId"));
      if (!room || !isVisible(room)) throw new Refusal(404, "Could not find a room with provided ID.");
      return { status: 200, body: showRoom(room) };
    },
  };
}
