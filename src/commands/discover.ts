import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { Listing } from "../lib/listing.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { compareStrings } from "../lib/text.ts";
import type { Group, MembershipReader, Room } from "../membership/directory.ts";
import { suggestMappings } from "../membership/suggest-mappings.ts";
import { type Directory, type DirectoryEntry, renderDirectory } from "../report/discovery.ts";
import { proveFiles } from "../run/destinations.ts";
import { openSession } from "../run/session.ts";
import { allowedConnections, type WebexClient } from "../webex/client.ts";
import { createWebexReader } from "../webex/directory.ts";
import { readGroupSize } from "../webex/groups.ts";

/**
 * Lists the groups and rooms that the token sees, with suggested rows, as a rooms.csv on standard output. Returns
 * the exit code: 1 when a list could not be read to its end.
 */
export async function runDiscover({ csv, json }: OptionsOf<"discover">, context: Context): Promise<number> {
  const config = context.settings.readConfig();
  await proveFiles([csv, json]);
  const session = await openSession(config, context);
  try {
    const { directory, isWhole } = await discover(session.client, context);
    const text = renderDirectory(directory);
    if (csv !== undefined) await replaceFile(csv, text);
    context.print(text.trimEnd());
    if (csv !== undefined) context.log(`Written to ${csv}`);
    if (json !== undefined) await replaceFile(json, `${JSON.stringify(directory, null, 2)}\n`);
    return isWhole ? 0 : 1;
  } finally {
    session.close();
  }
}

async function discover(client: WebexClient, { log }: Context) {
  const reader = createWebexReader(client);
  const [groups, rooms] = await Promise.all([reader.listGroups(), reader.listRooms()]);
  const isWhole = [logGap("groups", groups, log), logGap("rooms", rooms, log)].every(Boolean);
  log(`Read ${groups.items.length} groups and ${rooms.items.length} rooms; counting their members`);
  const semaphore = createSemaphore(allowedConnections);
  const directory: Directory = {
    groups: await Promise.all(groups.items.map((group) => semaphore.run(() => describeGroup(client, group)))),
    rooms: await Promise.all(rooms.items.map((room) => semaphore.run(() => describeRoom(reader, room)))),
    suggestions: suggestMappings(groups.items, rooms.items),
  };
  return { directory: sortDirectory(directory), isWhole };
}

function logGap(what: string, listing: Listing<unknown>, log: Context["log"]): boolean {
  if (!listing.complete) log(`not all ${what} could be read: ${listing.reason}`);
  return listing.complete;
}

/** A size that cannot be read is no reason not to show the rest. */
async function describeGroup(client: WebexClient, { id, displayName }: Group): Promise<DirectoryEntry> {
  return { id, name: displayName, size: await readGroupSize(client, id).catch(() => null) };
}

async function describeRoom(reader: MembershipReader, room: Room): Promise<DirectoryEntry> {
  const members = await reader.listRoomMembers(room);
  return { id: room.id, name: room.title, size: members.complete ? members.items.length : null };
}

function sortDirectory({ groups, rooms, suggestions }: Directory): Directory {
  const compare = (a: DirectoryEntry, b: DirectoryEntry) =>
    compareStrings(a.name, b.name) || compareStrings(a.id, b.id);
  return { groups: [...groups].sort(compare), rooms: [...rooms].sort(compare), suggestions };
}
