import { formatCell, parseCsv, readRecords } from "../lib/csv.ts";
import { describeDaysLeft, isDay } from "../lib/date.ts";
import { addressForm, createMatcher, foldAddress } from "../lib/email.ts";
import { type InputProblem, sortByLine } from "../lib/problem.ts";
import { compareStrings, quoteText } from "../lib/text.ts";
import type { HostOutcome } from "./apply.ts";
import type { HostPlan } from "./plan.ts";
import type { DelegationRequest } from "./request.ts";

/** One row of delegations.csv: the delegate may schedule for the host until the end of that day, or without an end. */
export interface ExpiringDelegation {
  /** Both addresses are lower case. */
  readonly host: string;
  readonly delegate: string;
  /** The last day on which it holds, YYYY-MM-DD in UTC; null without an end. */
  readonly until: string | null;
  readonly note: string;
}

/** A row and the line on which it starts, counted from 1. */
export interface ListedDelegation extends ExpiringDelegation {
  readonly line: number;
}

/** The columns of delegations.csv. */
export const delegationColumns = {
  required: ["host", "delegate"],
  optional: ["until", "note"],
} as const;

/**
 * Reads delegations.csv. Never throws: `problems` holds every error of the file in line order, `grants` the rows
 * without an error. Do not revoke anything because of a file that has problems.
 */
export function parseDelegations(bytes: Uint8Array): {
  readonly grants: readonly ListedDelegation[];
  readonly problems: readonly InputProblem[];
} {
  const reading = parseCsv(bytes, delegationColumns);
  const problems = [...reading.problems];
  const grants: ListedDelegation[] = [];
  const firstLineOfPair = new Map<string, number>();
  for (const { line, cells, fault } of reading.rows) {
    const faults = describeFaults(cells).map(({ column, message }) => fault(column, message));
    problems.push(...faults);
    // An empty cell is reported already, and is half of no pair.
    if (cells.host === "" || cells.delegate === "") continue;
    const grant = {
      host: foldAddress(cells.host),
      delegate: foldAddress(cells.delegate),
      until: cells.until || null,
      note: cells.note,
      line,
    };
    const pairLine = firstLineOfPair.get(pairOf(grant));
    if (pairLine !== undefined) {
      const message = `lines ${pairLine} and ${line} hold the same host and delegate; remove one of them`;
      problems.push(fault(null, message));
      continue;
    }
    firstLineOfPair.set(pairOf(grant), line);
    if (faults.length === 0) grants.push(grant);
  }
  return { grants, problems: sortByLine(problems) };
}

/** Returns a key that is equal for rows with the same host and delegate. */
export function pairOf({ host, delegate }: Pick<ExpiringDelegation, "host" | "delegate">): string {
  return `${foldAddress(host)} ${foldAddress(delegate)}`;
}

/** Lists the rows whose last day is over; `today` is YYYY-MM-DD in UTC. */
export function findExpired<G extends ExpiringDelegation>(grants: readonly G[], today: string): readonly G[] {
  return grants.filter(({ until }) => until !== null && until < today);
}

/** Writes one sentence for each row that ends within seven days, the soonest first. */
export function describeEnding(grants: readonly ExpiringDelegation[], today: string): readonly string[] {
  const ending = grants.flatMap(({ host, delegate, until }) => {
    if (until === null) return [];
    const left = describeDaysLeft(today, until);
    return left === null ? [] : [{ host, delegate, until, left }];
  });
  return ending
    .sort((a, b) => compareStrings(a.until, b.until) || compareStrings(pairOf(a), pairOf(b)))
    .map(({ host, delegate, until, left }) => {
      return `${delegate} may schedule meetings for ${host} until ${until} (${left})`;
    });
}

function describeFaults(
  cells: Readonly<Record<"host" | "delegate" | "until", string>>,
): { readonly column: "host" | "delegate" | "until"; readonly message: string }[] {
  const faults: ReturnType<typeof describeFaults> = (["host", "delegate"] as const)
    .filter((column) => cells[column] !== "" && !addressForm.test(cells[column]))
    .map((column) => ({ column, message: `${quoteText(cells[column])} is not an e-mail address` }));
  if (cells.host !== "" && foldAddress(cells.host) === foldAddress(cells.delegate)) {
    faults.push({ column: "delegate", message: "a host is never their own delegate; remove the line" });
  }
  if (cells.until === "" || isDay(cells.until)) return faults;
  const message = `${quoteText(cells.until)} is not a date; write the last day as YYYY-MM-DD`;
  return [...faults, { column: "until", message }];
}

/**
 * What is to change in delegations.csv. A grant that is set replaces the row of its host and delegate; a row is taken
 * out only as it was: with another last day it is somebody's later decision.
 */
export interface DelegationsFileEdit {
  readonly set: readonly ExpiringDelegation[];
  readonly takeOut: readonly Pick<ExpiringDelegation, "host" | "delegate" | "until">[];
}

/**
 * Returns the text of delegations.csv after an edit; null when there is nothing to change. All other rows, comments,
 * the column order and the line endings stay byte for byte as people wrote them.
 * @throws {Error} when the file has errors, because a row added to a broken file might never be read.
 */
