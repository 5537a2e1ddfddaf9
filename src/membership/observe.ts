import { createSlots } from "../slots.ts";
import { compareRoom, type RoomDifference } from "./compare.ts";
import { type GroupReading, judgeGroup } from "./group-reading.ts";
import type { Mapping } from "./mapping.ts";
import type { Problem } from "./record.ts";
import { type RoomFeed, resolveMappings } from "./resolve.ts";

/** What was read of a list, and whether that is all of it: unknown is never empty. */
export type Listing<T> =
  | { readonly complete: true; readonly items: readonly T[] }
  | { readonly complete: false; readonly items: readonly T[]; readonly reason: string };

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

/** Everything a plan is made from. */
export interface Observation {
  readonly owner: Owner;
  readonly differences: readonly RoomDifference[];
  readonly people: ReadonlyMap<string, KnownPerson>;
  readonly problems: readonly Problem[];
}

/** Rooms read at once; each keeps one request under way. More would only hold memory. */
const roomsAtOnce = 16;

/**
 * Reads whatever the mappings name. Of each room only the difference to its groups is kept, so that memory grows
 * with the drift and not with the organisation.
 * @throws what `readOwner` throws: without knowing the token's owner nothing can be decided.
 */
export async function observe(
  reader: MembershipReader,
  mappings: readonly Mapping[],
  tell: (progress: string) => void = () => undefined,
): Promise<Observation> {
  const [owner, groups, rooms] = await Promise.all([
    reader.readOwner(),
    reader.listGroups(),
    reader.listRooms(),
  ]);
  const { feeds, problems } = resolveMappings(mappings, groups, rooms, owner);
  tell(
    `Read ${rooms.items.length} rooms and ${groups.items.length} groups; ${feeds.length} rooms are mapped`,
  );

  const readings = await readGroups(reader, feeds);
  const listed = new Map<string, GroupMember>();
  for (const reading of readings.values())
    for (const [key, member] of reading.members) listed.set(key, member);
  tell(`Read the members of ${readings.size} groups`);

  const seen = new Map<string, KnownPerson>();
  const slots = createSlots(roomsAtOnce);
  const differences = await Promise.all(
    feeds.map((feed) =>
      slots.use(async () => {
        const members = await reader.listRoomMembers(feed.room);
        for (const { key, displayName, email, kind } of members.items) {
          // A group lists people as `user`; its word spares a look-up of what a member is.
          if (!seen.has(key))
            seen.set(key, { displayName, email, kind: kind ?? (listed.has(key) ? "person" : null) });
        }
        const feeding = feed.groups.flatMap((group) => readings.get(group.key) ?? []);
        return compareRoom(feed, feeding, members, owner);
      }),
    ),
  );
  tell(`Read the members of ${feeds.length} rooms`);

  const unknown = findUnknownPeople(differences, seen);
  if (unknown.length > 0)
    for (const [key, person] of await reader.lookUpPeople(unknown)) seen.set(key, person);
  return {
    owner,
    differences,
    people: seen,
    problems: [...problems, ...findGroupProblems(feeds, readings)],
  };
}

async function readGroups(
  reader: MembershipReader,
  feeds: readonly RoomFeed[],
): Promise<Map<string, GroupReading>> {
  const groups = new Map(feeds.flatMap((feed) => feed.groups.map((group) => [group.key, group] as const)));
  const slots = createSlots(roomsAtOnce);
  const readings = [...groups.values()].map((group) =>
    slots.use(async () => {
      const { memberSize, members } = await reader.listGroupMembers(group);
      return [group.key, judgeGroup(group, memberSize, members)] as const;
    }),
  );
  return new Map(await Promise.all(readings));
}

/** Who has to be looked up: whoever might be removed and might not be a person, and newcomers nobody described. */
function findUnknownPeople(
  differences: readonly RoomDifference[],
  seen: ReadonlyMap<string, KnownPerson>,
): string[] {
  const unknown = new Map<string, string>();
  for (const { feed, surplus, absent } of differences) {
    for (const { key, personId } of absent) if (!seen.has(key)) unknown.set(key, personId);
    if (feed.mode !== "sync") continue;
    for (const { key, personId } of surplus) if (!seen.get(key)?.kind) unknown.set(key, personId);
  }
  return [...unknown.values()].sort();
}

/** One problem for each group whose members are not surely known, at the first line that names it. */
function findGroupProblems(
  feeds: readonly RoomFeed[],
  readings: ReadonlyMap<string, GroupReading>,
): Problem[] {
  return [...readings.values()].flatMap((reading) => {
    if (reading.complete) return [];
    const fed = feeds.filter((feed) => feed.groups.some((group) => group.key === reading.group.key));
    const line = Math.min(...fed.flatMap((feed) => feed.lines));
    const titles = fed.map((feed) => `"${feed.room.title}"`).join(", ");
    const message = `the members of group "${reading.group.displayName}" are not surely known: ${reading.reason}; nobody is removed from ${titles}`;
    return [{ line, column: "group", message }];
  });
}
