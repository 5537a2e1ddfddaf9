import { readFile } from "node:fs/promises";
import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import { proveFile, replaceFile } from "../disk/write-atomic.ts";
import type { Listing } from "../lib/listing.ts";
import { isSecretPath } from "../lib/secret-file.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { compareStrings, quoteText } from "../lib/text.ts";
import type { Group, MembershipReader, Room } from "../membership/directory.ts";
import { isRow, parseMappings } from "../membership/mapping.ts";
import { suggestMappings } from "../membership/suggest-mappings.ts";
import {
  appendSuggestions,
  type Directory,
  type DirectoryEntry,
  renderDirectory,
} from "../report/discovery.ts";
import { proveFiles } from "../run/destinations.ts";
import { openSession } from "../run/session.ts";
import { maxConnections, type WebexClient } from "../webex/client.ts";
import { createWebexReader } from "../webex/directory.ts";
import { readGroupSize } from "../webex/groups.ts";

/**
 * Lists what the token sees, with suggested rows, as a rooms.csv; returns the exit code, 1 after a list cut short.
 * @throws before anything is asked when `--csv` names a file with rows that `--append` does not spare.
 */
export async function runDiscover(
  { csv, append, json }: OptionsOf<"discover">,
  context: Context,
): Promise<number> {
  if (append && csv === undefined) throw new Error("--append needs --csv <file>, the file to append to");
  const rows = csv === undefined ? null : await readRows(csv, append === true);
  const config = context.settings.readConfig();
  await proveFiles([json], context);
  // The mappings themselves may be meant.
  if (csv !== undefined) await proveFile(csv);
  const session = await openSession(config, context);
  try {
    const { directory, isWhole } = await discover(session.client, context);
    const text = renderDirectory(directory);
    context.print(text.trimEnd());
    if (csv !== undefined) await writeSuggestions(csv, rows, directory, context);
    if (json !== undefined) await replaceFile(json, `${JSON.stringify(directory, null, 2)}\n`);
    return isWhole ? 0 : 1;
  } finally {
    session.close();
  }
}

/** Null where there is nothing to keep. @throws when the file has rows and nothing is to be appended, or has faults. */
async function readRows(csv: string, append: boolean): Promise<Buffer | null> {
  if (isSecretPath(csv)) throw new Error(`${csv} seems to be the file of a secret; name another file`);
  const bytes = await readFile(csv).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
  if (bytes === null || bytes.toString("utf8").trim() === "") return null;
  const { mappings, problems } = parseMappings(bytes);
  if (problems.length === 0 && !mappings.some(isRow)) return append ? bytes : null;
  if (!append)
    throw new Error(`${csv} has rows, so it is not overwritten; add --append to add those that it lacks`);
  if (problems.length > 0)
    throw new Error(`${csv} has faults, so nothing is appended; npm run validate names them`);
  return bytes;
}

async function writeSuggestions(
  csv: string,
  rows: Buffer | null,
  directory: Directory,
  { log }: Context,
): Promise<void> {
  if (rows === null) {
    await replaceFile(csv, renderDirectory(directory));
    log(`Written to ${csv}`);
    return;
  }
  const { text, added, leftOut } = appendSuggestions(rows, directory);
  if (added > 0) await replaceFile(csv, text);
  log(`${added} rows appended to ${csv}`);
  if (leftOut.length > 0)
    log(`Not appended, because the space has rows in another mode: ${leftOut.map(quoteText).join(", ")}`);
}

async function discover(client: WebexClient, { log }: Context) {
  const reader = createWebexReader(client);
  const [groups, rooms] = await Promise.all([reader.listGroups(), reader.listRooms()]);
  const isWhole = [logGap("groups", groups, log), logGap("spaces", rooms, log)].every(Boolean);
  log(`Read ${groups.items.length} groups and ${rooms.items.length} spaces; counting their members`);
  const semaphore = createSemaphore(maxConnections);
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

/** The list is shown even where a size cannot be read. */
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
