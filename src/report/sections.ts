import type { RunRecord } from "../membership/record.ts";
import { measureExpiry } from "../token/expiry.ts";
import type { TokenRecord } from "../token/store.ts";
import { codeSpan, escapeMarkdown, linkTo, type Markdown, md, messageLength } from "./markdown.ts";
import {
  createLineLink,
  emailOf,
  type LineLink,
  nameOf,
  sortBy,
  sortPeople,
  sortRooms,
  takeRows,
  takeRowsIfAny,
  titleOf,
} from "./rows.ts";
import {
  adviseFailure,
  countOf,
  describeApproval,
  explainHold,
  heldReasons,
  listHeldDelegates,
  nameHeld,
} from "./words.ts";

/** A longer list of people is folded, so that the command below it stays in sight. */
const maxUnfolded = 12;

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
    held: viewHeld(record, input.repositoryUrl, maxRows),
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

/** Builds the block about what is held; null when nothing is. */
export function viewHeld(record: RunRecord, repositoryUrl: string | null, maxRows: number) {
  if (record.digest === null) return null;
  const rooms = sortRooms(record.rooms.filter((room) => room.held.length > 0));
  const people = rooms.flatMap((room) => sortPeople(room.held).map((person) => ({ room, person })));
  const digest = record.digest.replace(/[^0-9a-f]/g, "");
  const approval = describeApproval(record);
  const noun = nameHeld(people.map(({ person }) => person));
  const delegates = listHeldDelegates(record.delegations);
  const total = people.length + delegates.length;
  const ofRooms = md`${countOf(people.length, noun)} in ${countOf(rooms.length, "space")}`;
  const ofDelegates = countOf(delegates.length, "revocation");
  const what =
    delegates.length === 0 ? ofRooms : people.length === 0 ? ofDelegates : md`${ofRooms} and ${ofDelegates}`;
  const rows = [
    ...people.map(({ room, person }) => ({
      room: titleOf(room),
      name: nameOf(person),
      email: emailOf(person),
      why: explainHold(person),
    })),
    ...delegates.map(({ host, delegate, reason }) => ({
      room: md`Meetings of ${codeSpan(host)}`,
      name: md`delegate`,
      email: codeSpan(delegate),
      why: heldReasons[reason],
    })),
  ];
  const actions = md`Actions → ${approval.name}`;
  return {
    intro:
      record.command === "plan"
        ? md`${what} would be held back; everything else would be applied. You can approve them after the run that holds them.`
        : md`${what} ${total === 1 ? md`is` : md`are`} held back: ${noun === "removal" ? md`nobody listed here has been removed. All additions and the other removals` : md`none of the changes listed here was made. All other changes`} were applied.`,
    foldedLabel: total > maxUnfolded ? md`Show all ${what}` : null,
    who: noun === "removal" ? md`Would be removed` : md`Who`,
    people: takeRows(rows, maxRows, (row) => row),
    comment:
      repositoryUrl === null || record.command !== "sync"
        ? null
        : md`Comment ${codeSpan(`/approve ${digest}`)} on ${linkTo(md`the issue that Rollcall opened`, `${repositoryUrl}/issues?q=is%3Aopen+in%3Atitle+Rollcall`)}`,
    actions:
      repositoryUrl === null
        ? actions
        : linkTo(actions, `${repositoryUrl}/actions/workflows/${approval.workflow}`),
    digestSpan: codeSpan(digest),
    githubCommand: approval.github,
    localCommand: approval.local,
    otherwise: md`${
      record.command === "restore"
        ? md`If some of them should stay, do not approve.`
        : md`If some of them should stay, correct their group or the file in mappings/ instead; the next run plans again.`
    } This code is valid for exactly this list: if the list changes, nobody is removed and you get a new code.`,
  };
}

/** Lists every change that failed and what to do about it; null when none did. */
export function viewFailures(record: RunRecord, maxRows: number) {
  const failures = sortRooms(record.rooms).flatMap((room) =>
    sortPeople(room.failed).map((failure) => ({ room, failure })),
  );
  return takeRowsIfAny(failures, maxRows, ({ room, failure }) => ({
    room: titleOf(room),
    what: failure.action === "add" ? md`add ${nameOf(failure)}` : md`remove ${nameOf(failure)}`,
    error: describeError(failure.error, failure.trackingId),
    advice: adviseFailure(failure),
  }));
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
    where: problem.line === null ? md`` : describeWhere(line(problem.line), problem.column),
    message: escapeMarkdown(problem.message, messageLength),
  }));
  const until =
    record.status === "failed"
      ? md`Until then Rollcall manages no space. The next run checks again.`
      : md`Until then the spaces concerned stay as they are; all others are managed as usual. The next run checks again.`;
  return { ...rows, until };
}

/** Says how long the refresh token stays valid, counted from the end of the run. */
export function viewToken(token: TokenRecord | null, finishedAt: string, warningDays: number) {
  const expiry = measureExpiry(token?.refreshTokenExpiresAt ?? null, new Date(finishedAt), warningDays);
  if (expiry === null) {
    const why = token === null ? md`this run did not use it` : md`Webex did not say`;
    return { text: md`How long the Webex login stays valid is not known: ${why}.`, warning: false };
  }
  const { lastDay, days, isShort } = expiry;
  const date = escapeMarkdown(lastDay);
  const renew = md`Run ${codeSpan("npm run login")}`;
  if (days < 0)
    return { text: md`The Webex login expired on **${date}**. ${renew} to log in again.`, warning: true };
  const valid = md`The Webex login is valid until **${date}**, ${countOf(days, "day")} from this check`;
  return isShort
    ? { text: md`${valid}. ${renew} before then, or runs will stop.`, warning: true }
    : { text: md`${valid} (a run normally extends it).`, warning: false };
}

/** A date as people read it: `2026-11-22 05:17 UTC`. */
export function describeTimestamp(date: string): Markdown {
  return md`${escapeMarkdown(date.slice(0, 16).replace("T", " "))} UTC`;
}

function describeWhere(where: Markdown, column: string | null): Markdown {
  return column === null ? where : md`${where}, column ${escapeMarkdown(column)}`;
}
