import type { PersonEffect, RoomEffect, Verdict } from "../membership/compare-plans.ts";
import type { RoomRecord } from "../membership/record.ts";
import { escapeMarkdown, joinMarkdown, type Markdown, md, messageLength } from "./markdown.ts";
import { describeSource } from "./rooms.ts";
import { type LineLink, listNames, titleOf } from "./rows.ts";
import { countOf, heldReasons, keptReasons } from "./words.ts";

/** One row of the tables of a pull request's effect. */
export interface EffectRow {
  readonly room: Markdown;
  readonly what: Markdown;
  readonly who: Markdown;
  readonly why: Markdown;
}

/** True when the mappings of a room change: which groups feed it, how, or whether any do. */
export function isRewired({ with: later, without }: RoomEffect): boolean {
  if (later === null || without === null) return true;
  return later.mode !== without.mode || listDifferences(later, without).length > 0;
}

/**
 * The rows of one room: with its `changes`, first what becomes of its mappings, then one row for all people to whom
 * the same happens for the same reason; with its `drift` only the people.
 */
export function listEffectRows(
  effect: RoomEffect,
  part: "changes" | "drift",
  line: LineLink,
  maxNames: number,
): readonly EffectRow[] {
  const room = effect.with ?? effect.without;
  if (room === null) return [];
  const title = titleOf(room);
  const groups = new Map<string, { what: Markdown; why: Markdown; people: PersonEffect["person"][] }>();
  for (const one of [...effect[part]].sort((a, b) => rankEffect(a) - rankEffect(b))) {
    const what = nameEffect(one);
    const why = explainEffect(one, effect, line);
    const entry = groups.get(what + why) ?? { what, why, people: [] };
    entry.people.push(one.person);
    groups.set(what + why, entry);
  }
  const rows = [...groups.values()].map(({ what, why, people }) => ({
    room: title,
    what,
    who: listNames(people, maxNames),
    why,
  }));
  const wiring = part === "changes" && isRewired(effect) ? [viewWiring(effect, room, title, line)] : [];
  return [...wiring, ...rows];
}

function viewWiring(
  { with: later, without }: RoomEffect,
  room: RoomRecord,
  title: Markdown,
  line: LineLink,
): EffectRow {
  const members = room.before === null ? md`members not read` : countOf(room.before, "member");
  if (later === null) {
    const why = md`No row names it any more; its ${members} stay as they are`;
    return { room: title, what: md`🚫 no longer managed`, who: md``, why };
  }
  if (without === null) {
    const source = later.groups.length > 0 ? describeSource(later, line) : md`no group that is found`;
    const why = md`Fed by ${source}, mode ${escapeMarkdown(later.mode)}; ${members}`;
    return { room: title, what: md`🆕 managed`, who: md``, why };
  }
  const parts = listDifferences(later, without);
  if (later.mode !== without.mode)
    parts.unshift(md`mode ${escapeMarkdown(without.mode)} → ${escapeMarkdown(later.mode)}`);
  return { room: title, what: md`🔧 mapped otherwise`, who: md``, why: joinMarkdown(parts, "; ") };
}

/** Which groups come to feed a room, and which no longer do. */
function listDifferences(later: RoomRecord, without: RoomRecord): Markdown[] {
  const name = (groups: readonly string[]) =>
    joinMarkdown(
      groups.map((group) => escapeMarkdown(group)),
      " · ",
    );
  const gained = later.groups.filter((group) => !without.groups.includes(group));
  const lost = without.groups.filter((group) => !later.groups.includes(group));
  return [
    ...(gained.length > 0 ? [md`fed by ${name(gained)} too`] : []),
    ...(lost.length > 0 ? [md`fed by ${name(lost)} no longer`] : []),
  ];
}

/** Who comes, who goes, who waits, and then what is no longer done. */
function rankEffect({ with: later, without }: PersonEffect): number {
  if (later === null) return without === "add" ? 3 : 4;
  return later === "add" ? 0 : later === "remove" ? 1 : 2;
}

function nameEffect({ with: later, without }: PersonEffect): Markdown {
  if (later === "add") return md`➕ add`;
  if (later === "remove") return md`➖ remove`;
  if (later !== null) return md`✋ hold`;
  return without === "add" ? md`↩️ not add` : md`↩️ not remove`;
}

function explainEffect(
  { person, with: later, without }: PersonEffect,
  effect: RoomEffect,
  line: LineLink,
): Markdown {
  const room = effect.with;
  if (room === null) return md`The room is no longer managed`;
  const source = describeSource(room, line);
  if (later === "add") return md`In ${source}`;
  if (later === "remove") {
    const why = room.groups.length > 1 ? md`In none of ${source}` : md`Not in ${source}`;
    return isHeld(without) ? md`${why}. **Held so far:** ${heldReasons[without]}` : why;
  }
  if (later !== null) {
    const why = heldReasons[later];
    return without === "remove" ? md`${why}; removed at once so far` : why;
  }
  if (room.frozen !== undefined) return md`Frozen: ${escapeMarkdown(room.frozen, messageLength)}`;
  const kept = room.kept.find(({ personId }) => personId === person.personId);
  if (kept) return keptReasons[kept.reason];
  if (room.mode === "audit") return keptReasons.audit;
  return without === "add" ? md`No longer in a group of the room` : md`In ${source}`;
}

function isHeld(verdict: Verdict | null): verdict is Exclude<Verdict, "add" | "remove"> {
  return verdict !== null && verdict !== "add" && verdict !== "remove";
}
