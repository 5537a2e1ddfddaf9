import type { Listing } from "../lib/listing.ts";

/** Whose token it is. `key` is the decoded id, by which people are compared. */
export interface Owner {
  readonly key: string;
  readonly email: string | null;
  readonly displayName: string;
  readonly orgKey: string | null;
}

export interface Group {
  readonly key: string;
  readonly id: string;
  readonly displayName: string;
}

/** What one page of a group's members says of the group itself; null where it does not say. */
export interface GroupHead {
  readonly key: string | null;
  readonly displayName: string | null;
  readonly memberSize: number | null;
  readonly lastModified: string | null;
}

export interface GroupListing {
  readonly heads: readonly GroupHead[];
  readonly members: Listing<GroupMember>;
}

/** A member as a group's list tells it; `displayName` is a free label there, good for reading only. */
export interface GroupMember {
  readonly key: string;
  readonly personId: string;
  readonly displayName: string;
  readonly type: string;
}

export interface Room {
  readonly key: string;
  readonly id: string;
  readonly title: string;
  readonly orgKey: string | null;
  /** The team whose General space this room is; null for every other room. */
  readonly generalOfTeamId: string | null;
  readonly isModerated: boolean;
}

/** `guest` is a person without an account; `other` is anything that is none of these, and never a person. */
export type PersonKind = "person" | "bot" | "guest" | "device" | "other";

export interface RoomMember {
  readonly key: string;
  readonly personId: string;
  /** Null where the list leaves out what a removal needs: such a member stays. */
  readonly membershipId: string | null;
  readonly displayName: string;
  readonly email: string | null;
  readonly orgKey: string | null;
  readonly isModerator: boolean;
  /** What the address hints at: good enough to keep somebody, never to remove them. */
  readonly suggestedKind: PersonKind | null;
}

export interface KnownPerson {
  readonly displayName: string;
  readonly emails: readonly string[];
  /** Null where the directory was not asked, or does not say. */
  readonly kind: PersonKind | null;
}

/** Somebody whom the directory finds by an address. */
export interface AddressHolder extends KnownPerson {
  readonly key: string;
  readonly personId: string;
  readonly orgKey: string | null;
  /** False for a deactivated account; null where Webex does not tell. */
  readonly mayLogIn: boolean | null;
}

export interface PeopleLookUp {
  readonly people: ReadonlyMap<string, KnownPerson>;
  readonly failure: string | null;
}

/** A group, and its members where they came with it and may be all. */
export interface FoundGroup {
  readonly group: Group;
  readonly listing: GroupListing | null;
}

/** Asks for single things, which may spare a listing; null where only the listing can tell, or the reason why not. */
export interface SingleReader {
  readRoom(id: string): Promise<Room | null>;
  readGroup(id: string): Promise<FoundGroup | null>;
  /** Null also where several groups bear the name. What the name only resembles is not seen. */
  findGroup(name: string): Promise<FoundGroup | null>;
  /** Null when the first page tells that it takes more pages. */
  listFewGroups(maxPages: number): Promise<Listing<Group> | null>;
}

/** The port by which Webex is read. Listings tell what went wrong; only `readOwner` throws. */
export interface MembershipReader extends SingleReader {
  readOwner(): Promise<Owner>;
  listGroups(): Promise<Listing<Group>>;
  listRooms(): Promise<Listing<Room>>;
  listGroupMembers(group: Group): Promise<GroupListing>;
  listRoomMembers(room: Room): Promise<Listing<RoomMember>>;
  lookUpPeople(personIds: readonly string[]): Promise<PeopleLookUp>;
  /** Everybody who has that address among theirs, as far as the organisation's directory knows. */
  findHolders(address: string): Promise<Listing<AddressHolder>>;
}
