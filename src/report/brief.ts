import type { Paint } from "../lib/text.ts";
import { labelOf, type RecordedPerson, type RoomRecord, type RunRecord } from "../membership/record.ts";
import { listHeld } from "./held.ts";
import { cleanText, cutText } from "./markdown.ts";
import { sortPeople, sortRooms } from "./rows.ts";
import { statusStyles } from "./terminal.ts";
import { describeApproval, describeRun } from "./words.ts";

/** The end of a run fits into so many lines, with the one that names the report. */
export const maxLines = 15;

const maxNames = 4;

const maxLength = 200;

/**
 * Writes a run in at most 14 lines: what needs a person, then what changed, each shortened where there is more.
 * `more` says where all of it can be read.
 */
export function renderBrief(record: RunRecord, mappingsFile: string, more: string, paint: Paint): string {
  const short = (text: string) => cutText(cleanText(text), maxLength);
  const sections = [
    record.rooms.flatMap((room) =>
      room.failed.map((one) =>
        short(`× ${room.title}: could not ${one.action} ${labelOf(one)}: ${one.error}`),
      ),
    ),
    record.problems.map(({ line, message }) =>
      short(`! ${line === null ? "" : `${mappingsFile}:${line}: `}${message}`),
    ),
    listHeld(record, maxNames).map(({ title, why }) => short(`~ ${title}: ${why}`)),
    sortRooms(record.rooms)
      .filter(hasChanged)
      .map((room) => short(`${room.title}: ${describeChanged(room)}`)),
    sortRooms(record.rooms)
      .filter(({ missing }) => missing.length > 0)
      .map((room) => short(`? ${room.title}: missing ${listNames(room.missing)}`)),
    record.notices.map((notice) => short(`i ${notice}`)),
  ];
  const approval =
    record.digest === null
      ? []
      : [`To approve what is held: ${paint("bold", describeApproval(record).local)}`];
  const status = `${paint(statusStyles[record.status], record.status)}: ${describeRun(record)}`;
  // One line is left for the report's, one for where there is more.
  const body = shareLines(sections, maxLines - 3 - approval.length);
  return [...body, ...approval, paint("dim", more), status].join("\n");
}

/** Gives each section its lines in turn until there are no more; what is left out of one is counted in its last. */
export function shareLines(sections: readonly (readonly string[])[], max: number): readonly string[] {
  const shares = sections.map(() => 0);
  let left = max;
  for (let round = 1; left > 0 && sections.some((lines) => lines.length >= round); round += 1) {
    for (const [index, lines] of sections.entries()) {
      if (left === 0 || lines.length < round) continue;
      shares[index] = round;
      left -= 1;
    }
  }
  return sections.flatMap((lines, index) => {
    const share = shares[index] ?? 0;
    if (share === lines.length) return lines;
    if (share === 0) return [];
    const hidden = lines.length - share + 1;
    return [...lines.slice(0, share - 1), `  … ${hidden} more like ${lines[share - 1] ?? ""}`];
  });
}

function hasChanged({ added, removed }: RoomRecord): boolean {
  return added.length + removed.length > 0;
}

function describeChanged({ added, removed }: RoomRecord): string {
  return [
    ...(added.length > 0 ? [`+${added.length} (${listNames(added)})`] : []),
    ...(removed.length > 0 ? [`−${removed.length} (${listNames(removed)})`] : []),
  ].join(" ");
}

function listNames(people: readonly RecordedPerson[]): string {
  const names = sortPeople(people).map(labelOf);
  const hidden = names.length - maxNames;
  return hidden > 0 ? `${names.slice(0, maxNames).join(", ")} and ${hidden} more` : names.join(", ");
}
