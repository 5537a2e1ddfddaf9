import fc from "fast-check";
import { cases } from "./check.ts";

/** Pieces at which readers stumble. */
const pieces = [
  '"',
  '""',
  "'",
  ",",
  ";",
  "\t",
  "\n",
  "\r\n",
  "\r",
  "\u2028",
  "\0",
  "\uFEFF",
  "\u202E",
  "\\",
  "\\u0000",
  "#",
  "# ",
  "=1+1",
  "{",
  "}",
  "[",
  "]",
  ":",
  "null",
  "1e999",
  "-0",
  '"__proto__":',
  '{"__proto__":{"isAdmin":true}}',
  '"constructor":{"prototype":{}},',
  "<",
  "</",
  "<!--",
  "<![CDATA[",
  "&amp;",
  "&#0;",
  "<!DOCTYPE a [<!ENTITY b 'c'>]>",
  "xsi:",
  "group,room",
  "host,delegate",
  "2026-02-30",
  "😀",
  "\uD800",
  "é",
  "e\u0301",
  "x".repeat(2000),
] as const;

const invalidBytes = [
  Buffer.from([0xff]),
  Buffer.from([0xc3]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xfe, 0xff, 0, 65]),
] as const;

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...pieces).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.constantFrom(...invalidBytes) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }).map((text) => Buffer.from(text)) },
);

/** Any bytes: nonsense, or a valid file in which pieces were put in, taken out or doubled. */
export function hostileBytes(valid: readonly string[]): fc.Arbitrary<Buffer> {
  const edit = fc.record({ at: fc.nat(), length: fc.nat({ max: 12 }), put: piece });
  const edited = fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 5 }))
    .map(([text, edits]) =>
      edits.reduce((bytes, { at, length, put }) => {
        const start = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + length)]);
      }, Buffer.from(text)),
    );
  return fc.oneof(
    { weight: 4, arbitrary: edited },
    { weight: 2, arbitrary: fc.array(piece, { maxLength: 30 }).map((all) => Buffer.concat(all)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)) },
  );
}

/** A megabyte in the long run. */
const bytes = cases < 1000 ? 200_000 : 1_000_000;

const masses = [
  ["quotes", '"'],
  ["an open quote and commas", ","],
  ["comments", "#\n"],
  ["blank lines", "\n"],
  ["carriage returns", "\r"],
  ["open brackets", "["],
  ["open objects", '{"a":'],
  ["closed brackets", "]"],
  ["backslashes", "\\"],
  ["spaces", " "],
  ["zero bytes", "\0"],
  ["open tags", "<a>"],
  ["half a comment", "<!-"],
  ["ampersands", "&"],
  ["rows", "a,b\n"],
  ["rows with quotes", '"a","b"\n'],
  ["repeated keys", '"a":1,'],
  ["digits", "1"],
  ["accents", "e\u0301"],
] as const;

/** Masses on which a careless reader needs forever, or the whole stack. */
export function listHugeTexts(): readonly (readonly [name: string, text: string])[] {
  return masses.map(([name, piece]) => [name, piece.repeat(Math.ceil(bytes / piece.length))]);
}

/** Milliseconds of the processor, which do not depend on what else this machine does. */
export function measureCpu<T>(work: () => T): { readonly ms: number; readonly value: T } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, value };
}
