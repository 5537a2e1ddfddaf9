import { foldAddress } from "../lib/email.ts";
import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import { type CountWork, countSilently } from "../lib/progress.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import {
  createComparison,
  describeGroupRow,
  describePersonRow,
  diffRoom,
  type GroupReading,
  judgeGroup,
  listUndescribed,
  type RoomDiff,
  type Undescribed,
  type UnmatchedRow,
} from "./diff.ts";
import type {
  AddressHolder,
  Group,
  KnownPerson,
  MembershipReader,
  Owner,
  PeopleLookUp,
  Room,
  RoomMember,
} from "./directory.ts";
import { mapRooms } from "./map-rooms.ts";
import type { Mapping } from "./mapping.ts";
import { type NameMemory, noNames, type RememberedName } from "./names.ts";
import {
  type AddressBook,
  explainRow,
  judgeHolders,
  listRowAddresses,
  type PersonRow,
} from "./person-rows.ts";
import { readDirectory } from "./read-directory.ts";
import { type DesiredRoom, resolveMappings } from "./resolve.ts";

export interface Observation {
  readonly owner: Owner;
  readonly differences: readonly RoomDiff[];
  readonly people: ReadonlyMap<string, KnownPerson>;
  /** Why some people could not be asked for; null when all were. */
  readonly lookUpFailure: string | null;
  readonly problems: readonly Problem[];
  /** Where the names in the mappings lead; left out are those that led elsewhere before, or to what cannot be read. */
  readonly names: readonly RememberedName[];
  /** Compares a room once more, with members that were listed just now and groups that are read after that. */
  compareAgain(feed: DesiredRoom, members: Listing<RoomMember>): Promise<RoomDiff>;
}

/** Read at once; each keeps one request under way. */
const readingsAtOnce = 64;

export interface ObserveOptions {
  readonly log?: (progress: string) => void;
  readonly count?: CountWork;
  readonly memory?: NameMemory;
  /** Whether to ask who the people are that would be added. Default: true. Adding them tells it anyway. */
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
  {
    log = () => undefined,
    count = countSilently,
    memory = noNames,
    describesNewcomers = true,
  }: ObserveOptions = {},
): Promise<readonly Observation[]> {
  const [owner, { groups, rooms, readings: known }, holders] = await Promise.all([
    reader.readOwner(),
    readDirectory(reader, sides.flat(), memory),
    readHolders(reader, listRowAddresses(sides.flat())),
  ]);
  const addresses = judgeAddresses(holders, owner);
  const beholder = { owner, memory, addresses };
  const resolutions = sides.map((mappings) => resolveMappings(mappings, groups, rooms, beholder));
  const mapped = resolutions.flatMap(({ desired }) => desired.map(({ room }) => room));
  const mappedRooms = new Map(mapped.map((room) => [room.key, room]));
  log(
    `Read ${rooms.items.length} spaces and ${groups.items.length} groups; ${mappedRooms.size} spaces are mapped`,
  );

  const feeding = resolutions.flatMap(({ desired }) => desired.flatMap((feed) => feed.groups));
  const unmatched = resolutions.flatMap(({ unmatchedRows }) => unmatchedRows.map(({ group }) => group));
  const readings = await readGroups(reader, [...feeding, ...unmatched], { known, count });

  /** The ids of what could be read: what an answer that was wrong once has led to must not be remembered for good. */
  const readable = new Set<string>();
  for (const { group, complete, members } of readings.values())
    if (complete || members.size > 0) readable.add(group.id);
  const comparisons = resolutions.map((resolution) => createComparison(resolution, readings, owner));
  const people = describeHolders(holders);
  const takeRoom = (room: Room, members: Listing<RoomMember>) => {
    for (const { key, displayName, email } of members.items) {
      if (!people.has(key))
        people.set(key, { displayName, emails: email === null ? [] : [email], kind: null });
    }
    for (const comparison of comparisons) comparison.add(room, members);
    if (members.complete) readable.add(room.id);
  };
  /** As many as their groups have, most likely. */
  const expected = new Map<string, number>();
  for (const { room, groups } of resolutions.flatMap(({ desired }) => desired)) {
    const sizes = groups.map(({ key }) => readings.get(key)?.members.size ?? 0);
    expected.set(room.key, Math.max(expected.get(room.key) ?? 0, ...sizes));
  }
  const sizeOf = (room: Room) => expected.get(room.key) ?? 0;
  await readRooms(reader, [...mappedRooms.values()], { take: takeRoom, sizeOf, count });

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
  const rowProblems = await Promise.all(
    found.map(({ differences }) => explainRows(reader, differences, { readings, people })),
  );
  const readGroupAgain = shareReadings(
    (group: Group) => group.key,
    (group) => readGroup(reader, group),
  );
  const findHoldersAgain = shareReadings(foldAddress, (address) => reader.findHolders(address));
  const readRowAgain = async (row: PersonRow): Promise<PersonRow> => {
    return { ...row, finding: judgeHolders(await findHoldersAgain(row.address), owner), person: null };
  };
  const readUnmatchedAgain = async ({ line, source }: UnmatchedRow): Promise<UnmatchedRow> =>
    "address" in source
      ? describePersonRow(await readRowAgain(source))
      : describeGroupRow(line, await readGroupAgain(source));
  return found.map(({ standpoint, problems, ...side }, index) => ({
    owner,
    names: resolutions[index]?.names.filter(({ id }) => readable.has(id)) ?? [],
    people,
    lookUpFailure: lookUp.failure,
    problems: [...problems, ...(rowProblems[index] ?? [])],
    ...side,
    async compareAgain(feed, members) {
      const [people, readings, unmatchedRows] = await Promise.all([
        Promise.all(feed.people.map(readRowAgain)),
        Promise.all(feed.groups.map(readGroupAgain)),
        Promise.all(standpoint.unmatchedRows.map(readUnmatchedAgain)),
      ]);
      return diffRoom({ ...feed, people }, readings, members, { ...standpoint, unmatchedRows });
    },
  }));
}

