import type { GrantEffect, GrantEffects } from "../delegation/compare-grants.ts";
import type { ListedDelegation } from "../delegation/expiring.ts";
import type {
  PersonEffect,
  PlanEffect,
  PolicyChange,
  RoomEffect,
  Verdict,
} from "../membership/compare-plans.ts";
import type { RoomRecord, RunRecord } from "../membership/record.ts";
import {
  codeSpan,
  escapeMarkdown,
  joinMarkdown,
  linkTo,
  type Markdown,
  md,
  messageLength,
} from "./markdown.ts";
import { describeSource, sourcesOf } from "./rooms.ts";
import { createLineLink, type LineLink, listNames, sortBy, takeRowsIfAny, titleOf } from "./rows.ts";
import { viewNotices, viewProblems } from "./sections.ts";
import { countOf, describeProblems, heldReasons, keptReasons, nameOrganisation } from "./words.ts";

export interface PlanCommentInput {
  readonly record: RunRecord;
  /** What the pull request itself causes; null when there is no plan. */
  readonly effect: PlanEffect | null;
  readonly policyChanges: readonly PolicyChange[];
  /** What the pull request causes among the delegations, and what would happen to them in any case. */
  readonly grants: GrantEffects;
  readonly headSha: string;
  /** The address of its rooms.csv; null when none is known. */
  readonly mappingsAddress: string | null;
  readonly runUrl: string | null;
}

/** Builds the comment: first what the pull request itself changes, then what is pending regardless of it. */
export function viewPlanComment(input: PlanCommentInput, maxRows: number) {
  const { record, effect, runUrl, policyChanges } = input;
  const grants = effect === null ? { changes: [], drift: [] } : input.grants;
  const line = createLineLink(input.mappingsAddress);
  const rooms = sortRoomEffects(effect?.rooms ?? []);
  const isNew = (message: string) => !effect?.oldProblems.has(message);
  const problems = record.problems.filter((problem) => isNew(problem.message));
  const oldProblems = record.problems.filter((problem) => !isNew(problem.message));
  const changed = rooms.filter((room) => room.changes.length > 0 || isRewired(room));
  const drifted = rooms.filter((room) => room.drift.length > 0);
  const changes = changed.flatMap((room) => listEffectRows(room, "changes", line, maxRows));
  // Without links: the drift can be many rows, and a comment has a size limit.
  const drift = drifted.flatMap((room) => listEffectRows(room, "drift", createLineLink(null), maxRows));
  const due = describeEffects(drifted.flatMap((room) => room.drift));
  return {
    icon: chooseIcon(record, { rooms, policyChanges, grants }, problems.length),
    headline: md`${describeProposal(record, { rooms, grants }, problems.length)}${nameOrganisation(record.organisation)}`,
    driftLine: md`Pending regardless of this pull request: ${due}.`,
    policyChanges: takeRowsIfAny(policyChanges, maxRows, ({ key, without, with: later }) => ({
      key: codeSpan(key),
      before: codeSpan(without, 200),
      after: codeSpan(later, 200),
    })),
    problems: viewProblems({ ...record, problems }, line, maxRows),
    until:
      effect === null
        ? md`Until then there is no plan. The next push makes a new one.`
        : md`As it stands, nothing would change in the spaces concerned.`,
    changes: takeRowsIfAny(changes, maxRows, (row) => row),
    drift: takeRowsIfAny(drift, maxRows, (row) => row),
    driftLabel: md`${due}, in ${countOf(drifted.length, "space")}`,
    grants: takeRowsIfAny(grants.changes, maxRows, viewGrant),
    grantDrift: takeRowsIfAny(grants.drift, maxRows, viewGrant),
    grantDriftLabel: describeGrants(grants.drift),
    oldProblems: viewProblems({ ...record, problems: oldProblems }, line, maxRows),
    notices: viewNotices(record.notices, maxRows),
    wholePlan:
      runUrl === null
        ? md`The run's summary has the whole plan.`
        : md`${linkTo(md`The run's summary`, runUrl)} has the whole plan.`,
    footer: describePlanSource(input),
  };
}

function describePlanSource({ headSha, runUrl, effect }: PlanCommentInput): Markdown {
  const commit = codeSpan(headSha.slice(0, 12));
  const run = runUrl === null ? md`a run of Plan` : linkTo(md`this run`, runUrl);
  return effect === null
    ? md`*Read at ${commit} by ${run}. Nothing has been changed.*`
    : md`*Planned for ${commit} by ${run}, whose summary has the whole plan. Nothing has been changed in Webex. After the merge, Rollcall plans again.*`;
}

