/**
 * Reads the CSV files that people edit (`mappings/rooms.csv`, `mappings/delegations.csv`): RFC 4180 with a header,
 * `#` comment lines and blank lines. https://www.rfc-editor.org/rfc/rfc4180
 * It goes on after a fault, so that one reading names all faults of a file.
 */

import { CsvError, parse } from "csv-parse/sync";
import { findNearest, suggestNearest } from "./did-you-mean.ts";
import { type Problem, sortByLine } from "./problem.ts";
import { quoteText } from "./text.ts";

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
      const [guess] = findNearest(name, known, 1);
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

/** The cells of one record, trimmed and NFC-normalised; null when its quotes are broken (that is a problem then). */
export interface CsvRecord {
  /** The record's first and last line in the file, from 1. */
  readonly line: number;
  readonly lastLine: number;
  readonly cells: readonly string[] | null;
}

const maxMebibytes = 5;

const maxFaults = 1000;

/**
 * Reads the records of a CSV file, comments and blank lines left out. LF, CRLF and CR end a line; within quotes
 * they become LF. Never throws: faults are in `problems`.
 */
export function readRecords(bytes: Uint8Array): { records: CsvRecord[]; problems: Problem[] } {
  if (bytes.length > maxMebibytes * 1024 * 1024) {
    const message = `the file is larger than ${maxMebibytes} MiB; split it or remove what does not belong there`;
    return { records: [], problems: [{ line: null, column: null, message }] };
  }
  // Excel's "Unicode text": with a byte-order mark, or known by the zero byte of its first letter.
  if (/^(fffe|feff|00|..00)/.test(Buffer.from(bytes.subarray(0, 2)).toString("hex"))) {
    const message = 'the file is not UTF-8 but looks like UTF-16; save it as "CSV UTF-8"';
    return { records: [], problems: [{ line: 1, column: null, message }] };
  }
  const { lines, problems } = decodeLines(bytes);
  if (bytes.includes(0)) removeNulBytes(lines, problems);
  const records: CsvRecord[] = [];
  for (let index = 0; index < lines.length; ) {
    const line = lines[index] ?? "";
    if (line.startsWith("#") || line.trim() === "") {
      index += 1;
      continue;
    }
    const end = findRecordEnd(lines, index);
    const read = readCells(lines.slice(index, end).join("\n"));
    if ("cells" in read) {
      records.push({ line: index + 1, lastLine: end, cells: read.cells });
      index = end;
    } else {
      // A file in which every line is broken is no CSV: naming a million faults helps nobody and takes minutes.
      if (problems.length >= maxFaults) {
        const message = `more than ${maxFaults} lines are broken; mend these first, the rest of the file is unread`;
        problems.push({ line: index + 1, column: null, message });
        break;
      }
      const { row, message } = read.fault;
      problems.push({ line: index + row + 1, column: null, message });
      records.push({ line: index + 1, lastLine: index + row + 1, cells: null });
      // A broken quote may have swallowed good rows: go on with the line after the fault, not after the record.
      index += row + 1;
    }
  }
  return { records, problems };
}

/** The lines as text. Lines that are not UTF-8 are read as Windows-1252, the usual culprit, to check the rest. */
function decodeLines(bytes: Uint8Array): { lines: string[]; problems: Problem[] } {
  const lineEnd = /\r\n|\n|\r/;
  try {
    return { lines: new TextDecoder("utf-8", { fatal: true }).decode(bytes).split(lineEnd), problems: [] };
  } catch {
    const lines: string[] = [];
    const problems: Problem[] = [];
    for (let from = 0; from <= bytes.length; ) {
      const newline = bytes.indexOf(0x0a, from);
      const end = newline === -1 ? bytes.length : newline;
      const line = bytes.subarray(from, end);
      const valid = readInvalidStart(line);
      if (valid !== undefined && problems.length === 0) {
        const before = valid.split(lineEnd);
        const character = countCharacters(before.at(-1) ?? "") + 1;
        const message = `character ${character} is not valid UTF-8; save the file as UTF-8`;
        problems.push({ line: lines.length + before.length, column: null, message });
      }
      const encoding = valid === undefined ? "utf-8" : "windows-1252";
      const text = new TextDecoder(encoding).decode(line).replace(/\r$/, "");
      for (const part of text.split(lineEnd)) lines.push(part);
      from = end + 1;
    }
    return { lines, problems };
  }
}

