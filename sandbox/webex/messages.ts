import { type ApiRequest, Refusal, type Reply, type Routes, textField } from "../router.ts";
import { beginning, encodeId, uuidOf, type World } from "./world.ts";

/** In bytes. https://developer.webex.com/docs/api/v1/messages/create-a-message */
const maxMessageBytes = 7439;

/** `/messages`: what the token's owner writes into rooms that they are in. */
export function messageRoutes(world: World): Routes {
  function create(request: ApiRequest): Reply {
    const room = world.findRoom(textField(request.body, "roomId") ?? "");
    if (!room?.members.people.includes(world.owner))
      throw new Refusal(404, "Could not find a room with provided ID.");
    const markdown = textField(request.body, "markdown") ?? "";
    if (markdown === "") throw new Refusal(400, "Message cannot be empty.");
    if (Buffer.byteLength(markdown) > maxMessageBytes)
      throw new Refusal(400, `Message is longer than ${maxMessageBytes} bytes.`);
    world.messages.push({ room, markdown });
    const body = {
      id: encodeId("MESSAGE", uuidOf("message", String(world.messages.length))),
      roomId: room.id,
      roomType: room.type,
      text: markdown,
      markdown,
      personId: world.owner.id,
      personEmail: world.owner.email,
      created: beginning,
    };
    return { status: 200, body };
  }

  return { "POST /messages": create };
}
