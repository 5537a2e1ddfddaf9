import type { Context } from "../cli/context.ts";
import type { Listing } from "../lib/listing.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { compareStrings } from "../lib/text.ts";
import type { Group, MembershipReader, Room } from "../membership/directory.ts";
import type { Mapping } from "../membership/mapping.ts";
import { type Populated, suggestMappings } from "../membership/suggest-mappings.ts";
import type { Directory, DirectoryEntry } from "../report/discovery.ts";
import { maxConnections, type WebexClient } from "../webex/client.ts";
import { createWebexReader } from "../webex/directory.ts";

/** How many groups, and how many spaces, are asked for their members: each is a request or more. */
export const maxListed = 1_500;

/** What a survey found; `isWhole` is false after a list of groups or spaces that was cut short. */
export interface Survey {
  readonly directory: Directory;
  readonly isWhole: boolean;
}

/** Reads the groups and spaces that the token sees and who is in them, and suggests rows besides those `mapped`. */
export async function surveyDirectory(
  client: WebexClient,
  mapped: readonly Mapping[],
  { log, count }: Pick<Context, "log" | "count">,
): Promise<Survey> {
  const reader = createWebexReader(client);
  const [groups, rooms] = await Promise.all([reader.listGroups(), reader.listRooms()]);
  const isWhole = [logGap("groups", groups, log), logGap("spaces", rooms, log)].every(Boolean);
  log(`Read the names of ${groups.items.length} groups and ${rooms.items.length} spaces`);
  const semaphore = createSemaphore(maxConnections);
  const [ofGroups, ofRooms] = await Promise.all([
    populate(sortByName(groups.items, nameOfGroup), {
      read: (group) => semaphore.run(() => readGroup(reader, group)),
      step: count("Read the members of # groups", Math.min(groups.items.length, maxListed)),
    }),
    populate(sortByName(rooms.items, nameOfRoom), {
      read: (room) => semaphore.run(() => readRoom(reader, room)),
      step: count("Read the members of # spaces", Math.min(rooms.items.length, maxListed)),
    }),
  ]);
  const cut = describeCut(ofGroups, ofRooms);
  if (cut !== null) log(cut);
  const directory: Directory = {
    groups: ofGroups.map(({ place, members }) => describe(place, nameOfGroup(place), members)),
    rooms: ofRooms.map(({ place, members }) => describe(place, nameOfRoom(place), members)),
    suggestions: suggestMappings({ groups: ofGroups, rooms: ofRooms, mapped }),
    cut,
  };
  return { directory, isWhole };
}

const nameOfGroup = (group: Group) => group.displayName;

const nameOfRoom = (room: Room) => room.title;

function logGap(what: string, listing: Listing<unknown>, log: Context["log"]): boolean {
  if (!listing.complete) log(`not all ${what} could be read: ${listing.reason}`);
  return listing.complete;
}

function sortByName<T extends { readonly id: string }>(
  places: readonly T[],
  nameOf: (place: T) => string,
): readonly T[] {
  return [...places].sort((a, b) => compareStrings(nameOf(a), nameOf(b)) || compareStrings(a.id, b.id));
}

async function populate<T>(
  places: readonly T[],
  {
    read,
    step,
  }: { readonly read: (place: T) => Promise<ReadonlySet<string> | null>; readonly step: () => void },
): Promise<readonly Populated<T>[]> {
  return await Promise.all(
    places.map(async (place, index) => {
      if (index >= maxListed) return { place, members: null };
      const members = await read(place);
      step();
      return { place, members };
    }),
  );
}

/** The place is shown and matched by its name even where its members cannot be read. */
async function readGroup(reader: MembershipReader, group: Group): Promise<ReadonlySet<string> | null> {
  const { members } = await reader.listGroupMembers(group);
  const people = members.items.filter(({ type }) => type === "user");
  return members.complete ? new Set(people.map(({ key }) => key)) : null;
}

async function readRoom(reader: MembershipReader, room: Room): Promise<ReadonlySet<string> | null> {
  const members = await reader.listRoomMembers(room);
  return members.complete ? new Set(members.items.map(({ key }) => key)) : null;
}

function describeCut(groups: readonly unknown[], rooms: readonly unknown[]): string | null {
  const over = [
    ...(groups.length > maxListed ? [`${format(maxListed)} of ${format(groups.length)} groups`] : []),
    ...(rooms.length > maxListed ? [`${format(maxListed)} of ${format(rooms.length)} spaces`] : []),
  ];
  if (over.length === 0) return null;
  return `The members of only ${over.join(" and ")} were read, by name from the beginning; what is suggested for the others goes by names alone.`;
}

function format(count: number): string {
  return count.toLocaleString("en");
}

function describe(
  { id }: { readonly id: string },
  name: string,
  members: ReadonlySet<string> | null,
): DirectoryEntry {
  return { id, name, size: members?.size ?? null };
}
