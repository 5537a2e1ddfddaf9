import assert from "node:assert/strict";
import type { Listing } from "../../src/lib/listing.ts";
import type { GroupReading, RoomDiff } from "../../src/membership/diff.ts";
import type {
  AddressHolder,
  GroupMember,
  KnownPerson,
  Owner,
  Room,
  RoomMember,
} from "../../src/membership/directory.ts";
import type { CheckedRoom } from "../../src/membership/limits.ts";
import type { Observation } from "../../src/membership/observe.ts";
import type { Addition, Removal, RoomPlan } from "../../src/membership/plan.ts";
import type { DesiredRoom } from "../../src/membership/resolve.ts";

/** The organisation of everybody who is not declared to be of another one. */
export const home = "ORGANIZATION/acme";

/** Whose token it is, and the same person as a member of a room. */
export const owner: Owner = {
  key: "PEOPLE/rollcall",
  email: "rollcall@acme.example",
  displayName: "rollcall",
  orgKey: home,
};

/** A person as a record shows them; id and address follow from the name. */
export function person(name: string) {
  return { personId: `id-${name}`, displayName: name, email: `${name}@acme.example` };
}

/** A person as a group's list tells them. */
export function user(name: string, type = "user"): GroupMember {
  return { key: `PEOPLE/${name}`, personId: `id-${name}`, displayName: name, type };
}

/** A member of a room: somebody of the home organisation. */
export function member(name: string, facts: Partial<RoomMember> = {}): RoomMember {
  return {
    key: `PEOPLE/${name}`,
    ...person(name),
    membershipId: `membership-${name}`,
    orgKey: home,
    isModerator: false,
    suggestedKind: null,
    ...facts,
  };
}

/** A group with these people, all surely known. */
export function group(name: string, ...people: readonly (string | GroupMember)[]) {
  const members = people.map((one) => (typeof one === "string" ? user(one) : one));
  return {
    group: { key: `SCIM_GROUP/${name}`, id: `id-${name}`, displayName: name },
    members: new Map(members.map((one) => [one.key, one])),
    complete: true,
  } satisfies GroupReading;
}

/** The same group, of which something is not known. */
export function uncertain(
  reading: GroupReading,
  reason = "a page is missing",
  isUnsteady = false,
): GroupReading {
  return { group: reading.group, members: reading.members, complete: false, reason, isUnsteady };
}

/** A person as the directory describes them. */
export function described(name: string, facts: Partial<KnownPerson> = {}): KnownPerson {
  return { displayName: name, emails: [`${name}@acme.example`], kind: "person", ...facts };
}

/** Somebody of the home organisation whom the directory finds by an address. */
export function holder(name: string, facts: Partial<AddressHolder> = {}): AddressHolder {
  return {
    key: `PEOPLE/${name}`,
    personId: `id-${name}`,
    ...described(name),
    orgKey: home,
    mayLogIn: true,
    ...facts,
  };
}

/** What was observed of rooms; a second look shows what the first one did. */
export function observation(
  differences: readonly RoomDiff[],
  people: ReadonlyMap<string, KnownPerson> = new Map(),
): Observation {
  return {
    owner,
    differences,
    people,
    lookUpFailure: null,
    problems: [],
    names: [],
    compareAgain: async (of) => differences.find(({ feed }) => feed === of) ?? assert.fail("no such room"),
  };
}

/** A room of the home organisation. */
export function room(title: string, facts: Partial<Room> = {}): Room {
  return {
    key: `ROOM/${title}`,
    id: `id-${title}`,
    title,
    orgKey: home,
    generalOfTeamId: null,
    isModerated: false,
    ...facts,
  };
}

/** The rows that feed a room with groups. */
export function feed(
  one: Room,
  groups: readonly GroupReading[],
  facts: Partial<DesiredRoom> = {},
): DesiredRoom {
  const lines = groups.map((_, index) => index + 2);
  return {
    room: one,
    mode: "sync",
    groups: groups.map((reading) => reading.group),
    people: [],
    lines,
    obstacle: null,
    ...facts,
  };
}

/** A listing that arrived as a whole. */
export function complete<T>(...items: readonly T[]): Listing<T> {
  return { complete: true, items };
}

/** A listing of which only these items arrived. */
export function incomplete<T>(reason: string, ...items: readonly T[]): Listing<T> {
  return { complete: false, items, reason };
}

export function addition(name: string): Addition {
  return { key: `PEOPLE/${name}`, ...person(name) };
}

export function removal(name: string, wasModerator = false): Removal {
  return { key: `PEOPLE/${name}`, ...person(name), membershipId: `membership-${name}`, wasModerator };
}

/** A room's plan: who is added and who removed, by name; two more members stay unless told otherwise. */
export function roomPlan(
  title: string,
  changes: { readonly add?: readonly string[]; readonly remove?: readonly string[] } = {},
  facts: Partial<RoomPlan> = {},
): RoomPlan {
  const { add = [], remove = [] } = changes;
  return {
    feed: feed(room(title), [group(`${title} group`)]),
    before: remove.length + 3,
    additions: add.map(addition),
    removals: remove.map((name) => removal(name)),
    kept: [],
    missing: [],
    stayingCount: 2,
    emptyGroups: [],
    frozen: null,
    ...facts,
  };
}

/** A room's plan that has passed the limits. */
export function checkedRoom(...of: Parameters<typeof roomPlan>): CheckedRoom {
  return { ...roomPlan(...of), held: [], holds: [] };
}
