import type {
  FailedChange,
  HeldReason,
  Hold,
  KeptReason,
  RoomRecord,
  RunRecord,
  RunStatus,
} from "../membership/record.ts";
import { codeSpan, escapeMarkdown, joinMarkdown, type Markdown, md, messageLength } from "./markdown.ts";

/** Why a change waits, in words that a space's owner understands. */
export const heldReasons: Readonly<Record<HeldReason, Markdown>> = {
  "team-general-space": md`A team's General space: removal would take them out of the whole team`,
  "empty-group": md`A group of this space has no members`,
  "empties-room": md`Only the token's owner and bots would be left`,
  "removals-per-room": md`Over the limit for this space`,
  "removals-per-run": md`Over the limit for one run`,
  "revocations-per-run": md`Over the limit of revocations for one run`,
  "unverified-record": md`The record was changed after Rollcall committed it, or somebody else committed it`,
  "unmapped-room": md`No row of rooms.csv names this space`,
  "moderator-addition": md`They would come back as a moderator`,
};

/** Why changes wait, with the numbers of that run; records of earlier releases have no numbers. */
export function explainHold(reason: HeldReason, holds: readonly Hold[] | undefined): Markdown {
  const hold = holds?.find((one) => one.reason === reason);
  return hold === undefined ? heldReasons[reason] : escapeMarkdown(hold.message, messageLength);
}

/** What is held: removals, or changes where additions are among them. */
export function nameHeld(held: readonly HeldEntry[]): "removal" | "change" {
  return held.some(({ action }) => action === "add") ? "change" : "removal";
}

type HeldEntry = Pick<RoomRecord["held"][number], "action">;

/** Why somebody stays although they are in no group of the space. */
export const keptReasons: Readonly<Record<KeptReason, Markdown>> = {
  self: md`Owner of the token: without them Rollcall cannot see the space`,
  "last-moderator": md`The space's last moderator`,
  moderator: md`Moderator of the space`,
  bot: md`Bot`,
  device: md`Device`,
  external: md`From another organisation`,
  listed: md`Protected by name in policy.json`,
  unknown: md`Webex does not say whether this is a person`,
  changed: md`Changed while Rollcall was looking`,
  "add-only": md`The space's mode is add-only`,
  audit: md`The space's mode is audit: differences are only reported`,
};

const nouns = {
  space: [md`space`, md`spaces`],
  person: [md`person`, md`people`],
  member: [md`member`, md`members`],
  removal: [md`removal`, md`removals`],
  revocation: [md`revocation`, md`revocations`],
  change: [md`change`, md`changes`],
  "failed change": [md`failed change`, md`failed changes`],
  "missing person": [md`missing`, md`missing`],
  problem: [md`problem`, md`problems`],
  line: [md`line`, md`lines`],
  day: [md`day`, md`days`],
  host: [md`host`, md`hosts`],
  delegation: [md`delegation`, md`delegations`],
  organisation: [md`organisation`, md`organisations`],
  "active user": [md`active user`, md`active users`],
  other: [md`other person`, md`other people`],
  row: [md`more row is`, md`more rows are`],
  more: [md`more`, md`more`],
  self: [md`token's owner`, md`token's owners`],
  "last-moderator": [md`last moderator`, md`last moderators`],
  moderator: [md`moderator`, md`moderators`],
  bot: [md`bot`, md`bots`],
  device: [md`device`, md`devices`],
  external: [md`external person`, md`external people`],
  listed: [md`listed person`, md`listed people`],
  unknown: [md`unknown member`, md`unknown members`],
  changed: [md`changed member`, md`changed members`],
  "add-only": [md`in no group`, md`in no group`],
  audit: [md`in no group`, md`in no group`],
} satisfies Record<string, readonly [Markdown, Markdown]>;

export type Noun = keyof typeof nouns;

