import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Organisation, OrganisationRoom } from "../organisation.ts";

export interface Person {
  readonly key: string;
  readonly uuid: string;
  readonly id: string;
  readonly displayName: string | null;
  readonly email: string;
  readonly moreEmails: readonly string[];
  readonly type: string;
  readonly orgId: string;
  readonly loginEnabled?: boolean | undefined;
  readonly invitePending?: boolean | undefined;
}

/** What may become of a person while a run goes on. */
export type PersonChange = Partial<Pick<Person, "email" | "moreEmails" | "loginEnabled" | "invitePending">>;

/** People in one place, and which of them moderate it. A General space and its team share one. */
export interface Members {
  readonly people: Person[];
  readonly moderators: Person[];
}

export interface Team {
  readonly name: string;
  readonly uuid: string;
  readonly id: string;
  readonly members: Members;
}

export interface Room {
  title: string;
  readonly uuid: string;
  readonly id: string;
  readonly cluster: string;
  readonly type: "group" | "direct";
  readonly isLocked: boolean;
  readonly isPublic: boolean;
  readonly isGeneral: boolean;
  readonly ownerId: string;
  readonly team: Team | undefined;
  readonly members: Members;
}

/** A group in the sandbox; `nested` are the groups that are its members. */
export interface Group {
  name: string;
  readonly uuid: string;
  readonly id: string;
  members: readonly Person[];
  readonly nested: readonly Group[];
  lastModified: string;
}

export const beginning = "2026-01-02T03:04:05.678Z";

function organisationId(name: string): string {
  return encodeId("ORGANIZATION", uuidOf("organisation", name));
}

/** Numbers the second and later uses of a name, as titles and group names may repeat but uuids may not. */
function createNumbering() {
  const uses = new Map<string, number>();
  return (name: string) => {
    const use = (uses.get(name) ?? 0) + 1;
    uses.set(name, use);
    return use === 1 ? name : `${name}\n${use}`;
  };
}

/** The state of the sandbox's Webex. People are shared and pair ids made late: a million memberships take some 8 MB. */
export class World {
  /** What was written into rooms, oldest first. */
  readonly messages: { readonly room: Room; readonly markdown: string }[] = [];
  readonly orgId: string;
  readonly owner: Person;
  readonly groups: readonly Group[];
  readonly teams: readonly Team[];
  readonly rooms: Room[];
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Person>();
  readonly #byUuid = new Map<string, Person>();
  readonly #byEmail = new Map<string, Person>();
  readonly #roomByUuid = new Map<string, Room>();

  constructor(organisation: Organisation, clock: Clock) {
    this.#clock = clock;
    this.orgId = organisationId(organisation.name);
    for (const person of organisation.people) {
      const orgId = person.organisation ? organisationId(person.organisation) : this.orgId;
      const added = this.addPerson(person.key, person.displayName, person.email, orgId, person.type);
      const { moreEmails = [], loginEnabled, invitePending } = person;
      this.changePerson(added, { moreEmails, loginEnabled, invitePending });
    }
    this.owner = organisation.owner
      ? this.person(organisation.owner)
      : this.addPerson("rollcall", "Rollcall", `rollcall@${organisation.name}.example.com`, this.orgId);
    const groupNumber = createNumbering();
    const groups = organisation.groups.map(({ name, members, nestedGroups = [] }) => {
      const uuid = uuidOf("group", groupNumber(name));
      const id = encodeId("SCIM_GROUP", `${uuid}:${uuidOf("organisation", organisation.name)}`);
      const nested: Group[] = [];
      const group: Group = {
        name,
        uuid,
        id,
        members: this.#people(members),
        nested,
        lastModified: beginning,
      };
      return { group, nested, nestedGroups };
    });
    this.groups = groups.map(({ group }) => group);
    for (const { nested, nestedGroups } of groups)
      nested.push(...nestedGroups.map((name) => this.group(name)));
    this.teams = (organisation.teams ?? []).map((team) => {
      const uuid = uuidOf("team", team.name);
      const members = this.#members(team.members, team.ownerAbsent, team.moderators, true);
      return { name: team.name, uuid, id: encodeId("TEAM", uuid), members };
    });
    const roomNumber = createNumbering();
    const rooms = organisation.rooms.map((room) => this.#room(room, roomNumber(room.title)));
    this.rooms = rooms.sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const room of this.rooms) this.#roomByUuid.set(room.uuid, room);
  }

  addPerson(key: string, displayName: string | null, email: string, orgId: string, type = "person"): Person {
    const uuid = uuidOf("person", key);
    const person = {
      key,
      uuid,
      id: encodeId("PEOPLE", uuid),
      displayName,
      email,
      moreEmails: [],
      type,
      orgId,
    };
    this.#byKey.set(key, person);
    this.#byUuid.set(uuid, person);
    this.#byEmail.set(email.toLowerCase(), person);
    return person;
  }

  person(key: string): Person {
    const person = this.#byKey.get(key);
    if (!person) throw new Error(`nobody in the organisation has the key "${key}"`);
    return person;
  }

  /** The room with that title, the first by id when there are several; an error when there is none. */
  room(title: string): Room {
    const room = this.rooms.find((candidate) => candidate.title === title);
    if (!room) throw new Error(`no room has the title "${title}"`);
    return room;
  }

