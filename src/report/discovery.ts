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

/** Everything that a token sees, and what might be mapped. */
export interface Directory {
  readonly groups: readonly DirectoryEntry[];
  readonly rooms: readonly DirectoryEntry[];
  readonly suggestions: readonly Suggestion[];
}

/**
 * Writes a directory as a rooms.csv: what there is as comments, and the suggestions as its rows. They are in mode
 * `audit`, which changes nothing: whoever adopts one changes it to `sync`.
 */
export function renderDirectory({ groups, rooms, suggestions }: Directory): string {
  const isOnlyGroup = createNameCheck(groups);
  const isOnlyRoom = createNameCheck(rooms);
  return [
    `# ${groups.length} groups: members, name, id`,
    ...groups.map(describeEntry),
    "#",
    `# ${rooms.length} rooms: members, title, id`,
    ...rooms.map(describeEntry),
    "#",
    `# ${suggestions.length} suggestions. "audit" only reports the difference; "sync" makes the room what the group is.`,
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

/** Whether a name can stand for what it names: it occurs once, and is one line that nothing takes for a comment. */
function createNameCheck(entries: readonly DirectoryEntry[]): (name: string) => boolean {
  const index = createNameIndex(entries, ({ name }) => name);
  return (name) => index.find(name).length === 1 && !/^\s*(#|$)|\p{Cc}/u.test(name);
}
