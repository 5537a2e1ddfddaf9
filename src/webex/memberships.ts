import * as v from "valibot";
import type { Listing } from "../lib/listing.ts";
import { identityOf } from "../lib/webex-id.ts";
import type { PersonKind, Room, RoomMember } from "../membership/directory.ts";
import type { Addition, Removal } from "../membership/plan.ts";
import type { RecordedPerson } from "../membership/record.ts";
import type { WebexClient } from "./client.ts";
import { idSchema, parseReply, WebexError } from "./errors.ts";
import { readPages } from "./pagination.ts";

const text = v.fallback(v.nullable(v.string()), null);

const pageSchema = v.object({ items: v.array(v.unknown()) });

const membershipSchema = v.object({
  roomId: v.string(),
  personId: idSchema,
  id: v.fallback(v.nullable(idSchema), null),
  personEmail: text,
  personDisplayName: text,
  personOrgId: text,
  isModerator: v.fallback(v.nullable(v.boolean()), null),
});

const additionSchema = v.fallback(v.object({ personEmail: text, personDisplayName: text }), {
  personEmail: null,
  personDisplayName: null,
});

/** Lists a room's members, or only one. https://developer.webex.com/docs/api/v1/memberships/list-memberships */
export async function listRoomMembers(
  client: WebexClient,
  room: Room,
  identify: typeof identityOf,
  personId?: string,
): Promise<Listing<RoomMember>> {
  const path = "/memberships";
  const query = { roomId: room.id, ...(personId === undefined ? {} : { personId }), max: 1000 };
  return await readPages(client, { method: "GET", path, query }, (body) => {
    const page = parseReply(pageSchema, body, "GET", path);
    const items = page.items.flatMap((item) => {
      const { success, output } = v.safeParse(membershipSchema, item);
      return success ? [output] : [];
    });
    const own = items.filter(
      (item) => item.roomId === room.id || identityOf(item.roomId, "ROOM") === room.key,
    );
    return {
      strangers: items.length - own.length,
      items: own.map((item) => ({
        key: identify(item.personId, "PEOPLE"),
        personId: item.personId,
        // Without knowing that somebody is not a moderator, nobody may remove them.
        membershipId: item.isModerator === null ? null : item.id,
        displayName: item.personDisplayName ?? "",
        email: item.personEmail,
        orgKey: item.personOrgId === null ? null : identify(item.personOrgId, "ORGANIZATION"),
        isModerator: item.isModerator ?? false,
        suggestedKind: kindByAddress(item.personEmail ?? ""),
      })),
    };
  });
}

/**
 * Adds a person to a room, or by way of the team to its General space. Returns them as Webex describes them, or null
 * when they were there already (409) and no try of ours can have brought them. @throws {WebexError} when not added.
 * https://developer.webex.com/docs/api/v1/memberships/create-a-membership
 * https://developer.webex.com/docs/api/v1/team-memberships/create-a-team-membership
 */
export async function addMember(
  client: WebexClient,
  room: Room,
  person: Addition,
): Promise<RecordedPerson | null> {
  const teamId = room.generalOfTeamId;
  const path = teamId === null ? "/memberships" : "/team/memberships";
  const body = {
    ...(teamId === null ? { roomId: room.id } : { teamId }),
    personId: person.personId,
    ...(person.asModerator ? { isModerator: true } : {}),
  };
  const tries = watchTries(isOutsider);
  try {
    const reply = await client.send({ method: "POST", path, body, repeatable: true, isFinal: tries.isFinal });
    const { personDisplayName, personEmail } = v.parse(additionSchema, reply.body);
    return {
      personId: person.personId,
      displayName: personDisplayName || person.displayName,
      email: personEmail || person.email,
    };
  } catch (error) {
    if (error instanceof WebexError && error.status === 409) return tries.mayHaveWorked() ? person : null;
    throw tries.conclude(error);
  }
}

/**
 * Ends a membership; false when it was gone already and no try of ours can have ended it. A fresh look must confirm
 * a 404. https://developer.webex.com/docs/api/v1/memberships/delete-a-membership
 * @throws {WebexError} when the person is still in the room, or nobody can tell.
 */
export async function removeMember(client: WebexClient, room: Room, member: Removal): Promise<boolean> {
  const path = `/memberships/${encodeURIComponent(member.membershipId)}`;
  const tries = watchTries(() => false);
  try {
    await client.send({ method: "DELETE", path, repeatable: true, isFinal: tries.isFinal });
    return true;
  } catch (error) {
    const mayBeGone =
      error instanceof WebexError &&
      (error.status === 404 || (error.status === 400 && tries.mayHaveWorked()));
    if (!mayBeGone) throw tries.conclude(error);
    const look = await listRoomMembers(client, room, identityOf, member.personId);
    if (!look.complete || look.items.some((item) => item.key === member.key)) throw tries.conclude(error);
    return tries.mayHaveWorked();
  }
}

/** A try that was left without a clear answer may have made the change. */
function watchTries(isFinal: (error: WebexError) => boolean) {
  let mayHaveWorked = false;
  const look = (error: WebexError) => {
    mayHaveWorked ||= error.status === null ? !neverLeft(error) : error.status >= 500 && !isFinal(error);
  };
  return {
    isFinal(error: WebexError): boolean {
      look(error);
      return isFinal(error);
    },
    mayHaveWorked: () => mayHaveWorked,
    conclude(error: unknown): unknown {
      if (!(error instanceof WebexError)) return error;
      look(error);
      error.mayHaveWorked = mayHaveWorked;
      return error;
    },
  };
}

/** Without a connection nothing was sent. */
const connectionCodes = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

function neverLeft({ attempts, cause }: WebexError): boolean {
  return (
    attempts === 0 || (cause instanceof Error && "code" in cause && connectionCodes.has(String(cause.code)))
  );
}

/** Webex answers 502 when the caller is not in the room; repeating cannot help then. */
function isOutsider(error: WebexError): boolean {
  return error.status === 502 && error.detail.includes("Add participant failed");
}

/** A membership does not have the person's type, but some addresses give it away. */
function kindByAddress(email: string): PersonKind | null {
  if (/@(webex\.bot|sparkbot\.io)$/i.test(email)) return "bot";
  return /@appid\.ciscospark\.com$/i.test(email) ? "guest" : null;
}
