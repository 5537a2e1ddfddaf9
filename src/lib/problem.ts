/** Something a person has to put right; `line` and `column` point into rooms.csv where they are known. */
export interface Problem {
  readonly line: number | null;
  readonly column: string | null;
  readonly message: string;
}

/** Problems in the order of their lines; those that concern a whole file (line null) come first. */
export function sortByLine(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** A fault of an input file. */
export interface FileProblem extends Problem {
  readonly file: string;
}

/** Writes a fault as editors and terminals know it: `file:line: column: message`. */
export function formatFileProblem({ file, line, column, message }: FileProblem): string {
  return [line === null ? file : `${file}:${line}`, ...(column === null ? [] : [column]), message].join(": ");
}
