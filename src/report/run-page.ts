import type { RoomRecord, RunRecord } from "../membership/record.ts";
import { escapeMarkdown, linkTo, type Markdown, md, messageLength } from "./markdown.ts";
import { describeMembers, describeSource, findIcon, isEventful, listRows, type RoomRow } from "./rooms.ts";
import {
  createLineLink,
  emailOf,
  type LineLink,
  nameOf,
  type Rows,
  sortPeople,
  sortRooms,
  takeRowsIfAny,
  titleOf,
} from "./rows.ts";
import {
  describeError,
  describeTimestamp,
  type PageInput,
  type SharedBlocks,
  viewShared,
} from "./sections.ts";
import { countOf, describeRun, formatNumber, heldReasons, keptReasons, statusIcons } from "./words.ts";

/** All that the page of one run says. */
export interface RunView extends SharedBlocks {
  readonly title: Markdown;
  readonly command: Markdown;
  readonly icon: Markdown;
  readonly headline: Markdown;
  readonly recordLink: Markdown;
  readonly runLink: Markdown | null;
  readonly status: Markdown;
  readonly started: Markdown;
  readonly took: Markdown;
  readonly totals: Readonly<Record<keyof RunRecord["totals"], Markdown>>;
  readonly eventful: Rows<RoomDetail> | null;
  readonly quiet: Rows<RoomRow> | null;
  readonly quietLabel: Markdown;
  readonly kept: Rows<PersonRow & { readonly room: Markdown }> | null;
  readonly keptLabel: Markdown;
}

interface RoomDetail {
  readonly icon: Markdown;
  readonly title: Markdown;
  readonly source: Markdown;
  readonly mode: Markdown;
  readonly members: Markdown;
  readonly frozen: Markdown | null;
  readonly people: Rows<PersonRow & { readonly what: Markdown }> | null;
}

interface PersonRow {
  readonly name: Markdown;
  readonly email: Markdown;
  readonly why: Markdown;
}

/** Builds the page with every detail of one run; `recordFile` is the name of the JSON file beside it. */
export function viewRun(input: PageInput, recordFile: string, maxRows: number): RunView {
  const { record } = input;
  const line = createLineLink(input.mappingsAddress);
  const rooms = sortRooms(record.rooms);
  const eventful = rooms.filter(isEventful);
  const quiet = rooms.filter((room) => !isEventful(room));
  const kept = rooms.flatMap((room) => sortPeople(room.kept).map((person) => ({ room, person })));
  const { totals } = record;
  return {
    ...viewShared(input, maxRows),
    title: describeTimestamp(record.startedAt),
    command: escapeMarkdown(record.command),
    icon: statusIcons[record.status],
    headline: describeRun(record),
    recordLink: linkTo(md`record (JSON)`, recordFile),
    runLink: input.runUrl === null ? null : linkTo(md`workflow run`, input.runUrl),
    status: escapeMarkdown(record.status),
    started: describeTimestamp(record.startedAt),
    took: describeDuration(record),
    totals: {
      rooms: formatNumber(totals.rooms),
      added: formatNumber(totals.added),
      removed: formatNumber(totals.removed),
      held: formatNumber(totals.held),
      failed: formatNumber(totals.failed),
      kept: formatNumber(totals.kept),
    },
    eventful: takeRowsIfAny(eventful, maxRows, (room) => viewDetail(room, record, line, maxRows)),
    quiet: listRows(quiet, line, maxRows),
    quietLabel: countOf(quiet.length, "room"),
    kept: takeRowsIfAny(kept, maxRows, ({ room, person }) => ({
      ...viewPerson(person),
      room: titleOf(room),
      why: keptReasons[person.reason],
    })),
    keptLabel: countOf(kept.length, "member"),
  };
}

function viewDetail(room: RoomRecord, record: RunRecord, line: LineLink, maxRows: number): RoomDetail {
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
      why: heldReasons[one.reason],
    })),
    ...sortPeople(room.failed).map((one) => ({
      person: one,
      what: one.action === "add" ? md`❌ not added` : md`❌ not removed`,
      why: describeError(one.error, one.trackingId),
    })),
    ...sortPeople(room.missing).map((one) => ({
      person: one,
      what: md`👀 missing`,
      why: md`${inGroups}, but not in the room`,
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

/** Why people are added and why removed: by their groups, or because an earlier run did the opposite. */
function explainChanges(
  { groups }: RoomRecord,
  { command }: RunRecord,
  source: Markdown,
): { readonly inGroups: Markdown; readonly inNone: Markdown } {
  if (command === "restore")
    return { inGroups: md`Removed by the run that is undone`, inNone: md`Added by the run that is undone` };
  return groups.length > 1
    ? { inGroups: md`In one of ${source}`, inNone: md`In none of ${source}` }
    : { inGroups: md`In ${source}`, inNone: md`Not in ${source}` };
}

function viewPerson(person: RoomRecord["missing"][number]): {
  readonly name: Markdown;
  readonly email: Markdown;
} {
  return { name: nameOf(person), email: emailOf(person) };
}

function describeDuration(record: RunRecord): Markdown {
  const seconds = Math.round((Date.parse(record.finishedAt) - Date.parse(record.startedAt)) / 1000);
  if (!Number.isFinite(seconds)) return md`—`;
  return seconds < 120 ? md`${seconds} s` : md`${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
