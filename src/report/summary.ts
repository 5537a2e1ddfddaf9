import type { RoomRecord, RunRecord } from "../membership/record.ts";
import { codeSpan, escapeMarkdown, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { describeDelta, describeMembers } from "./rooms.ts";
import { listNames, sortRooms, takeRows, takeRowsIfAny, titleOf } from "./rows.ts";
import { type PageInput, viewShared } from "./sections.ts";
import { countOf, describeRun, explainHold, heldReasons, nameOrganisation, statusIcons } from "./words.ts";

export interface SummaryInput extends PageInput {
  /** Where the whole report can be read; null when it is nowhere. */
  readonly reportAddress: string | null;
}

/** Builds the short text of a run: what happened, what waits, what to fix. What is as declared is left out. */
export function viewSummary(input: SummaryInput, maxRows: number) {
  const { record } = input;
  const rooms = sortRooms(record.rooms);
  const changed = rooms.filter((room) => room.added.length + room.removed.length > 0);
  const missing = rooms.filter((room) => room.missing.length > 0);
  return {
    ...viewShared(input, maxRows),
    command: escapeMarkdown(record.command),
    whose: nameOrganisation(record.organisation),
    icon: statusIcons[record.status],
    headline: describeRun(record),
    facts: joinMarkdown(
      [
        countOf(record.totals.rooms, "space"),
        ...(record.totals.kept > 0 ? [describeKept(record.totals.kept)] : []),
      ],
      ", ",
    ),
    heldRooms: takeRows([...listHeld(rooms, maxRows), ...listHeldHosts(record)], maxRows, (row) => row),
    changesTitle: record.command === "plan" ? md`What would change` : md`What changed`,
    changed: takeRowsIfAny(changed, maxRows, (room) => viewChanged(room, maxRows)),
    missing: takeRowsIfAny(missing, maxRows, (room) => ({
      title: titleOf(room),
      names: listNames(room.missing, maxRows),
    })),
    reportLink: input.reportAddress === null ? null : linkTo(md`The whole report`, input.reportAddress),
  };
}

function viewChanged(room: RoomRecord, maxRows: number) {
  return {
    title: titleOf(room),
    delta: describeDelta(room.added.length, room.removed.length),
    members: describeMembers(room),
    added: room.added.length > 0 ? listNames(room.added, maxRows) : null,
    removed: room.removed.length > 0 ? listNames(room.removed, maxRows) : null,
  };
}

/** One row for each room and reason; a room's removals nearly always share one reason. */
function listHeld(rooms: readonly RoomRecord[], maxRows: number): HeldRow[] {
  return rooms.flatMap((room) =>
    [...new Set(room.held.map((person) => explainHold(person)))].sort().map((why) => {
      const people = room.held.filter((person) => explainHold(person) === why);
      return { title: titleOf(room), names: listNames(people, maxRows), why };
    }),
  );
}

function listHeldHosts({ delegations }: RunRecord): HeldRow[] {
  const waiting = (delegations?.hosts ?? []).filter(({ held }) => held.length > 0);
  return waiting.map(({ host, held }) => ({
    title: md`Meetings of ${codeSpan(host)}`,
    names: joinMarkdown(
      held.map(({ delegate }) => codeSpan(delegate)),
      ", ",
    ),
    why: heldReasons["revocations-per-run"],
  }));
}

/** What waits in one place, for one reason. */
type HeldRow = Readonly<Record<"title" | "names" | "why", Markdown>>;

function describeKept(count: number): Markdown {
  return md`${countOf(count, "member")} kept although in no group`;
}