/** The sign of a run's status. */
export const statusIcons: Readonly<Record<RunStatus, Markdown>> = {
  converged: md`✅`,
  changed: md`✅`,
  held: md`✋`,
  partial: md`⚠️`,
  failed: md`❌`,
};

/** Writes a number so that it can be read: "1,234". */
export function formatNumber(value: number): Markdown {
  return escapeMarkdown(String(value).replace(/\B(?=(\d{3})+$)/g, ","));
}

/** Writes a number with its noun: "1 space", "2 spaces". */
export function countOf(count: number, noun: Noun): Markdown {
  return md`${formatNumber(count)} ${nouns[noun][count === 1 ? 0 : 1]}`;
}

/** "1 problem needs fixing.", "2 problems need fixing." */
export function describeProblems(count: number): Markdown {
  return md`${countOf(count, "problem")} ${count === 1 ? md`needs` : md`need`} fixing.`;
}

/** What a person has to do, worst first: "7 removals to approve", "1 problem to fix". */
export function listTasks(record: RunRecord): readonly Markdown[] {
  const { totals, problems } = record;
  return [
    ...(totals.failed > 0 ? [countOf(totals.failed, "failed change")] : []),
    ...(totals.held > 0 ? [md`${countHeld(record)} to approve`] : []),
    ...(problems.length > 0 ? [md`${countOf(problems.length, "problem")} to fix`] : []),
  ];
}

/** What was done, or what a plan would do: "1 person was added and 2 people were removed"; null for nothing. */
export function describeChanges(
  command: RunRecord["command"],
  added: number,
  removed: number,
): Markdown | null {
  const parts: Markdown[] = [];
  if (added > 0) parts.push(md`${countOf(added, "person")} ${sayDone(command, added)} added`);
  if (removed > 0) parts.push(md`${countOf(removed, "person")} ${sayDone(command, removed)} removed`);
  return parts.length > 0 ? joinMarkdown(parts, " and ") : null;
}

/** The same in a plan's language: "+11 −2 in 4 spaces; 7 removals wait for approval; 1 problem to fix". */
export function describeOutcome(record: RunRecord): Markdown {
  const { totals, rooms, problems, command } = record;
  const changed = rooms.filter((room) => room.added.length + room.removed.length > 0).length;
  if (record.status === "failed" || totals.failed + totals.held + problems.length + changed === 0)
    return describeRun(record);
  const parts = [
    ...(changed > 0
      ? [md`+${formatNumber(totals.added)} −${formatNumber(totals.removed)} in ${countOf(changed, "space")}`]
      : [md`nobody ${command === "plan" ? md`would be` : md`was`} added or removed`]),
    ...(totals.failed > 0 ? [countOf(totals.failed, "failed change")] : []),
    ...(totals.held > 0 ? [sayHeld(record)] : []),
    ...(problems.length > 0 ? [md`${countOf(problems.length, "problem")} to fix`] : []),
  ];
  return joinMarkdown(parts, "; ");
}

/** Says in one line what is true now, worst first. */
export function describeRun(record: RunRecord): Markdown {
  const { totals, problems, command } = record;
  const changes = describeChanges(command, totals.added, totals.removed);
  if (record.status === "failed") {
    return changes
      ? md`The run stopped early: ${changes}, and the rest was left as it was.`
      : md`The run stopped and changed nothing.`;
  }
  const sentences: Markdown[] = [];
  if (totals.failed > 0) sentences.push(md`${countOf(totals.failed, "change")} failed.`);
  if (problems.length > 0) sentences.push(describeProblems(problems.length));
  if (totals.held > 0) sentences.push(md`${sayHeld(record)}.`);
  if (changes) sentences.push(md`${changes}.`);
  if (sentences.length > 0) {
    if (record.status === "changed" && command === "sync") sentences.unshift(md`Every space is as declared:`);
    return joinMarkdown(sentences, " ");
  }
  if (command === "restore") return md`There was nothing to undo.`;
  if (totals.rooms === 0) return md`No space is managed yet.`;
  return command === "plan"
    ? md`Every space is as declared; nothing would change.`
    : md`Every space is as declared.`;
}

