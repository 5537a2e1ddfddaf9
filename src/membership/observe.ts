import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { createComparison, type GroupReading, judgeGroup, listUndescribed, type RoomDiff } from "./diff.ts";
import type { Group, KnownPerson, MembershipReader, Owner, Room, RoomMember } from "./directory.ts";
import type { Mapping } from "./mapping.ts";
import { resolveMappings } from "./resolve.ts";

/** Everything a plan is made from. */
export interface Observation {
  readonly owner: Owner;
  readonly differences: readonly RoomDiff[];
  readonly people: ReadonlyMap<string, KnownPerson>;
  readonly problems: readonly Problem[];
}

/** Rooms read at once; each keeps one request under way. More would only hold memory. */
const roomsAtOnce = 16;

/**
 * Reads what several mappings name, each room and each group once, and gives an observation for each of them: what
 * differs between these is due to the mappings, never to a change in Webex in between. Of each room only the
 * difference to its groups is kept, so that memory grows with the drift and not with the organisation.
 * @throws what `readOwner` throws: without knowing the token's owner nothing can be decided.
 */
export async function observe<Sides extends readonly (readonly Mapping[])[]>(
  reader: MembershipReader,
  sides: readonly [...Sides],
  log?: (progress: string) => void,
): Promise<{ readonly [Side in keyof Sides]: Observation }>;
export async function observe(
  reader: MembershipReader,
  sides: readonly (readonly Mapping[])[],
  log: (progress: string) => void = () => undefined,
): Promise<readonly Observation[]> {
  const [owner, groups, rooms] = await Promise.all([
    reader.readOwner(),
    reader.listGroups(),
    reader.listRooms(),
  ]);
  const resolutions = sides.map((mappings) => resolveMappings(mappings, groups, rooms, owner));
  const mapped = resolutions.flatMap(({ desired }) => desired.map(({ room }) => room));
  const mappedRooms = new Map(mapped.map((room) => [room.key, room]));
  log(
    `Read ${rooms.items.length} rooms and ${groups.items.length} groups; ${mappedRooms.size} rooms are mapped`,
  );

  const feeding = resolutions.flatMap(({ desired }) => desired.flatMap((feed) => feed.groups));
  const unmatched = resolutions.flatMap(({ unmatchedRows }) => unmatchedRows.map(({ group }) => group));
  const readings = await readGroups(reader, [...feeding, ...unmatched]);
  log(`Read the members of ${readings.size} groups`);

  const comparisons = resolutions.map((resolution) => createComparison(resolution, readings, owner));
  const listed = new Set([...readings.values()].flatMap(({ members }) => [...members.keys()]));
  const people = new Map<string, KnownPerson>();
  await readRooms(reader, [...mappedRooms.values()], (room, members) => {
    for (const { key, displayName, email, kind } of members.items) {
      // A group lists people as `user`; its word spares a look-up of what a member is.
      if (!people.has(key))
        people.set(key, { displayName, email, kind: kind ?? (listed.has(key) ? "person" : null) });
    }
    for (const comparison of comparisons) comparison.add(room, members);
  });
  log(`Read the members of ${mappedRooms.size} rooms`);

  const found = comparisons.map((comparison) => comparison.conclude());
  const undescribed = listUndescribed(
    found.flatMap(({ differences }) => differences),
    people,
  );
  for (const [key, person] of await lookUpPeople(reader, undescribed)) people.set(key, person);
  return found.map((side) => ({ owner, people, ...side }));
}

async function readGroups(
  reader: MembershipReader,
  named: readonly Group[],
): Promise<ReadonlyMap<string, GroupReading>> {
  const groups = new Map(named.map((group) => [group.key, group]));
  const semaphore = createSemaphore(roomsAtOnce);
  const readings = [...groups.values()].map((group) =>
    semaphore.run(async () => {
      const { memberSize, members } = await reader.listGroupMembers(group);
      return [group.key, judgeGroup(group, memberSize, members)] as const;
    }),
  );
  return new Map(await Promise.all(readings));
}

/** Reads the members of rooms, and hands each list on as soon as it has arrived, so that it need not be kept. */
export async function readRooms(
  reader: Pick<MembershipReader, "listRoomMembers">,
  rooms: readonly Room[],
  take: (room: Room, members: Listing<RoomMember>) => void,
): Promise<void> {
  const semaphore = createSemaphore(roomsAtOnce);
  await Promise.all(
    rooms.map((room) => semaphore.run(async () => take(room, await reader.listRoomMembers(room)))),
  );
}

/** Describes people, those of each list apart from the other. */
export async function lookUpPeople(
  reader: Pick<MembershipReader, "lookUpPeople">,
  lists: readonly (readonly string[])[],
): Promise<ReadonlyMap<string, KnownPerson>> {
  const found = await Promise.all(lists.map((personIds) => reader.lookUpPeople(personIds)));
  return new Map(found.flatMap((people) => [...people]));
}
