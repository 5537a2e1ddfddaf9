import { formatCell, readRecords } from "../lib/csv.ts";
import { addressForm } from "../lib/email.ts";
import { createNameIndex } from "../lib/name-index.ts";
import { normaliseText } from "../lib/text.ts";
import { isRow, parseMappings } from "../membership/mapping.ts";
import { explainSuggestion, leadsTo, type Suggestion } from "../membership/suggest-mappings.ts";
import { cleanText } from "./markdown.ts";

/** A group or a room as the list shows it; `size` is null where it could not be read. */
export interface DirectoryEntry {
  readonly id: string;
  readonly name: string;
  readonly size: number | null;
}

export interface Directory {
  readonly groups: readonly DirectoryEntry[];
  readonly rooms: readonly DirectoryEntry[];
  readonly suggestions: readonly Suggestion[];
  /** Why some suggestions go by names alone; null when everybody's groups and spaces were read. */
  readonly cut: string | null;
}

const usualColumns = ["group", "room", "mode", "note"];

/** Writes the suggestions as a rooms.csv, as rows in the harmless mode `audit` below their header. */
export function renderSuggestions(directory: Directory): string {
  const formatRow = createRowFormat(directory, usualColumns);
  return [usualColumns.join(","), ...directory.suggestions.map(formatRow), ""].join("\n");
}

/** Writes a directory as rooms.csv: what exists as comments, and the suggestions. */
export function renderDirectory(directory: Directory): string {
  const { groups, rooms, suggestions, cut } = directory;
  return [
    `# ${groups.length} groups: members, name, id`,
    ...groups.map(describeEntry),
    "#",
    `# ${rooms.length} spaces: members, title, id`,
    ...rooms.map(describeEntry),
    "#",
    ...(cut === null ? [] : [`# ${cut}`]),
    `# ${suggestions.length} suggestions. "audit" only reports the difference; "sync" adds and removes people until the space matches the group.`,
    renderSuggestions(directory),
  ].join("\n");
}

export interface Appended {
  readonly text: string;
  readonly added: number;
  /** Titles of spaces whose rows have another mode: a row in mode `audit` beside them would be an error. */
  readonly leftOut: readonly string[];
}

/** Appends missing suggestions to a rooms.csv. @throws when it has no mode column: rows would then remove people. */
export function appendSuggestions(bytes: Uint8Array, directory: Directory): Appended {
  const source = Buffer.from(bytes).toString("utf8");
  const [header] = readRecords(bytes).records;
  const columns = (header?.cells ?? []).map((name) => name.trim());
  if (!columns.includes("mode")) {
    throw new Error(
      'the file has no column "mode", and a row without a mode adds and removes people; add the column',
    );
  }
  const rows = parseMappings(bytes).mappings.filter(isRow);
  const added: Suggestion[] = [];
  const leftOut: string[] = [];
  for (const suggestion of directory.suggestions) {
    const { id, title } = suggestion.room;
    const ofRoom = rows.filter((row) => leadsTo(row.room, id, title));
    if (ofRoom.some((row) => leadsTo(row.group, suggestion.group.id, suggestion.group.displayName))) continue;
    if (ofRoom.every(({ mode }) => mode === "audit")) added.push(suggestion);
    else leftOut.push(title);
  }
  const lineEnd = source.includes("\r\n") ? "\r\n" : "\n";
  const gap = added.length === 0 || /[\r\n]$/.test(source) ? "" : lineEnd;
  const lines = added.map(createRowFormat(directory, columns)).map((line) => line + lineEnd);
  return { text: source + gap + lines.join(""), added: added.length, leftOut };
}

/** Writes one suggestion in these columns; by id where the name leads to several, or cannot stand in a cell. */
function createRowFormat(
  { groups, rooms }: Directory,
  columns: readonly string[],
): (suggestion: Suggestion) => string {
  const isOnlyGroup = createNameCheck(groups);
  const isOnlyRoom = createNameCheck(rooms);
  return (suggestion) => {
    const { group, room } = suggestion;
    const cells: Readonly<Record<string, string>> = {
      group: isOnlyGroup(group.displayName) ? group.displayName : group.id,
      room: isOnlyRoom(room.title) ? room.title : room.id,
      mode: "audit",
      note: explainSuggestion(suggestion),
    };
    return columns.map((column) => formatCell(cells[column] ?? "")).join(",");
  };
}

/** A spreadsheet sees cells in a comment too, and runs one that begins like a formula. */
function describeEntry({ id, name, size }: DirectoryEntry): string {
  const harmless = cleanText(name).replace(/[,;]\s*(?=[=+@-])/g, "$&'");
  return `#   ${String(size ?? "?").padStart(6)}  ${harmless}  ${id}`;
}

/** A comment, a formula, and what breaks a line or turns the direction in which a person reads it. */
const misreadName = /^\s*#|(^|;)\s*[=+@-]|[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** A name replaces the id only when it occurs once, and neither a person nor a reader nor a spreadsheet misreads it. */
function createNameCheck(entries: readonly DirectoryEntry[]): (name: string) => boolean {
  const index = createNameIndex(entries, ({ name }) => name);
  return (name) => {
    const read = normaliseText(name);
    const isMisread =
      read === "" || addressForm.test(read) || [name, read].some((text) => misreadName.test(text));
    return !isMisread && index.find(name).length === 1;
  };
}
