import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import {
  createComparison,
  diffRoom,
  type GroupReading,
  judgeGroup,
  listUndescribed,
  type RoomDiff,
  type Undescribed,
} from "./diff.ts";
import type {
  Group,
  KnownPerson,
  MembershipReader,
  Owner,
  PeopleLookUp,
  Room,
  RoomMember,
} from "./directory.ts";
import type { Mapping } from "./mapping.ts";
import { type NameMemory, noNames, type RememberedName } from "./names.ts";
import { readDirectory } from "./read-directory.ts";
import { type DesiredRoom, resolveMappings } from "./resolve.ts";

export interface Observation {
  readonly owner: Owner;
  readonly differences: readonly RoomDiff[];
  readonly people: ReadonlyMap<string, KnownPerson>;
  /** Why some people could not be asked for; null when all were. */
  readonly lookUpFailure: string | null;
  readonly problems: readonly Problem[];
  /** Where the names in the mappings lead, those left out that led elsewhere before. */
  readonly names: readonly RememberedName[];
  /** Compares a room once more, with members that were listed just now and groups that are read after that. */
  compareAgain(feed: DesiredRoom, members: Listing<RoomMember>): Promise<RoomDiff>;
}

/** Rooms read at once; each keeps one request under way. More would only hold memory. */
const roomsAtOnce = 64;

export interface ObserveOptions {
  readonly log?: (progress: string) => void;
  readonly memory?: NameMemory;
  /** Whether to ask who the people are that would be added. Default: true. Whoever adds them is told it anyway. */
  readonly describesNewcomers?: boolean;
}

/**
 * Reads each room and group that several mappings name once, and gives each mappings' observation.
 * Only differences are kept, so memory grows with the drift. @throws what `readOwner` throws.
 */
export async function observe<Sides extends readonly (readonly Mapping[])[]>(
  reader: MembershipReader,
  sides: readonly [...Sides],
  options?: ObserveOptions,
): Promise<{ readonly [Side in keyof Sides]: Observation }>;
export async function observe(
  reader: MembershipReader,
  sides: readonly (readonly Mapping[])[],
  { log = () => undefined, memory = noNames, describesNewcomers = true }: ObserveOptions = {},
): Promise<readonly Observation[]> {
  const [owner, { groups, rooms, readings: known }] = await Promise.all([
    reader.readOwner(),
    readDirectory(reader, sides.flat(), memory),
  ]);
  const resolutions = sides.map((mappings) => resolveMappings(mappings, groups, rooms, { owner, memory }));
  const mapped = resolutions.flatMap(({ desired }) => desired.map(({ room }) => room));
  const mappedRooms = new Map(mapped.map((room) => [room.key, room]));
  log(
    `Read ${rooms.items.length} spaces and ${groups.items.length} groups; ${mappedRooms.size} spaces are mapped`,
  );

  const feeding = resolutions.flatMap(({ desired }) => desired.flatMap((feed) => feed.groups));
  const unmatched = resolutions.flatMap(({ unmatchedRows }) => unmatchedRows.map(({ group }) => group));
  const readings = await readGroups(reader, [...feeding, ...unmatched], known);
  log(`Read the members of ${readings.size} groups`);

  const comparisons = resolutions.map((resolution) => createComparison(resolution, readings, owner));
  const people = new Map<string, KnownPerson>();
  await readRooms(reader, [...mappedRooms.values()], (room, members) => {
    for (const { key, displayName, email } of members.items) {
      if (!people.has(key))
        people.set(key, { displayName, emails: email === null ? [] : [email], kind: null });
    }
    for (const comparison of comparisons) comparison.add(room, members);
  });
  log(`Read the members of ${mappedRooms.size} spaces`);

  const found = comparisons.map((comparison) => comparison.conclude());
  const undescribed = listUndescribed(
    found.flatMap(({ differences }) => differences),
    people,
    owner,
  );
  const lookUp = await lookUpPeople(
    reader,
    describesNewcomers ? undescribed : { ...undescribed, newcomers: [] },
  );
  for (const [key, person] of lookUp.people) people.set(key, person);
  const readGroup = createGroupReader(reader);
  return found.map(({ standpoint, ...side }, index) => ({
    owner,
    names: resolutions[index]?.names ?? [],
    people,
    lookUpFailure: lookUp.failure,
    ...side,
    compareAgain: async (feed, members) =>
      diffRoom(feed, await Promise.all(feed.groups.map(readGroup)), members, standpoint),
  }));
}

async function readGroups(
  reader: MembershipReader,
  named: readonly Group[],
  known: ReadonlyMap<string, GroupReading>,
): Promise<ReadonlyMap<string, GroupReading>> {
  const groups = new Map(named.map((group) => [group.key, group]));
  const semaphore = createSemaphore(roomsAtOnce);
  const readings = [...groups.values()].map((group) =>
    semaphore.run(async () => [group.key, known.get(group.key) ?? (await readGroup(reader, group))] as const),
  );
  return new Map(await Promise.all(readings));
}

const maxReadings = 3;

async function readGroup(reader: MembershipReader, group: Group): Promise<GroupReading> {
  for (let left = maxReadings; ; left -= 1) {
    const reading = judgeGroup(group, await reader.listGroupMembers(group));
    if (reading.complete || !reading.isUnsteady || left === 1) return reading;
  }
}

/** Gives each caller a reading that began after it asked; callers share it, so a group of many rooms is read once. */
function createGroupReader(reader: MembershipReader): (group: Group) => Promise<GroupReading> {
  const current = new Map<string, Promise<unknown>>();
  const next = new Map<string, Promise<GroupReading>>();
  return (group) => {
    const waiting = next.get(group.key);
    if (waiting) return waiting;
    const reading = (current.get(group.key) ?? Promise.resolve()).then(() => {
      next.delete(group.key);
      return readGroup(reader, group);
    });
    next.set(group.key, reading);
    const ended = reading.then(
      () => undefined,
      () => undefined,
    );
    current.set(group.key, ended);
    return reading;
  };
}

/** Reads the members of rooms, and hands each list on as soon as it arrives, so that none is kept. */
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

/** Describes people; `failure` tells why some of the leavers could not be asked for. */
export async function lookUpPeople(
  reader: Pick<MembershipReader, "lookUpPeople">,
  { leavers, newcomers }: Undescribed,
): Promise<PeopleLookUp> {
  const [leaving, coming] = await Promise.all([reader.lookUpPeople(leavers), reader.lookUpPeople(newcomers)]);
  return { people: new Map([...coming.people, ...leaving.people]), failure: leaving.failure };
}
