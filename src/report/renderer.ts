import { readFileSync } from "node:fs";
import { posix } from "node:path";
import Handlebars from "handlebars";
import { type DelegationRecord, delegationRecordSchema } from "../delegation/record.ts";
import type { RunRecord } from "../membership/record.ts";
import { type DelegationInput, linkDelegation, viewDelegation } from "./delegation.ts";
import { decideReport, extendHistory, type History, insertHistory, type parseHistory } from "./history.ts";
import { describeStatusLine, type IndexInput, viewFirstIndex, viewIndex } from "./index-page.ts";
import { type IssueInput, viewIssue } from "./issue.ts";
import { linkTo, md, type View } from "./markdown.ts";
import { type Overview, viewOverview } from "./overview.ts";
import type { OwedReport } from "./owed.ts";
import { type PlanCommentInput, viewPlanComment } from "./plan-comment.ts";
import { formatBySchema, formatRecord } from "./record-json.ts";
import { fitRows } from "./rows.ts";
import { viewRun } from "./run-page.ts";
import { type Scheduling, viewScheduling } from "./scheduling.ts";
import type { PageInput, ReportPolicy } from "./sections.ts";
import { type SetupGuideInput, viewSetupGuide } from "./set-up.ts";
import type { TypedRow } from "./sources.ts";
import { type SummaryInput, viewSummary } from "./summary.ts";
import { viewWhy, type WhyAnswer } from "./why.ts";

/** One file of the report; the path is seen from the repository (or wherever `reportsDir` is). */
export interface ReportFile {
  readonly path: string;
  readonly text: string;
}

export interface ReportInput extends Pick<PageInput, "record" | "repositoryUrl" | "runUrl"> {
  readonly policy: ReportPolicy;
  readonly memory: ReturnType<typeof parseHistory>;
  /** Names the run's page: the workflow run's id, or anything that tells two runs of a day apart. */
  readonly runId: string;
  readonly reportsDir: string;
  readonly mappingsFile: string;
  /** The rows of rooms.csv as they were typed. */
  readonly rows: readonly TypedRow[];
  /** Whether there is a page of who may schedule for whom. */
  readonly hasSchedulingPage: boolean;
  /** Reports of earlier runs that are committed only now, oldest first. */
  readonly late: readonly OwedReport[];
}

export interface Renderer {
  /** The files to write or commit after a run; none when there is nothing new to say. */
  renderFiles(input: ReportInput): readonly ReportFile[];
  /** Where the record of a run will lie that is committed late. */
  nameLateRecord(report: OwedReport, reportsDir: string): string;
  /** The page that people open, as it is in a repository in which no run has taken place. */
  renderFirstIndex(paths: Pick<ReportInput, "reportsDir" | "mappingsFile">): string;
  /** The page that lists all organisations. */
  renderOverview(organisations: Overview): string;
  /** The README with the state between its markers; null where it has none, or says the same already. */
  renderStatus(readme: string, record: RunRecord, reportsDir: string): string | null;
  /** The short text for the step summary, cut between rows to fit `maxBytes`. */
  renderSummary(input: SummaryInput, maxBytes?: number): string;
  renderDelegationFiles(
    input: DelegationInput,
    runId: string,
    reportsDir: string,
  ): readonly [page: ReportFile, record: ReportFile];
  /** The text for the step summary, cut to fit; `reportAddress` is null without a report. */
  renderDelegationSummary(input: DelegationInput, reportAddress: string | null, maxBytes?: number): string;
  /** The page of who may schedule for whom, beside the pages of delegation runs. */
  renderScheduling(scheduling: Scheduling, reportsDir: string, delegationsFile: string): ReportFile;
  renderPlanComment(input: PlanCommentInput): string;
  renderIssue(input: IssueInput): string;
  renderSetupGuide(input: SetupGuideInput): string;
  /** With `isLeaving` as a list to tick off. */
  renderWhy(answer: WhyAnswer, isLeaving: boolean): string;
}

/** GitHub shows no more than 500 KiB of a Markdown file. */
const maxPageBytes = 500 * 1024;

/** GitHub drops a step summary of more than 1 MiB whole; a little room is left for what others add. */
const maxSummaryBytes = 1000 * 1024;

/** GitHub refuses comments and issues of more than 65,536 characters; a character is at least one byte. */
const maxNoteBytes = 60_000;

/** By which own notes are found again; no text from outside can hold them, for its `<` is escaped. */
export const noteMarkers = {
  planComment: "<!-- rollcall:plan -->",
  trackingIssue: "<!-- rollcall:attention -->",
} as const;

