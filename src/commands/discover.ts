import { type Context, type Options, textOption } from "../cli/context.ts";
import { readSurroundings } from "../config/actions.ts";
import { readConfig } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { createRunner } from "../github/runner.ts";
import { createSlots } from "../lib/semaphore.ts";
import { compareTexts } from "../lib/text.ts";
import type { Group, Listing, MembershipReader, Room } from "../membership/directory.ts";
import { suggestMappings } from "../membership/suggest-mappings.ts";
import { type Directory, type DirectoryEntry, renderDirectory } from "../report/discovery.ts";
import { openSession } from "../run/session.ts";
import { allowedConnections, type WebexClient } from "../webex/client.ts";
import { createWebexReader } from "../webex/directory.ts";
import { readGroupSize } from "../webex/reach.ts";

/**
 * Lists the groups and rooms that the token sees, with suggested rows, as a rooms.csv on standard output. Returns
 * the exit code: 1 when a list could not be read to its end.
 */
export async function runDiscover(options: Options, context: Context): Promise<number> {
  const config = readConfig(context.env);
  const runner = await createRunner(readSurroundings(context.env));
  config.secrets.forEach(runner.mask);
  const session = await openSession(config, runner, context);
  try {
    const { directory, isWhole } = await discover(session.client, context);
    const text = renderDirectory(directory);
    const file = textOption(options, "csv");
    if (file !== null) await replaceFile(file, text);
    context.print(text.trimEnd());
    if (file !== null) context.tell(`Written to ${file}`);
    const jsonFile = textOption(options, "json");
    if (jsonFile !== null) await replaceFile(jsonFile, `${JSON.stringify(directory, null, 2)}\n`);
    return isWhole ? 0 : 1;
  } finally {
    await session.client.close();
  }
}

async function discover(client: WebexClient, { tell }: Context) {
  const reader = createWebexReader(client);
  const [groups, rooms] = await Promise.all([reader.listGroups(), reader.listRooms()]);
  const isWhole = [tellGap("groups", groups, tell), tellGap("rooms", rooms, tell)].every(Boolean);
  tell(`Read ${groups.items.length} groups and ${rooms.items.length} rooms; counting their members`);
  const slots = createSlots(allowedConnections);
  const directory: Directory = {
    groups: await Promise.all(groups.items.map((group) => slots.use(() => describeGroup(client, group)))),
    rooms: await Promise.all(rooms.items.map((room) => slots.use(() => describeRoom(reader, room)))),
    suggestions: suggestMappings(groups.items, rooms.items),
  };
  return { directory: sortDirectory(directory), isWhole };
}

function tellGap(what: string, listing: Listing<unknown>, tell: Context["tell"]): boolean {
  if (!listing.complete) tell(`not all ${what} could be read: ${listing.reason}`);
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
    compareTexts(a.name, b.name) || compareTexts(a.id, b.id);
  return { groups: [...groups].sort(compare), rooms: [...rooms].sort(compare), suggestions };
}