/** Behind a heading, where there are several: whose it is. */
export function nameOrganisation(organisation: string | null | undefined): Markdown {
  return organisation ? md` (${escapeMarkdown(organisation)})` : md``;
}

export const syncWorkflow = "sync.yml";

/** How to approve what a run has held; `workflow` is the file in .github/workflows. */
export function describeApproval({ command, undoes, digest, organisation }: RunRecord): {
  readonly name: Markdown;
  readonly workflow: typeof syncWorkflow | "restore.yml";
  readonly github: string;
  readonly local: string;
  /** What to comment on the tracking issue; null where that starts nothing. */
  readonly comment: Markdown | null;
} {
  const approval = (digest ?? "").replace(/[^0-9a-f]/g, "");
  const input = organisation === undefined ? "" : ` -f organisation=${organisation}`;
  const option = organisation === undefined ? "" : ` --organisation ${organisation}`;
  if (command !== "restore" && undoes === undefined) {
    return {
      name: md`Sync`,
      workflow: syncWorkflow,
      github: `gh workflow run ${syncWorkflow}${input} -f approve=${approval}`,
      local: `npm run sync --${option} --approve ${approval}`,
      comment: command === "sync" ? md`/approve ${escapeMarkdown(approval)}` : null,
    };
  }
  // A path that a shell or a code block might read differently is left for the reader to type.
  const path = /^[A-Za-z0-9./-]{1,200}$/.test(undoes ?? "") ? (undoes ?? "") : "RECORD";
  return {
    name: md`Restore`,
    workflow: "restore.yml",
    github: `gh workflow run restore.yml -f record=${path} -f dry_run=false -f approve=${approval}`,
    local: `npm run restore --${option} --record ${path} --approve ${approval}`,
    comment: null,
  };
}

/** What a person can do about a failed change, judged by Webex's answer. */
export function adviseFailure(failure: FailedChange): Markdown {
  if (/\b401\b/.test(failure.error)) {
    return md`Webex rejected the token: run ${codeSpan("npm run doctor")}, then ${codeSpan("npm run login")} to get a new one.`;
  }
  if (/\b403\b/.test(failure.error)) {
    return md`Webex forbids it: make the token's owner a moderator of this space, or ask somebody who may ${failure.action === "add" ? md`add` : md`remove`} people here.`;
  }
  if (/\b404\b/.test(failure.error))
    return md`Webex no longer finds the person or the space; check that both still exist.`;
  return md`The next run tries again. If it keeps failing, give Webex support the tracking id.`;
}

function sayHeld(record: RunRecord): Markdown {
  const { command, totals } = record;
  const verb = command === "plan" ? md`would wait` : totals.held === 1 ? md`waits` : md`wait`;
  return md`${countHeld(record)} ${verb} for approval`;
}

/** Counts what is held: "3 removals", "1 removal and 11 revocations". */
export function countHeld({ totals, rooms, delegations }: RunRecord): Markdown {
  const revocations = listHeldDelegates(delegations).length;
  const others = totals.held - revocations;
  const parts: Markdown[] = [];
  if (others > 0) parts.push(countOf(others, nameHeld(rooms.flatMap((room) => room.held))));
  if (revocations > 0) parts.push(countOf(revocations, "revocation"));
  return joinMarkdown(parts, " and ");
}

/** The delegates whose revocation waits, with their hosts. */
export function listHeldDelegates(
  delegations: RunRecord["delegations"],
): { readonly host: string; readonly delegate: string; readonly reason: HeldReason }[] {
  return (delegations?.hosts ?? []).flatMap(({ host, held }) => held.map((one) => ({ host, ...one })));
}

function sayDone(command: RunRecord["command"], count: number): Markdown {
  if (command === "plan") return md`would be`;
  return count === 1 ? md`was` : md`were`;
}