function sortRoomEffects(rooms: readonly RoomEffect[]): readonly RoomEffect[] {
  return sortBy(rooms, ({ with: later, without }) => {
    const room = later ?? without;
    return [room?.title ?? "", room?.roomId ?? ""];
  });
}

interface Effects {
  readonly rooms: readonly RoomEffect[];
  readonly grants: GrantEffects;
}

function chooseIcon(
  record: RunRecord,
  { rooms, grants, policyChanges }: Effects & Pick<PlanCommentInput, "policyChanges">,
  problemCount: number,
): Markdown {
  if (record.status === "failed") return md`❌`;
  if (problemCount > 0 || policyChanges.length > 0) return md`⚠️`;
  const isWaiting =
    rooms.some((room) => room.changes.some((effect) => isHeld(effect.with))) ||
    grants.changes.some((effect) => effect.with === "hold");
  return isWaiting ? md`✋` : md`✅`;
}

function describeProposal(record: RunRecord, { rooms, grants }: Effects, problemCount: number): Markdown {
  const toFix = problemCount === 0 ? [] : [describeProblems(problemCount)];
  if (record.status === "failed") return joinMarkdown([md`There is no plan:`, ...toFix], " ");
  const effects = rooms.flatMap((room) => room.changes);
  const concerned = rooms.filter((room) => room.changes.length > 0).length;
  const rewired = rooms.filter(isRewired).length;
  const sentence =
    effects.length > 0
      ? md`This pull request changes what happens in ${countOf(concerned, "space")}: ${describeEffects(effects)}.`
      : rewired > 0
        ? md`This pull request changes the mappings of ${countOf(rewired, "space")}, but adds and removes nobody.`
        : md`This pull request itself adds and removes nobody.`;
  const ofGrants =
    grants.changes.length === 0 ? [] : [md`Who may schedule meetings: ${describeGrants(grants.changes)}.`];
  return joinMarkdown([sentence, ...ofGrants, ...toFix], " ");
}

/** "1 delegation granted, 2 revoked"; rows that change nothing in Webex are counted apart. */
function describeGrants(effects: readonly GrantEffect[]): Markdown {
  const count = (verdict: GrantEffect["with"]) => effects.filter((effect) => effect.with === verdict).length;
  const say = (number: number, what: Markdown) =>
    number === 0 ? [] : [md`${countOf(number, "delegation")} ${what}`];
  return joinMarkdown(
    [
      ...say(count("grant"), md`granted`),
      ...say(count("revoke"), md`revoked`),
      ...say(count("hold"), md`held for approval`),
      ...say(count(null), md`left as it is in Webex`),
    ],
    ", ",
  );
}

function viewGrant(effect: GrantEffect) {
  return {
    host: codeSpan(effect.host),
    delegate: codeSpan(effect.delegate),
    what: nameGrant(effect),
    why: explainGrant(effect),
  };
}

function nameGrant({ with: later, without, before, after }: GrantEffect): Markdown {
  if (later === "grant") return md`➕ grant`;
  if (later === "revoke") return md`➖ revoke`;
  if (later === "hold") return md`✋ hold`;
  if (without === "grant") return md`↩️ will no longer be granted`;
  if (without !== null) return md`↩️ will no longer be revoked`;
  if (after === null) return md`🗑️ no longer listed`;
  return before === null ? md`📌 listed` : md`📅 last day changed`;
}

function explainGrant({ with: later, without, before, after, isRefused }: GrantEffect): Markdown {
  if (later === "hold") return heldReasons["revocations-per-run"];
  if (later === "revoke")
    return after === null ? md`The row was deleted` : md`The row ended${describeLastDay(after, md` after`)}`;
  if (after === null) return md`No row lists it any more, and nothing changes in Webex`;
  const row = md`Line ${after.line} of delegations.csv,${describeLastDay(after, md` until`)}`;
  if (later === "grant") return row;
  if (isRefused) return md`${row}; it cannot be granted, see the problems`;
  if (before !== null && before.until !== after.until)
    return md`${row}; before:${describeLastDay(before, md` until`)}`;
  return without === null ? md`${row}; a delegate in Webex already, kept from now on` : row;
}

function describeLastDay({ until }: ListedDelegation, preposition: Markdown): Markdown {
  return until === null ? md` without end` : md`${preposition} ${escapeMarkdown(until)}`;
}

