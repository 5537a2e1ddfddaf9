import type { Problem } from "../lib/problem.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { diffRoom, type GroupReading, judgeGroup, type RoomDiff, type UnmatchedRow } from "./diff.ts";
import type { Group, GroupMember, KnownPerson, MembershipReader, Owner } from "./directory.ts";
import type { Mapping } from "./mapping.ts";
import { type DesiredRoom, type Resolution, resolveMappings } from "./resolve.ts";

/** Everything a plan is made from. */
export interface Observation {
  readonly owner: Owner;
  readonly differences: readonly RoomDiff[];
  readonly people: ReadonlyMap<string, KnownPerson>;
  readonly problems: readonly Problem[];
}

/** Rooms read at once; each keeps one request under way. More would only hold memory. */
export const roomsAtOnce = 64;

/**
 * Reads whatever the mappings name. Of each room only the difference to its groups is kept, so that memory grows
 * with the drift and not with the organisation.
 * @throws what `readOwner` throws: without knowing the token's owner nothing can be decided.
 */
export async function observe(
  reader: MembershipReader,
  mappings: readonly Mapping[],
  log?: (progress: string) => void,
): Promise<Observation> {
  return (await observeBoth(reader, mappings, [], log)).first;
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
  log: (progress: string) => void = () => undefined,
): Promise<{ readonly first: Observation; readonly second: Observation }> {
  const [owner, groups, rooms] = await Promise.all([
    reader.readOwner(),
    reader.listGroups(),
    reader.listRooms(),
  ]);
  const resolve = (mappings: readonly Mapping[]) => resolveMappings(mappings, groups, rooms, owner);
  const resolutions = { first: resolve(first), second: resolve(second) };
  const desired = [...resolutions.first.desired, ...resolutions.second.desired];
  const fedRooms = new Map(desired.map(({ room }) => [room.key, room] as const));
  log(
    `Read ${rooms.items.length} rooms and ${groups.items.length} groups; ${fedRooms.size} rooms are mapped`,
  );

  const allUnmatchedRows = [...resolutions.first.unmatchedRows, ...resolutions.second.unmatchedRows];
  const named = [...desired.flatMap((feed) => feed.groups), ...allUnmatchedRows.map(({ group }) => group)];
  const readings = await readGroups(reader, named);
  const findUnmatchedRows = ({ unmatchedRows }: Resolution): UnmatchedRow[] =>
    unmatchedRows.flatMap(({ group, line }) => {
      const reading = readings.get(group.key);
      return reading ? [{ line, reading }] : [];
    });
  const unmatchedRows = {
    first: findUnmatchedRows(resolutions.first),
    second: findUnmatchedRows(resolutions.second),
  };
  const firstDesired = new Set(resolutions.first.desired);
  const listed = new Map<string, GroupMember>();
  for (const reading of readings.values())
    for (const [key, member] of reading.members) listed.set(key, member);
  log(`Read the members of ${readings.size} groups`);

  const seen = new Map<string, KnownPerson>();
  const semaphore = createSemaphore(roomsAtOnce);
  const desiredOf = new Map<string, DesiredRoom[]>();
  for (const feed of desired) desiredOf.set(feed.room.key, [...(desiredOf.get(feed.room.key) ?? []), feed]);
  const differences = new Map<DesiredRoom, RoomDiff>();
  await Promise.all(
    [...fedRooms.values()].map((room) =>
      semaphore.run(async () => {
        const members = await reader.listRoomMembers(room);
        for (const { key, displayName, email, kind } of members.items) {
          // A group lists people as `user`; its word spares a look-up of what a member is.
          if (!seen.has(key))
            seen.set(key, { displayName, email, kind: kind ?? (listed.has(key) ? "person" : null) });
        }
        for (const feed of desiredOf.get(room.key) ?? []) {
          const feeding = feed.groups.flatMap((group) => readings.get(group.key) ?? []);
          const unmatched = firstDesired.has(feed) ? unmatchedRows.first : unmatchedRows.second;
          differences.set(feed, diffRoom(feed, feeding, members, owner, unmatched));
        }
      }),
    ),
  );
  log(`Read the members of ${fedRooms.size} rooms`);

  for (const [key, person] of await lookUpUnknownPeople(reader, [...differences.values()], seen))
    seen.set(key, person);
  const conclude = (which: "first" | "second"): Observation => {
    const { desired, groupLines, problems } = resolutions[which];
    const found = desired.flatMap((feed) => differences.get(feed) ?? []);
    return {
      owner,
      differences: found,
      people: seen,
      problems: [
        ...problems,
        ...findGroupProblems(desired, groupLines, readings),
        ...findUnmatchedRowProblems(found, unmatchedRows[which]),
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
  const semaphore = createSemaphore(roomsAtOnce);
  const readings = [...groups.values()].map((group) =>
    semaphore.run(async () => {
      const { memberSize, members } = await reader.listGroupMembers(group);
      return [group.key, judgeGroup(group, memberSize, members)] as const;
    }),
  );
  return new Map(await Promise.all(readings));
}

/** Describes whoever might be removed and might not be a person, and the newcomers nobody has described yet. */
export async function lookUpUnknownPeople(
  reader: Pick<MembershipReader, "lookUpPeople">,
  differences: readonly RoomDiff[],
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
  desired: readonly DesiredRoom[],
  lines: ReadonlyMap<string, number>,
  readings: ReadonlyMap<string, GroupReading>,
): Problem[] {
  return [...readings.values()].flatMap((reading) => {
    const line = lines.get(reading.group.key);
    // Without a line it is the other mappings that name the group.
    if (reading.complete || line === undefined) return [];
    const fed = desired.filter((feed) => feed.groups.some((group) => group.key === reading.group.key));
    const titles = fed.map((feed) => `"${feed.room.title}"`).join(", ");
    const message = `the members of group "${reading.group.displayName}" are not surely known: ${reading.reason}; nobody is removed from ${titles}`;
    return [{ line, column: "group", message }];
  });
}

/** One problem for each stray row that keeps people in a room that would lose them. */
function findUnmatchedRowProblems(
  differences: readonly RoomDiff[],
  unmatchedRows: readonly UnmatchedRow[],
): Problem[] {
  return unmatchedRows.flatMap((unmatchedRow) => {
    const sparing = differences.filter(({ exempt }) => exempt.includes(unmatchedRow));
    if (sparing.length === 0) return [];
    const titles = sparing.map(({ feed }) => `"${feed.room.title}"`).join(", ");
    const message = `this row leads to no room, but people of its group "${unmatchedRow.reading.group.displayName}" are in ${titles}; they stay there until the row is right`;
    return [{ line: unmatchedRow.line, column: "room", message }];
  });
}
