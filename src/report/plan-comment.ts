import type { GrantEffect, GrantEffects } from "../delegation/compare-grants.ts";
import type { ListedDelegation } from "../delegation/expiring.ts";
import type {
  LastDay,
  PersonEffect,
  PlanEffect,
  PolicyChange,
  RoomEffect,
  Verdict,
} from "../membership/compare-plans.ts";
import type { RecordedPerson, RoomRecord, RunRecord } from "../membership/record.ts";
import { isWeaker } from "../membership/weaker-policy.ts";
import { type DiffBlock, type DiffLine, describePerson, listPeople, viewDiff } from "./diff-block.ts";
import { codeSpan, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { sourcesOf } from "./rooms.ts";
import { createLineLink, sortBy, takeRowsIfAny, titleOf } from "./rows.ts";
import { viewNotices, viewProblems } from "./sections.ts";
import { countOf, explainHold, formatNumber, keptReasons, nameOrganisation } from "./words.ts";

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
  const changes = [
    ...changed.map((room) => describeRoomEffect(room, "changes")),
    ...describeGrantEffects(grants.changes, record),
  ];
  const drift = [
    ...drifted.map((room) => describeRoomEffect(room, "drift")),
    ...describeGrantEffects(grants.drift, record),
  ];
  const due = [
    ...(drifted.length === 0
      ? []
      : [
          md`${joinMarkdown(listCounts(drifted.flatMap((room) => room.drift)), ", ")} (${countOf(drifted.length, "space")})`,
        ]),
    ...countGrants(grants.drift),
  ];
  const viewPolicy = (changes: readonly PolicyChange[]) =>
    takeRowsIfAny(changes, maxRows, ({ key, without, with: later }) => ({
      key: codeSpan(key),
      before: codeSpan(without, 200),
      after: codeSpan(later, 200),
    }));
  return {
    icon: chooseIcon(record, { rooms, policyChanges, grants }, problems.length),
    headline: md`${describeProposal(record, { rooms, grants }, problems.length)}${nameOrganisation(record.organisation)}`,
    weakened: viewPolicy(policyChanges.filter(isWeaker)),
    policyChanges: viewPolicy(policyChanges.filter((change) => !isWeaker(change))),
    problems: viewProblems({ ...record, problems }, line, maxRows),
    until:
      effect === null
        ? md`Until then there is no plan. The next push makes a new one.`
        : md`As it stands, nothing would change in the spaces concerned.`,
    changes: changes.length === 0 ? null : viewDiff(changes, maxRows),
    drift: drift.length === 0 ? null : viewDiff(drift, maxRows),
    driftLabel: md`Pending regardless of this pull request: ${joinMarkdown(due, ", ")}`,
    oldProblems: viewProblems({ ...record, problems: oldProblems }, line, maxRows),
    notices: viewNotices(record.notices, maxRows),
    wholePlan:
      runUrl === null
        ? md`The run's summary has the whole plan.`
        : md`${linkTo(md`The run's summary`, runUrl)} has the whole plan.`,
    footer: describePlanSource(input),
  };
}

