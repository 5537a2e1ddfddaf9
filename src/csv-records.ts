/**
 * Takes a CSV file apart into records of cells, and finds what is wrong below the level of columns: encoding and
 * quoting. `csv-parse` reads the cells of one record; it cannot go on after a broken quote, so where a record
 * starts and ends is decided here.
 */
import { CsvError, parse } from "csv-parse/sync";
import { normaliseCell } from "./csv-cell.ts";
import type { Problem } from "./membership/record.ts";

/** The cells of one record, trimmed and NFC-normalised; null when its quotes are broken (that is a problem then). */
export interface CsvRecord {
  /** The record's first and last line in the file, from 1. */
  readonly line: number;
  readonly lastLine: number;
  readonly cells: readonly string[] | null;
}

const mostMebibytes = 5;
const mostFaults = 1000;

/**
 * Reads the records of a CSV file, comments and blank lines left out. LF, CRLF and CR end a line; within quotes
 * they become LF. Never throws: faults are in `problems`.
 */
export function readRecords(bytes: Uint8Array): { records: CsvRecord[]; problems: Problem[] } {
  if (bytes.length > mostMebibytes * 1024 * 1024) {
    const message = `the file is larger than ${mostMebibytes} MiB; split it or remove what does not belong there`;
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
      if (problems.length >= mostFaults) {
        const message = `more than ${mostFaults} lines are broken; mend these first, the rest of the file is unread`;
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