/** The organisation that a marked note is about: empty where there are not several; null for what bears no such mark. */
export function readMark(note: keyof typeof noteMarkers, body: string): string | null {
  const [whole, organisation = ""] =
    /^<!-- [a-z:]+(?: ([a-z0-9][a-z0-9-]*))? -->/.exec(body.trimStart()) ?? [];
  return whole === markNote(note, organisation) ? organisation : null;
}

/** The marker of a note; each of several organisations has its own. */
export function markNote(note: keyof typeof noteMarkers, organisation: string | null | undefined): string {
  return noteMarkers[note].replace(" -->", organisation ? ` ${organisation} -->` : " -->");
}

/** Between these a README of the repository shows how things are; each of several organisations has its own. */
function createStatusMarkers(organisation: string | undefined): RegExp {
  const name = organisation === undefined ? "" : ` ${organisation}`;
  return new RegExp(`(<!-- rollcall:status${name} -->)[\\s\\S]*?(<!-- /rollcall:status -->)`);
}

let made: Renderer | null = null;

/** The renderer of everything that is told in Markdown: a run needs it several times, and compiles its templates once. */
export function createRenderer(): Renderer {
  made ??= compileTemplates();
  return made;
}

function compileTemplates(): Renderer {
  const compile = createCompiler();
  const index = compile("index");
  const overview = compile("overview");
  const run = compile("run");
  const summary = compile("summary");
  const delegation = compile("delegation");
  const delegationSummary = compile("delegation-summary");
  const scheduling = compile("scheduling");
  const planComment = compile("plan-comment");
  const trackingIssue = compile("attention");
  const setupGuide = compile("set-up");
  const why = compile("why");

  function renderFiles(input: ReportInput): readonly ReportFile[] {
    const { record, runId, reportsDir, mappingsFile, policy, late } = input;
    const { notice } = input.memory;
    const files: ReportFile[] = late.flatMap((report) => renderLate(report, input));
    const history = late.reduce(insertLate, input.memory.history);
    const due = decideReport(history, record, policy.heartbeatDays);
    if (!due.commit && late.length === 0) return [];
    const paths = nameRunFiles(record.startedAt, runId, "runs");
    const extended = extendHistory(history, record, paths.page);
    const page = (folder: string): IndexInput => ({
      ...input,
      notices: [...(notice ? [notice] : []), ...record.notices],
      mappingsAddress: findRelativePath(folder, mappingsFile),
    });
    files.push({ path: `${reportsDir}/history.json`, text: `${JSON.stringify(extended, null, 2)}\n` });
    // An undo has read its own rooms only; the next check, which is due at once, tells the state of all.
    if (record.command !== "restore") {
      const view = page(reportsDir);
      const text = fitRows(maxPageBytes, (rows) => index(viewIndex(view, extended, rows)));
      files.push({ path: `${reportsDir}/README.md`, text });
    }
    if (due.page) files.push(...renderRun(page(`${reportsDir}/runs`), runId, reportsDir));
    return files;
  }

  /** The page of one run and its record. */
  function renderRun(view: PageInput, runId: string, reportsDir: string): readonly [ReportFile, ReportFile] {
    const paths = nameRunFiles(view.record.startedAt, runId, "runs");
    const recordFile = paths.record.slice("runs/".length);
    const text = fitRows(maxPageBytes, (rows) => run(viewRun(view, recordFile, rows)));
    return [
      { path: `${reportsDir}/${paths.page}`, text },
      { path: `${reportsDir}/${paths.record}`, text: formatRecord(view.record) },
    ];
  }

  function renderLate(late: OwedReport, input: ReportInput): readonly [ReportFile, ReportFile] {
    const { reportsDir, mappingsFile } = input;
    const { runUrl, runId } = late;
    if (late.kind === "delegation")
      return renderDelegationFiles({ ...late, isDryRun: false }, runId, reportsDir);
    const { record } = late;
    const mappingsAddress = findRelativePath(`${reportsDir}/runs`, mappingsFile);
    return renderRun(
      { ...input, record, runUrl, notices: record.notices, mappingsAddress },
      runId,
      reportsDir,
    );
  }

  function renderDelegationFiles(
    input: DelegationInput,
    runId: string,
    reportsDir: string,
  ): readonly [ReportFile, ReportFile] {
    const paths = nameRunFiles(input.record.startedAt, runId, "delegations");
    const recordFile = paths.record.slice("delegations/".length);
    const links = linkDelegation(recordFile, input.runUrl);
    const text = fitRows(maxPageBytes, (rows) => delegation({ ...viewDelegation(input, rows), ...links }));
    return [
      { path: `${reportsDir}/${paths.page}`, text },
      { path: `${reportsDir}/${paths.record}`, text: formatDelegationRecord(input.record) },
    ];
  }

  return {
    renderFiles,
    renderSummary: (input, maxBytes = maxSummaryBytes) =>
      fitRows(maxBytes, (rows) => summary(viewSummary(input, rows))),
    renderDelegationFiles,
    renderFirstIndex: ({ reportsDir, mappingsFile }) =>
      index(viewFirstIndex(findRelativePath(reportsDir, mappingsFile))),
    renderStatus(readme, record, reportsDir) {
      const line = describeStatusLine(record, `${reportsDir}/README.md`);
      const text = readme.replace(
        createStatusMarkers(record.organisation),
        (_, start: string, end: string) => `${start}\n${line}\n${end}`,
      );
      return text === readme ? null : text;
    },
    nameLateRecord: ({ kind, record, runId }, reportsDir) =>
      `${reportsDir}/${nameRunFiles(record.startedAt, runId, kind === "membership" ? "runs" : "delegations").record}`,
    renderDelegationSummary(input, reportAddress, maxBytes = maxSummaryBytes) {
      const reportLink = reportAddress === null ? null : linkTo(md`The whole report`, reportAddress);
      return fitRows(maxBytes, (rows) => delegationSummary({ ...viewDelegation(input, rows), reportLink }));
    },
    renderScheduling(of, reportsDir, delegationsFile) {
      const folder = `${reportsDir}/delegations`;
      const address = findRelativePath(folder, delegationsFile);
      const text = fitRows(maxPageBytes, (rows) => scheduling(viewScheduling(of, address, rows)));
      return { path: `${folder}/README.md`, text };
    },
    renderPlanComment: (input) =>
      `${markNote("planComment", input.record.organisation)}\n${fitRows(maxNoteBytes, (rows) => planComment(viewPlanComment(input, rows)))}`,
    renderIssue: (input) =>
      `${markNote("trackingIssue", input.record.organisation)}\n${fitRows(maxNoteBytes, (rows) => trackingIssue(viewIssue(input, rows)))}`,
    renderWhy: (answer, isLeaving) => why(viewWhy(answer, isLeaving)),
    renderOverview: (organisations) =>
      fitRows(maxPageBytes, (rows) => overview(viewOverview(organisations, rows))),
    renderSetupGuide: (input) => setupGuide(viewSetupGuide(input)),
  };
}