function describePlanSource({ headSha, runUrl, effect, mappingsAddress }: PlanCommentInput): Markdown {
  const commit = codeSpan(headSha.slice(0, 12));
  const run = runUrl === null ? md`a run of Plan` : linkTo(md`this run`, runUrl);
  if (effect === null) return md`*Read at ${commit} by ${run}. Nothing has been changed.*`;
  const file = mappingsAddress === null ? md`rooms.csv` : linkTo(md`rooms.csv`, mappingsAddress);
  return md`*Planned for ${commit} (${file}) by ${run}, whose summary has the whole plan. Nothing has been changed in Webex. After the merge, Rollcall plans again.*`;
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

/** "+3 −0 in 1 space; 3 spaces change how they are managed". */
function describeProposal(record: RunRecord, { rooms, grants }: Effects, problemCount: number): Markdown {
  const toFix = problemCount === 0 ? [] : [md`${countOf(problemCount, "problem")} to fix`];
  if (record.status === "failed") return joinMarkdown([md`no plan`, ...toFix], "; ");
  const effects = rooms.flatMap((room) => room.changes);
  const { added, removed, held, exempt } = countEffects(effects);
  const concerned = rooms.filter((room) =>
    room.changes.some((one) => one.with === "add" || one.with === "remove"),
  ).length;
  const rewired = rooms.filter(isRewired).length;
  const parts = [
    ...(concerned > 0
      ? [md`+${formatNumber(added)} −${formatNumber(removed)} in ${countOf(concerned, "space")}`]
      : []),
    ...(rewired > 0
      ? [
          md`${countOf(rewired, "space")} ${rewired === 1 ? md`changes how it is` : md`change how they are`} managed`,
        ]
      : []),
    ...(held > 0 ? [md`${countOf(held, "removal")} would wait for approval`] : []),
    ...(exempt > 0 ? [md`${countOf(exempt, "change")} no longer made`] : []),
    ...countGrants(grants.changes),
  ];
  if (parts.length === 0) parts.push(md`+0 −0, nobody is added or removed`);
  return joinMarkdown([...parts, ...toFix], "; ");
}

function countEffects(effects: readonly PersonEffect[]) {
  const count = (matches: (effect: PersonEffect) => boolean) => effects.filter(matches).length;
  const added = count((effect) => effect.with === "add");
  const removed = count((effect) => effect.with === "remove");
  const exempt = count((effect) => effect.with === null);
  return { added, removed, exempt, held: effects.length - added - removed - exempt };
}

/** "3 to add", "1 to remove", "2 held"; what does not occur is left out. */
function listCounts(effects: readonly PersonEffect[]): readonly Markdown[] {
  const { added, removed, held } = countEffects(effects);
  return [
    ...(added > 0 ? [md`${formatNumber(added)} to add`] : []),
    ...(removed > 0 ? [md`${formatNumber(removed)} to remove`] : []),
    ...(held > 0 ? [md`${formatNumber(held)} held`] : []),
  ];
}

/** True when the mappings of a room change: what feeds it and until when, its mode, or whether it is managed at all. */
export function isRewired({ with: later, without, lastDays }: RoomEffect): boolean {
  if (later === null || without === null || lastDays.length > 0) return true;
  const { gained, lost } = compareSources(later, without);
  return later.mode !== without.mode || gained.length + lost.length > 0;
}

function compareSources(later: RoomRecord, without: RoomRecord) {
  const [after, before] = [sourcesOf(later), sourcesOf(without)];
  return {
    gained: after.filter((source) => !before.includes(source)),
    lost: before.filter((source) => !after.includes(source)),
  };
}

/** The changes of one room; with `changes`, what is new about its mappings comes first. */
export function describeRoomEffect(effect: RoomEffect, part: "changes" | "drift"): DiffBlock {
  const room = effect.with ?? effect.without;
  const people = effect[part];
  return {
    title: room === null ? "" : describeTitle(room),
    lines: [
      ...(part === "changes" ? describeWiring(effect) : []),
      ...listPlain("+", people, (one) => one.with === "add"),
      ...people
        .filter((one) => one.with === "remove")
        .flatMap(({ person, without }) =>
          listPeople(
            "-",
            [person],
            isHeld(without) ? ` was held until now: ${explainHold(without, undefined)}` : "",
          ),
        ),
      ...describeHeldPeople(effect, people),
      ...people.filter((one) => one.with === null).map((one) => describeExempt(one, effect)),
    ],
  };
}

function listPlain(
  sign: "+",
  effects: readonly PersonEffect[],
  matches: (effect: PersonEffect) => boolean,
): readonly DiffLine[] {
  return listPeople(
    sign,
    effects.filter(matches).map(({ person }) => person),
  );
}

function describeTitle(room: RoomRecord): string {
  const title = titleOf(room) === "(no title)" ? "(no title)" : room.title;
  const lines =
    room.lines.length === 0
      ? ""
      : ` (${room.lines.length === 1 ? "line" : "lines"} ${room.lines.join(", ")})`;
  const sources = sourcesOf(room).join(", ");
  return sources === "" ? `${title}${lines}` : `${title} ← ${sources}${lines}`;
}

function describeWiring({ with: later, without, lastDays }: RoomEffect): readonly DiffLine[] {
  const say = (text: string): DiffLine => ({ sign: "!", text });
  const ends = lastDays.map((lastDay) => say(describeEnd(lastDay)));
  const room = later ?? without;
  const members = room?.before == null ? "members not read" : countOf(room.before, "member");
  if (later === null)
    return [say(`no row names this space any more: its ${members} stay, and nobody manages them`)];
  if (without === null)
    return [
      say(`newly managed: mode ${later.mode}, ${members}`),
      ...ends,
      ...(later.frozen === undefined ? [] : [say(`frozen: ${later.frozen}`)]),
    ];
  const { gained, lost } = compareSources(later, without);
  return [
    ...(later.mode === without.mode ? [] : [say(`mode ${without.mode} → ${later.mode}`)]),
    ...(gained.length > 0 ? [say(`now also fed by ${gained.join(", ")}`)] : []),
    ...(lost.length > 0 ? [say(`no longer fed by ${lost.join(", ")}`)] : []),
    ...ends,
    ...(later.frozen === undefined || later.frozen === without.frozen
      ? []
      : [say(`frozen: ${later.frozen}`)]),
  ];
}

/** "until 2027-01-29 (before: until 2026-12-18): ines@acme.com"; the day first, as a phone cuts the end off. */
function describeEnd({ group, with: later, without }: LastDay): string {
  const name = (until: string | null) => (until === null ? "without end" : `until ${until}`);
  const before = without === undefined ? "" : ` (before: ${name(without)})`;
  return `${name(later)}${before}: ${group}`;
}

/** Who would wait, below why; somebody who goes today without approval is marked. */
function describeHeldPeople(
  { with: room }: RoomEffect,
  effects: readonly PersonEffect[],
): readonly DiffLine[] {
  const held = effects.flatMap(({ person, with: reason, without }) =>
    isHeld(reason) ? [{ person, reason, isNew: without === "remove" }] : [],
  );
  return [...new Set(held.map(({ reason }) => reason))].flatMap((reason) => [
    { sign: "!" as const, text: `would wait for approval: ${plain(room, reason)}` },
    ...held
      .filter((one) => one.reason === reason)
      .flatMap(({ person, isNew }) =>
        listPeople("!", [person], isNew ? ", until now removed without approval" : "").map(indent),
      ),
  ]);
}

function plain(room: RoomRecord | null, reason: Exclude<Verdict, "add" | "remove">): string {
  const hold = room?.holds?.find((one) => one.reason === reason);
  return hold?.message ?? explainHold(reason, undefined);
}

function indent(line: DiffLine): DiffLine {
  return { ...line, isIndented: true };
}

function describeExempt({ person, without }: PersonEffect, effect: RoomEffect): DiffLine {
  const verb = without === "add" ? "added" : "removed";
  return {
    sign: "!",
    text: `${describePerson(person)} will no longer be ${verb}: ${explainExempt(person, without, effect.with)}`,
  };
}

function explainExempt(person: RecordedPerson, without: Verdict | null, room: RoomRecord | null): string {
  if (room === null) return "the space is no longer managed";
  if (room.frozen !== undefined) return `frozen: ${room.frozen}`;
  const kept = room.kept.find(({ personId }) => personId === person.personId);
  if (kept) return keptReasons[kept.reason];
  if (room.mode === "audit") return keptReasons.audit;
  return without === "add" ? "no row brings them any more" : "a row brings them";
}

/** "1 delegation granted", "2 delegations revoked"; rows that change nothing in Webex are counted apart. */
function countGrants(effects: readonly GrantEffect[]): readonly Markdown[] {
  const say = (verdict: GrantEffect["with"], what: Markdown) => {
    const count = effects.filter((effect) => effect.with === verdict).length;
    return count === 0 ? [] : [md`${countOf(count, "delegation")} ${what}`];
  };
  return [
    ...say("grant", md`granted`),
    ...say("revoke", md`revoked`),
    ...say("hold", md`held for approval`),
    ...say(null, md`left as it is in Webex`),
  ];
}

/** The delegations by host, below those of the spaces. */
function describeGrantEffects(effects: readonly GrantEffect[], record: RunRecord): readonly DiffBlock[] {
  const hosts = [...new Set(effects.map(({ host }) => host))];
  return hosts.map((host) => ({
    title: `meetings of ${host}`,
    lines: effects
      .filter((effect) => effect.host === host)
      .map((effect) => ({
        sign: signGrant(effect),
        text: `${effect.delegate} ${nameGrant(effect)}${explainGrant(effect, record)}`,
      })),
  }));
}

function signGrant({ with: later }: GrantEffect): "+" | "-" | "!" {
  return later === "grant" ? "+" : later === "revoke" ? "-" : "!";
}

function nameGrant({ with: later, without, before, after }: GrantEffect): string {
  if (later === "grant") return "may schedule";
  if (later === "revoke") return "may no longer schedule";
  if (later === "hold") return "waits for approval";
  if (without === "grant") return "will no longer be granted";
  if (without !== null) return "will no longer be revoked";
  if (after === null) return "is no longer listed";
  return before === null ? "is listed" : "has another last day";
}

function explainGrant(effect: GrantEffect, { delegations }: RunRecord): string {
  const { with: later, without, before, after, isRefused } = effect;
  if (later === "hold") return `: ${explainHold("revocations-per-run", delegations?.holds)}`;
  if (later === "revoke")
    return after === null ? ": the row was deleted" : `: the row ended${describeLastDay(after, " after")}`;
  if (after === null) return ", and nothing changes in Webex";
  const row = ` (line ${after.line} of delegations.csv,${describeLastDay(after, " until")})`;
  if (later === "grant") return row;
  if (isRefused) return `${row}; it cannot be granted, see the problems`;
  if (before !== null && before.until !== after.until)
    return `${row}; before:${describeLastDay(before, " until")}`;
  return without === null ? `${row}; a delegate in Webex already, kept from now on` : row;
}

function describeLastDay({ until }: ListedDelegation, preposition: string): string {
  return until === null ? " without end" : `${preposition} ${until}`;
}

function isHeld(verdict: Verdict | null): verdict is Exclude<Verdict, "add" | "remove"> {
  return verdict !== null && verdict !== "add" && verdict !== "remove";
}