async function readGroups(
  reader: MembershipReader,
  named: readonly Group[],
  { known, count }: { readonly known: ReadonlyMap<string, GroupReading>; readonly count: CountWork },
): Promise<ReadonlyMap<string, GroupReading>> {
  const groups = new Map(named.map((group) => [group.key, group]));
  const countGroup = count("Read the members of # groups", groups.size);
  const semaphore = createSemaphore(readingsAtOnce);
  const readings = [...groups.values()].map((group) =>
    semaphore.run(async () => {
      const reading = known.get(group.key) ?? (await readGroup(reader, group));
      countGroup();
      return [group.key, reading] as const;
    }),
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

/** Gives each caller a reading that began after it asked; callers share it, so what many rooms need is read once. */
function shareReadings<T, Reading>(
  keyOf: (what: T) => string,
  read: (what: T) => Promise<Reading>,
): (what: T) => Promise<Reading> {
  const current = new Map<string, Promise<unknown>>();
  const next = new Map<string, Promise<Reading>>();
  return (what) => {
    const key = keyOf(what);
    const waiting = next.get(key);
    if (waiting) return waiting;
    const reading = (current.get(key) ?? Promise.resolve()).then(() => {
      next.delete(key);
      return read(what);
    });
    next.set(key, reading);
    const ended = reading.then(
      () => undefined,
      () => undefined,
    );
    current.set(key, ended);
    return reading;
  };
}

type Holders = ReadonlyMap<string, Listing<AddressHolder>>;

/** Asks the directory whom each address leads to. */
export async function readHolders(
  reader: Pick<MembershipReader, "findHolders">,
  addresses: readonly string[],
): Promise<Holders> {
  const semaphore = createSemaphore(readingsAtOnce);
  const asked = addresses.map((address) =>
    semaphore.run(async () => [address, await reader.findHolders(address)] as const),
  );
  return new Map(await Promise.all(asked));
}

/** Decides whom each address leads to. */
export function judgeAddresses(holders: Holders, owner: Owner): AddressBook {
  return new Map([...holders].map(([address, listing]) => [address, judgeHolders(listing, owner)]));
}

/** The directory describes those whom it finds by an address, so they need no look-up. */
function describeHolders(holders: Holders): Map<string, KnownPerson> {
  const all = [...holders.values()].flatMap(({ items }) => items);
  return new Map(
    all.map(({ key, displayName, emails, kind }) => [key, { displayName, emails, kind }] as const),
  );
}

interface Seen {
  readonly readings: ReadonlyMap<string, GroupReading>;
  readonly people: ReadonlyMap<string, KnownPerson>;
}

/** More addresses are not compared with a wrong one: each look-up costs a request. */
const maxLookedUp = 850;

/** Says what is wrong with the rows of people, with the nearest address in the room and its groups. */
async function explainRows(
  reader: Pick<MembershipReader, "lookUpPeople">,
  differences: readonly RoomDiff[],
  { readings, people }: Seen,
): Promise<readonly Problem[]> {
  const faulty = differences.filter(({ faults }) => faults.length > 0);
  const membersOf = ({ feed }: RoomDiff) =>
    feed.groups.flatMap((group) => [...(readings.get(group.key)?.members.values() ?? [])]);
  const unseen = new Set(
    faulty
      .flatMap(membersOf)
      .filter(({ key }) => !people.has(key))
      .map(({ personId }) => personId),
  );
  const { people: found } = await reader.lookUpPeople([...unseen].slice(0, maxLookedUp));
  return faulty.flatMap((difference) => {
    const ofGroups = membersOf(difference).flatMap(
      ({ key }) => (people.get(key) ?? found.get(key))?.emails ?? [],
    );
    return difference.faults.map((fault) => explainRow(fault, [...difference.addresses, ...ofGroups]));
  });
}

export interface RoomReading {
  take(room: Room, members: Listing<RoomMember>): void;
  /** How many members a room is thought to have. Default: few. */
  readonly sizeOf?: (room: Room) => number;
  readonly count?: CountWork;
}

/** Reads the members of rooms, and hands each list on as soon as it arrives, so that none is kept. */
export async function readRooms(
  reader: Pick<MembershipReader, "listRoomMembers">,
  rooms: readonly Room[],
  { take, sizeOf = () => 0, count = countSilently }: RoomReading,
): Promise<void> {
  const step = count("Read the members of # spaces", rooms.length);
  await mapRooms(rooms, sizeOf, async (room) => {
    take(room, await reader.listRoomMembers(room));
    step();
  });
}

/** Describes people; `failure` tells why some of the leavers could not be asked for. */
export async function lookUpPeople(
  reader: Pick<MembershipReader, "lookUpPeople">,
  { leavers, newcomers }: Undescribed,
): Promise<PeopleLookUp> {
  const [leaving, coming] = await Promise.all([reader.lookUpPeople(leavers), reader.lookUpPeople(newcomers)]);
  return { people: new Map([...coming.people, ...leaving.people]), failure: leaving.failure };
}
