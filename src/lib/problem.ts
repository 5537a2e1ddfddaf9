/** Something a person has to put right; `line` and `column` point into rooms.csv where they are known. */
export interface Problem {
  readonly line: number | null;
  readonly column: string | null;
  readonly message: string;
}

export interface InputProblem extends Problem {
  readonly character?: number;
}

/** Problems in the order of their lines; those of a whole file (line null) come first. */
export function sortByLine<P extends Problem>(problems: readonly P[]): P[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

export interface FileProblem extends InputProblem {
  readonly file: string;
}

/** Writes a fault as editors and terminals know it: `file:line: column: message`. */
export function formatFileProblem({ file, line, column, message }: FileProblem): string {
  return [line === null ? file : `${file}:${line}`, ...(column === null ? [] : [column]), message].join(": ");
}
