import { parseCsv, sortByLine } from "../lib/csv.ts";
import { dayMs, dayOf } from "../lib/date.ts";
import { quoteText } from "../lib/did-you-mean.ts";
import { addressForm, foldAddress } from "../lib/email.ts";
import { compareTexts } from "../lib/text.ts";
import type { Problem } from "../membership/record.ts";

/** One row of delegations.csv: the delegate may schedule for the host until that day has ended. */
export interface Grant {
  /** Both addresses in lower case. */
  readonly host: string;
  readonly delegate: string;
  /** The last day on which it holds, YYYY-MM-DD in UTC. */
  readonly until: string;
  readonly note: string;
}

/** A grant and the line of the file on which its row starts, from 1. */
export interface ListedGrant extends Grant {
  readonly line: number;
}

/** Days before the end from which on `sync` says that a grant ends. */
const warningDays = 7;

/** The columns of delegations.csv. */
export const grantColumns = {
  required: ["host", "delegate", "until"],
  optional: ["note"],
} as const;

/**
 * Reads delegations.csv. Never throws: every fault of the file is in `problems`, in the order of the lines. `grants`
 * holds the rows without a fault; nothing should be revoked by a file that has problems.
 */
export function parseGrants(bytes: Uint8Array): {
  readonly grants: readonly ListedGrant[];
  readonly problems: readonly Problem[];
} {
  const reading = parseCsv(bytes, grantColumns);
  const problems = [...reading.problems];
  const grants: ListedGrant[] = [];
  const firstLineOfPair = new Map<string, number>();
  for (const { line, cells } of reading.rows) {
    const faults = describeFaults(cells).map((fault) => ({ line, ...fault }));
    problems.push(...faults);
    // An empty cell is reported already.
    if (faults.length > 0 || grantColumns.required.some((column) => cells[column] === "")) continue;
    const grant = { ...cells, host: foldAddress(cells.host), delegate: foldAddress(cells.delegate), line };
    const pairLine = firstLineOfPair.get(pairOf(grant));
    if (pairLine === undefined) {
      firstLineOfPair.set(pairOf(grant), line);
      grants.push(grant);
    } else {
      const message = `lines ${pairLine} and ${line} hold the same host and delegate; remove one of them`;
      problems.push({ line, column: null, message });
    }
  }
  return { grants, problems: sortByLine(problems) };
}

/** The text by which two grants concern the same host and delegate. */
export function pairOf({ host, delegate }: Pick<Grant, "host" | "delegate">): string {
  return `${foldAddress(host)} ${foldAddress(delegate)}`;
}

/** Those whose last day is over; `today` is YYYY-MM-DD in UTC. */
export function findExpired<G extends Grant>(grants: readonly G[], today: string): readonly G[] {
  return grants.filter((grant) => grant.until < today);
}

/** One sentence for each grant that ends within seven days, the soonest first. */
export function describeEnding(grants: readonly Grant[], today: string): readonly string[] {
  return grants
    .map((grant) => ({ grant, days: countDays(today, grant.until) }))
    .filter(({ days }) => days >= 0 && days <= warningDays)
    .sort((a, b) => a.days - b.days || compareTexts(pairOf(a.grant), pairOf(b.grant)))
    .map(({ grant: { host, delegate, until }, days }) => {
      const when = days === 0 ? "today is the last day" : `${days} ${days === 1 ? "day" : "days"} left`;
      return `${delegate} may schedule meetings for ${host} until ${until} (${when})`;
    });
}

/** True for a day of the calendar, written YYYY-MM-DD. */
export function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime()) && dayOf(date) === text;
}

function describeFaults(
  cells: Readonly<Record<"host" | "delegate" | "until", string>>,
): { readonly column: string; readonly message: string }[] {
  const faults = (["host", "delegate"] as const)
    .filter((column) => cells[column] !== "" && !addressForm.test(cells[column]))
    .map((column) => ({ column, message: `${quoteText(cells[column])} is no e-mail address` }));
  if (cells.host !== "" && foldAddress(cells.host) === foldAddress(cells.delegate)) {
    faults.push({ column: "delegate", message: "a host is never their own delegate; remove the line" });
  }
  if (cells.until === "" || isDay(cells.until)) return faults;
  const message = `${quoteText(cells.until)} is no date; write the last day as YYYY-MM-DD`;
  return [...faults, { column: "until", message }];
}

function countDays(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs);
}
