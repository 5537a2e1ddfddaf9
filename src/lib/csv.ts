// One file; `csv-parse/sync` is ten, and loading them would delay the first request of a run.
import { CsvError, parse } from "csv-parse/browser/esm/sync";
import { findNearest, suggestNearest } from "./did-you-mean.ts";
import { describeInvalid, describeOtherFile, locateEnd, readUntilInvalid } from "./file-text.ts";
import { type InputProblem, sortByLine } from "./problem.ts";
import { normaliseText, quoteText } from "./text.ts";

/** In any order, each at most once; the required ones must be there and have no empty cell. */
export interface CsvColumns<Column extends string> {
  readonly required: readonly Column[];
  readonly optional: readonly Column[];
}

export interface CsvRow<Column extends string> {
  readonly line: number;
  readonly cells: Readonly<Record<Column, string>>;
  fault(column: Column | null, message: string): InputProblem;
}

export interface CsvComment {
  readonly line: number;
  readonly cell: string;
}

export interface CsvReading<Column extends string> {
  readonly rows: readonly CsvRow<Column>[];
  readonly comments: readonly CsvComment[];
  readonly problems: readonly InputProblem[];
}

interface Header<Column extends string> {
  readonly columns: readonly (Column | undefined)[];
  readonly nameless: Set<number>;
  readonly complete: boolean;
}

const separators: ReadonlyMap<string, string> = new Map([
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "vertical bars"],
  ["，", "full-width commas"],
]);

const separator = /[;\t|，]/;

/**
 * Reads a CSV file of known columns (https://www.rfc-editor.org/rfc/rfc4180), `#` comments and blank lines. Never
 * throws: all faults are in `problems`. Broken rows are left out; those with an empty required cell are kept, so that
 * the caller can check the others. No rows when the header lacks a required column.
 */
export function parseCsv<Column extends string>(
  bytes: Uint8Array,
  columns: CsvColumns<Column>,
): CsvReading<Column> {
  const { records, comments, problems } = readRecords(bytes);
  const [first, ...rest] = records;
  const separated = first && findSeparator(first.text);
  if (!first || separated) {
    const names = columns.required.map(quoteText).join(", ");
    const message = separated
      ? describeSeparator("the cells are", separated)
      : `the file is empty; its first line must name the columns ${names}`;
    const fault = { line: first?.line ?? 1, column: null, message };
    return { rows: [], comments, problems: first || problems.length === 0 ? [...problems, fault] : problems };
  }
  problems.push(...records.flatMap(({ fault }) => fault ?? []));
  const header = readHeader(first, columns, problems);
  const rows = header ? rest.flatMap((record) => readRow(record, header, columns, problems)) : [];
  return { rows, comments, problems: sortByLine(problems) };
}

function findSeparator(text: string): string | undefined {
  const unquoted = text.replace(/"(?:[^"]|"")*"/g, "");
  if (unquoted.includes(",")) return undefined;
  return separator.exec(unquoted)?.[0] ?? (text.includes(",") ? undefined : separator.exec(text)?.[0]);
}

function describeSeparator(beginning: string, found: string): string {
  return `${beginning} separated by ${separators.get(found)}; separate them by commas`;
}

