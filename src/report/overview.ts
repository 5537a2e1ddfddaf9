import * as v from "valibot";
import { parseJson } from "../lib/json.ts";
import type { ReadonlyDeep } from "../lib/readonly-deep.ts";
import { compareStrings } from "../lib/text.ts";
import { type RunRecord, runStatusSchema } from "../membership/record.ts";
import { measureExpiry } from "../token/expiry.ts";
import { escapeMarkdown, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { sortBy, takeRows } from "./rows.ts";
import { describeTimestamp } from "./sections.ts";
import { countOf, formatNumber, statusIcons } from "./words.ts";

const countSchema = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Machines read this as well: the facts of an organisation's last report, without a name of a person or a space. */
const lastReportSchema = v.strictObject({
  status: runStatusSchema,
  checkedAt: v.pipe(v.string(), v.isoTimestamp()),
  spaces: countSchema,
  members: countSchema,
  held: countSchema,
  failed: countSchema,
  problems: countSchema,
  tokenExpiresAt: v.nullable(v.string()),
  tokenWarningDays: countSchema,
});

const overviewSchema = v.strictObject({
  version: v.literal(1),
  /** Null where an earlier report was lost; an organisation that is not there has not run yet. */
  organisations: v.record(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/)), v.nullable(lastReportSchema)),
});

type LastReport = ReadonlyDeep<v.InferOutput<typeof lastReportSchema>>;

/** Every organisation by name, with its last report, null where it was lost, undefined before the first. */
export type Overview = ReadonlyMap<string, LastReport | null | undefined>;

/** Where the overview of the reports in this folder is kept for machines. */
export function nameOverviewFile(folder: string): string {
  return `${folder}/organisations.json`;
}

/**
 * The overview after a report of one organisation. It lists those that have a folder now; what it says of the others
 * comes from `text`, the file as it was stored last.
 */
export function extendOverview(
  text: string | undefined,
  names: readonly string[],
  own: { readonly record: RunRecord; readonly name: string; readonly tokenWarningDays: number },
): Overview {
  const parsed = text === undefined ? null : v.safeParse(overviewSchema, parseJson(text));
  const known = new Map(parsed?.success ? Object.entries(parsed.output.organisations) : []);
  const unknown = parsed === null || parsed.success ? undefined : null;
  const all = [...new Set([...names, own.name])].sort(compareStrings);
  return new Map(
    all.map((name) => [
      name,
      name === own.name
        ? summarise(own.record, own.tokenWarningDays)
        : known.has(name)
          ? known.get(name)
          : unknown,
    ]),
  );
}

/** Writes what `extendOverview` reads. */
export function formatOverview(overview: Overview): string {
  const told = [...overview].filter(([, report]) => report !== undefined);
  return `${JSON.stringify({ version: 1, organisations: Object.fromEntries(told) }, null, 2)}\n`;
}

function summarise(
  { rooms, status, startedAt, totals, problems, token }: RunRecord,
  tokenWarningDays: number,
): LastReport {
  return {
    status,
    checkedAt: startedAt,
    spaces: rooms.length,
    members: rooms.reduce((sum, room) => sum + (room.after ?? 0), 0),
    held: totals.held,
    failed: totals.failed,
    problems: problems.length,
    tokenExpiresAt: token?.refreshTokenExpiresAt ?? null,
    tokenWarningDays,
  };
}

/** Builds the page over all organisations: those that need a person first. */
export function viewOverview(overview: Overview, maxRows: number) {
  const all = sortBy([...overview], ([name, report]) => [report && needsPerson(report) ? "0" : "1", name]);
  const waiting = all.filter(([, report]) => report && needsPerson(report)).length;
  const notRun = all.filter(([, report]) => report === undefined).length;
  const sentences = [
    waiting === 0
      ? md`No organisation needs a person.`
      : md`${countOf(waiting, "organisation")} ${waiting === 1 ? md`needs` : md`need`} a person.`,
    ...(notRun === 0
      ? []
      : [md`${countOf(notRun, "organisation")} ${notRun === 1 ? md`has` : md`have`} not run yet.`]),
  ];
  return {
    icon: waiting === 0 ? md`✅` : md`⚠️`,
    headline: joinMarkdown(sentences, " "),
    organisations: takeRows(all, maxRows, ([name, report]) => viewRow(name, report)),
  };
}

function viewRow(name: string, report: LastReport | null | undefined) {
  const none = md`—`;
  if (!report) {
    const state = report === null ? md`not known until its next report` : md`no run yet`;
    return {
      name: escapeMarkdown(name, 255),
      state,
      spaces: none,
      members: none,
      login: none,
      checked: none,
    };
  }
  return {
    name: linkTo(escapeMarkdown(name, 255), `${name}/README.md`),
    state: md`${statusIcons[report.status]} ${describeState(report)}`,
    spaces: formatNumber(report.spaces),
    members: formatNumber(report.members),
    login: describeLogin(report),
    checked: describeTimestamp(report.checkedAt),
  };
}

function describeState({ status, held, failed, problems }: LastReport): Markdown {
  if (status === "failed") return md`the run stopped`;
  const parts: Markdown[] = [];
  if (failed > 0) parts.push(md`${countOf(failed, "change")} failed`);
  if (problems > 0) parts.push(countOf(problems, "problem"));
  if (held > 0) parts.push(md`${formatNumber(held)} held`);
  return parts.length > 0 ? joinMarkdown(parts, ", ") : md`as declared`;
}

function describeLogin(report: LastReport): Markdown {
  const expiry = measureLogin(report);
  if (expiry === null) return md`not known`;
  return md`${expiry.isShort ? md`⚠️ ` : md``}${escapeMarkdown(expiry.lastDay)}`;
}

function measureLogin({ tokenExpiresAt, checkedAt, tokenWarningDays }: LastReport) {
  return measureExpiry(tokenExpiresAt, new Date(checkedAt), tokenWarningDays);
}

function needsPerson(report: LastReport): boolean {
  const isCalm = report.status === "converged" || report.status === "changed";
  return !isCalm || measureLogin(report)?.isShort === true;
}
