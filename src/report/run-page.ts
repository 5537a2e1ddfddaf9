import type { RecordedPerson, RoomRecord, RunRecord } from "../membership/record.ts";
import { escapeMarkdown, linkTo, type Markdown, md, messageLength } from "./markdown.ts";
import { describeMembers, describeSource, findIcon, isEventful, listRows, sourcesOf } from "./rooms.ts";
import {
  createLineLink,
  emailOf,
  type LineLink,
  nameOf,
  sortPeople,
  sortRooms,
  takeRowsIfAny,
  titleOf,
} from "./rows.ts";
import { describeError, describeTimestamp, type PageInput, viewShared } from "./sections.ts";
import {
  countOf,
  describeRun,
  explainHold,
  formatNumber,
  keptReasons,
  nameOrganisation,
  statusIcons,
} from "./words.ts";

/** Builds the page with every detail of one run; `recordFile` is the name of the JSON file beside it. */
export function viewRun(input: PageInput, recordFile: string, maxRows: number) {
  const { record } = input;
  const line = createLineLink(input.mappingsAddress);
  const rooms = sortRooms(record.rooms);
  const eventful = rooms.filter(isEventful);
  const quiet = rooms.filter((room) => !isEventful(room));
  const kept = rooms.flatMap((room) => sortPeople(room.kept).map((person) => ({ room, person })));
  return {
    ...viewShared(input, maxRows),
    title: md`${describeTimestamp(record.startedAt)}${nameOrganisation(record.organisation)}`,
    command: escapeMarkdown(record.command),
    icon: statusIcons[record.status],
    headline: describeRun(record),
    recordLink: linkTo(md`record (JSON)`, recordFile),
    runLink: input.runUrl === null ? null : linkTo(md`workflow run`, input.runUrl),
    status: escapeMarkdown(record.status),
    took: describeDuration(record),
    totals: Object.fromEntries(
      Object.entries(record.totals).map(([name, count]) => [name, formatNumber(count)]),
    ),
    eventful: takeRowsIfAny(eventful, maxRows, (room) => viewDetail(room, record, line, maxRows)),
    quiet: listRows(quiet, line, maxRows),
    quietLabel: countOf(quiet.length, "space"),
    kept: takeRowsIfAny(kept, maxRows, ({ room, person }) => ({
      ...viewPerson(person),
      room: titleOf(room),
      why: keptReasons[person.reason],
    })),
    keptLabel: countOf(kept.length, "member"),
  };
}

function viewDetail(room: RoomRecord, record: RunRecord, line: LineLink, maxRows: number) {
  const source = describeSource(room, line);
  const { inGroups, inNone } = explainChanges(room, record, source);
  const people = [
    ...sortPeople(room.added).map((one) => ({ person: one, what: md`➕ added`, why: inGroups })),
    ...sortPeople(room.removed).map((one) => ({
      person: one,
      what: md`➖ removed`,
      why: one.wasModerator ? md`${inNone}; was a moderator` : inNone,
    })),
    ...sortPeople(room.held).map((one) => ({
      person: one,
      what: md`✋ held`,
      why: explainHold(one),
    })),
    ...sortPeople(room.failed).map((one) => ({
      person: one,
      what: one.action === "add" ? md`❌ not added` : md`❌ not removed`,
      why: describeError(one.error, one.trackingId),
    })),
    ...sortPeople(room.missing).map((one) => ({
      person: one,
      what: md`👀 missing`,
      why: md`${inGroups}, but not in the space`,
    })),
  ];
  return {
    icon: findIcon(room),
    title: titleOf(room),
    source,
    mode: escapeMarkdown(room.mode),
    members: describeMembers(room),
    frozen: room.frozen === undefined ? null : escapeMarkdown(room.frozen, messageLength),
    people: takeRowsIfAny(people, maxRows, ({ person, what, why }) => ({ ...viewPerson(person), what, why })),
  };
}

/** Why people are added or removed: because of their groups, or because an earlier run did the opposite. */
function explainChanges(
  room: RoomRecord,
  { command }: RunRecord,
  source: Markdown,
): { readonly inGroups: Markdown; readonly inNone: Markdown } {
  if (command === "restore")
    return { inGroups: md`Removed by the run being undone`, inNone: md`Added by the run being undone` };
  return sourcesOf(room).length > 1
    ? { inGroups: md`In one of ${source}`, inNone: md`In none of ${source}` }
    : { inGroups: md`In ${source}`, inNone: md`Not in ${source}` };
}

function viewPerson(person: RecordedPerson) {
  return { name: nameOf(person), email: emailOf(person) };
}

function describeDuration(record: RunRecord): Markdown {
  const seconds = Math.round((Date.parse(record.finishedAt) - Date.parse(record.startedAt)) / 1000);
  if (!Number.isFinite(seconds)) return md`—`;
  return seconds < 120 ? md`${seconds} s` : md`${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