/** "3 people added, 1 person removed"; what does not occur is left out. */
function describeEffects(effects: readonly PersonEffect[]): Markdown {
  const count = (matches: (effect: PersonEffect) => boolean) => effects.filter(matches).length;
  const added = count((effect) => effect.with === "add");
  const removed = count((effect) => effect.with === "remove");
  const exempt = count((effect) => effect.with === null);
  const held = effects.length - added - removed - exempt;
  const parts: Markdown[] = [];
  if (added > 0) parts.push(md`${countOf(added, "person")} added`);
  if (removed > 0) parts.push(md`${countOf(removed, "person")} removed`);
  if (held > 0) parts.push(md`${countOf(held, "removal")} held for approval`);
  if (exempt > 0) parts.push(md`${countOf(exempt, "change")} no longer made`);
  return joinMarkdown(parts, ", ");
}

/** True when the mappings of a room change: what feeds it, its mode, or whether it is managed at all. */
export function isRewired({ with: later, without }: RoomEffect): boolean {
  if (later === null || without === null) return true;
  return later.mode !== without.mode || listDifferences(later, without).length > 0;
}

/** One row for all people with the same change and reason; with `changes`, a row about the mappings comes first. */
export function listEffectRows(
  effect: RoomEffect,
  part: "changes" | "drift",
  line: LineLink,
  maxNames: number,
) {
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

function viewWiring({ with: later, without }: RoomEffect, room: RoomRecord, title: Markdown, line: LineLink) {
  const members = room.before === null ? md`members not read` : countOf(room.before, "member");
  if (later === null) {
    const why = md`No row names this space any more; its ${members} stay`;
    return { room: title, what: md`🚫 no longer managed`, who: md``, why };
  }
  if (without === null) {
    const source = sourcesOf(later).length > 0 ? describeSource(later, line) : md`no group that was found`;
    const why = md`Fed by ${source}, mode ${escapeMarkdown(later.mode)}; ${members}`;
    return { room: title, what: md`🆕 managed`, who: md``, why };
  }
  const parts = listDifferences(later, without);
  if (later.mode !== without.mode)
    parts.unshift(md`mode ${escapeMarkdown(without.mode)} → ${escapeMarkdown(later.mode)}`);
  return { room: title, what: md`🔧 mapping changed`, who: md``, why: joinMarkdown(parts, "; ") };
}

function listDifferences(later: RoomRecord, without: RoomRecord): Markdown[] {
  const name = (sources: readonly string[]) =>
    joinMarkdown(
      sources.map((source) => escapeMarkdown(source)),
      " · ",
    );
  const [after, before] = [sourcesOf(later), sourcesOf(without)];
  const gained = after.filter((source) => !before.includes(source));
  const lost = before.filter((source) => !after.includes(source));
  return [
    ...(gained.length > 0 ? [md`now also fed by ${name(gained)}`] : []),
    ...(lost.length > 0 ? [md`no longer fed by ${name(lost)}`] : []),
  ];
}

function rankEffect({ with: later, without }: PersonEffect): number {
  if (later === null) return without === "add" ? 3 : 4;
  return later === "add" ? 0 : later === "remove" ? 1 : 2;
}

function nameEffect({ with: later, without }: PersonEffect): Markdown {
  if (later === "add") return md`➕ add`;
  if (later === "remove") return md`➖ remove`;
  if (later !== null) return md`✋ hold`;
  return without === "add" ? md`↩️ will no longer be added` : md`↩️ will no longer be removed`;
}

function explainEffect(
  { person, with: later, without }: PersonEffect,
  effect: RoomEffect,
  line: LineLink,
): Markdown {
  const room = effect.with;
  if (room === null) return md`The space is no longer managed`;
  const source = describeSource(room, line);
  if (later === "add") return md`In ${source}`;
  if (later === "remove") {
    const why = sourcesOf(room).length > 1 ? md`In none of ${source}` : md`Not in ${source}`;
    return isHeld(without) ? md`${why}. **Held until now:** ${heldReasons[without]}` : why;
  }
  if (later !== null) {
    const why = heldReasons[later];
    return without === "remove" ? md`${why}; until now removed without approval` : why;
  }
  if (room.frozen !== undefined) return md`Frozen: ${escapeMarkdown(room.frozen, messageLength)}`;
  const kept = room.kept.find(({ personId }) => personId === person.personId);
  if (kept) return keptReasons[kept.reason];
  if (room.mode === "audit") return keptReasons.audit;
  return without === "add" ? md`No longer in any of the space's groups` : md`In ${source}`;
}

function isHeld(verdict: Verdict | null): verdict is Exclude<Verdict, "add" | "remove"> {
  return verdict !== null && verdict !== "add" && verdict !== "remove";
}
