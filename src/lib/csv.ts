/**
 * Reads the CSV files that people edit (`mappings/rooms.csv`, `mappings/delegations.csv`): RFC 4180 with a header,
 * `#` comment lines and blank lines. https://www.rfc-editor.org/rfc/rfc4180
 * It goes on after a fault, so that one reading names all faults of a file.
 */
import { type CsvRecord, readRecords } from "../csv-records.ts";
import type { Problem } from "../membership/record.ts";
import { nearest, quoteText, suggestNearest } from "./did-you-mean.ts";

/** The header's columns: in any order, each at most once; the required ones must be there and have no empty cell. */
export interface CsvColumns<Column extends string> {
  readonly required: readonly Column[];
  readonly optional: readonly Column[];
}

/** One row: its first line in the file (from 1), and its trimmed, NFC-normalised cells, "" where there is none. */
export interface CsvRow<Column extends string> {
  readonly line: number;
  readonly cells: Readonly<Record<Column, string>>;
}

/** What a file holds, and all its faults in the order of their lines. */
export interface CsvReading<Column extends string> {
  readonly rows: readonly CsvRow<Column>[];
  readonly problems: readonly Problem[];
}

interface Header<Column extends string> {
  /** The column of each cell of a row; undefined where the header's name is not to be used. */
  readonly columns: readonly (Column | undefined)[];
  readonly complete: boolean;
}

/**
 * Reads a CSV file of known columns. Never throws: everything wrong is in `problems`. A row with the wrong number
 * of cells or broken quotes is left out; one with an empty required cell is kept (with "" there), so that the
 * caller can check its other cells. No rows when the header lacks a required column.
 */
export function parseCsv<Column extends string>(
  bytes: Uint8Array,
  columns: CsvColumns<Column>,
): CsvReading<Column> {
  const { records, problems } = readRecords(bytes);
  const [first, ...rest] = records;
  if (!first) {
    const names = columns.required.map(quoteText).join(", ");
    const empty = {
      line: 1,
      column: null,
      message: `the file is empty; its first line must name the columns ${names}`,
    };
    return { rows: [], problems: problems.length > 0 ? problems : [empty] };
  }
  const header = readHeader(first, columns, problems);
  const rows = header ? rest.flatMap((record) => readRow(record, header, columns, problems)) : [];
  return { rows, problems: sortByLine(problems) };
}

/** Problems in the order of their lines; those that concern a whole file (line null) come first. */
export function sortByLine(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function readHeader<Column extends string>(
  { line, cells }: CsvRecord,
  { required, optional }: CsvColumns<Column>,
  problems: Problem[],
): Header<Column> | undefined {
  // Broken quotes in the header: that is said already, and nothing can be known about the rows.
  if (!cells) return undefined;
  const known = [...required, ...optional];
  const [only] = cells;
  const separator = cells.length === 1 && /[;\t]/.exec(only ?? "")?.[0];
  if (separator) {
    const name = separator === ";" ? "semicolons" : "tabs";
    problems.push({
      line,
      column: null,
      message: `the cells are separated by ${name}; separate them by commas`,
    });
    return undefined;
  }
  const found: (Column | undefined)[] = [];
  for (const [index, name] of cells.entries()) {
    const column = known.find((candidate) => candidate === name);
    if (column === undefined) {
      problems.push({ line, column: name || null, message: describeUnknown(name, index, known) });
      // A misspelt required column is taken for what it was meant to be, so that its cells are checked as well.
      const [guess] = nearest(name, known, 1);
      const meant = required.find((candidate) => candidate === guess);
      const taken = meant !== undefined && (cells.includes(meant) || found.includes(meant));
      found.push(taken ? undefined : meant);
    } else if (found.includes(column)) {
      problems.push({
        line,
        column,
        message: `the column ${quoteText(name)} is there twice; remove one of them`,
      });
      found.push(undefined);
    } else {
      found.push(column);
    }
  }
  const missing = required.filter((column) => !found.includes(column));
  for (const column of missing) {
    const message = `the column ${quoteText(column)} is missing; the first line must name it`;
    problems.push({ line, column, message });
  }
  return { columns: found, complete: missing.length === 0 };
}

function describeUnknown(name: string, index: number, known: readonly string[]): string {
  if (name === "") return `column ${index + 1} has no name; name it or remove it`;
  const otherwise = `; the columns are ${known.map(quoteText).join(", ")}`;
  return `no column is named ${quoteText(name)}${suggestNearest(name, known, otherwise, 1)}`;
}

function readRow<Column extends string>(
  { line, lastLine, cells }: CsvRecord,
  header: Header<Column>,
  { required, optional }: CsvColumns<Column>,
  problems: Problem[],
): CsvRow<Column>[] {
  if (!cells) return [];
  if (cells.length !== header.columns.length) {
    const message = describeCellCount(cells.length, header.columns.length, line, lastLine);
    problems.push({ line, column: null, message });
    return [];
  }
  if (!header.complete) return [];
  const named = [...required, ...optional].map((column) => {
    const index = header.columns.indexOf(column);
    return [column, (index === -1 ? undefined : cells[index]) ?? ""] as const;
  });
  for (const [column, cell] of named) {
    if (cell === "" && required.includes(column)) {
      problems.push({ line, column, message: `the cell is empty; fill in the ${column} or remove the line` });
    }
  }
  return [{ line, cells: Object.fromEntries(named) as Record<Column, string> }];
}

function describeCellCount(found: number, wanted: number, line: number, lastLine: number): string {
  const count = `the row has ${found} ${found === 1 ? "cell" : "cells"}, but the header names ${wanted} columns`;
  if (lastLine > line)
    return `${count}; its quotes go on until line ${lastLine}: add the closing quote if one is missing`;
  return found > wanted
    ? `${count}; put a cell that holds a comma in double quotes`
    : `${count}; add the missing ${found + 1 === wanted ? "cell" : "cells"}, empty ones too`;
}
