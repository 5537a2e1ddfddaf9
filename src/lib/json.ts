import { quoteText } from "./text.ts";

/** Where JSON text goes wrong; `line` and `character` (in that line) count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly character: number;
  /** What should stand there, e.g. `a value or "]"`. */
  readonly wanted: string;
  /** What stands there instead, e.g. `"}"` or `the end of the file`. */
  readonly found: string;
}

const punctuation = "{}[],:";

const string = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;

const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** What may stand at a place: the punctuation itself, `s` a string, `v` a number, true, false or null. */
const wantedTexts = {
  "{[sv": "a value",
  "{[sv]": 'a value or "]"',
  "s}": 'a key in double quotes or "}"',
  s: "another key in double quotes",
  ":": '":" after the key',
  ",}": '"," or "}"',
  ",]": '"," or "]"',
  "": "nothing more",
} as const;

type Wanted = keyof typeof wantedTexts;

/**
 * Finds the first fault of text that `JSON.parse` has refused: its own messages differ between releases of Node,
 * and for the commonest faults hold no position. Undefined when there is none. https://www.rfc-editor.org/rfc/rfc8259
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: string[] = [];
  let wanted: Wanted = "{[sv";
  let offset = 0;
  for (;;) {
    while (/^[ \t\r\n]$/.test(text.charAt(offset))) offset += 1;
    if (offset === text.length && wanted === "") return undefined;
    const { kind, end } = readToken(text, offset);
    if (kind === "" || !wanted.includes(kind)) return describeFault(text, offset, wanted);
    const isKey = kind === "s" && wanted.startsWith("s");
    if (kind === "{" || kind === "[") open.push(kind);
    if (kind === "}" || kind === "]") open.pop();
    const inObject = open.at(-1) === "{";
    if (isKey) wanted = ":";
    else if (kind === "{") wanted = "s}";
    else if (kind === "[") wanted = "{[sv]";
    else if (kind === ":") wanted = "{[sv";
    else if (kind === ",") wanted = inObject ? "s" : "{[sv";
    else if (open.length === 0) wanted = "";
    else wanted = inObject ? ",}" : ",]";
    offset = end;
  }
}

/** Reads JSON leniently: undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The token at an offset; its kind is "" when there is none. */
function readToken(text: string, offset: number): { kind: string; end: number } {
  const first = text.charAt(offset);
  if (first !== "" && punctuation.includes(first)) return { kind: first, end: offset + 1 };
  const pattern = first === '"' ? string : scalar;
  pattern.lastIndex = offset;
  return pattern.test(text)
    ? { kind: first === '"' ? "s" : "v", end: pattern.lastIndex }
    : { kind: "", end: offset };
}

function describeFault(text: string, offset: number, wanted: Wanted): JsonFault {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  return {
    line: before.length,
    character: Array.from(before.at(-1) ?? "").length + 1,
    wanted: wantedTexts[wanted],
    found: describeToken(text, offset),
  };
}

function describeToken(text: string, offset: number): string {
  if (offset === text.length) return "the end of the file";
  if (text.charAt(offset) !== '"') return quoteText(/^(?:[\w.+-]+|.)/u.exec(text.slice(offset))?.[0] ?? "");
  const { kind, end } = readToken(text, offset);
  return kind === ""
    ? "a string that is not closed on its line or has a wrong escape"
    : quoteText(text.slice(offset + 1, end - 1));
}
