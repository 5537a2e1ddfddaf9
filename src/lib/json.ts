import { locateEnd, type Place } from "./file-text.ts";
import { quoteText } from "./text.ts";

export interface JsonFault extends Place {
  readonly wanted: string;
  readonly found: string;
}

export type JsonPath = readonly (string | number)[];

export interface JsonReading {
  readonly fault?: JsonFault;
  /** All but the last of their values would be lost without a word. */
  readonly repeated: readonly { readonly path: JsonPath; readonly place: Place }[];
  locate(path: JsonPath): Place | undefined;
}

const punctuation = "{}[],:";

const string = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;

const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** The punctuation itself, `s` a string, `v` a number, true, false or null. */
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

/** Deeper values have no place of their own: nothing that people write goes so deep. */
const maxDepth = 32;

interface Open {
  readonly kind: "{" | "[";
  readonly seen: Set<string | number>;
  step: string | number;
}

/**
 * Finds the first fault (Node's own messages differ between releases), where each value is, and which keys are there
 * twice. https://www.rfc-editor.org/rfc/rfc8259
 */
export function scanJson(text: string): JsonReading {
  const open: Open[] = [];
  const offsets = new Map<string, number>();
  const repeated: { path: JsonPath; place: Place }[] = [];
  const locate = (path: JsonPath) => {
    const offset = offsets.get(JSON.stringify(path));
    return offset === undefined ? undefined : locateEnd(text.slice(0, offset));
  };
  let wanted: Wanted = "{[sv";
  let offset = 0;
  for (;;) {
    while (/^[ \t\r\n]$/.test(text.charAt(offset))) offset += 1;
    if (offset === text.length && wanted === "") return { repeated, locate };
    const { kind, end } = readToken(text, offset);
    if (kind === "" || !wanted.includes(kind))
      return { fault: describeFault(text, offset, wanted), repeated, locate };
    const isKey = kind === "s" && wanted.startsWith("s");
    const inner = open.at(-1);
    const isItem = inner?.kind === "[" && wanted.startsWith("{[sv") && kind !== "]";
    if (inner && open.length <= maxDepth && (isKey || isItem)) {
      inner.step = isKey ? String(JSON.parse(text.slice(offset, end))) : Number(inner.step) + 1;
      const path = open.map(({ step }) => step);
      if (inner.seen.has(inner.step)) repeated.push({ path, place: locateEnd(text.slice(0, offset)) });
      inner.seen.add(inner.step);
      // The last one counts, as for JSON.parse.
      offsets.set(JSON.stringify(path), offset);
    }
    if (kind === "{" || kind === "[") open.push({ kind, seen: new Set(), step: -1 });
    if (kind === "}" || kind === "]") open.pop();
    const inObject = open.at(-1)?.kind === "{";
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

/** Finds the first fault of text that `JSON.parse` has refused; undefined when there is none. */
export function findJsonFault(text: string): JsonFault | undefined {
  return scanJson(text).fault;
}

/** Reads JSON leniently: undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

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
  const place = locateEnd(text.slice(0, offset));
  return { ...place, wanted: wantedTexts[wanted], found: describeToken(text, offset) };
}

function describeToken(text: string, offset: number): string {
  if (offset === text.length) return "the end of the file";
  if (text.charAt(offset) !== '"') return quoteText(/^(?:[\w.+-]+|.)/u.exec(text.slice(offset))?.[0] ?? "");
  const { kind, end } = readToken(text, offset);
  return kind === ""
    ? "a string that is not closed on its line or has a wrong escape"
    : quoteText(text.slice(offset + 1, end - 1));
}
