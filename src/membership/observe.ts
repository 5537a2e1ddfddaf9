import { createSlots } from "../lib/semaphore.ts";
import { compareRoom, type RoomDifference, type Stray } from "./diff.ts";
import type { Group, GroupMember, KnownPerson, MembershipReader, Owner } from "./directory.ts";
import { type GroupReading, judgeGroup } from "./group-reading.ts";
import type { Mapping } from "./mapping.ts";
import type { Problem } from "./record.ts";
import { type Resolution, type RoomFeed, resolveMappings } from "./resolve.ts";

/** Everything a plan is made from. */
export interface Observation {
  readonly owner: Owner;
  readonly differences: readonly RoomDifference[];
  readonly people: ReadonlyMap<string, KnownPerson>;
  readonly problems: readonly Problem[];
}

/** Rooms read at once; each keeps one request under way. More would only hold memory. */
export const roomsAtOnce = 16;

/**
 * Reads whatever the mappings name. Of each room only the difference to its groups is kept, so that memory grows
 * with the drift and not with the organisation.
 * @throws what `readOwner` throws: without knowing the token's owner nothing can be decided.
 */
export async function observe(
  reader: MembershipReader,
  mappings: readonly Mapping[],
  tell?: (progress: string) => void,
): Promise<Observation> {
  return (await observeBoth(reader, mappings, [], tell)).first;
}

/**
 * Reads whatever either of two mappings names, each room and each group once, and compares it with both: what
 * differs between the two observations is due to the mappings, never to a change in Webex in between.
 * @throws what `readOwner` throws.
 */
export async function observeBoth(
  reader: MembershipReader,
  first: readonly Mapping[],
  second: readonly Mapping[],
  tell: (progress: string) => void = () => undefined,
): Promise<{ readonly first: Observation; readonly second: Observation }> {
  const [owner, groups, rooms] = await Promise.all([
    reader.readOwner(),
    reader.listGroups(),
    reader.listRooms(),
  ]);
  const resolve = (mappings: readonly Mapping[]) => resolveMappings(mappings, groups, rooms, owner);
  const resolutions = { first: resolve(first), second: resolve(second) };
  const feeds = [...resolutions.first.feeds, ...resolutions.second.feeds];
  const fedRooms = new Map(feeds.map(({ room }) => [room.key, room] as const));
  tell(
    `Read ${rooms.items.length} rooms and ${groups.items.length} groups; ${fedRooms.size} rooms are mapped`,
  );

  const strayRows = [...resolutions.first.strays, ...resolutions.second.strays];
  const named = [...feeds.flatMap((feed) => feed.groups), ...strayRows.map(({ group }) => group)];
  const readings = await readGroups(reader, named);
  const findStrays = ({ strays }: Resolution): Stray[] =>
    strays.flatMap(({ group, line }) => {
      const reading = readings.get(group.key);
      return reading ? [{ line, reading }] : [];
    });
  const strays = { first: findStrays(resolutions.first), second: findStrays(resolutions.second) };
  const firstFeeds = new Set(resolutions.first.feeds);
  const listed = new Map<string, GroupMember>();
  for (const reading of readings.values())
    for (const [key, member] of reading.members) listed.set(key, member);
  tell(`Read the members of ${readings.size} groups`);

  const seen = new Map<string, KnownPerson>();
  const slots = createSlots(roomsAtOnce);
  const feedsOf = new Map<string, RoomFeed[]>();
  for (const feed of feeds) feedsOf.set(feed.room.key, [...(feedsOf.get(feed.room.key) ?? []), feed]);
  const differences = new Map<RoomFeed, RoomDifference>();
  await Promise.all(
    [...fedRooms.values()].map((room) =>
      slots.use(async () => {
        const members = await reader.listRoomMembers(room);
        for (const { key, displayName, email, kind } of members.items) {
          // A group lists people as `user`; its word spares a look-up of what a member is.
          if (!seen.has(key))
            seen.set(key, { displayName, email, kind: kind ?? (listed.has(key) ? "person" : null) });
        }
        for (const feed of feedsOf.get(room.key) ?? []) {
          const feeding = feed.groups.flatMap((group) => readings.get(group.key) ?? []);
          const astray = firstFeeds.has(feed) ? strays.first : strays.second;
          differences.set(feed, compareRoom(feed, feeding, members, owner, astray));
        }
      }),
    ),
  );
  tell(`Read the members of ${fedRooms.size} rooms`);

  for (const [key, person] of await lookUpUnknownPeople(reader, [...differences.values()], seen))
    seen.set(key, person);
  const conclude = (which: "first" | "second"): Observation => {
    const { feeds, groupLines, problems } = resolutions[which];
    const found = feeds.flatMap((feed) => differences.get(feed) ?? []);
    return {
      owner,
      differences: found,
      people: seen,
      problems: [
        ...problems,
        ...findGroupProblems(feeds, groupLines, readings),
        ...findStrayProblems(found, strays[which]),
      ],
    };
  };
  return { first: conclude("first"), second: conclude("second") };
}

