import { type CsvColumns, parseCsv } from "../lib/csv.ts";
import { describeDaysLeft, isDay } from "../lib/date.ts";
import { suggestNearest } from "../lib/did-you-mean.ts";
import { type InputProblem, sortByLine } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";

export const modes = ["sync", "add-only", "audit"] as const;

/** What a run may do in a room: add and remove, only add, or only report the difference. */
export type Mode = (typeof modes)[number];

/** One row of rooms.csv: the group's people belong into the room. Both are as written: a name, an id or a link. */
export interface Mapping {
  readonly group: string;
  readonly room: string;
  readonly mode: Mode;
  /** The line on which the row starts, from 1. */
  readonly line: number;
  /** The row's last day, YYYY-MM-DD in UTC; absent for a row without an end. */
  readonly until?: string;
  readonly note?: string;
  /** Absent: brings people. `ended`: only keeps its room managed. `comment`: a `#` line, its first cell in `group`. */
  readonly kind?: "ended" | "comment";
}

export const mappingColumns = {
  required: ["group", "room"],
  optional: ["mode", "until", "note"],
} as const satisfies CsvColumns<string>;

/** Reads rooms.csv. Never throws: every fault is in `problems`, and a file that has any should not be applied. */
export function parseMappings(bytes: Uint8Array): {
  mappings: readonly Mapping[];
  problems: readonly InputProblem[];
} {
  const reading = parseCsv(bytes, mappingColumns);
  const problems = [...reading.problems];
  const mappings: Mapping[] = [];
  const firstLineOfPair = new Map<string, number>();
  const firstOfRoom = new Map<string, Mapping>();
  for (const { line, cells, fault } of reading.rows) {
    const { group, room, until, note } = cells;
    const mode = cells.mode === "" ? "sync" : modes.find((known) => known === cells.mode);
    if (mode === undefined) problems.push(fault("mode", describeMode(cells.mode)));
    const hasFaultyEnd = until !== "" && !isDay(until);
    if (hasFaultyEnd) {
      problems.push(fault("until", `${quoteText(until)} is not a date; write the last day as YYYY-MM-DD`));
    }
    // An empty cell is reported already, and two of them are no pair.
    if (group === "" || room === "") continue;

    const pair = JSON.stringify([group, room]);
    const pairLine = firstLineOfPair.get(pair);
    if (pairLine !== undefined) {
      const message = `lines ${pairLine} and ${line} hold the same group and space; remove one of them`;
      problems.push(fault(null, message));
      continue;
    }
    firstLineOfPair.set(pair, line);
    if (mode === undefined || hasFaultyEnd) continue;

    const mapping = { group, room, mode, line, ...(until && { until }), ...(note && { note }) };
    const first = firstOfRoom.get(room);
    if (!first) firstOfRoom.set(room, mapping);
    else if (first.mode !== mode) {
      const message = `the space ${quoteText(room)} has mode "${first.mode}" on line ${first.line} but "${mode}" on line ${line}; write one mode on all its lines`;
      problems.push(fault("mode", message));
      continue;
    }
    mappings.push(mapping);
  }
  const comments = reading.comments.map(({ line, cell }): Mapping => {
    return { group: cell, room: "", mode: "audit", line, kind: "comment" };
  });
  return { mappings: [...mappings, ...comments], problems: sortByLine(problems) };
}

function describeMode(mode: string): string {
  const list = "sync, add-only or audit";
  return `no mode is named ${quoteText(mode)}${suggestNearest(mode, modes, "", 1)} (a mode is ${list})`;
}

/** True for a row of the file, as against a comment line. */
export function isRow({ kind }: Mapping): boolean {
  return kind !== "comment";
}

/** True while a row brings its group's people into its room; `today` is YYYY-MM-DD in UTC. */
export function isDue({ until }: Mapping, today: string): boolean {
  return until === undefined || today <= until;
}

/**
 * Marks the rows whose last day is over, and says which rows have ended or soon will; `editor` is where a person can
 * delete one. Pure.
 */
export function endMappings(
  mappings: readonly Mapping[],
  today: string,
  editor: string | null = null,
): { readonly mappings: readonly Mapping[]; readonly notices: readonly string[] } {
  const hint = editor === null ? "" : `: ${editor}`;
  const notices = mappings.flatMap((mapping) => {
    const { line, group, room, until } = mapping;
    if (until === undefined) return [];
    const row = `line ${line} of the mappings, ${quoteText(group)} in ${quoteText(room)},`;
    if (!isDue(mapping, today))
      return [`${row} ended on ${until} and brings nobody any more; delete the line${hint}`];
    const left = describeDaysLeft(today, until);
    return left === null ? [] : [`${row} holds until ${until} (${left})`];
  });
  const marked = mappings.map((mapping): Mapping => {
    return isDue(mapping, today) ? mapping : { ...mapping, kind: "ended" };
  });
  return { mappings: marked, notices };
}
