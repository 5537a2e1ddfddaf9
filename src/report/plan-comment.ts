import type { PersonEffect, PlanEffect, PolicyChange, RoomEffect } from "../membership/compare-plans.ts";
import type { RunRecord } from "../membership/record.ts";
import { type EffectRow, isRewired, listEffectRows } from "./effect-rows.ts";
import { codeSpan, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { createLineLink, type Rows, sortBy, takeRowsIfAny } from "./rows.ts";
import { viewNotices, viewProblems } from "./sections.ts";
import { countOf } from "./words.ts";

/** What the comment on a pull request is made from. */
export interface PlanCommentInput {
  /** The plan of what the pull request proposes, or why there is none. */
  readonly record: RunRecord;
  /** What of that plan is due to the pull request; null when there is no plan. */
  readonly effect: PlanEffect | null;
  readonly policyChanges: readonly PolicyChange[];
  /** The commit that was read. */
  readonly headSha: string;
  /** The address of its rooms.csv; null when none is known. */
  readonly mappingsAddress: string | null;
  readonly runUrl: string | null;
}

interface PolicyRow {
  readonly key: Markdown;
  readonly before: Markdown;
  readonly after: Markdown;
}

type Problems = Rows<{ readonly where: Markdown; readonly message: Markdown }>;

/** All that the comment says. */
export interface PlanCommentView {
  readonly icon: Markdown;
  readonly headline: Markdown;
  readonly driftLine: Markdown;
  readonly policyChanges: Rows<PolicyRow> | null;
  readonly problems: Problems | null;
  readonly until: Markdown;
  readonly changes: Rows<EffectRow> | null;
  readonly drift: Rows<EffectRow> | null;
  readonly driftLabel: Markdown;
  readonly oldProblems: Problems | null;
  readonly notices: Rows<Markdown> | null;
  readonly wholePlan: Markdown;
  readonly footer: Markdown;
}

/** Builds the comment: first what the pull request itself changes, then what is due anyway. */
export function viewPlanComment(input: PlanCommentInput, maxRows: number): PlanCommentView {
  const { record, effect, runUrl, policyChanges } = input;
  const line = createLineLink(input.mappingsAddress);
  const rooms = sortRoomEffects(effect?.rooms ?? []);
  const isNew = (message: string) => !effect?.oldProblems.has(message);
  const problems = record.problems.filter((problem) => isNew(problem.message));
  const oldProblems = record.problems.filter((problem) => !isNew(problem.message));
  const changed = rooms.filter((room) => room.changes.length > 0 || isRewired(room));
  const drifted = rooms.filter((room) => room.drift.length > 0);
  const changes = changed.flatMap((room) => listEffectRows(room, "changes", line, maxRows));
  // Unlinked: what is due anyway can be many rows, and the room for them is short.
  const drift = drifted.flatMap((room) => listEffectRows(room, "drift", createLineLink(null), maxRows));
  const due = describeEffects(drifted.flatMap((room) => room.drift));
  return {
    icon: chooseIcon(record, rooms, policyChanges, problems.length),
    headline: describeProposal(record, rooms, problems.length),
    driftLine: md`Due anyway, with or without it: ${due}.`,
    policyChanges: takeRowsIfAny(policyChanges, maxRows, ({ key, without, with: later }) => ({
      key: codeSpan(key),
      before: codeSpan(without, 200),
      after: codeSpan(later, 200),
    })),
    problems: viewProblems({ ...record, problems }, line, maxRows),
    until:
      effect === null
        ? md`Until then there is no plan. It is made again with the next push.`
        : md`As it is, nothing would be changed in the rooms concerned.`,
    changes: takeRowsIfAny(changes, maxRows, (row) => row),
    drift: takeRowsIfAny(drift, maxRows, (row) => row),
    driftLabel: md`${due}, in ${countOf(drifted.length, "room")}`,
    oldProblems: viewProblems({ ...record, problems: oldProblems }, line, maxRows),
    notices: viewNotices(record.notices, maxRows),
    wholePlan:
      runUrl === null
        ? md`The run's summary has the whole plan.`
        : md`${linkTo(md`The run's summary`, runUrl)} has the whole plan.`,
    footer: describeSource(input),
  };
}

function describeSource({ headSha, runUrl, effect }: PlanCommentInput): Markdown {
  const commit = codeSpan(headSha.slice(0, 12));
  const run = runUrl === null ? md`a run of Plan` : linkTo(md`this run`, runUrl);
  return effect === null
    ? md`*Read at ${commit} by ${run}. Nothing has been changed.*`
    : md`*Planned for ${commit} by ${run}, whose summary has the whole plan. Nothing has been changed in Webex; what is merged is planned anew.*`;
}

function sortRoomEffects(rooms: readonly RoomEffect[]): readonly RoomEffect[] {
  return sortBy(rooms, ({ with: later, without }) => {
    const room = later ?? without;
    return [room?.title ?? "", room?.roomId ?? ""];
  });
}

function chooseIcon(
  record: RunRecord,
  rooms: readonly RoomEffect[],
  policyChanges: readonly PolicyChange[],
  problemCount: number,
): Markdown {
  if (record.status === "failed") return md`❌`;
  if (problemCount > 0 || policyChanges.length > 0) return md`⚠️`;
  const isHeld = (effect: PersonEffect) =>
    effect.with !== null && effect.with !== "add" && effect.with !== "remove";
  return rooms.some((room) => room.changes.some(isHeld)) ? md`✋` : md`✅`;
}

/** The one line that a reviewer reads in any case. */
function describeProposal(record: RunRecord, rooms: readonly RoomEffect[], problemCount: number): Markdown {
  const toFix =
    problemCount === 0
      ? []
      : [md`${countOf(problemCount, "problem")} ${problemCount === 1 ? md`needs` : md`need`} fixing.`];
  if (record.status === "failed") return joinMarkdown([md`There is no plan:`, ...toFix], " ");
  const effects = rooms.flatMap((room) => room.changes);
  const concerned = rooms.filter((room) => room.changes.length > 0).length;
  const rewired = rooms.filter(isRewired).length;
  const sentence =
    effects.length > 0
      ? md`In ${countOf(concerned, "room")} this pull request changes what is done: ${describeEffects(effects)}.`
      : rewired > 0
        ? md`This pull request changes the mappings of ${countOf(rewired, "room")}, but adds and removes nobody.`
        : md`This pull request itself adds and removes nobody.`;
  return joinMarkdown([sentence, ...toFix], " ");
}

/** "3 people to add, 1 to remove": whatever does not occur is left out. */
function describeEffects(effects: readonly PersonEffect[]): Markdown {
  const count = (matches: (effect: PersonEffect) => boolean) => effects.filter(matches).length;
  const added = count((effect) => effect.with === "add");
  const removed = count((effect) => effect.with === "remove");
  const spared = count((effect) => effect.with === null);
  const held = effects.length - added - removed - spared;
  const parts: Markdown[] = [];
  if (added > 0) parts.push(md`${countOf(added, "person")} added`);
  if (removed > 0) parts.push(md`${countOf(removed, "person")} removed`);
  if (held > 0) parts.push(md`${countOf(held, "removal")} held for approval`);
  if (spared > 0) parts.push(md`${countOf(spared, "change")} no longer made`);
  return joinMarkdown(parts, ", ");
}
