import { identityOf } from "../lib/webex-id.ts";
import type { MembershipWriter } from "../membership/apply.ts";
import type { GroupMember, MembershipReader, PeopleLookUp } from "../membership/directory.ts";
import type { AddressReader } from "../membership/protection.ts";
import type { WebexClient } from "./client.ts";
import { WebexError } from "./errors.ts";
import { findGroup, listFewGroups, listGroupMembers, listGroups, readGroup } from "./groups.ts";
import { addMember, listRoomMembers, removeMember } from "./memberships.ts";
import { findHolders, hasAddress, idsPerLookUp, lookUpPeople, readOwner } from "./people.ts";
import { listRooms, readRoom } from "./rooms.ts";

/** Creates a reader that shares ids and equal members: a million memberships name far fewer people. */
export function createWebexReader(client: WebexClient): MembershipReader & AddressReader {
  const identities = new Map<string, string>();
  const identify: typeof identityOf = (id, type) => {
    const known = identities.get(id);
    if (known !== undefined) return known;
    const key = identityOf(id, type);
    identities.set(id, key);
    return key;
  };
  const groupMembers = new Map<string, GroupMember>();
  const intern = (personId: string, type: string, displayName: string): GroupMember => {
    const known = groupMembers.get(personId);
    if (known?.type === type) return known;
    const member = { key: identify(personId, "PEOPLE"), personId, displayName, type };
    groupMembers.set(personId, member);
    return member;
  };
  return {
    readOwner: () => readOwner(client),
    findHolders: (address) => findHolders(client, address),
    hasAddress: (address) => hasAddress(client, address),
    listGroups: () => listGroups(client),
    listRooms: () => listRooms(client),
    readRoom: (id) => readRoom(client, id),
    readGroup: (id) => readGroup(client, id, intern),
    findGroup: (name) => findGroup(client, name, intern),
    listFewGroups: (maxPages) => listFewGroups(client, maxPages),
    listGroupMembers: (group) => listGroupMembers(client, group, intern),
    listRoomMembers: (room) => listRoomMembers(client, room, identify),
    async lookUpPeople(personIds) {
      const batches: Promise<PeopleLookUp>[] = [];
      for (let start = 0; start < personIds.length; start += idsPerLookUp) {
        const batch = lookUpPeople(client, personIds.slice(start, start + idsPerLookUp));
        batches.push(batch.then((people) => ({ people, failure: null }), leaveUnknown));
      }
      const found = await Promise.all(batches);
      return {
        people: new Map(found.flatMap(({ people }) => [...people])),
        failure: found.find(({ failure }) => failure !== null)?.failure ?? null,
      };
    },
  };
}

/** People who could not be looked up are unknown, and the plan removes nobody who is unknown. */
function leaveUnknown(error: unknown): PeopleLookUp {
  if (error instanceof WebexError) return { people: new Map(), failure: error.message };
  throw error;
}

/** Creates the writer that changes memberships; `plan` and `--dry-run` never get one. */
export function createWebexWriter(client: WebexClient): MembershipWriter {
  return {
    addMember: (room, person) => addMember(client, room, person),
    removeMember: (room, member) => removeMember(client, room, member),
  };
}