async function readGroups(
  reader: MembershipReader,
  named: readonly Group[],
): Promise<Map<string, GroupReading>> {
  const groups = new Map(named.map((group) => [group.key, group]));
  const slots = createSlots(roomsAtOnce);
  const readings = [...groups.values()].map((group) =>
    slots.use(async () => {
      const { memberSize, members } = await reader.listGroupMembers(group);
      return [group.key, judgeGroup(group, memberSize, members)] as const;
    }),
  );
  return new Map(await Promise.all(readings));
}

/** Describes whoever might be removed and might not be a person, and the newcomers nobody has described yet. */
export async function lookUpUnknownPeople(
  reader: Pick<MembershipReader, "lookUpPeople">,
  differences: readonly RoomDifference[],
  seen: ReadonlyMap<string, KnownPerson>,
): Promise<ReadonlyMap<string, KnownPerson>> {
  const leavers = new Set<string>();
  const newcomers = new Set<string>();
  for (const { feed, surplus, absent, uncertainties } of differences) {
    for (const { key, personId } of absent) if (!seen.has(key)) newcomers.add(personId);
    if (feed.mode !== "sync" || uncertainties.length > 0) continue;
    for (const { key, personId } of surplus) if (!seen.get(key)?.kind) leavers.add(personId);
  }
  // Apart from each other: a newcomer whom Webex cannot describe must not keep it from describing the others.
  const lookUps = [leavers, newcomers].filter((ids) => ids.size > 0);
  const found = await Promise.all(lookUps.map((ids) => reader.lookUpPeople([...ids].sort())));
  return new Map(found.flatMap((people) => [...people]));
}

/** One problem for each group whose members are not surely known, at the first line that names it. */
function findGroupProblems(
  feeds: readonly RoomFeed[],
  lines: ReadonlyMap<string, number>,
  readings: ReadonlyMap<string, GroupReading>,
): Problem[] {
  return [...readings.values()].flatMap((reading) => {
    const line = lines.get(reading.group.key);
    // Without a line it is the other mappings that name the group.
    if (reading.complete || line === undefined) return [];
    const fed = feeds.filter((feed) => feed.groups.some((group) => group.key === reading.group.key));
    const titles = fed.map((feed) => `"${feed.room.title}"`).join(", ");
    const message = `the members of group "${reading.group.displayName}" are not surely known: ${reading.reason}; nobody is removed from ${titles}`;
    return [{ line, column: "group", message }];
  });
}

/** One problem for each stray row that keeps people in a room that would lose them. */
function findStrayProblems(differences: readonly RoomDifference[], strays: readonly Stray[]): Problem[] {
  return strays.flatMap((stray) => {
    const sparing = differences.filter(({ spared }) => spared.includes(stray));
    if (sparing.length === 0) return [];
    const titles = sparing.map(({ feed }) => `"${feed.room.title}"`).join(", ");
    const message = `this row leads to no room, but people of its group "${stray.reading.group.displayName}" are in ${titles}; they stay there until the row is right`;
    return [{ line: stray.line, column: "room", message }];
  });
}
