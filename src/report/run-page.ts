import type { RecordedPerson, RoomRecord, RunRecord } from "../membership/record.ts";
import { groupByReason } from "./held.ts";
import {
  codeSpan,
  escapeMarkdown,
  joinMarkdown,
  linkTo,
  type Markdown,
  md,
  messageLength,
} from "./markdown.ts";
import { describeMembers, describeRest, describeSource, findIcon, isEventful, sourcesOf } from "./rooms.ts";
import {
  createLineLink,
  emailOf,
  type LineLink,
  nameOf,
  sortPeople,
  sortRooms,
  takeRows,
  takeRowsIfAny,
  titleOf,
} from "./rows.ts";
import { describeError, describeTimestamp, type PageInput, viewShared } from "./sections.ts";
import { countOf, describeRun, formatNumber, keptReasons, nameOrganisation, statusIcons } from "./words.ts";

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
    totals: joinMarkdown(
      [
        countOf(record.totals.rooms, "space"),
        ...(["added", "removed", "held", "failed", "kept"] as const).map(
          (name) => md`${formatNumber(record.totals[name])} ${escapeMarkdown(name)}`,
        ),
      ],
      " · ",
    ),
    eventful: takeRowsIfAny(eventful, maxRows, (room) => viewDetail(room, record, line, maxRows)),
    quiet: takeRowsIfAny(quiet, maxRows, (room) => {
      const facts = [describeMembers(room), describeSource(room, line), ...describeRest(room)];
      return md`${findIcon(room)} **${titleOf(room)}** · ${joinMarkdown(facts, " · ")}`;
    }),
    quietLabel: countOf(quiet.length, "space"),
    kept: takeRowsIfAny(kept, maxRows, ({ room, person }) => ({
      room: titleOf(room),
      person: describePerson(person),
      why: keptReasons[person.reason],
    })),
    keptLabel: countOf(kept.length, "member"),
  };
}

function viewDetail(room: RoomRecord, record: RunRecord, line: LineLink, maxRows: number) {
  const source = describeSource(room, line);
  const { inGroups, inNone } = explainChanges(room, record, source);
  const moderators = room.removed.filter(({ wasModerator }) => wasModerator);
  const others = room.removed.filter(({ wasModerator }) => !wasModerator);
  const parts = [
    viewPeople(md`➕ Added`, inGroups, room.added, maxRows),
    viewPeople(md`➖ Removed`, inNone, others, maxRows),
    viewPeople(md`➖ Removed`, md`${inNone}; was a moderator`, moderators, maxRows),
    ...groupByReason(room).map(([why, held]) => viewPeople(md`✋ Held`, why, held, maxRows)),
    ...room.failed.map((one) => {
      const what = one.action === "add" ? md`❌ Not added` : md`❌ Not removed`;
      return viewPeople(what, describeError(one.error, one.trackingId), [one], maxRows);
    }),
    viewPeople(md`👀 Missing`, md`${inGroups}, but not in the space`, room.missing, maxRows),
  ];
  return {
    icon: findIcon(room),
    title: titleOf(room),
    source,
    mode: escapeMarkdown(room.mode),
    members: describeMembers(room),
    frozen: room.frozen === undefined ? null : escapeMarkdown(room.frozen, messageLength),
    parts: parts.filter(({ rows }) => rows.length > 0),
  };
}

/** People of whom the same is true, one in a line, with the address by which they are found. */
function viewPeople(what: Markdown, why: Markdown, people: readonly RecordedPerson[], maxRows: number) {
  return { what, why, ...takeRows(sortPeople(people), maxRows, describePerson) };
}

function describePerson(person: RecordedPerson): Markdown {
  const name = nameOf(person);
  return person.email === null || name === codeSpan(person.email, 100)
    ? name
    : md`${name} ${emailOf(person)}`;
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

function describeDuration(record: RunRecord): Markdown {
  const seconds = Math.round((Date.parse(record.finishedAt) - Date.parse(record.startedAt)) / 1000);
  if (!Number.isFinite(seconds)) return md`—`;
  return seconds < 120 ? md`${seconds} s` : md`${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