  group(name: string): Group {
    const group = this.groups.find((candidate) => candidate.name === name);
    if (!group) throw new Error(`no group has the name "${name}"`);
    return group;
  }

  team(name: string): Team {
    const team = this.teams.find((candidate) => candidate.name === name);
    if (!team) throw new Error(`no team has the name "${name}"`);
    return team;
  }

  /** Gives a person other addresses, or another account; an address that was theirs alone then leads nowhere. */
  changePerson(person: Person, change: PersonChange): void {
    const listAddresses = () => [person.email, ...person.moreEmails].map((email) => email.toLowerCase());
    for (const email of listAddresses()) if (this.#byEmail.get(email) === person) this.#byEmail.delete(email);
    Object.assign(person, change);
    for (const email of listAddresses()) this.#byEmail.set(email, person);
  }

  /** Gives a group other members, or another name; it is then modified at this moment. */
  changeGroup(group: Group, change: { readonly members?: readonly Person[]; readonly name?: string }): void {
    Object.assign(group, change, { lastModified: this.#clock.stamp() });
  }

  deleteRoom(room: Room): void {
    this.rooms.splice(this.rooms.indexOf(room), 1);
    this.#roomByUuid.delete(room.uuid);
  }

  get people(): IterableIterator<Person> {
    return this.#byKey.values();
  }

  findPerson(id: string): Person | undefined {
    return this.#byUuid.get(keyOf(id, "PEOPLE") ?? "");
  }

  findPersonByEmail(email: string): Person | undefined {
    return this.#byEmail.get(email.toLowerCase());
  }

  findRoom(id: string): Room | undefined {
    return this.#roomByUuid.get(keyOf(id, "ROOM") ?? "");
  }

  findTeam(id: string): Team | undefined {
    const uuid = keyOf(id, "TEAM");
    return this.teams.find((team) => team.uuid === uuid);
  }

  #people(keys: readonly string[]): Person[] {
    return [...new Set(keys)].map((key) => this.person(key));
  }

  #members(
    keys: readonly string[],
    ownerAbsent = false,
    moderators: readonly string[] | undefined,
    moderated: boolean,
  ): Members {
    const people = this.#people(ownerAbsent ? keys : [...keys, this.owner.key]);
    const ownerModerates = moderated && !ownerAbsent;
    return { people, moderators: moderators ? this.#people(moderators) : ownerModerates ? [this.owner] : [] };
  }

  #room(room: OrganisationRoom, name: string): Room {
    const team = room.team ? this.team(room.team) : undefined;
    const isGeneral = room.general ?? false;
    const uuid = isGeneral && team ? team.uuid : uuidOf("room", name);
    const cluster = room.cluster ?? "us";
    const isLocked = room.isLocked ?? false;
    return {
      title: room.title,
      uuid,
      id: encodeId("ROOM", uuid, cluster),
      cluster,
      type: room.type ?? "group",
      isLocked,
      isPublic: room.isPublic ?? false,
      isGeneral,
      ownerId: room.organisation ? organisationId(room.organisation) : this.orgId,
      team,
      members:
        isGeneral && team
          ? team.members
          : this.#members(room.members, room.ownerAbsent, room.moderators, isLocked),
    };
  }
}

/** Makes a person a moderator of a place, or a plain member again. */
export function setModerator({ moderators }: Members, person: Person, isModerator: boolean): void {
  const index = moderators.indexOf(person);
  if (isModerator && index < 0) moderators.push(person);
  if (!isModerator && index >= 0) moderators.splice(index, 1);
}

/** Takes a person out of a place, with the right to moderate it. */
export function leave(members: Members, person: Person): void {
  for (const list of [members.people, members.moderators]) {
    const index = list.indexOf(person);
    if (index >= 0) list.splice(index, 1);
  }
}

const uri = /^ciscospark:\/\/.+\/([A-Z_]+)\/([^/]+)$/;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A uuid made from a kind and a name, so that the same organisation has the same ids in every run. */
export function uuidOf(kind: string, name: string): string {
  const hex = createHash("sha256").update(`${kind}\n${name}`).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** A public Webex id: unpadded base64url of `ciscospark://<cluster>/<TYPE>/<key>`. */
export function encodeId(type: string, key: string, cluster = "us"): string {
  return Buffer.from(`ciscospark://${cluster}/${type}/${key}`).toString("base64url");
}

/** The key in a public id of that type, or a bare uuid itself; undefined for anything else. */
export function keyOf(id: string, type: string): string | undefined {
  if (uuid.test(id)) return id;
  const match = uri.exec(Buffer.from(id, "base64url").toString("utf8"));
  return match?.[1] === type ? match[2] : undefined;
}

/** The two halves of the key in a MEMBERSHIP or TEAM_MEMBERSHIP id: the person's uuid and the room's or team's. */
export function membershipKeyOf(
  id: string,
  type: "MEMBERSHIP" | "TEAM_MEMBERSHIP",
): [string, string] | undefined {
  const [person, place] = keyOf(id, type)?.split(":") ?? [];
  return person && place ? [person, place] : undefined;
}
