import { compareStrings } from "../lib/text.ts";
import type { KeptReason, RoomRecord, RunRecord } from "../membership/record.ts";
import { escapeMarkdown, joinMarkdown, type Markdown, md } from "./markdown.ts";
import { type LineLink, sortRooms, takeRowsIfAny, titleOf } from "./rows.ts";
import { countOf, formatNumber } from "./words.ts";

const maxSources = 5;

/** Up to here one table by title can be read at a glance; in longer lists, what needs attention comes first. */
const maxInOneTable = 40;

const stateSigns = {
  failed: { icon: md`❌`, meaning: md`a change failed` },
  frozen: {
    icon: md`🧊`,
    meaning: md`frozen: Rollcall cannot be certain who belongs here, so it removes nobody`,
  },
  held: { icon: md`✋`, meaning: md`removals wait for approval` },
  differs: { icon: md`👀`, meaning: md`audit found a difference` },
  changed: { icon: md`🔄`, meaning: md`changed by this run` },
  declared: { icon: md`✅`, meaning: md`as declared` },
} as const;

type RoomState = keyof typeof stateSigns;

/** Builds the table of rooms; null when there is none. */
export function viewRooms(record: RunRecord, line: LineLink, maxRows: number) {
  if (record.rooms.length === 0) return null;
  const rooms = sortRooms(record.rooms);
  const isUrgent = (room: RoomRecord) => !["changed", "declared"].includes(findState(room));
  const isLong = rooms.length > maxInOneTable;
  const open = isLong ? rooms.filter(isUrgent) : rooms;
  const folded = isLong ? rooms.filter((room) => !isUrgent(room)) : [];
  const occurring = new Set<string>(rooms.map(findState));
  return {
    open: listRows(open, line, maxRows),
    folded: listRows(folded, line, maxRows),
    foldedLabel:
      open.length > 0
        ? md`${countOf(folded.length, "space")} as declared`
        : md`All ${countOf(rooms.length, "space")} are as declared`,
    legend: joinMarkdown(
      Object.entries(stateSigns)
        .filter(([state]) => occurring.has(state))
        .map(([, { icon, meaning }]) => md`${icon} ${meaning}`),
      " · ",
    ),
  };
}

/** Writes rooms as the rows of a table, in the order given; null when there is none. */
export function listRows(rooms: readonly RoomRecord[], line: LineLink, maxRows: number) {
  return takeRowsIfAny(rooms, maxRows, (room) => viewRow(room, line));
}

/** The sign of a room's state. */
export function findIcon(room: RoomRecord): Markdown {
  return stateSigns[findState(room)].icon;
}

/** True when the run changed, held or noticed something in this room. */
export function isEventful(room: RoomRecord): boolean {
  return findState(room) !== "declared";
}

/** What feeds a room: the names of its groups, and the addresses of single people. */
export function sourcesOf({ groups, people = [] }: RoomRecord): readonly string[] {
  return [...groups, ...people];
}

/** What feeds a room, and where in rooms.csv that is said. */
export function describeSource(room: RoomRecord, line: LineLink): Markdown {
  const names = sourcesOf(room).map((name) => escapeMarkdown(name));
  const sources = describeSome(names, " · ");
  return room.lines.length === 0 ? sources : md`${sources} (${describeSome(room.lines.map(line), ", ")})`;
}

/** How many members a room has, and how many it had before if that differs. */
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

function viewRow(room: RoomRecord, line: LineLink) {
  return {
    icon: findIcon(room),
    title: titleOf(room),
    groups: describeSource(room, line),
    mode: escapeMarkdown(room.mode),
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

function countKept(reasons: readonly KeptReason[]): Markdown {
  const counts = new Map<KeptReason, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => compareStrings(a, b));
  return joinMarkdown(
    sorted.map(([reason, count]) => countOf(count, reason)),
    ", ",
  );
}

function describeSome(parts: readonly Markdown[], separator: string): Markdown {
  const shown = joinMarkdown(parts.slice(0, maxSources), separator);
  return parts.length > maxSources ? md`${shown} and ${formatNumber(parts.length - maxSources)} more` : shown;
}