function readHeader<Column extends string>(
  { line, text, cells }: CsvRecord,
  { required, optional }: CsvColumns<Column>,
  problems: InputProblem[],
): Header<Column> | undefined {
  if (!cells) return undefined;
  const known = [...required, ...optional];
  const found: (Column | undefined)[] = [];
  const nameless = new Set<number>();
  const log = (index: number, column: string, message: string) =>
    problems.push({ line, column, message, ...locateCell(text, index) });
  for (const [index, name] of cells.entries()) {
    const column = known.find((candidate) => candidate === name);
    if (name === "") {
      nameless.add(index);
      found.push(undefined);
    } else if (column === undefined) {
      const otherwise = `; the columns are ${known.map(quoteText).join(", ")}`;
      const message = `no column is named ${quoteText(name)}${suggestNearest(name, known, otherwise, 1)}`;
      log(index, name, message);
      // A misspelt required column is taken for what was meant, so that its cells are checked as well.
      const [guess] = findNearest(name, known, 1);
      const meant = required.find((candidate) => candidate === guess);
      const taken = meant !== undefined && (cells.includes(meant) || found.includes(meant));
      found.push(taken ? undefined : meant);
    } else if (found.includes(column)) {
      log(index, column, `the column ${quoteText(name)} is there twice; remove one of them`);
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
  return { columns: found, nameless, complete: missing.length === 0 };
}

function readRow<Column extends string>(
  record: CsvRecord,
  header: Header<Column>,
  { required, optional }: CsvColumns<Column>,
  problems: InputProblem[],
): CsvRow<Column>[] {
  const { line, text, cells } = record;
  if (!cells) return [];
  if (cells.length !== header.columns.length) {
    const message = describeCellCount(record, cells.length, header.columns.length);
    problems.push({ line, column: null, message });
    return [];
  }
  for (const index of header.nameless) {
    const cell = cells[index] ?? "";
    if (cell === "") continue;
    const message = `column ${index + 1} has no name in the header, but here it holds ${quoteText(cell)}; name the column or empty it`;
    problems.push({ line, column: null, message, ...locateCell(text, index) });
    header.nameless.delete(index);
  }
  if (!header.complete) return [];
  const fault = (column: Column | null, message: string): InputProblem => {
    const place = column === null ? {} : locateCell(text, header.columns.indexOf(column));
    return { line, column, message, ...place };
  };
  const named = [...required, ...optional].map((column) => {
    const index = header.columns.indexOf(column);
    return [column, (index === -1 ? undefined : cells[index]) ?? ""] as const;
  });
  for (const [column, cell] of named) {
    if (cell === "" && required.includes(column)) {
      problems.push(fault(column, `the cell is empty; fill in the ${column} or remove the line`));
    }
  }
  return [{ line, cells: Object.fromEntries(named) as Record<Column, string>, fault }];
}

function describeCellCount({ line, lastLine, text }: CsvRecord, found: number, wanted: number): string {
  const count = `the row has ${found} ${found === 1 ? "cell" : "cells"}, but the header names ${wanted} columns`;
  if (lastLine > line)
    return `${count}; its quotes go on until line ${lastLine}: add the closing quote if one is missing`;
  const separated = found === 1 && findSeparator(text);
  if (separated) return `${count}; ${describeSeparator("its cells are", separated)}`;
  if (found < wanted)
    return `${count}; add the missing ${found + 1 === wanted ? "cell" : "cells"}, empty ones too`;
  const typographic = /[“”„‟«»＂]/.exec(text)?.[0];
  return typographic
    ? `${count}; put a cell that holds a comma in double quotes of the plain kind ("): ${typographic} quotes nothing`
    : `${count}; put a cell that holds a comma in double quotes`;
}

function locateCell(text: string, index: number): { readonly character?: number } {
  let isQuoted = false;
  let start = 0;
  let passed = 0;
  for (let offset = 0; offset < text.length && passed < index; offset++) {
    const character = text[offset];
    if (character === '"') isQuoted = !isQuoted;
    if (character !== "," || isQuoted) continue;
    passed += 1;
    start = offset + 1;
  }
  const before = text.slice(0, start);
  if (passed < index || before.includes("\n")) return {};
  const blanks = /^\s*/.exec(text.slice(start))?.[0] ?? "";
  return { character: countCharacters(before + blanks) + 1 };
}

export interface CsvRecord {
  readonly line: number;
  readonly lastLine: number;
  readonly text: string;
  /** Normalised; null when the quotes are broken. */
  readonly cells: readonly string[] | null;
  readonly fault: InputProblem | null;
}

const maxMebibytes = 5;

const maxFaults = 1000;

/**
 * Reads the records without comments and blank lines; LF, CRLF and CR end a line. Never throws: faults of the file
 * are in `problems`, others at their records.
 */
export function readRecords(bytes: Uint8Array): {
  records: CsvRecord[];
  comments: CsvComment[];
  problems: InputProblem[];
} {
  const records: CsvRecord[] = [];
  const comments: CsvComment[] = [];
  const refuse = (line: number | null, message: string) => {
    return { records, comments, problems: [{ line, column: null, message }] };
  };
  if (bytes.length > maxMebibytes * 1024 * 1024) {
    return refuse(
      null,
      `the file is larger than ${maxMebibytes} MiB; split it or remove what does not belong there`,
    );
  }
  const other = describeOtherFile(bytes);
  if (other !== null) return refuse(1, other);
  const { lines, problems } = decodeLines(bytes);
  if (bytes.includes(0)) removeNulBytes(lines, problems);
  let faultCount = 0;
  for (let index = 0; index < lines.length; ) {
    const first = lines[index] ?? "";
    const line = index + 1;
    if (first.startsWith("#")) {
      comments.push({ line, cell: normaliseText(first.split(",")[0] ?? "") });
      index += 1;
      continue;
    }
    const end = findRecordEnd(lines, index);
    const text = lines.slice(index, end).join("\n");
    const read = readCells(text);
    if ("cells" in read) {
      // Spreadsheets write a line that was emptied as nothing but commas.
      if (read.cells.some((cell) => cell !== ""))
        records.push({ line, lastLine: end, text, cells: read.cells, fault: null });
      index = end;
    } else {
      // Where every line is broken, naming a million faults helps nobody and takes minutes.
      if (faultCount >= maxFaults) {
        const message = `more than ${maxFaults} lines are broken; fix these first, the rest of the file is unread`;
        problems.push({ line, column: null, message });
        break;
      }
      faultCount += 1;
      const { row, character, message } = read.fault;
      const fault = { line: line + row, column: null, message, character };
      records.push({ line, lastLine: line + row, text, cells: null, fault });
      // A broken quote may have swallowed good rows: go on with the line after the fault, not after the record.
      index += row + 1;
    }
  }
  return { records, comments, problems };
}

/** Lines that are not UTF-8 are read as Windows-1252, the usual culprit, to check the rest. */
function decodeLines(bytes: Uint8Array): { lines: string[]; problems: InputProblem[] } {
  const lineEnd = /\r\n|\n|\r/;
  try {
    return { lines: new TextDecoder("utf-8", { fatal: true }).decode(bytes).split(lineEnd), problems: [] };
  } catch {
    const lines: string[] = [];
    const problems: InputProblem[] = [];
    for (let from = 0; from <= bytes.length; ) {
      const newline = bytes.indexOf(0x0a, from);
      const end = newline === -1 ? bytes.length : newline;
      const bytesOfLine = bytes.subarray(from, end);
      const valid = readUntilInvalid(bytesOfLine);
      if (valid !== null && problems.length === 0) {
        const { line, character } = locateEnd(valid);
        const message = describeInvalid(character);
        problems.push({ line: lines.length + line, column: null, message, character });
      }
      const encoding = valid === null ? "utf-8" : "windows-1252";
      const text = new TextDecoder(encoding).decode(bytesOfLine).replace(/\r$/, "");
      for (const part of text.split(lineEnd)) lines.push(part);
      from = end + 1;
    }
    return { lines, problems };
  }
}

function removeNulBytes(lines: string[], problems: InputProblem[]): void {
  for (const [index, line] of lines.entries()) {
    const nul = line.indexOf("\0");
    if (nul === -1) continue;
    const character = countCharacters(line.slice(0, nul)) + 1;
    const message = `character ${character} is a NUL byte; remove it`;
    problems.push({ line: index + 1, column: null, message, character });
    lines[index] = line.replaceAll("\0", "");
  }
}

/** A record goes on as long as its number of quotes is odd. */
function findRecordEnd(lines: readonly string[], start: number): number {
  let quotes = 0;
  for (let index = start; index < lines.length; index++) {
    quotes += (lines[index] ?? "").split('"').length - 1;
    if (quotes % 2 === 0) return index + 1;
  }
  return lines.length;
}

interface Fault {
  readonly row: number;
  readonly character: number;
  readonly message: string;
}

function readCells(text: string): { cells: string[] } | { fault: Fault } {
  // Most records have no quotes, and splitting is quicker than the parser.
  if (!text.includes('"')) return { cells: text.split(",").map(normaliseText) };
  try {
    const [cells = []] = parse(text, { record_delimiter: "\n", trim: true });
    return { cells: cells.map(normaliseText) };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { fault: describeFault(text, Number(error.bytes)) };
  }
}

function describeFault(text: string, goodBytes: number): Fault {
  const start = Buffer.from(text).subarray(0, goodBytes).toString().length;
  const opening = text.indexOf('"', start);
  const quote = locate(text, opening);
  if (!/^,?\s*$/.test(text.slice(start, opening))) {
    const message = `character ${quote.character} is a quote inside a cell; put the whole cell in quotes and write "" for the quote`;
    return { ...quote, message };
  }
  let closing = text.indexOf('"', opening + 1);
  while (closing !== -1 && text[closing + 1] === '"') closing = text.indexOf('"', closing + 2);
  const end = closing === -1 ? undefined : locate(text, closing);
  if (end?.row === quote.row) {
    const found = /^ *([;\t|，])/.exec(text.slice(closing + 1))?.[1];
    const message = found
      ? describeSeparator("the cells are", found)
      : `text follows the closing quote at character ${end.character}; write "" for a quote inside a quoted cell`;
    return { ...end, message };
  }
  // Either no quote follows, or only one that opens a cell of a later line.
  const message = `the quote at character ${quote.character} is not closed; close it, or write "" for a quote inside a quoted cell`;
  return { ...quote, message };
}

function locate(text: string, offset: number): { row: number; character: number } {
  const before = text.slice(0, offset).split("\n");
  return { row: before.length - 1, character: countCharacters(before.at(-1) ?? "") + 1 };
}

function countCharacters(text: string): number {
  return Array.from(text).length;
}

/** Writes a cell, quoted where RFC 4180, a leading `#` or trimming requires it. */
export function formatCell(text: string): string {
  return /[",\r\n]|^#|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
