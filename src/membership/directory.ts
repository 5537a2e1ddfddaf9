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
  /** How many members there are. */
  readonly memberSize: number | null;
  /** The stamp of the group's last change. */
  readonly lastModified: string | null;
}

/** A group's members as they arrived, with what each page said of the group. */
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
  /** The organisation that owns the room. */
  readonly orgKey: string | null;
  /** The team whose General space this room is; null for every other room. */
  readonly generalOfTeamId: string | null;
  /** Only moderators may change who is in it. */
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

/** A person as the directory describes them. */
export interface KnownPerson {
  readonly displayName: string;
  readonly emails: readonly string[];
  /** Null where the directory was not asked, or does not say. */
  readonly kind: PersonKind | null;
}

/** Descriptions by key, without those whom Webex does not describe, and why some could not be asked for. */
export interface PeopleLookUp {
  readonly people: ReadonlyMap<string, KnownPerson>;
  readonly failure: string | null;
}

/** The port by which Webex is read. Listings tell what went wrong; only `readOwner` throws. */
export interface MembershipReader {
  readOwner(): Promise<Owner>;
  listGroups(): Promise<Listing<Group>>;
  listRooms(): Promise<Listing<Room>>;
  listGroupMembers(group: Group): Promise<GroupListing>;
  listRoomMembers(room: Room): Promise<Listing<RoomMember>>;
  lookUpPeople(personIds: readonly string[]): Promise<PeopleLookUp>;
}
