import { compareStrings } from "../lib/text.ts";
import type { KeptReason, RoomRecord, RunRecord } from "../membership/record.ts";
import { escapeMarkdown, joinMarkdown, type Markdown, md } from "./markdown.ts";
import type { LineLink } from "./rows.ts";
import { countOf, formatNumber } from "./words.ts";

const maxSources = 5;

/** What a room's sign means, worst first; `said` follows a number: "2 to approve". */
const states = {
  failed: { icon: md`❌`, said: md`with failed changes` },
  frozen: { icon: md`🧊`, said: md`frozen` },
  held: { icon: md`✋`, said: md`to approve` },
  audit: { icon: md`👀`, said: md`audit only` },
  declared: { icon: md`🟢`, said: md`in sync` },
} as const;

export type RoomState = keyof typeof states;

/** How a room stands after the run. */
export function findState(room: RoomRecord): RoomState {
  if (room.failed.length > 0) return "failed";
  if (room.frozen !== undefined || room.after === null) return "frozen";
  if (room.held.length > 0) return "held";
  return room.mode === "audit" ? "audit" : "declared";
}

/** The sign of a room's state. */
export function findIcon(room: RoomRecord): Markdown {
  return states[findState(room)].icon;
}

/** Counts the rooms by state: "🟢 **3** in sync · ✋ **2** to approve". */
export function countStates({ rooms }: Pick<RunRecord, "rooms">): readonly Markdown[] {
  return (["declared", "held", "frozen", "failed", "audit"] as const).flatMap((state) => {
    const count = rooms.filter((room) => findState(room) === state).length;
    const { icon, said } = states[state];
    return count === 0 ? [] : [md`${icon} **${formatNumber(count)}** ${said}`];
  });
}

/** True when the run changed, held or noticed something in this room. */
export function isEventful(room: RoomRecord): boolean {
  const differs = room.missing.length > 0 || room.kept.some(({ reason }) => reason === "audit");
  const isCalm = ["declared", "audit"].includes(findState(room));
  return !isCalm || differs || room.added.length + room.removed.length > 0;
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

/** "8 members (+3 −1)": how many there are, and what the run changed. */
export function describeMembers(room: RoomRecord): Markdown {
  if (room.after === null) return md`members not read`;
  const delta = describeDelta(room.added.length, room.removed.length);
  const members = countOf(room.after, "member");
  return delta === "" ? members : md`${members} (${delta})`;
}

/** "+2 −1"; empty when nothing was changed. */
export function describeDelta(added: number, removed: number): Markdown {
  const parts: Markdown[] = [];
  if (added > 0) parts.push(md`+${formatNumber(added)}`);
  if (removed > 0) parts.push(md`−${formatNumber(removed)}`);
  return joinMarkdown(parts, " ");
}

/** What else is worth knowing of a room in one line: its mode, who is missing, and who stays without a group. */
export function describeRest(room: RoomRecord): Markdown[] {
  const missing = room.missing.length > 0 ? [countOf(room.missing.length, "missing person")] : [];
  // The token's owner is in every room, so that says nothing.
  const counts = new Map<KeptReason, number>();
  for (const { reason } of room.kept)
    if (reason !== "self") counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const kept = [...counts]
    .sort(([a], [b]) => compareStrings(a, b))
    .map(([reason, count]) => countOf(count, reason));
  const people = joinMarkdown([...missing, ...kept], ", ");
  const rest = people === "" ? [] : [room.mode === "audit" ? people : md`kept: ${people}`];
  return [...(room.mode === "sync" ? [] : [escapeMarkdown(room.mode)]), ...rest];
}

function describeSome(parts: readonly Markdown[], separator: string): Markdown {
  const shown = joinMarkdown(parts.slice(0, maxSources), separator);
  return parts.length > maxSources ? md`${shown} and ${formatNumber(parts.length - maxSources)} more` : shown;
}
