import type { Listing } from "../lib/listing.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { normaliseText } from "../lib/text.ts";
import { isEncodedId, readReference } from "../lib/webex-id.ts";
import { type GroupReading, judgeGroup } from "./diff.ts";
import type { FoundGroup, Group, MembershipReader, Room } from "./directory.ts";
import { isRow, type Mapping } from "./mapping.ts";
import { isSameThing, type NameMemory } from "./names.ts";

/** The groups and rooms in which a mapping's cells may find what they name. */
export interface Directory {
  /** Complete also where it holds only what the cells name, when nothing else could be meant. */
  readonly groups: Listing<Group>;
  readonly rooms: Listing<Room>;
  /** By group key, where the members came along and are all. */
  readonly readings: ReadonlyMap<string, GroupReading>;
}

/** So many rooms are rather read one by one than listed: the listing may take as many pages. */
const fewRooms = 5;

/** Webex does not say that it takes bare uuids here: so many refusals are borne on each run, and no more. */
const fewUuids = 5;

const requestsAtOnce = 64;

/**
 * Reads what the cells name, and lists all groups or rooms only where that takes fewer requests, or where nothing less
 * shows that a name is the only one of its kind. An id can mean one thing only. A name that has led to a group before
 * is looked up by filter: it must still lead there, and to no other. Everything else needs the listing.
 */
export async function readDirectory(
  reader: MembershipReader,
  mappings: readonly Mapping[],
  memory: NameMemory,
): Promise<Directory> {
  const [rooms, { listing: groups, readings }] = await Promise.all([
    readRoomsById(reader, mappings).then((few) => few ?? reader.listRooms()),
    readGroups(reader, mappings, memory),
  ]);
  return { rooms, groups, readings };
}

/** Null where only the listing can tell. */
async function readRoomsById(
  reader: MembershipReader,
  mappings: readonly Mapping[],
): Promise<Listing<Room> | null> {
  const cells = [...new Set(mappings.filter(isRow).map(({ room }) => room))];
  const ids = cells.flatMap((cell) => idOf(cell, "ROOM") ?? []);
  if (ids.length < cells.length || ids.length > fewRooms) return null;
  const rooms = await Promise.all(ids.map((id) => reader.readRoom(id)));
  return allOf(rooms);
}

interface GroupDirectory {
  readonly listing: Listing<Group>;
  readonly readings: ReadonlyMap<string, GroupReading>;
}

async function readGroups(
  reader: MembershipReader,
  mappings: readonly Mapping[],
  memory: NameMemory,
): Promise<GroupDirectory> {
  const cells = [...new Set(mappings.flatMap(({ group, kind }) => (kind === "ended" ? [] : group)))];
  const names = cells.filter((cell) => idOf(cell, "GROUP") === null);
  const uuids = cells.length - names.length - cells.filter(isEncodedId).length;
  if (names.length > 0 || uuids > fewUuids) {
    // What a comment or a new name resembles can be seen in the whole list only.
    const areKnown = uuids <= fewUuids && names.every((name) => memory.recall("group", name) !== null);
    const few = await (areKnown ? reader.listFewGroups(1 + names.length) : reader.listGroups());
    if (few !== null) return { listing: few, readings: new Map() };
  }
  const semaphore = createSemaphore(requestsAtOnce);
  const found = await Promise.all(
    cells.map((cell) =>
      semaphore.run(() => {
        const id = idOf(cell, "GROUP");
        return id === null ? findKnownGroup(reader, cell, memory) : reader.readGroup(id);
      }),
    ),
  );
  const all = allOf(found);
  if (all === null) return { listing: await reader.listGroups(), readings: new Map() };
  const readings = all.items.flatMap(({ group, listing }) => {
    const reading = listing && judgeGroup(group, listing);
    return reading?.complete ? [[group.key, reading] as const] : [];
  });
  const items = all.items.map(({ group }) => group);
  return { listing: { complete: true, items }, readings: new Map(readings) };
}

/** Null unless the name leads where it led before. */
async function findKnownGroup(
  reader: MembershipReader,
  name: string,
  memory: NameMemory,
): Promise<FoundGroup | null> {
  const id = memory.recall("group", name);
  const found = await reader.findGroup(name);
  if (id === null || found === null || !isSameThing("group", id, found.group.id)) return null;
  return normaliseText(found.group.displayName) === normaliseText(name) ? found : null;
}

/** The id in a cell that can be nothing else, as a request may name it; of another spelling the bare uuid. */
function idOf(cell: string, type: "ROOM" | "GROUP"): string | null {
  const reference = readReference(cell);
  if (reference === null || reference.type?.endsWith(type) === false) return null;
  return isEncodedId(cell) ? cell : (reference.key.split(":")[0] ?? null);
}

function allOf<T>(found: readonly (T | null)[]): { readonly complete: true; readonly items: T[] } | null {
  const items = found.flatMap((one) => (one === null ? [] : [one]));
  return items.length === found.length ? { complete: true, items } : null;
}
