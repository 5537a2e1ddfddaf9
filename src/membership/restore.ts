import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import type { CountWork } from "../lib/progress.ts";
import { identityOf } from "../lib/webex-id.ts";
import { diffRoom, isMachine, listUndescribed, type RoomDiff } from "./diff.ts";
import type { KnownPerson, MembershipReader, Owner, Room, RoomMember } from "./directory.ts";
import { lookUpPeople, type Observation, readRooms } from "./observe.ts";
import type { RoomPlan } from "./plan.ts";
import { labelOf, type RecordedPerson, type RoomRecord, type RunRecord } from "./record.ts";

export interface RestoreObservation extends Observation {
  /** What has changed since the run and is left alone. */
  readonly notices: readonly string[];
  /** Whom to add with the right to moderate, as `<room key> <person key>`. */
  readonly moderators: ReadonlySet<string>;
  readonly allRooms: Listing<Room>;
}

/** Reads the rooms that a run changed and compares them with their state before it. @throws what `readOwner` throws. */
export async function observeRestore(
  reader: MembershipReader,
  record: RunRecord,
  { log, count }: { readonly log: (progress: string) => void; readonly count: CountWork },
): Promise<RestoreObservation> {
  const [owner, rooms] = await Promise.all([reader.readOwner(), reader.listRooms()]);
  const byKey = new Map(rooms.items.map((room) => [room.key, room]));
  const changed = record.rooms.filter((room) => room.added.length + room.removed.length > 0);
  const compared = new Map<string, RestoredRoom>();
  log(`Read ${byKey.size} spaces; the run changed ${changed.length}`);
  const recordedByKey = new Map(changed.map((recorded) => [identityOf(recorded.roomId, "ROOM"), recorded]));
  await readRooms(
    reader,
    [...recordedByKey.keys()].flatMap((key) => byKey.get(key) ?? []),
    {
      take(room, members) {
        const recorded = recordedByKey.get(room.key);
        if (recorded) compared.set(room.key, compareWithRecord(room, recorded, members, owner));
      },
      sizeOf: ({ key }) => recordedByKey.get(key)?.before ?? 0,
      count,
    },
  );
  const restored = [...recordedByKey].map(
    ([key, recorded]) => compared.get(key) ?? explainAbsence(recorded, rooms, owner),
  );

  const differences = restored.flatMap((one) => one.difference ?? []);
  const people = describeRecorded(changed);
  const lookUp = await lookUpPeople(reader, listUndescribed(differences, people, owner));
  return {
    owner,
    differences,
    people: new Map([...people, ...lookUp.people]),
    lookUpFailure: lookUp.failure,
    problems: restored.flatMap((one) => one.problems),
    names: [],
    notices: restored.flatMap((one) => one.notices),
    moderators: new Set(
      changed.flatMap(({ roomId, removed }) =>
        removed
          .filter((person) => person.wasModerator)
          .map((person) => `${identityOf(roomId, "ROOM")} ${identityOf(person.personId, "PEOPLE")}`),
      ),
    ),
    allRooms: rooms,
    // No group has a say: who was added by the run is looked for among the members alone.
    async compareAgain({ room }, members) {
      const recorded = recordedByKey.get(room.key);
      if (!recorded) throw new Error(`the record does not name space ${room.key}`);
      return diffWithRecord(room, recorded, members, owner);
    },
  };
}

/** The record describes the people it removed, so they need no look-up. */
function describeRecorded(changed: readonly RoomRecord[]): ReadonlyMap<string, KnownPerson> {
  const people = changed.flatMap(({ removed }) => removed);
  return new Map(
    people.map(({ personId, displayName, email }) => [
      identityOf(personId, "PEOPLE"),
      { displayName: displayName ?? "", emails: email === null ? [] : [email], kind: null },
    ]),
  );
}

export interface Trust {
  /** True when the record is known to be as the run left it. */
  readonly isVerified: boolean;
  /** The keys of the rooms that the mappings name; null when these cannot be read. */
  readonly mappedRooms: ReadonlySet<string> | null;
}

