import type { RunRecord } from "../membership/record.ts";
import { measureExpiry } from "../token/expiry.ts";
import type { TokenRecord } from "../token/store.ts";
import { viewHeld } from "./held.ts";
import { codeSpan, escapeMarkdown, linkTo, type Markdown, md, messageLength } from "./markdown.ts";
import {
  createLineLink,
  type LineLink,
  nameOf,
  sortBy,
  sortPeople,
  sortRooms,
  takeRows,
  takeRowsIfAny,
  titleOf,
} from "./rows.ts";
import { adviseFailure, countOf } from "./words.ts";

export interface ReportPolicy {
  readonly heartbeatDays: number;
  readonly tokenWarningDays: number;
}

export interface PageInput {
  readonly record: RunRecord;
  readonly notices: readonly string[];
  readonly policy: ReportPolicy;
  /** The address of rooms.csv as seen from the page; null when no link leads there. */
  readonly mappingsAddress: string | null;
  /** The repository on GitHub and the run there; null outside of GitHub. */
  readonly repositoryUrl: string | null;
  readonly runUrl: string | null;
}

/** Builds the blocks that every page of a run has. */
export function viewShared(input: PageInput, maxRows: number) {
  const { record } = input;
  return {
    token: viewToken(record.token, record.finishedAt, input.policy.tokenWarningDays),
    notices: viewNotices(input.notices, maxRows, input.repositoryUrl),
    held: viewHeld(record, input.repositoryUrl, { maxRows }),
    failures: viewFailures(record, maxRows),
    problems: viewProblems(record, createLineLink(input.mappingsAddress), maxRows),
  };
}

/** Makes notices harmless, for they may hold names from Webex; null when there are none. */
export function viewNotices(
  notices: readonly string[],
  maxRows: number,
  repositoryUrl: string | null = null,
) {
  return takeRowsIfAny(notices, maxRows, (notice) => viewNotice(notice, repositoryUrl));
}

/** A notice may end with where a person can do what it asks for. */
function viewNotice(notice: string, repositoryUrl: string | null): Markdown {
  const start = repositoryUrl === null ? -1 : notice.lastIndexOf(`: ${repositoryUrl}/edit/`);
  if (start === -1) return escapeMarkdown(notice, messageLength);
  const link = linkTo(md`edit the file`, notice.slice(start + 2));
  return md`${escapeMarkdown(notice.slice(0, start), messageLength)}: ${link}`;
}

/** Lists every change that failed and what to do about it; null when none did. */
export function viewFailures(record: RunRecord, maxRows: number) {
  const failures = sortRooms(record.rooms).flatMap((room) =>
    sortPeople(room.failed).map((failure) => ({ room, failure })),
  );
  if (failures.length === 0) return null;
  return {
    title: countOf(failures.length, "failed change"),
    ...takeRows(failures, maxRows, ({ room, failure }) => ({
      room: titleOf(room),
      what: failure.action === "add" ? md`add ${nameOf(failure)}` : md`remove ${nameOf(failure)}`,
      error: describeError(failure.error, failure.trackingId),
      advice: adviseFailure(failure),
    })),
  };
}

/** An error in Webex's words, with the id by which Webex support finds it. */
export function describeError(error: string, trackingId: string | null): Markdown {
  const text = escapeMarkdown(error, messageLength);
  return trackingId === null ? text : md`${text} (tracking id ${codeSpan(trackingId, 100)})`;
}

/** Lists the problems by line of rooms.csv; null when there are none. */
export function viewProblems(record: RunRecord, line: LineLink, maxRows: number) {
  if (record.problems.length === 0) return null;
  const sorted = sortBy(record.problems, (problem) => [
    // A problem without a line concerns the whole run, and comes first.
    problem.line === null ? "" : String(problem.line).padStart(9, "0"),
    problem.column ?? "",
    problem.message,
  ]);
  const rows = takeRows(sorted, maxRows, (problem) => ({
    line: problem.line,
    where: problem.line === null ? md`` : describeWhere(line(problem.line), problem.column),
    message: escapeMarkdown(problem.message, messageLength),
  }));
  const until =
    record.status === "failed"
      ? md`Until then Rollcall manages no space. The next run checks again.`
      : md`Until then the spaces concerned stay as they are; all others are managed as usual. The next run checks again.`;
  return { ...rows, until };
}

/** Says how long the refresh token stays valid, counted from the end of the run; `short` is for a line of links. */
export function viewToken(token: TokenRecord | null, finishedAt: string, warningDays: number) {
  const expiry = measureExpiry(token?.refreshTokenExpiresAt ?? null, new Date(finishedAt), warningDays);
  if (expiry === null) {
    const why = token === null ? md`this run did not use it` : md`Webex did not say`;
    const short = md`end of the Webex login not known`;
    return { text: md`How long the Webex login stays valid is not known: ${why}.`, short, warning: false };
  }
  const { lastDay, days, isShort } = expiry;
  const date = escapeMarkdown(lastDay);
  const renew = md`Run ${codeSpan("npm run login")}`;
  if (days < 0) {
    const text = md`The Webex login expired on **${date}**. ${renew} to log in again.`;
    return { text, short: md`Webex login expired on ${date}`, warning: true };
  }
  const short = md`Webex login valid until ${date}`;
  return isShort
    ? {
        text: md`${short}, ${countOf(days, "day")} from this check. ${renew} before then, or runs will stop.`,
        short,
        warning: true,
      }
    : { text: md`${short} (a run normally extends it).`, short, warning: false };
}

/** A date as people read it: `2026-11-22 05:17 UTC`. */
export function describeTimestamp(date: string): Markdown {
  return md`${escapeMarkdown(date.slice(0, 16).replace("T", " "))} UTC`;
}

function describeWhere(where: Markdown, column: string | null): Markdown {
  return column === null ? where : md`${where}, column ${escapeMarkdown(column)}`;
}
