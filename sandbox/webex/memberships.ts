import {
  type ApiRequest,
  bodyField,
  parameter,
  Refusal,
  type Reply,
  type Routes,
  textField,
} from "../router.ts";
import { answerPage } from "./pages.ts";
import type { Quirks } from "./quirks.ts";
import {
  beginning,
  encodeId,
  leave,
  membershipKeyOf,
  type Person,
  type Room,
  setModerator,
  uuidOf,
  type World,
} from "./world.ts";

interface Membership {
  readonly room: Room;
  readonly person: Person;
}

function showMembership({ room, person }: Membership) {
  return {
    id: encodeId("MEMBERSHIP", `${person.uuid}:${room.uuid}`, room.cluster),
    roomId: room.id,
    personId: person.id,
    personEmail: person.email,
    personDisplayName: person.displayName,
    personOrgId: person.orgId,
    isModerator: room.members.moderators.includes(person),
    isMonitor: false,
    isRoomHidden: false,
    roomType: room.type,
    created: beginning,
  };
}

/** `/memberships`: who is in a room. Messages are those of the live service where they are known. */
export function membershipRoutes(world: World, quirks: Quirks): Routes {
  const { owner } = world;
  const withoutEffect = new Set(quirks.addsWithoutEffect ?? []);
  // The new members that a room doesn't show yet, with the readings that will still miss them.
  const unseen = new Map<Room, Map<Person, number>>();

  function visiblePeople(room: Room): readonly Person[] {
    const { people, moderators } = room.members;
    if (people.includes(owner)) {
      const waiting = unseen.get(room);
      return waiting ? people.filter((person) => (waiting.get(person) ?? 0) === 0) : people;
    }
    // Who is in the team but not in its moderated room is shown the moderators only.
    if (room.isLocked && room.team?.members.people.includes(owner)) return moderators;
    throw new Refusal(404, "Could not find a room with provided ID.");
  }

  function listOfRoom(roomId: string): Membership[] {
    const room = world.findRoom(roomId);
    if (!room || quirks.listedRoomIs404?.includes(room.title)) {
      throw new Refusal(404, "Could not find a room with provided ID.");
    }
    const memberships = visiblePeople(room).map((person) => ({ room, person }));
    const waiting = unseen.get(room);
    for (const [person, readings] of waiting ?? []) waiting?.set(person, Math.max(0, readings - 1));
    return memberships;
  }

  function listOwn(): Membership[] {
    const rooms = world.rooms.filter((room) => room.members.people.includes(owner));
    return rooms.map((room) => ({ room, person: owner }));
  }

  function list(request: ApiRequest): Reply {
    const query = request.url.searchParams;
    const roomId = query.get("roomId");
    const personId = query.get("personId");
    const personEmail = query.get("personEmail");
    const asked =
      (personId && world.findPerson(personId)) || (personEmail && world.findPersonByEmail(personEmail));
    const memberships = (roomId ? listOfRoom(roomId) : listOwn()).filter(
      ({ person }) => (!personId && !personEmail) || person === asked,
    );
    return answerPage(request, "memberships", memberships, quirks, showMembership);
  }

  /** The person to add; an unknown address invites a stranger. */
  function personToAdd(body: unknown): Person {
    const personId = textField(body, "personId");
    const email = textField(body, "personEmail");
    if (personId) {
      const person = world.findPerson(personId);
      if (!person) throw new Refusal(400, "Expect base64 ID or UUID.");
      return person;
    }
    if (!email) throw new Refusal(400, "Must specify either personId or personEmail.");
    const orgOfStrangers = encodeId("ORGANIZATION", uuidOf("organisation", "consumer"));
    return world.findPersonByEmail(email) ?? world.addPerson(email, email, email, orgOfStrangers);
  }

  function requireModeration(room: Room): void {
    if (room.isLocked && !room.members.moderators.includes(owner)) {
      throw new Refusal(403, "Only moderators may change the members of a moderated space.");
    }
  }

  function add(request: ApiRequest): Reply {
    const roomId = textField(request.body, "roomId");
    if (!roomId) throw new Refusal(400, "roomId cannot be null");
    const room = world.findRoom(roomId);
    if (!room) throw new Refusal(404, "Could not find a room with provided ID.");
    if (!room.members.people.includes(owner)) throw new Refusal(502, "Add participant failed.");
    requireModeration(room);
    const person = personToAdd(request.body);
    const { people, moderators } = room.members;
    if (people.includes(person)) throw new Refusal(409, "Person is already in the room.");
    if (!withoutEffect.has(person.key)) {
      people.push(person);
      if (bodyField(request.body, "isModerator") === true) moderators.push(person);
      if (quirks.addVisibleAfterReads) {
        unseen.set(room, (unseen.get(room) ?? new Map()).set(person, quirks.addVisibleAfterReads));
      }
    }
    return { status: 200, body: showMembership({ room, person }) };
  }

  function findMembership(request: ApiRequest): Membership {
    const [personUuid, roomUuid] = membershipKeyOf(parameter(request, "membershipId"), "MEMBERSHIP") ?? [];
    const room = roomUuid && world.findRoom(roomUuid);
    const person = personUuid && world.findPerson(personUuid);
    if (!room || !person) throw new Refusal(400, "Failed to leave room.");
    const { people } = room.members;
    if (!people.includes(owner) || !people.includes(person)) {
      throw new Refusal(404, "User is not a participant of the room.");
    }
    return { room, person };
  }

  function membershipToChange(request: ApiRequest): Membership {
    const membership = findMembership(request);
    requireModeration(membership.room);
    return membership;
  }

  function change(request: ApiRequest): Reply {
    const isModerator = bodyField(request.body, "isModerator");
    if (typeof isModerator !== "boolean") throw new Refusal(400, "isModerator cannot be null");
    const membership = membershipToChange(request);
    setModerator(membership.room.members, membership.person, isModerator);
    return { status: 200, body: showMembership(membership) };
  }

  function remove(request: ApiRequest): Reply {
    const { room, person } = membershipToChange(request);
    const { moderators } = room.members;
    const isLastModerator = moderators.length === 1 && moderators[0] === person;
    if (isLastModerator && (room.isLocked || room.isGeneral)) {
      throw new Refusal(403, "The last moderator of the space can't be removed.");
    }
    leave(room.members, person);
    return { status: 204 };
  }

  return {
    "GET /memberships": list,
    "GET /memberships/{membershipId}": (request) => ({
      status: 200,
      body: showMembership(findMembership(request)),
    }),
    "POST /memberships": add,
    "PUT /memberships/{membershipId}": change,
    "DELETE /memberships/{membershipId}": remove,
  };
}