export function editDelegationsFile(text: string | undefined, edit: DelegationsFileEdit): string | null {
  const source = text?.trim()
    ? text
    : `${[...delegationColumns.required, ...delegationColumns.optional].join(",")}\n`;
  const bytes = Buffer.from(source, "utf8");
  const { grants, problems } = parseDelegations(bytes);
  const [problem] = problems;
  if (problem) {
    const where = problem.line === null ? "" : `line ${problem.line}: `;
    throw new Error(`delegations.csv was not changed, because it has a fault: ${where}${problem.message}`);
  }
  const listed = new Map(grants.map((grant) => [pairOf(grant), grant]));
  const set = edit.set.filter((grant) => listed.get(pairOf(grant))?.until !== grant.until);
  const takeOut = edit.takeOut.filter((grant) => listed.get(pairOf(grant))?.until === grant.until);
  if (set.length + takeOut.length === 0) return null;

  const gone = new Set([...set, ...takeOut].map(pairOf));
  const goneFrom = new Set(grants.filter((grant) => gone.has(pairOf(grant))).map(({ line }) => line));
  const { records } = readRecords(bytes);
  const goneRecords = records.filter(({ line }) => goneFrom.has(line));
  const isGone = (at: number) => goneRecords.some(({ line, lastLine }) => line <= at && at <= lastLine);
  const lineEnd = source.includes("\r\n") ? "\r\n" : "\n";
  const lines = source.split(/(?<=\r\n|\n|\r(?!\n))/);
  const kept = lines.filter((_, index) => !isGone(index + 1)).join("");
  const columns = (records[0]?.cells ?? []).map((name) => findColumn(name));
  if (set.some(({ until }) => until !== null) && !columns.includes("until")) {
    throw new Error(
      'delegations.csv was not changed, because it has no column "until" for the last day; add it',
    );
  }
  const rows = set.map((grant) => {
    const note = grant.note || (listed.get(pairOf(grant))?.note ?? "");
    return (
      columns.map((column) => formatCell(flatten((column && { ...grant, note }[column]) ?? ""))).join(",") +
      lineEnd
    );
  });
  const gap = rows.length > 0 && !/[\r\n]$/.test(kept) ? lineEnd : "";
  return kept + gap + rows.join("");
}

function findColumn(name: string): keyof ExpiringDelegation | undefined {
  return [...delegationColumns.required, ...delegationColumns.optional].find((column) => column === name);
}

/** Replaces line breaks, so that a row stays on one line. */
function flatten(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/**
 * Decides which rows a request adds to delegations.csv before anything is granted: those of the hosts that are not
 * refused. Pure.
 */
export function listRows(
  request: DelegationRequest,
  plans: readonly HostPlan[],
  listed: readonly ListedDelegation[],
  note: string,
): { readonly rows: readonly ExpiringDelegation[]; readonly notices: readonly string[] } {
  const listedUntil = new Map(listed.map((grant) => [pairOf(grant), grant.until]));
  const rows: ExpiringDelegation[] = [];
  const notices: string[] = [];
  for (const { request: asked, before, change, refusal } of plans) {
    const { host } = asked;
    const wasDelegate = createMatcher(before ?? []);
    const willBeDelegate = createMatcher(change?.after ?? before ?? []);
    if (request.mode !== "add" || refusal !== null) continue;
    for (const delegate of request.delegates.filter(willBeDelegate)) {
      const until = listedUntil.get(pairOf({ host, delegate }));
      if (request.until !== null) {
        if (until !== request.until) rows.push({ host, delegate, until: request.until, note });
        if (wasDelegate(delegate) && (until === undefined || until === null)) {
          notices.push(
            `${host}: ${delegate} was a delegate without an end; from now on it ends after ${request.until}`,
          );
        }
      } else if (until !== undefined && until !== null) {
        notices.push(
          `${host}: ${delegate} is still listed in delegations.csv and will be revoked after ${until}; take that row out to keep the delegate`,
        );
      }
    }
  }
  return { rows, notices };
}

/** Lists the rows of those whom a request removed, or found removed: `sync` would grant them again. Pure. */
export function findRemovedRows(
  { mode, delegates }: DelegationRequest,
  outcomes: readonly HostOutcome[],
  listed: readonly ListedDelegation[],
): readonly ListedDelegation[] {
  if (mode !== "remove" && mode !== "replace") return [];
  const isNamed = createMatcher(delegates);
  return listed.filter(({ host, delegate }) => {
    const outcome = outcomes.find((one) => one.host === host);
    if (outcome === undefined || isNamed(delegate) !== (mode === "remove")) return false;
    const { after, removed } = outcome;
    return after === null ? createMatcher(removed)(delegate) : !createMatcher(after)(delegate);
  });
}

/** Rows as they stand in delegations.csv, for a person to add or delete. */
export function formatRows(rows: DelegationsFileEdit["takeOut"]): string {
  return rows.map(({ host, delegate, until }) => `${host},${delegate},${until ?? ""}`).join(" ");
}
