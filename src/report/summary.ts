import type { RoomRecord } from "../membership/record.ts";
import { type DiffBlock, listPeople, viewDiff } from "./diff-block.ts";
import { escapeMarkdown, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { describeMembers, sourcesOf } from "./rooms.ts";
import { listNames, sortRooms, takeRowsIfAny, titleOf } from "./rows.ts";
import { type PageInput, viewShared } from "./sections.ts";
import { countOf, describeOutcome, nameOrganisation, statusIcons } from "./words.ts";

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
    headline: describeOutcome(record),
    facts: joinMarkdown(
      [
        countOf(record.totals.rooms, "space"),
        ...(record.totals.kept > 0 ? [describeKept(record.totals.kept)] : []),
      ],
      ", ",
    ),
    changesTitle: record.command === "plan" ? md`What would change` : md`What changed`,
    changed: changed.length === 0 ? null : viewDiff(changed.map(describeChanged), maxRows),
    missing: takeRowsIfAny(missing, maxRows, (room) => ({
      title: titleOf(room),
      names: listNames(room.missing, maxRows),
    })),
    reportLink: input.reportAddress === null ? null : linkTo(md`The whole report`, input.reportAddress),
  };
}

function describeChanged(room: RoomRecord): DiffBlock {
  const sources = sourcesOf(room).join(", ");
  return {
    title: `${room.title} ← ${sources} · ${describeMembers(room)}`,
    lines: [...listPeople("+", room.added), ...listPeople("-", room.removed)],
  };
}

function describeKept(count: number): Markdown {
  return md`${countOf(count, "member")} kept although in no group`;
}