/** Restores moderators and marks what a person has to approve: a record is a file, and may ask for anything. */
export function prepareRestore(
  rooms: readonly RoomPlan[],
  moderators: RestoreObservation["moderators"],
  { isVerified, mappedRooms }: Trust,
): readonly RoomPlan[] {
  const findDoubt = ({ feed }: RoomPlan): Pick<RoomPlan, "doubt"> => {
    if (!isVerified) return { doubt: "unverified-record" };
    return mappedRooms?.has(feed.room.key) ? {} : { doubt: "unmapped-room" };
  };
  return rooms.map((room) => ({
    ...room,
    ...findDoubt(room),
    additions: room.additions.map((addition) =>
      moderators.has(`${room.feed.room.key} ${addition.key}`) ? { ...addition, asModerator: true } : addition,
    ),
  }));
}

interface RestoredRoom {
  readonly difference: RoomDiff | null;
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
}

function explainAbsence(recorded: RoomRecord, rooms: Listing<Room>, owner: Owner): RestoredRoom {
  const count = recorded.added.length + recorded.removed.length;
  const changes =
    count === 1 ? "its one change is left as it is" : `its ${count} changes are left as they are`;
  if (!rooms.complete) {
    const message = `space "${recorded.title}" cannot be found, because the list of spaces is incomplete: ${rooms.reason}; ${changes}`;
    return { difference: null, problems: [{ line: null, column: null, message }], notices: [] };
  }
  const who = owner.email ?? owner.displayName;
  const notice = `Space "${recorded.title}" is gone, or ${who} is no longer in it; ${changes}.`;
  return { difference: null, problems: [], notices: [notice] };
}

/** Only what the run itself changed there. */
function diffWithRecord(
  room: Room,
  recorded: RoomRecord,
  listing: Listing<RoomMember>,
  owner: Owner,
): RoomDiff {
  const arrived = new Set(recorded.added.map((person) => identityOf(person.personId, "PEOPLE")));
  const removed = recorded.removed.map(({ personId, displayName }) => {
    return { key: identityOf(personId, "PEOPLE"), personId, displayName: displayName ?? "", type: "user" };
  });
  const staying = listing.items.filter((member) => !arrived.has(member.key));
  const feed = {
    room,
    mode: "sync",
    groups: recorded.groups.map((name) => ({ key: name, id: name, displayName: name })),
    people: [],
    lines: [],
    obstacle: null,
  } as const;
  const before = [...staying.map((member) => ({ ...member, type: "user" })), ...removed];
  const group = { key: "", id: "", displayName: "as before the run" };
  const members = new Map(before.map((member) => [member.key, member]));
  return {
    ...diffRoom(feed, [{ group, members, complete: true }], listing, { owner }),
    // Bots stay as well, but a room of nobody else counts as empty.
    presentCount: staying.filter((member) => member.key !== owner.key && !isMachine(member)).length,
    emptyGroups: [],
  };
}

function compareWithRecord(
  room: Room,
  recorded: RoomRecord,
  listing: Listing<RoomMember>,
  owner: Owner,
): RestoredRoom {
  const difference = diffWithRecord(room, recorded, listing, owner);
  const present = new Map(listing.items.map((member) => [member.key, member]));
  const find = (person: RecordedPerson) => present.get(identityOf(person.personId, "PEOPLE"));
  const isReadable = difference.obstacle === null;
  const back = recorded.removed.filter(find);
  const gone = recorded.added.filter((person) => !find(person));
  const plain = back.filter((person) => person.wasModerator && !find(person)?.isModerator);
  const notices = [
    describe(back, `in space "${room.title}" again already, so they are left alone`),
    describe(gone, `no longer in space "${room.title}" anyway`),
    describe(
      plain,
      `in space "${room.title}" without the right to moderate it, which they had before the run`,
    ),
  ];
  return { difference, problems: [], notices: isReadable ? notices.filter((notice) => notice !== "") : [] };
}

function describe(people: readonly RecordedPerson[], fact: string): string {
  if (people.length === 0) return "";
  const names = people.map(labelOf).sort();
  return `${people.length === 1 ? "One person is" : `${people.length} people are`} ${fact}: ${names.join(", ")}.`;
}
