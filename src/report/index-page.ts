import { dayMs, toDateString } from "../lib/date.ts";
import type { RunRecord } from "../membership/record.ts";
import type { History } from "./history.ts";
import { escapeMarkdown, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { viewRooms } from "./rooms.ts";
import { createLineLink, takeRows, titleOf } from "./rows.ts";
import { describeTimestamp, type PageInput, viewShared } from "./sections.ts";
import {
  countOf,
  describeChanges,
  describeRun,
  formatNumber,
  nameOrganisation,
  statusIcons,
} from "./words.ts";

/** Builds the page that people open; `history` already includes this run. */
export function viewIndex(input: PageInput, history: History, maxRows: number) {
  const { record, policy } = input;
  const line = createLineLink(input.mappingsAddress);
  return {
    ...viewShared(input, maxRows),
    whose: nameOrganisation(record.organisation),
    icon: statusIcons[record.status],
    headline: describeRun(record),
    facts: describeFacts(input),
    rooms: viewRooms(record, line, maxRows),
    noRooms: describeNoRooms(record),
    lastChange: viewLastChange(history.lastChange, maxRows),
    chart: drawMembers(history.members),
    // A day more than the heartbeat: a run that is merely late should alarm nobody.
    checked: md`Last checked ${describeTimestamp(record.startedAt)}. Older than ${countOf(Math.max(2, policy.heartbeatDays + 1), "day")}? Then the schedule has stopped: open Actions → Sync, enable the workflow again if GitHub has paused it, and look at its last run.`,
    runPages: describeRunPages(linkTo(md`its own page`, "runs/")),
    mappings: linkMappings(input.mappingsAddress),
  };
}

/** Builds the same page for a repository in which no run has taken place: it links to nothing that a run makes. */
export function viewFirstIndex(mappingsAddress: string | null): ReturnType<typeof viewIndex> {
  return {
    token: { text: md`How long the Webex login stays valid is not known yet.`, warning: false },
    notices: null,
    held: null,
    failures: null,
    problems: null,
    whose: nameOrganisation(undefined),
    icon: md`⚪`,
    headline: md`No run yet.`,
    facts: md`The first run of Sync writes this page.`,
    rooms: null,
    noRooms: md`None has been read yet.`,
    lastChange: null,
    chart: null,
    checked: md`Nothing has been checked yet. When Rollcall is set up, start it: Actions → Sync → Run workflow.`,
    runPages: describeRunPages(md`its own page`),
    mappings: linkMappings(mappingsAddress),
  };
}

function describeRunPages(page: Markdown): Markdown {
  return md`Every run that changed something, held something back or failed has ${page}.`;
}

function linkMappings(address: string | null): Markdown {
  return address === null ? md`rooms.csv` : linkTo(md`rooms.csv`, address);
}

function describeFacts({ record, runUrl }: PageInput): Markdown {
  const read = record.rooms.flatMap((room) => (room.after === null ? [] : [room.after]));
  const members = read.reduce((sum, one) => sum + one, 0);
  const facts = [md`Checked ${describeTimestamp(record.startedAt)}`];
  if (record.rooms.length > 0) facts.push(countOf(record.rooms.length, "space"), countOf(members, "member"));
  if (runUrl !== null) facts.push(linkTo(md`this run`, runUrl));
  return joinMarkdown(facts, " · ");
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
  const all = linkTo(
    unnamed > 0 ? md`${formatNumber(unnamed)} more, and all details` : md`all details`,
    change.page,
  );
  return {
    summary: md`On ${describeTimestamp(change.at)} ${what} (${all}).`,
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

const maxLabels = 12;

const maxDays = 180;

/** Draws members over time; null before the first check. https://mermaid.js.org/syntax/xyChart */
export function drawMembers(points: History["members"]): Markdown | null {
  const daily = fillDays(points);
  const last = daily.at(-1);
  if (!last) return null;
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