/** Reports NUL bytes and takes them out, so that the rest of their lines is checked as well. */
function removeNulBytes(lines: string[], problems: Problem[]): void {
  for (const [index, line] of lines.entries()) {
    const nul = line.indexOf("\0");
    if (nul === -1) continue;
    const message = `character ${countCharacters(line.slice(0, nul)) + 1} is a NUL byte; remove it`;
    problems.push({ line: index + 1, column: null, message });
    lines[index] = line.replaceAll("\0", "");
  }
}

/** The text before the first byte that is not UTF-8; undefined when all is UTF-8. */
function readInvalidStart(line: Uint8Array): string | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let before = "";
  try {
    for (const byte of line) before += decoder.decode(Uint8Array.of(byte), { stream: true });
    decoder.decode();
    return undefined;
  } catch {
    return before;
  }
}

/** The index after the record's last line: a record goes on as long as its number of quotes is odd. */
function findRecordEnd(lines: readonly string[], start: number): number {
  let quotes = 0;
  for (let index = start; index < lines.length; index++) {
    quotes += (lines[index] ?? "").split('"').length - 1;
    if (quotes % 2 === 0) return index + 1;
  }
  return lines.length;
}

/** A fault of a record: `row` counts its lines from 0, the message says the character in that line. */
interface Fault {
  readonly row: number;
  readonly message: string;
}

function readCells(text: string): { cells: string[] } | { fault: Fault } {
  // Without quotes a record is split at its commas, whatever the parser; that is most records, and quick.
  if (!text.includes('"')) return { cells: text.split(",").map(normaliseCell) };
  try {
    const [cells = []] = parse(text, { record_delimiter: "\n", trim: true });
    return { cells: cells.map(normaliseCell) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { fault: describeFault(text, Number(error.bytes)) };
  }
}

/** Says what is wrong with the quotes of the cell that begins where the last good one ended (`goodBytes`). */
function describeFault(text: string, goodBytes: number): Fault {
  const start = Buffer.from(text).subarray(0, goodBytes).toString().length;
  const opening = text.indexOf('"', start);
  const quote = locate(text, opening);
  if (!/^,?\s*$/.test(text.slice(start, opening))) {
    const message = `character ${quote.character} is a quote inside a cell; put the whole cell in quotes and write "" for the quote`;
    return { row: quote.row, message };
  }
  let closing = text.indexOf('"', opening + 1);
  while (closing !== -1 && text[closing + 1] === '"') closing = text.indexOf('"', closing + 2);
  const end = closing === -1 ? undefined : locate(text, closing);
  if (end?.row === quote.row) {
    const message = `text follows the closing quote at character ${end.character}; write "" for a quote inside a quoted cell`;
    return { row: quote.row, message };
  }
  // Either no quote follows, or only one that opens a cell of a later line.
  const message = `the quote at character ${quote.character} is not closed; close it, or write "" for a quote inside a quoted cell`;
  return { row: quote.row, message };
}

/** Which line of the text (from 0) and which of its characters (from 1) an offset points at. */
function locate(text: string, offset: number): { row: number; character: number } {
  const before = text.slice(0, offset).split("\n");
  return { row: before.length - 1, character: countCharacters(before.at(-1) ?? "") + 1 };
}

function countCharacters(text: string): number {
  return Array.from(text).length;
}

/** A cell's text as it is compared: trimmed and NFC-normalised. Names that cells may hold are compared like them. */
export function normaliseCell(text: string): string {
  return text.trim().normalize("NFC");
}

/**
 * Writes a cell: quoted where RFC 4180 wants it, where its line would be taken for a comment, and where trimming
 * would lose something of it. https://www.rfc-editor.org/rfc/rfc4180
 */
export function formatCell(text: string): string {
  return /[",\r\n]|^#|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
