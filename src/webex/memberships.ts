import * as v from "valibot";
import type { Listing } from "../lib/listing.ts";
import { identityOf } from "../lib/webex-id.ts";
import type { PersonKind, Room, RoomMember } from "../membership/directory.ts";
import type { Addition, Removal } from "../membership/plan.ts";
import type { RecordedPerson } from "../membership/record.ts";
import type { WebexClient } from "./client.ts";
import { parseReply, WebexError } from "./errors.ts";
import { readPages } from "./pagination.ts";

const membershipSchema = v.object({
  id: v.string(),
  roomId: v.string(),
  personId: v.string(),
  personEmail: v.optional(v.string()),
  personDisplayName: v.optional(v.string(), ""),
  personOrgId: v.optional(v.string()),
  isModerator: v.optional(v.boolean(), false),
});

const pageSchema = v.object({ items: v.array(membershipSchema) });

/** The reply shows the person as the room does, which may be more than the group said. */
const additionSchema = v.object({
  personEmail: v.optional(v.string()),
  personDisplayName: v.optional(v.string()),
});

/**
 * Lists the members of a room, or only the one with `personId`. `identify` may cache the ids it has decoded.
 * https://developer.webex.com/docs/api/v1/memberships/list-memberships
 */
export async function listRoomMembers(
  client: WebexClient,
  room: Room,
  identify: typeof identityOf,
  personId?: string,
): Promise<Listing<RoomMember>> {
  const path = "/memberships";
  const query = { roomId: room.id, ...(personId === undefined ? {} : { personId }), max: 1000 };
  return await readPages(client, { method: "GET", path, query }, (body) => {
    const { items } = parseReply(pageSchema, body, "GET", path);
    const own = items.filter(
      (item) => item.roomId === room.id || identityOf(item.roomId, "ROOM") === room.key,
    );
    return {
      strangers: items.length - own.length,
      items: own.map((item) => ({
        key: identify(item.personId, "PEOPLE"),
        personId: item.personId,
        membershipId: item.id,
        displayName: item.personDisplayName,
        email: item.personEmail ?? null,
        orgKey: item.personOrgId === undefined ? null : identify(item.personOrgId, "ORGANIZATION"),
        isModerator: item.isModerator,
        kind: kindByAddress(item.personEmail ?? ""),
      })),
    };
  });
}

/**
 * Adds a person to a room; for a team's General space, to the team. A person who is already there (409) counts as
 * added, so repeating the request is safe.
 * https://developer.webex.com/docs/api/v1/memberships/create-a-membership
 * https://developer.webex.com/docs/api/v1/team-memberships/create-a-team-membership
 * @throws {WebexError} when the person was not added.
 */
export async function addMember(client: WebexClient, room: Room, person: Addition): Promise<RecordedPerson> {
  const teamId = room.generalOfTeamId;
  const path = teamId === null ? "/memberships" : "/team/memberships";
  const body = {
    ...(teamId === null ? { roomId: room.id } : { teamId }),
    personId: person.personId,
    ...(person.asModerator ? { isModerator: true } : {}),
  };
  try {
    const reply = await client.send({ method: "POST", path, body, repeatable: true, isFinal: isOutsider });
    const said = v.safeParse(additionSchema, reply.body);
    return {
      personId: person.personId,
      displayName: (said.success && said.output.personDisplayName) || person.displayName,
      email: (said.success && said.output.personEmail) || person.email,
    };
  } catch (error) {
    if (error instanceof WebexError && error.status === 409) return person;
    throw error;
  }
}

/**
 * Ends a membership. A 404 counts as done only when a new listing confirms it. So does a 400 to a repeated request,
 * because the first one may have taken effect.
 * https://developer.webex.com/docs/api/v1/memberships/delete-a-membership
 * @throws {WebexError} when the person is still in the room, or nobody can tell.
 */
export async function removeMember(client: WebexClient, room: Room, member: Removal): Promise<void> {
  const path = `/memberships/${encodeURIComponent(member.membershipId)}`;
  try {
    await client.send({ method: "DELETE", path, repeatable: true });
  } catch (error) {
    const mayBeGone =
      error instanceof WebexError && (error.status === 404 || (error.status === 400 && error.attempts > 1));
    if (!mayBeGone) throw error;
    const look = await listRoomMembers(client, room, identityOf, member.personId);
    if (!look.complete || look.items.some((item) => item.key === member.key)) throw error;
  }
}

/** Webex answers 502 when the caller is not in the room, and repeating that is pointless. */
function isOutsider(error: WebexError): boolean {
  return error.status === 502 && error.detail.includes("Add participant failed");
}

/** A membership does not hold the person's type, but some addresses give it away. */
function kindByAddress(email: string): PersonKind | null {
  if (/@(webex\.bot|sparkbot\.io)$/i.test(email)) return "bot";
  return /@appid\.ciscospark\.com$/i.test(email) ? "guest" : null;
}
