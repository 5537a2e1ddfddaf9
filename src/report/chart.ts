import { dayMs, dayOf } from "../lib/date.ts";
import type { History } from "./history.ts";
import { escapeMarkdown, joinMarkdown, type Markdown, md } from "./markdown.ts";

const maxLabels = 12;
const maxDays = 180;

/**
 * Draws the members over time as a Mermaid chart (https://mermaid.js.org/syntax/xyChart), a point for each day:
 * bars with dates while they fit side by side, then a line over numbered days. Null before the first check.
 */
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
      // The default palette is a pale lavender that is hardly seen on white.
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

/** A day without a committed check had, as far as is known, the members of the day before. */
function fillDays(points: History["members"]): { date: string; members: number }[] {
  const daily: { date: string; members: number }[] = [];
  for (const point of points) {
    const previous = daily.at(-1);
    const countDays = (date: string) => Math.round(Date.parse(`${date}T00:00:00Z`) / dayMs);
    const gap = previous ? Math.min(countDays(point.date) - countDays(previous.date) - 1, maxDays) : 0;
    for (let missing = gap; previous && missing > 0; missing -= 1) {
      const date = dayOf(new Date((countDays(point.date) - missing) * dayMs));
      daily.push({ date, members: previous.members });
    }
    daily.push({ date: point.date, members: point.members });
  }
  return daily.slice(-maxDays);
}

/** A line need not start at zero: a change of three people in five thousand should be seen. */
function findRange(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = Math.max(1, Math.ceil((high - low) * 0.2));
  return [Math.max(0, low - margin), high + margin];
}
