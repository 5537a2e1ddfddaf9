import { compareStrings } from "../lib/text.ts";
import type { KeptReason, RoomRecord, RunRecord } from "../membership/record.ts";
import { escapeMarkdown, joinMarkdown, type Markdown, md } from "./markdown.ts";
import { type LineLink, type Rows, sortRooms, takeRowsIfAny, titleOf } from "./rows.ts";
import { countOf, formatNumber } from "./words.ts";

const maxGroups = 5;
/** Up to here one table by title is read at a glance; beyond, what needs attention comes first. */
const maxInOneTable = 40;

type RoomState = "failed" | "frozen" | "held" | "differs" | "changed" | "declared";

const stateSigns: Readonly<Record<RoomState, { icon: Markdown; meaning: Markdown }>> = {
  failed: { icon: md`❌`, meaning: md`a change failed` },
  frozen: { icon: md`🧊`, meaning: md`frozen: not surely known, so nobody is removed` },
  held: { icon: md`✋`, meaning: md`removals wait for approval` },
  differs: { icon: md`👀`, meaning: md`audit found a difference` },
  changed: { icon: md`🔄`, meaning: md`changed by this run` },
  declared: { icon: md`✅`, meaning: md`as declared` },
};

const states: readonly RoomState[] = ["failed", "frozen", "held", "differs", "changed", "declared"];

/** One row of the table of rooms. */
export interface RoomRow {
  readonly icon: Markdown;
  readonly title: Markdown;
  readonly groups: Markdown;
  readonly mode: Markdown;
  readonly members: Markdown;
  readonly change: Markdown;
  readonly held: Markdown;
  readonly kept: Markdown;
}

/** The rooms as tables: those shown open, those folded away, and what the icons mean. */
export interface RoomsView {
  readonly open: Rows<RoomRow> | null;
  readonly folded: Rows<RoomRow> | null;
  readonly foldedLabel: Markdown;
  readonly legend: Markdown;
}

/** Builds the table of rooms; null when there is none. */
export function viewRooms(record: RunRecord, line: LineLink, maxRows: number): RoomsView | null {
  if (record.rooms.length === 0) return null;
  const rooms = sortRooms(record.rooms);
  const isUrgent = (room: RoomRecord) => !["changed", "declared"].includes(findState(room));
  const isLong = rooms.length > maxInOneTable;
  const open = isLong ? rooms.filter(isUrgent) : rooms;
  const folded = isLong ? rooms.filter((room) => !isUrgent(room)) : [];
  const occurring = new Set(rooms.map(findState));
  return {
    open: listRows(open, line, maxRows),
    folded: listRows(folded, line, maxRows),
    foldedLabel:
      open.length > 0
        ? md`${countOf(folded.length, "room")} in good order`
        : md`All ${countOf(rooms.length, "room")}, in good order`,
    legend: joinMarkdown(
      states
        .filter((state) => occurring.has(state))
        .map((state) => md`${stateSigns[state].icon} ${stateSigns[state].meaning}`),
      " · ",
    ),
  };
}

/** Writes rooms as the rows of a table, in the order given; null when there is none. */
export function listRows(
  rooms: readonly RoomRecord[],
  line: LineLink,
  maxRows: number,
): Rows<RoomRow> | null {
  return takeRowsIfAny(rooms, maxRows, (room) => viewRow(room, line));
}

/** The sign of a room's state. */
export function findIcon(room: RoomRecord): Markdown {
  return stateSigns[findState(room)].icon;
}

/** True when a run did, held or noticed something in this room. */
export function isEventful(room: RoomRecord): boolean {
  return findState(room) !== "declared";
}

/** What feeds a room: the names of its groups, and where in rooms.csv that is said. */
export function describeSource(room: RoomRecord, line: LineLink): Markdown {
  const names = room.groups.slice(0, maxGroups).map((group) => escapeMarkdown(group));
  const lines = room.lines.slice(0, maxGroups).map(line);
  const groups = describeSome(names, " · ", room.groups.length);
  if (lines.length === 0) return groups;
  return md`${groups} (${describeSome(lines, ", ", room.lines.length)})`;
}

/** How many members there are, and were where that is different. */
export function describeMembers(room: RoomRecord): Markdown {
  if (room.after === null) return md`not read`;
  if (room.before === null || room.before === room.after) return formatNumber(room.after);
  return md`${formatNumber(room.before)} → ${formatNumber(room.after)}`;
}

/** "+2 −1"; empty when nothing was changed. */
export function describeDelta(added: number, removed: number): Markdown {
  const parts: Markdown[] = [];
  if (added > 0) parts.push(md`+${formatNumber(added)}`);
  if (removed > 0) parts.push(md`−${formatNumber(removed)}`);
  return joinMarkdown(parts, " ");
}

function viewRow(room: RoomRecord, line: LineLink): RoomRow {
  return {
    icon: findIcon(room),
    title: titleOf(room),
    groups: describeSource(room, line),
    mode: md`${escapeMarkdown(room.mode)}`,
    members: describeMembers(room),
    change: describeDelta(room.added.length, room.removed.length),
    held: room.held.length > 0 ? formatNumber(room.held.length) : md``,
    kept: countKept(room.kept.map((person) => person.reason)),
  };
}

function findState(room: RoomRecord): RoomState {
  if (room.failed.length > 0) return "failed";
  if (room.frozen !== undefined || room.after === null) return "frozen";
  if (room.held.length > 0) return "held";
  if (room.added.length + room.removed.length > 0) return "changed";
  const differs = room.missing.length > 0 || room.kept.some((person) => person.reason === "audit");
  return differs ? "differs" : "declared";
}

/** "2 bots, 1 moderator": the most frequent reason need not come first, but the order never changes. */
function countKept(reasons: readonly KeptReason[]): Markdown {
  const counts = new Map<KeptReason, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => compareStrings(a, b));
  return joinMarkdown(
    sorted.map(([reason, count]) => countOf(count, reason)),
    ", ",
  );
}

function describeSome(parts: readonly Markdown[], separator: string, total: number): Markdown {
  const shown = joinMarkdown(parts, separator);
  return total > parts.length ? md`${shown} and ${formatNumber(total - parts.length)} more` : shown;
}
