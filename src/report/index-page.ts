import { dayMs, toDateString } from "../lib/date.ts";
import type { RoomRecord, RunRecord } from "../membership/record.ts";
import { viewHeld } from "./held.ts";
import type { History } from "./history.ts";
import { codeSpan, escapeMarkdown, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { countStates, describeDelta, describeMembers, describeRest, findIcon, findState } from "./rooms.ts";
import { createLineLink, sortBy, sortRooms, takeRows, takeRowsIfAny, titleOf } from "./rows.ts";
import {
  describeTimestamp,
  type PageInput,
  viewFailures,
  viewNotices,
  viewProblems,
  viewToken,
} from "./sections.ts";
import { describeTypedSources, listRowsWithoutSpace, type TypedRow } from "./sources.ts";
import {
  countOf,
  describeChanges,
  describeRun,
  formatNumber,
  listTasks,
  nameOrganisation,
  statusIcons,
  syncWorkflow,
} from "./words.ts";

/** What the page that people open says beyond a run's own page. */
export interface IndexInput extends PageInput {
  /** The rows of rooms.csv as they were typed. */
  readonly rows: readonly TypedRow[];
  readonly hasSchedulingPage: boolean;
}

/** Longer lists of names go on on the run's own page. */
const maxNames = 30;

/** Up to here one list by title can be read at a glance; in longer lists, what needs attention comes first. */
const maxInOneList = 40;

/** Builds the page that people open; `history` already includes this run. */
export function viewIndex(input: IndexInput, history: History, maxRows: number) {
  const { record, policy, repositoryUrl } = input;
  const token = viewToken(record.token, record.finishedAt, policy.tokenWarningDays);
  const names = Math.min(maxNames, maxRows);
  return {
    ...describeNeed(record),
    whose: nameOrganisation(record.organisation),
    facts: describeFacts(input, history),
    warning: token.warning ? token.text : null,
    held: viewHeld(record, repositoryUrl, { maxRows, maxNames: names }),
    failures: viewFailures(record, maxRows),
    problems: viewIndexProblems(input, maxRows),
    notices: viewNotices(input.notices, maxRows, repositoryUrl),
    rooms: viewRooms(input, maxRows),
    noRooms: describeNoRooms(record),
    // What this very run changed is on its own page, to which the line at the top leads.
    lastChange:
      history.lastChange?.at === record.startedAt ? null : viewLastChange(history.lastChange, maxRows),
    chart: drawMembers(history.members),
    links: listLinks(input, token.short),
    schedule: describeSchedule(input),
  };
}

/** Builds the page as it is before the first run. */
export function viewFirstIndex(mappingsAddress: string | null) {
  const mappings = nameMappings(mappingsAddress);
  return {
    icon: md`⚪`,
    headline: md`No run yet`,
    whose: nameOrganisation(undefined),
    facts: md`The first run of Sync writes this page: who is in which space, what changed, and what needs a person. When Rollcall is set up, start it: Actions → Sync → Run workflow.`,
    warning: null,
    held: null,
    failures: null,
    problems: null,
    notices: null,
    rooms: null,
    noRooms: md`None yet. Add rows to ${mappings}: a group, and the space its members belong in.`,
    lastChange: null,
    chart: null,
    links: mappings,
    schedule: null,
  };
}

/** The one line between the markers in the repository's own README. */
export function describeStatusLine(record: RunRecord, reportPath: string): Markdown {
  const { icon, headline } = describeNeed(record);
  const facts = [
    ...countStates(record),
    md`checked ${describeTimestamp(record.startedAt)}`,
    linkTo(md`report`, reportPath),
  ];
  return md`${icon} **${headline}**${nameOrganisation(record.organisation)} · ${joinMarkdown(facts, " · ")}`;
}

function describeNeed(record: RunRecord): { readonly icon: Markdown; readonly headline: Markdown } {
  const { rooms, status } = record;
  const icon = statusIcons[status];
  const tasks = listTasks(record);
  if (status === "failed" || rooms.length + tasks.length === 0)
    return { icon, headline: describeRun(record) };
  if (tasks.length > 0) return { icon, headline: md`Needs you: ${joinMarkdown(tasks, ", ")}` };
  const all = rooms.length === 1 ? md`The one space is` : md`All ${countOf(rooms.length, "space")} are`;
  return { icon, headline: md`${all} in sync` };
}

/** The rooms by state, and when and by which run they were looked at. */
function describeFacts({ record, runUrl }: IndexInput, { lastChange }: History): Markdown {
  const delta = describeDelta(record.totals.added, record.totals.removed);
  const isOfThisRun = lastChange?.at === record.startedAt;
  const [address, found] = isOfThisRun ? [lastChange.page, delta] : [runUrl, md`run`];
  const by = address === null ? md`` : md` (${linkTo(found, address)})`;
  return joinMarkdown(
    [...countStates(record), md`checked ${describeTimestamp(record.startedAt)}${by}`],
    " · ",
  );
}

/** Each problem with the spaces that stay as they are until it is fixed. */
function viewIndexProblems({ record, mappingsAddress }: IndexInput, maxRows: number) {
  const line = createLineLink(mappingsAddress, md`rooms.csv `);
  const view = viewProblems(record, line, maxRows);
  if (view === null) return null;
  return {
    ...view,
    title: md`Fix ${countOf(record.problems.length, "problem")}`,
    rows: view.rows.map((row) => {
      const frozen = record.rooms.filter(
        (room) => room.frozen !== undefined && row.line !== null && room.lines.includes(row.line),
      );
      const titles = joinMarkdown(
        sortRooms(frozen).map((room) => md`**${titleOf(room)}**`),
        ", ",
      );
      const verb = frozen.length === 1 ? md`is` : md`are`;
      const stop = /[.?!]$/.test(row.message) ? md`` : md`.`;
      const where = row.line === null ? md`` : line(row.line);
      return {
        ...row,
        where,
        until: frozen.length === 0 ? null : md`${stop} Until then ${titles} ${verb} frozen.`,
      };
    }),
  };
}

/** Builds the list of rooms; null when there is none. */
function viewRooms(input: IndexInput, maxRows: number) {
  const { record } = input;
  const unmatched = viewUnmatched(input);
  if (record.rooms.length + unmatched.length === 0) return null;
  const rooms = sortRooms(record.rooms);
  const isUrgent = (room: RoomRecord) => !["audit", "declared"].includes(findState(room));
  const isLong = rooms.length > maxInOneList;
  const sorted = sortBy(rooms, (room) => [isUrgent(room) ? "" : "later"]);
  const open = isLong ? rooms.filter(isUrgent) : sorted;
  const folded = isLong ? rooms.filter((room) => !isUrgent(room)) : [];
  const describe = (room: RoomRecord) => describeRoom(room, input);
  return {
    open: takeRowsIfAny([...unmatched, ...open.map(describe)], maxRows, (row) => row),
    folded: takeRowsIfAny(folded, maxRows, describe),
    foldedLabel:
      open.length > 0
        ? md`${countOf(folded.length, "space")} in sync`
        : md`All ${countOf(rooms.length, "space")} are in sync`,
  };
}

function describeRoom(room: RoomRecord, input: IndexInput): Markdown {
  const sources = describeTypedSources(room, input.record, input);
  const frozen = findState(room) === "frozen" ? [md`frozen: nobody is removed`] : [];
  const facts = [
    describeMembers(room),
    ...(sources === "" ? [] : [sources]),
    ...frozen,
    ...describeRest(room),
  ];
  return md`${findIcon(room)} **${titleOf(room)}** · ${joinMarkdown(facts, " · ")}`;
}

/** A row without a space is listed under the name that was typed. */
function viewUnmatched(input: IndexInput): Markdown[] {
  const line = createLineLink(input.mappingsAddress);
  const rows = sortBy(listRowsWithoutSpace(input.record, input), ({ room }) => [room]);
  return rows.map((row) => {
    const [title, group] = [row.room, row.group].map((cell) => escapeMarkdown(cell));
    return md`❓ **${title ?? md``}** · leads to no single space · ${group ?? md``} (${line(row.line)})`;
  });
}

function describeNoRooms(record: RunRecord): Markdown {
  if (record.status === "failed") return md`This run ended before it read the spaces.`;
  if (record.problems.length > 0)
    return md`No row of rooms.csv leads to a space yet; see the problems above.`;
  return md`None yet. Add rows to rooms.csv: a group, and the space its members belong in.`;
}

function viewLastChange(change: History["lastChange"], maxRows: number) {
  if (change === null) return null;
  const what = describeChanges("sync", change.added, change.removed) ?? md`nothing was changed`;
  const named = change.rooms.reduce((sum, room) => sum + room.added.length + room.removed.length, 0);
  const unnamed = change.added + change.removed - named;
  const all = unnamed > 0 ? md`${formatNumber(unnamed)} more, and all details` : md`All details`;
  return {
    summary: md`Last change, ${describeTimestamp(change.at)}: ${what}`,
    link: linkTo(all, change.page),
    rooms: takeRows(change.rooms, maxRows, (room) => ({
      title: titleOf(room),
      changes: joinMarkdown(
        [...viewNames(md`added`, room.added), ...viewNames(md`removed`, room.removed)],
        "; ",
      ),
    })),
  };
}

function viewNames(verb: Markdown, names: readonly string[]): Markdown[] {
  if (names.length === 0) return [];
  const shown = names.map((name) => (name === "" ? md`(no name)` : escapeMarkdown(name)));
  return [md`${verb} ${joinMarkdown(shown, " · ")}`];
}

function listLinks(input: IndexInput, expiry: Markdown): Markdown {
  return joinMarkdown(
    [
      linkTo(md`All runs`, "runs/"),
      ...(input.hasSchedulingPage ? [linkTo(md`Who may schedule for whom`, "delegations/README.md")] : []),
      nameMappings(input.mappingsAddress),
      expiry,
    ],
    " · ",
  );
}

function nameMappings(address: string | null): Markdown {
  return address === null ? md`rooms.csv` : linkTo(md`rooms.csv`, address);
}

/** By the page's own age people see that nothing runs any more. */
function describeSchedule({ policy, repositoryUrl }: IndexInput): Markdown {
  // A day more than the heartbeat: a run that is merely late should alarm nobody.
  const staleAfter = countOf(Math.max(2, policy.heartbeatDays + 1), "day");
  const workflow =
    repositoryUrl === null
      ? codeSpan("Actions → Sync")
      : linkTo(md`Actions → Sync`, `${repositoryUrl}/actions/workflows/${syncWorkflow}`);
  return md`Checked more than ${staleAfter} ago? The schedule has stopped: ${workflow}`;
}

/** Fewer points are no line that anybody could read. */
const minPoints = 7;

const maxLabels = 12;

const maxDays = 180;

/** Draws members over time; null while there are only a few points. https://mermaid.js.org/syntax/xyChart */
export function drawMembers(points: History["members"]): Markdown | null {
  const daily = fillDays(points);
  const last = daily.at(-1);
  if (!last || points.length < minPoints) return null;
  const values = daily.map((point) => point.members);
  const few = daily.length <= maxLabels;
  const axis = few
    ? md`x-axis [${joinMarkdown(
        daily.map((point) => md`"${escapeMarkdown(point.date.slice(5))}"`),
        ", ",
      )}]`
    : md`x-axis "days before ${escapeMarkdown(last.date)}" ${daily.length - 1} --> 0`;
  const [low, high] = few ? [0, Math.max(1, ...values) * 1.1] : findRange(values);
  return joinMarkdown(
    [
      // The default palette is a pale lavender that hardly shows on white.
      md`%%{init: {"xyChart": {"height": 300, "width": 900}, "themeVariables": {"xyChart": {"plotColorPalette": "#4c8bf5"}}}}%%`,
      md`xychart-beta`,
      md`  ${axis}`,
      md`  y-axis "members" ${Math.floor(low)} --> ${Math.ceil(high)}`,
      md`  ${few ? md`bar` : md`line`} [${joinMarkdown(
        values.map((value) => md`${value}`),
        ", ",
      )}]`,
    ],
    "\n",
  );
}

/** A day without a committed check is drawn with the members of the day before. */
function fillDays(points: History["members"]): { date: string; members: number }[] {
  const daily: { date: string; members: number }[] = [];
  for (const point of points) {
    const previous = daily.at(-1);
    const countDays = (date: string) => Math.round(Date.parse(`${date}T00:00:00Z`) / dayMs);
    const gap = previous ? Math.min(countDays(point.date) - countDays(previous.date) - 1, maxDays) : 0;
    for (let missing = gap; previous && missing > 0; missing -= 1) {
      const date = toDateString(new Date((countDays(point.date) - missing) * dayMs));
      daily.push({ date, members: previous.members });
    }
    daily.push({ date: point.date, members: point.members });
  }
  return daily.slice(-maxDays);
}

/** A line need not start at zero: a change of three people in five thousand should show. */
function findRange(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = Math.max(1, Math.ceil((high - low) * 0.2));
  return [Math.max(0, low - margin), high + margin];
}
