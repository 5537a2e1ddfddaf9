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
}

/** `guest` is a person without an account; `other` is anything that is none of these, and never a person. */
export type PersonKind = "person" | "bot" | "guest" | "other";

export interface RoomMember {
  readonly key: string;
  readonly personId: string;
  readonly membershipId: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly orgKey: string | null;
  readonly isModerator: boolean;
  /** Null where the membership itself does not tell. */
  readonly kind: PersonKind | null;
}

/** A person as the directory describes them. */
export interface KnownPerson {
  readonly displayName: string;
  readonly email: string | null;
  readonly kind: PersonKind | null;
}

/** The port by which Webex is read. Listings tell what went wrong; only `readOwner` throws. */
export interface MembershipReader {
  readOwner(): Promise<Owner>;
  listGroups(): Promise<Listing<Group>>;
  listRooms(): Promise<Listing<Room>>;
  /** `memberSize` is how many members Webex says there are; null when it does not say. */
  listGroupMembers(
    group: Group,
  ): Promise<{ readonly memberSize: number | null; readonly members: Listing<GroupMember> }>;
  listRoomMembers(room: Room): Promise<Listing<RoomMember>>;
  /** Describes people by key; whom Webex does not describe is absent from the answer. */
  lookUpPeople(personIds: readonly string[]): Promise<ReadonlyMap<string, KnownPerson>>;
}
