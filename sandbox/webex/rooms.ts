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
  type Team,
  type World,
} from "./world.ts";

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
      created: beginning,
      lastActivity: beginning,
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

interface TeamMembership {
  readonly team: Team;
  readonly person: Person;
}

function showTeam(team: Team) {
  return { id: team.id, name: team.name, created: beginning };
}

function showTeamMembership({ team, person }: TeamMembership) {
  return {
    id: encodeId("TEAM_MEMBERSHIP", `${person.uuid}:${team.uuid}`),
    teamId: team.id,
    personId: person.id,
    personEmail: person.email,
    personDisplayName: person.displayName,
    personOrgId: person.orgId,
    isModerator: team.members.moderators.includes(person),
    created: beginning,
  };
}

/** `/teams` and `/team/memberships`; a team's members are those of its General space. */
export function teamRoutes(world: World, quirks: Quirks): Routes {
  const isVisible = (team: Team) => team.members.people.includes(world.owner);

  function findTeam(teamId: string): Team {
    const team = world.findTeam(teamId);
    if (!team || !isVisible(team)) throw new Refusal(404, "Could not find a team with provided ID.");
    return team;
  }

  function add(request: ApiRequest): Reply {
    const team = findTeam(textField(request.body, "teamId") ?? "");
    const person = world.findPerson(textField(request.body, "personId") ?? "");
    if (!person) throw new Refusal(400, "Expect base64 ID or UUID.");
    const { people, moderators } = team.members;
    if (people.includes(person)) throw new Refusal(409, "Person is already in the team.");
    people.push(person);
    if (bodyField(request.body, "isModerator") === true) moderators.push(person);
    return { status: 200, body: showTeamMembership({ team, person }) };
  }

  function remove(request: ApiRequest): Reply {
    const [personUuid = "", teamUuid = ""] =
      membershipKeyOf(parameter(request, "membershipId"), "TEAM_MEMBERSHIP") ?? [];
    const team = findTeam(teamUuid);
    const person = world.findPerson(personUuid);
    if (!person || !team.members.people.includes(person)) {
      throw new Refusal(404, "Could not find a team membership with provided ID.");
    }
    const { moderators } = team.members;
    if (moderators.length === 1 && moderators[0] === person) {
      throw new Refusal(403, "The last moderator of the team can't be removed.");
    }
    leave(team.members, person);
    return { status: 204 };
  }

  return {
    "GET /teams": (request) => answerPage(request, "teams", world.teams.filter(isVisible), quirks, showTeam),
    "GET /teams/{teamId}": (request) => ({
      status: 200,
      body: showTeam(findTeam(parameter(request, "teamId"))),
    }),
    "GET /team/memberships": (request) => {
      const team = findTeam(request.url.searchParams.get("teamId") ?? "");
      const memberships = team.members.people.map((person) => ({ team, person }));
      return answerPage(request, "teamMemberships", memberships, quirks, showTeamMembership);
    },
    "POST /team/memberships": add,
    "DELETE /team/memberships/{membershipId}": remove,
  };
}
