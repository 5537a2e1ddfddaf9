import { formatCell } from "../lib/csv.ts";
import { createNameIndex } from "../lib/name-index.ts";
import type { Suggestion } from "../membership/suggest-mappings.ts";
import { cleanText } from "./markdown.ts";

/** A group or a room as the list shows it; `size` is null where it could not be read. */
export interface DirectoryEntry {
  readonly id: string;
  readonly name: string;
  readonly size: number | null;
}

/** Everything that a token sees, and the suggested mappings. */
export interface Directory {
  readonly groups: readonly DirectoryEntry[];
  readonly rooms: readonly DirectoryEntry[];
  readonly suggestions: readonly Suggestion[];
}

/**
 * Writes a directory as a rooms.csv: everything that exists as comments, and the suggestions as rows. Their mode is
 * `audit`, which changes nothing; change it to `sync` to adopt one.
 */
export function renderDirectory({ groups, rooms, suggestions }: Directory): string {
  const isOnlyGroup = createNameCheck(groups);
  const isOnlyRoom = createNameCheck(rooms);
  return [
    `# ${groups.length} groups: members, name, id`,
    ...groups.map(describeEntry),
    "#",
    `# ${rooms.length} spaces: members, title, id`,
    ...rooms.map(describeEntry),
    "#",
    `# ${suggestions.length} suggestions. "audit" only reports the difference; "sync" adds and removes people until the space matches the group.`,
    "group,room,mode,note",
    ...suggestions.map(({ group, room, isSame }) =>
      [
        formatCell(isOnlyGroup(group.displayName) ? group.displayName : group.id),
        formatCell(isOnlyRoom(room.title) ? room.title : room.id),
        "audit",
        isSame ? "same name" : "similar name",
      ].join(","),
    ),
    "",
  ].join("\n");
}

function describeEntry({ id, name, size }: DirectoryEntry): string {
  return `#   ${String(size ?? "?").padStart(6)}  ${cleanText(name)}  ${id}`;
}

/** Whether a name can be written instead of an id: it occurs once, and no reader takes its line for a comment. */
function createNameCheck(entries: readonly DirectoryEntry[]): (name: string) => boolean {
  const index = createNameIndex(entries, ({ name }) => name);
  return (name) => index.find(name).length === 1 && !/^\s*(#|$)|\p{Cc}/u.test(name);
}
