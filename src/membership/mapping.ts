import { parseCsv } from "../lib/csv.ts";
import { suggestNearest } from "../lib/did-you-mean.ts";
import { type Problem, sortByLine } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";

export const modes = ["sync", "add-only", "audit"] as const;

/** What a run may do in a room: add and remove, only add, or only report the difference. */
export type Mode = (typeof modes)[number];

/** One row of rooms.csv: the group's people belong into the room. Both are as written: a name, an id or a link. */
export interface Mapping {
  readonly group: string;
  readonly room: string;
  readonly mode: Mode;
  /** The line of the file on which the row starts, from 1. */
  readonly line: number;
}

/**
 * Reads rooms.csv. Never throws: every fault of the file is in `problems`, in the order of the lines. `mappings`
 * holds the rows without a fault of their own; nothing should be applied from a file that has problems.
 */
export function parseMappings(bytes: Uint8Array): {
  mappings: readonly Mapping[];
  problems: readonly Problem[];
} {
  const reading = parseCsv(bytes, { required: ["group", "room"], optional: ["mode", "note"] });
  const problems = [...reading.problems];
  const mappings: Mapping[] = [];
  const firstLineOfPair = new Map<string, number>();
  const firstOfRoom = new Map<string, Mapping>();
  for (const { line, cells } of reading.rows) {
    const { group, room } = cells;
    const mode = cells.mode === "" ? "sync" : modes.find((known) => known === cells.mode);
    if (mode === undefined) problems.push({ line, column: "mode", message: describeMode(cells.mode) });
    // An empty cell is reported already, and two of them are no pair.
    if (group === "" || room === "") continue;

    const pair = JSON.stringify([group, room]);
    const pairLine = firstLineOfPair.get(pair);
    if (pairLine !== undefined) {
      const message = `lines ${pairLine} and ${line} hold the same group and room; remove one of them`;
      problems.push({ line, column: null, message });
      continue;
    }
    firstLineOfPair.set(pair, line);
    if (mode === undefined) continue;

    const mapping = { group, room, mode, line };
    const first = firstOfRoom.get(room);
    if (!first) firstOfRoom.set(room, mapping);
    else if (first.mode !== mode) {
      const message = `the room ${quoteText(room)} has mode "${first.mode}" on line ${first.line} but "${mode}" on line ${line}; write one mode on all its lines`;
      problems.push({ line, column: "mode", message });
      continue;
    }
    mappings.push(mapping);
  }
  return { mappings, problems: sortByLine(problems) };
}

function describeMode(mode: string): string {
  const list = "sync, add-only or audit";
  return `no mode is named ${quoteText(mode)}${suggestNearest(mode, modes, "", 1)} (a mode is ${list})`;
}
