const otherFiles: readonly [start: RegExp, what: string][] = [
  [/^(fffe|feff|00|..00)/, 'is not UTF-8 but looks like UTF-16; save it as UTF-8 (in Excel: "CSV UTF-8")'],
  [/^(504b0304|d0cf11e0)/, 'is a workbook or an archive, not text; export the sheet as "CSV UTF-8"'],
  [/^1f8b/, "is compressed; store it as plain text"],
];

const lfsPointer = "version https://git-lfs.github.com/";

/** Says what a file is when it is not text, with the remedy; null when it may be read. */
export function describeOtherFile(bytes: Uint8Array): string | null {
  if (Buffer.from(bytes.subarray(0, lfsPointer.length)).toString("latin1") === lfsPointer) {
    return "the file is a pointer of Git LFS, its content is stored elsewhere; remove the file's rule from .gitattributes, then run: git add --renormalize .";
  }
  const start = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  const [, what] = otherFiles.find(([pattern]) => pattern.test(start)) ?? [];
  return what === undefined ? null : `the file ${what}`;
}

/** The text before the first byte that is not UTF-8; null when all is UTF-8. */
export function readUntilInvalid(bytes: Uint8Array): string | null {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return null;
  } catch {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let before = "";
    try {
      for (const byte of bytes) before += decoder.decode(Uint8Array.of(byte), { stream: true });
    } catch {
      return before;
    }
    return before;
  }
}

/** Both count from 1, in characters as people see them, not in code units. */
export interface Place {
  readonly line: number;
  readonly character: number;
}

/** The place after a text. */
export function locateEnd(before: string): Place {
  const lines = before.split(/\r\n|\n|\r/);
  return { line: lines.length, character: Array.from(lines.at(-1) ?? "").length + 1 };
}

/** Tells a person about the first byte that is not UTF-8. */
export function describeInvalid(character: number): string {
  return `character ${character} is not valid UTF-8; save the file as UTF-8`;
}
