import type {
  FailedChange,
  HeldReason,
  KeptReason,
  RoomRecord,
  RunRecord,
  RunStatus,
} from "../membership/record.ts";
import { codeSpan, escapeMarkdown, joinMarkdown, type Markdown, md } from "./markdown.ts";

/** Why a removal waits, in a sentence a room's owner understands. */
export const heldReasons: Readonly<Record<HeldReason, Markdown>> = {
  "team-general-space": md`A team's General space: they would leave the whole team`,
  "empty-group": md`A group of this room has no members`,
  "empties-room": md`Only the token's owner and bots would be left`,
  "removals-per-room": md`Over the limit for this room`,
  "removals-per-run": md`Over the limit for one run`,
  "revocations-per-run": md`Over the limit of revocations for one run`,
  "unverified-record": md`The record was changed after Rollcall committed it, or somebody else committed it`,
  "unmapped-room": md`No row of rooms.csv names this space`,
  "moderator-addition": md`They would come back as a moderator`,
};

/** Why one change waits; an addition says that it is one, for nearly all that is held are removals. */
export function explainHold({ action, reason }: HeldEntry): Markdown {
  return action === "add" ? md`Addition. ${heldReasons[reason]}` : heldReasons[reason];
}

/** What is held: removals, or changes where additions are among them. */
export function nameHeld(held: readonly HeldEntry[]): "removal" | "change" {
  return held.some(({ action }) => action === "add") ? "change" : "removal";
}

type HeldEntry = Pick<RoomRecord["held"][number], "action" | "reason">;

/** Why somebody stays although no group names them. */
export const keptReasons: Readonly<Record<KeptReason, Markdown>> = {
  self: md`Owner of the token: Rollcall needs them here to see the room`,
  "last-moderator": md`The room's last moderator`,
  moderator: md`Moderator of the room`,
  bot: md`Bot`,
  device: md`Device`,
  external: md`From another organisation`,
  listed: md`Listed in policy.json as never to be removed`,
  unknown: md`Webex does not say whether this is a person`,
  changed: md`Changed while Rollcall was looking`,
  "add-only": md`The room's mode is add-only`,
  audit: md`The room's mode is audit: only reported`,
};

const nouns = {
  room: [md`room`, md`rooms`],
  person: [md`person`, md`people`],
  member: [md`member`, md`members`],
  removal: [md`removal`, md`removals`],
  change: [md`change`, md`changes`],
  problem: [md`problem`, md`problems`],
  day: [md`day`, md`days`],
  host: [md`host`, md`hosts`],
  delegation: [md`delegation`, md`delegations`],
  "active user": [md`active user`, md`active users`],
  row: [md`more row is`, md`more rows are`],
  self: [md`token's owner`, md`token's owners`],
  "last-moderator": [md`last moderator`, md`last moderators`],
  moderator: [md`moderator`, md`moderators`],
  bot: [md`bot`, md`bots`],
  device: [md`device`, md`devices`],
  external: [md`external`, md`externals`],
  listed: [md`listed person`, md`listed people`],
  unknown: [md`unknown member`, md`unknown members`],
  changed: [md`changed member`, md`changed members`],
  "add-only": [md`extra person`, md`extra people`],
  audit: [md`extra person`, md`extra people`],
} satisfies Record<string, readonly [Markdown, Markdown]>;

/** What can be counted on a page. */
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

/** Writes a number with its noun: "1 room", "2 rooms". */
export function countOf(count: number, noun: Noun): Markdown {
  return md`${formatNumber(count)} ${nouns[noun][count === 1 ? 0 : 1]}`;
}

/** "1 problem needs fixing.", "2 problems need fixing." */
export function describeProblems(count: number): Markdown {
  return md`${countOf(count, "problem")} ${count === 1 ? md`needs` : md`need`} fixing.`;
}

/** What was done, or by a plan would be done: "1 person was added and 2 people were removed"; null for nothing. */
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

/** The one plain statement of the status line: what is true now, worst first. */
export function describeRun(record: RunRecord): Markdown {
  const { totals, problems, command } = record;
  const changes = describeChanges(command, totals.added, totals.removed);
  if (record.status === "failed") {
    return changes
      ? md`The run stopped early: ${changes}, the rest was left as it was.`
      : md`The run stopped and changed nothing.`;
  }
  const sentences: Markdown[] = [];
  if (totals.failed > 0) sentences.push(md`${countOf(totals.failed, "change")} failed.`);
  if (problems.length > 0) sentences.push(describeProblems(problems.length));
  if (totals.held > 0) sentences.push(describeHeld(record));
  if (changes) sentences.push(md`${changes}.`);
  if (sentences.length > 0) {
    if (record.status === "changed" && command === "sync") sentences.unshift(md`Every room is as declared:`);
    return joinMarkdown(sentences, " ");
  }
  if (command === "restore") return md`Nothing had to be undone.`;
  if (totals.rooms === 0) return md`No room is managed yet.`;
  return command === "plan"
    ? md`Every room is as declared; nothing would change.`
    : md`Every room is as declared.`;
}

/** The workflow that has the schedule: its file in .github/workflows. */
export const syncWorkflow = "sync.yml";

/** How to approve what a run has held, where it was not a plan: `workflow` is the file in .github/workflows. */
export function describeApproval({ command, undoes, digest }: RunRecord): {
  readonly name: Markdown;
  readonly workflow: typeof syncWorkflow | "restore.yml";
  readonly github: Markdown;
  readonly local: Markdown;
} {
  const approval = escapeMarkdown((digest ?? "").replace(/[^0-9a-f]/g, ""));
  if (command !== "restore" && undoes === undefined) {
    return {
      name: md`Sync`,
      workflow: syncWorkflow,
      github: md`gh workflow run ${escapeMarkdown(syncWorkflow)} -f approve=${approval}`,
      local: md`npm run sync -- --approve ${approval}`,
    };
  }
  // Only what a shell and a code block both take as it is; any other path has to be typed in.
  const path = escapeMarkdown(/^[A-Za-z0-9./-]{1,200}$/.test(undoes ?? "") ? (undoes ?? "") : "RECORD", 200);
  return {
    name: md`Restore`,
    workflow: "restore.yml",
    github: md`gh workflow run restore.yml -f record=${path} -f dry_run=false -f approve=${approval}`,
    local: md`npm run restore -- --record ${path} --approve ${approval}`,
  };
}

/** What somebody can do about a failed change, by the answer that Webex gave. */
export function adviseFailure(failure: FailedChange): Markdown {
  if (/\b401\b/.test(failure.error)) {
    return md`The token was refused: run ${codeSpan("npm run doctor")}, and ${codeSpan("npm run login")} for a new one.`;
  }
  if (/\b403\b/.test(failure.error)) {
    return md`Webex forbids it: make the token's owner a moderator of this room, or ask who may ${failure.action === "add" ? md`add` : md`remove`} people here.`;
  }
  if (/\b404\b/.test(failure.error))
    return md`Webex no longer finds the person or the room; check that both still exist.`;
  return md`The next run tries again. If it keeps failing, give Webex support the tracking id.`;
}

function describeHeld({ command, totals: { held: count }, rooms }: RunRecord): Markdown {
  const noun = nameHeld(rooms.flatMap((room) => room.held));
  if (command === "plan") return md`${countOf(count, noun)} would wait for approval.`;
  return md`${countOf(count, noun)} ${count === 1 ? md`waits` : md`wait`} for approval.`;
}

function sayDone(command: RunRecord["command"], count: number): Markdown {
  if (command === "plan") return md`would be`;
  return count === 1 ? md`was` : md`were`;
}
