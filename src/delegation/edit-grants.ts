import { formatCell } from "../csv-cell.ts";
import { readRecords } from "../csv-records.ts";
import { type Grant, grantColumns, pairOf, parseGrants } from "./expiring.ts";

/** What is to change in delegations.csv; a grant that is set replaces the row of its host and delegate. */
export interface GrantEdit {
  readonly set: readonly Grant[];
  readonly takeOut: readonly Pick<Grant, "host" | "delegate">[];
}

/**
 * The text of delegations.csv after an edit. Rows that are not concerned stay byte for byte as people wrote them,
 * and so do comments, the order of the columns and the kind of line ends. Null when there is nothing to change.
 * @throws {Error} when the file has faults: a row added to a broken file might never be read.
 */
export function editGrants(text: string | undefined, edit: GrantEdit): string | null {
  const source = text?.trim() ? text : `${[...grantColumns.required, ...grantColumns.optional].join(",")}\n`;
  const bytes = Buffer.from(source, "utf8");
  const { grants, problems } = parseGrants(bytes);
  const [problem] = problems;
  if (problem) {
    const where = problem.line === null ? "" : `line ${problem.line}: `;
    throw new Error(`delegations.csv was not changed, because it has a fault: ${where}${problem.message}`);
  }
  const listed = new Map(grants.map((grant) => [pairOf(grant), grant]));
  const set = edit.set.filter((grant) => listed.get(pairOf(grant))?.until !== grant.until);
  const gone = new Set([...set, ...edit.takeOut].map(pairOf).filter((pair) => listed.has(pair)));
  if (set.length + gone.size === 0) return null;

  const { records } = readRecords(bytes);
  const goneLines = new Set<number>();
  for (const grant of grants.filter((one) => gone.has(pairOf(one)))) {
    const lastLine = records.find((record) => record.line === grant.line)?.lastLine ?? grant.line;
    for (let line = grant.line; line <= lastLine; line += 1) goneLines.add(line);
  }
  const lineEnd = source.includes("\r\n") ? "\r\n" : "\n";
  const lines = source.split(/(?<=\r\n|\n|\r(?!\n))/);
  const kept = lines.filter((_, index) => !goneLines.has(index + 1)).join("");
  const columns = (records[0]?.cells ?? []).map((name) => findColumn(name));
  const rows = set.map((grant) => {
    const note = grant.note || (listed.get(pairOf(grant))?.note ?? "");
    return (
      columns.map((column) => formatCell(flatten(column ? { ...grant, note }[column] : ""))).join(",") +
      lineEnd
    );
  });
  const gap = rows.length > 0 && kept !== "" && !/[\r\n]$/.test(kept) ? lineEnd : "";
  return kept + gap + rows.join("");
}

function findColumn(name: string): keyof Grant | undefined {
  return [...grantColumns.required, ...grantColumns.optional].find((column) => column === name);
}

/** Line ends become spaces, so that a row stays on its line. */
function flatten(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
