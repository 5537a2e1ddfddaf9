import type { RoomRecord, RunRecord } from "../membership/record.ts";
import { codeSpan, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { listNames, sortRooms, takeRows, titleOf } from "./rows.ts";
import { countHeld, countOf, describeApproval, explainHold, listHeldDelegates, nameHeld } from "./words.ts";

/** Where the approval is read: on the tracking issue a comment is the shortest way. */
export type ApprovalPlace = "issue" | "page";

/** Builds the block about what is held; null when nothing is. `maxNames` people of each space are named. */
export function viewHeld(
  record: RunRecord,
  repositoryUrl: string | null,
  { maxRows, maxNames = maxRows, place = "page" }: HeldLayout,
) {
  if (record.digest === null) return null;
  const people = record.rooms.flatMap(({ held }) => held);
  const spaces = record.rooms.filter(({ held }) => held.length > 0).length;
  const noun = nameHeld(people);
  const hasOthers = listHeldDelegates(record.delegations).length > 0;
  const what =
    spaces > 0 && !hasOthers ? md`${countHeld(record)} in ${countOf(spaces, "space")}` : countHeld(record);
  return {
    title: md`Approve ${countHeld(record)}`,
    intro:
      record.command === "plan"
        ? md`${what} would be held back; everything else would be applied. You can approve them after the run that holds them.`
        : md`${what} ${record.totals.held === 1 ? md`is` : md`are`} held back: ${noun === "removal" ? md`nobody listed here has been removed. All additions and the other removals` : md`none of the changes listed here was made. All other changes`} were applied.`,
    rooms: takeRows(listHeld(record, maxNames), maxRows, (row) => row),
    ...viewApproval(record, repositoryUrl, place),
  };
}

interface HeldLayout {
  readonly maxRows: number;
  readonly maxNames?: number;
  readonly place?: ApprovalPlace;
}

/** One way to approve, the others to be folded, and what the code stands for. */
function viewApproval(record: RunRecord, repositoryUrl: string | null, place: ApprovalPlace) {
  const { name, workflow, github, local, comment } = describeApproval(record);
  const code = codeSpan((record.digest ?? "").replace(/[^0-9a-f]/g, ""));
  const run =
    repositoryUrl === null
      ? md`Actions → ${name}`
      : linkTo(md`Run ${name}`, `${repositoryUrl}/actions/workflows/${workflow}`);
  const byWorkflow = md`${run} with approve = ${code}.`;
  const byTerminal = md`From a machine that has the credentials: ${codeSpan(local)}`;
  const byGithub = md`With the GitHub command line: ${codeSpan(github)}`;
  const issues =
    repositoryUrl === null
      ? md`the issue that Rollcall keeps open`
      : linkTo(
          md`the issue that Rollcall keeps open`,
          `${repositoryUrl}/issues?q=is%3Aissue+is%3Aopen+in%3Atitle+Rollcall`,
        );
  const byComment = comment === null ? [] : [md`Comment ${codeSpan(comment)} on ${issues}`];
  const isHere = place === "issue" && comment !== null;
  return {
    comment: isHere ? comment : null,
    main: isHere ? md`Comment this, if you may write to the repository:` : byWorkflow,
    others: [...(isHere ? [byWorkflow] : byComment), byGithub, byTerminal],
    otherwise: record.command === "restore" ? md`Do not approve.` : md`Fix the group in Webex, or the row.`,
    covers: md`This code is valid for exactly this list: if the list changes, nobody is removed and you get a new code.`,
  };
}

/** What waits in one place, for one reason. */
export type HeldRow = Readonly<Record<"title" | "names" | "why", Markdown>>;

/** What waits, one row for each place and reason; `maxNames` people are named in it. */
export function listHeld(record: RunRecord, maxNames: number): readonly HeldRow[] {
  return [...listHeldRooms(record, maxNames), ...listHeldHosts(record)];
}

/** One row for each room and reason; a room's removals nearly always share one reason. */
function listHeldRooms(record: RunRecord, maxNames: number): HeldRow[] {
  return sortRooms(record.rooms).flatMap((room) =>
    groupByReason(room).map(([why, people]) => ({
      title: titleOf(room),
      names: listNames(people, maxNames),
      why,
    })),
  );
}

/** What is held in a room, by why it is. */
export function groupByReason(room: RoomRecord): readonly (readonly [Markdown, RoomRecord["held"]])[] {
  const reasons = [...new Set(room.held.map(({ reason }) => reason))];
  return reasons.map((reason) => [
    explainHold(reason, room.holds),
    room.held.filter((person) => person.reason === reason),
  ]);
}

function listHeldHosts({ delegations }: RunRecord): HeldRow[] {
  const waiting = (delegations?.hosts ?? []).filter(({ held }) => held.length > 0);
  return waiting.map(({ host, held }) => ({
    title: md`Meetings of ${codeSpan(host)}`,
    names: joinMarkdown(
      held.map(({ delegate }) => codeSpan(delegate)),
      " · ",
    ),
    why: explainHold("revocations-per-run", delegations?.holds),
  }));
}