const partNames = [
  "held",
  "failures",
  "problems",
  "notices",
  "held-rooms",
  "diff",
  "approve",
  "delegation-body",
] as const;

type Template = (view: View) => string;

/** Views have made texts harmless, so templates escape nothing; a name that a view does not have is an error. */
function createCompiler(): (name: string) => Template {
  const handlebars = Handlebars.create();
  const compile = (name: string) => {
    const text = readFileSync(new URL(`templates/${name}.hbs`, import.meta.url), "utf8");
    // A checkout may have other line ends, which are no news in a report.
    return handlebars.compile<View>(text.replaceAll("\r\n", "\n"), {
      noEscape: true,
      strict: true,
      knownHelpersOnly: true,
    });
  };
  for (const name of partNames) handlebars.registerPartial(name, compile(name));
  return compile;
}

/** Writes the record: the contract's keys first, two spaces, a final newline. */
export function formatDelegationRecord(record: DelegationRecord): string {
  return formatBySchema(delegationRecordSchema, record);
}

/** True when two notes say the same, whichever run wrote them. */
export function isSameNote(one: string, other: string): boolean {
  return withoutRuns(one) === withoutRuns(other);
}

function withoutRuns(note: string): string {
  return note
    .replaceAll("\r\n", "\n")
    .replace(/\/actions\/runs\/\d+/g, "/actions/runs/")
    .trim();
}

/** Delegation runs are not part of the memory. */
function insertLate(history: History, late: OwedReport): History {
  if (late.kind === "delegation") return history;
  return insertHistory(history, late.record, nameRunFiles(late.record.startedAt, late.runId, "runs").page);
}

function nameRunFiles(startedAt: string, runId: string, folder: "runs" | "delegations") {
  const id = runId
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "")
    .slice(0, 64);
  const base = `${folder}/${startedAt.slice(0, 10)}-${id || "run"}`;
  return { page: `${base}.md`, record: `${base}.json` };
}

/** Null when either lies outside the repository, where a link could not lead to it. */
function findRelativePath(fromFolder: string, file: string): string | null {
  const isOutside = (path: string) => posix.isAbsolute(path) || /^([A-Za-z]:|\.\.(\/|$)|.*\\)/.test(path);
  if (isOutside(fromFolder) || isOutside(file)) return null;
  return posix.relative(posix.join("/", fromFolder), posix.join("/", file));
}
