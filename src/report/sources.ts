import { normaliseText } from "../lib/text.ts";
import type { RoomRecord, RunRecord } from "../membership/record.ts";
import { escapeMarkdown, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { sourcesOf } from "./rooms.ts";
import { formatNumber } from "./words.ts";

/** A row of rooms.csv as it was typed. */
export interface TypedRow {
  readonly line: number;
  readonly group: string;
  readonly room: string;
}

/** The rows of the mappings, and where they can be read. */
export interface TypedRows {
  readonly rows: readonly TypedRow[];
  readonly mappingsAddress: string | null;
}

const maxSources = 5;

/** Names what feeds a room, each leading to its row; a cell that leads to nothing is shown as it was typed. */
export function describeTypedSources(
  room: RoomRecord,
  { problems }: RunRecord,
  { rows, mappingsAddress }: TypedRows,
): Markdown {
  const lead = (name: string, line: number | undefined) => {
    const text = escapeMarkdown(name);
    return line === undefined || mappingsAddress === null
      ? text
      : linkTo(text, `${mappingsAddress}#L${line}`);
  };
  const typed = rows.filter(({ line }) => room.lines.includes(line));
  const isFaulty = (line: number) =>
    problems.some((problem) => problem.line === line && problem.column === "group");
  const names = new Set(sourcesOf(room));
  const parts: Markdown[] = [];
  const byId: number[] = [];
  for (const { line, group } of typed) {
    const cell = normaliseText(group);
    const name = [...names].find((one) => normaliseText(one) === cell);
    if (name !== undefined) {
      parts.push(lead(name, line));
      names.delete(name);
    } else if (isFaulty(line)) parts.push(md`❓ ${lead(group, line)}`);
    else byId.push(line);
  }
  // What is typed as an id is shown by its name.
  for (const [index, name] of [...names].entries()) parts.push(lead(name, byId[index]));
  const shown = joinMarkdown(parts.slice(0, maxSources), " · ");
  return parts.length > maxSources ? md`${shown} and ${formatNumber(parts.length - maxSources)} more` : shown;
}

/** The rows whose cell leads to no space, or to several, by that cell. */
export function listRowsWithoutSpace(
  { rooms, problems }: RunRecord,
  { rows }: TypedRows,
): readonly TypedRow[] {
  const known = new Set(rooms.flatMap(({ lines }) => lines));
  const isFaulty = (line: number) => problems.some((one) => one.line === line && one.column === "room");
  return rows.filter(({ line }) => !known.has(line) && isFaulty(line));
}
