import { posix } from "node:path";
import Handlebars from "handlebars";
import { type DelegationRecord, delegationRecordSchema } from "../delegation/record.ts";
import { type DelegationInput, linkDelegation, viewDelegation } from "./delegation.ts";
import { decideReport, extendHistory, findFlapping, parseHistory } from "./history.ts";
import { viewIndex } from "./index-page.ts";
import { type IssueInput, viewIssue } from "./issue.ts";
import { linkTo, md, type View } from "./markdown.ts";
import { type PlanCommentInput, viewPlanComment } from "./plan-comment.ts";
import { formatBySchema, formatRecord } from "./record-json.ts";
import { fitRows } from "./rows.ts";
import { viewRun } from "./run-page.ts";
import type { PageInput, ReportPolicy } from "./sections.ts";
import { type SetupGuideInput, viewSetupGuide } from "./set-up.ts";
import { type SummaryInput, viewSummary } from "./summary.ts";

/** The parts that the templates share. */
const partNames = ["held", "failures", "problems", "notices", "room-rows", "approve"] as const;

/** The name of a template or a part: src/report/templates/<name>.hbs, read by whoever may read files. */
export type TemplateName = "index" | "run" | "summary" | (typeof partNames)[number];

/** One file of the report; the path is seen from the repository (or wherever `reportsDir` is). */
export interface ReportFile {
  readonly path: string;
  readonly text: string;
}

/** What the report of one run is made from. */
export interface ReportInput extends Pick<PageInput, "record" | "repositoryUrl" | "runUrl"> {
  readonly policy: ReportPolicy;
  /** The text of history.json before this run; undefined when there is none. */
  readonly historyText: string | undefined;
  /** Names the run's page: the workflow run's id, or anything that tells two runs of a day apart. */
  readonly runId: string;
  readonly reportsDir: string;
  readonly mappingsFile: string;
}

/** Renders what people read. */
export interface Renderer {
  /** The files to write or commit after a run; none when there is nothing new to say. */
  renderFiles(input: ReportInput): readonly ReportFile[];
  /** The short text for the step summary, the terminal and comments, cut between rows to fit `maxBytes`. */
  renderSummary(input: SummaryInput, maxBytes: number): string;
}

/** GitHub shows no more than 500 KiB of a Markdown file. */
const maxPageBytes = 500 * 1024;

/** Compiles the templates of the report. */
export function createRenderer(readTemplate: (name: TemplateName) => string): Renderer {
  const compile = createCompiler(readTemplate, partNames);
  const index = compile("index");
  const run = compile("run");
  const summary = compile("summary");

  function renderFiles(input: ReportInput): readonly ReportFile[] {
    const { record, runId, reportsDir, mappingsFile, policy } = input;
    const { history, notice } = parseHistory(input.historyText);
    const due = decideReport(history, record, policy.heartbeatDays);
    if (!due.commit) return [];
    const paths = nameRunFiles(record.startedAt, runId);
    const extended = extendHistory(history, record, paths.page);
    const told = { ...record, notices: [...record.notices, ...findFlapping(history, record)] };
    const page = (folder: string): PageInput => ({
      ...input,
      notices: [...(notice ? [notice] : []), ...told.notices],
      mappingsAddress: findRelativePath(folder, mappingsFile),
    });
    const files: ReportFile[] = [{ path: "history.json", text: `${JSON.stringify(extended, null, 2)}\n` }];
    // An undo has read its own rooms only; the next check, which is due at once, tells the state of all.
    if (record.command !== "restore") {
      const input = page(reportsDir);
      files.push({
        path: "README.md",
        text: fitRows(maxPageBytes, (rows) => index(viewIndex(input, extended, rows))),
      });
    }
    if (due.page) {
      const input = page(`${reportsDir}/runs`);
      const recordFile = paths.record.slice("runs/".length);
      files.push({
        path: paths.page,
        text: fitRows(maxPageBytes, (rows) => run(viewRun(input, recordFile, rows))),
      });
      files.push({ path: paths.record, text: formatRecord(told) });
    }
    return files.map((file) => ({ path: `${reportsDir}/${file.path}`, text: file.text }));
  }

  return {
    renderFiles,
    renderSummary: (input, maxBytes) => fitRows(maxBytes, (rows) => summary(viewSummary(input, rows))),
  };
}

const notePartNames = ["held", "approve", "failures", "notices"] as const;

/** The name of a template of a note, or of a part that notes share with the report. */
export type NoteTemplateName = (typeof notePartNames)[number] | "plan-comment" | "attention" | "set-up";

/** Renders what is told outside of the report: comments, issues, and what has to be set up. */
export interface NoteRenderer {
  /** The comment on a pull request, cut between rows to fit. */
  renderPlanComment(input: PlanCommentInput): string;
  /** The body of the one issue while something needs a person, cut between rows to fit. */
  renderIssue(input: IssueInput): string;
  renderSetupGuide(input: SetupGuideInput): string;
}

/** GitHub refuses comments and issues of more than 65,536 characters; a character is at least one byte. */
const maxNoteBytes = 60_000;

