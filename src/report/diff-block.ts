import { labelOf, type RecordedPerson } from "../membership/record.ts";
import { blockLine, type Markdown } from "./markdown.ts";
import { sortPeople, takeRows } from "./rows.ts";

/** How GitHub colours a line: green, red, orange, or not at all. */
export type DiffSign = "+" | "-" | "!" | " ";

/** Changes of one space, or of one host: a heading and the lines below it. */
export interface DiffBlock {
  readonly title: string;
  readonly lines: readonly DiffLine[];
}

export interface DiffLine {
  readonly sign: DiffSign;
  readonly text: string;
  /** Belongs to the line above. */
  readonly isIndented?: true;
}

/** Builds the content of a `diff` block, cut between lines; the texts may be from outside. */
export function viewDiff(blocks: readonly DiffBlock[], maxRows: number) {
  const lines = blocks.flatMap(({ title, lines }, index): Markdown[] => [
    ...(index === 0 ? [] : [blockLine("", "")]),
    blockLine("@@ ", title, " @@"),
    ...lines.map(({ sign, text, isIndented }) => blockLine(isIndented ? `${sign}   ` : `${sign} `, text)),
  ]);
  return takeRows(lines, maxRows, (line) => line);
}

/** A line for each person, sorted by name. */
export function listPeople(sign: DiffSign, people: readonly RecordedPerson[], note = ""): DiffLine[] {
  return sortPeople(people).map((person) => ({ sign, text: `${describePerson(person)}${note}` }));
}

/** A person as a line of plain text names them: "Ada Lovelace (ada@example.com)". */
export function describePerson(person: RecordedPerson): string {
  const name = labelOf(person);
  return person.email === null || name === person.email ? name : `${name} (${person.email})`;
}