/** By which own notes are found again; no text from outside can hold them, for its `<` is escaped. */
export const noteMarkers = {
  planComment: "<!-- rollcall:plan -->",
  trackingIssue: "<!-- rollcall:attention -->",
} as const;

/** Compiles the templates of the notes. */
export function createNoteRenderer(readTemplate: (name: NoteTemplateName) => string): NoteRenderer {
  const compile = createCompiler(readTemplate, notePartNames);
  const planComment = compile("plan-comment");
  const trackingIssue = compile("attention");
  const setUp = compile("set-up");
  return {
    renderPlanComment: (input) =>
      `${noteMarkers.planComment}\n${fitRows(maxNoteBytes, (rows) => planComment(viewPlanComment(input, rows)))}`,
    renderIssue: (input) =>
      `${noteMarkers.trackingIssue}\n${fitRows(maxNoteBytes, (rows) => trackingIssue(viewIssue(input, rows)))}`,
    renderSetupGuide: (input) => setUp(viewSetupGuide(input)),
  };
}

/** True when two notes say the same: which run wrote them is no news. */
export function isSameNote(one: string, other: string): boolean {
  return withoutRuns(one) === withoutRuns(other);
}

function withoutRuns(note: string): string {
  return note
    .replaceAll("\r\n", "\n")
    .replace(/\/actions\/runs\/\d+/g, "/actions/runs/")
    .trim();
}

/** The name of a template of the delegation report. */
export type DelegationTemplateName = "delegation" | "delegation-body" | "delegation-summary";

/** Renders what people read about delegations. */
export interface DelegationRenderer {
  /** The page and the record, below the reports folder; `runId` tells two runs of a day apart. */
  renderFiles(input: DelegationInput, runId: string, reportsDir: string): readonly [ReportFile, ReportFile];
  /** The text for the step summary, cut between rows to fit `maxBytes`; `reportAddress` is null without a report. */
  renderSummary(input: DelegationInput, reportAddress: string | null, maxBytes: number): string;
}

/** Compiles the templates of the delegation report. */
export function createDelegationRenderer(
  readTemplate: (name: DelegationTemplateName) => string,
): DelegationRenderer {
  const compile = createCompiler(readTemplate, ["delegation-body"]);
  const page = compile("delegation");
  const summary = compile("delegation-summary");
  return {
    renderFiles(input, runId, reportsDir) {
      const paths = nameRunFiles(input.record.startedAt, runId, "delegations");
      const recordFile = paths.record.slice("delegations/".length);
      const links = linkDelegation(recordFile, input.runUrl);
      const text = fitRows(maxPageBytes, (rows) => page({ ...viewDelegation(input, rows), ...links }));
      return [
        { path: `${reportsDir}/${paths.page}`, text },
        { path: `${reportsDir}/${paths.record}`, text: formatDelegationRecord(input.record) },
      ];
    },
    renderSummary(input, reportAddress, maxBytes) {
      const reportLink = reportAddress === null ? null : linkTo(md`The whole report`, reportAddress);
      return fitRows(maxBytes, (rows) => summary({ ...viewDelegation(input, rows), reportLink }));
    },
  };
}

/** Writes the record: the contract's keys first, two spaces, a final newline. */
export function formatDelegationRecord(record: DelegationRecord): string {
  return formatBySchema(delegationRecordSchema, record);
}

/** Fills a compiled template with a view. */
type Template = (view: View) => string;

/**
 * Makes the compiler for a set of templates, and registers the parts that they share. Texts are made harmless in the
 * views, so templates escape nothing again; a name that a view does not have is an error.
 */
export function createCompiler<Name extends string>(
  readTemplate: (name: Name) => string,
  partNames: readonly NoInfer<Name>[],
): (name: Name) => Template {
  const handlebars = Handlebars.create();
  const compile = (name: Name) =>
    handlebars.compile<View>(readTemplate(name), { noEscape: true, strict: true, knownHelpersOnly: true });
  for (const name of partNames) handlebars.registerPartial(name, compile(name));
  return compile;
}

/** Where a run's page and its record lie, seen from the reports folder. */
export interface RunPaths {
  readonly page: string;
  readonly record: string;
}

/** Names the files of one run: `<folder>/<date>-<run id>.md` and `.json`; the date is that of the start, in UTC. */
export function nameRunFiles(
  startedAt: string,
  runId: string,
  folder: "runs" | "delegations" = "runs",
): RunPaths {
  const id = runId
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "")
    .slice(0, 64);
  const base = `${folder}/${startedAt.slice(0, 10)}-${id || "run"}`;
  return { page: `${base}.md`, record: `${base}.json` };
}

/**
 * The relative address of one repository file in another's folder; null when either lies outside the repository,
 * where a link could not lead to it.
 */
export function findRelativePath(fromFolder: string, file: string): string | null {
  const isOutside = (path: string) => posix.isAbsolute(path) || /^([A-Za-z]:|\.\.(\/|$)|.*\\)/.test(path);
  if (isOutside(fromFolder) || isOutside(file)) return null;
  return posix.relative(posix.join("/", fromFolder), posix.join("/", file));
}
