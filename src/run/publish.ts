import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Context, type Options, textOption } from "../cli/context.ts";
import type { Actions } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { ReadText } from "../github/commit.ts";
import type { Annotation, Runner } from "../github/runner.ts";
import { errorMessage } from "../lib/text.ts";
import type { Policy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import { findFlapping, parseHistory } from "../report/history.ts";
import { formatRecord } from "../report/record-json.ts";
import { createRenderer, type Renderer, type ReportFile, type ReportInput } from "../report/renderer.ts";
import { renderTerminal } from "../report/terminal.ts";
import { describeExpiry, measureExpiry } from "../token/expiry.ts";
import { nameReportsDir } from "./inputs.ts";

/** What is told, and of which surroundings. */
export interface Publication {
  readonly record: RunRecord;
  readonly annotations: readonly Annotation[];
  readonly policy: Policy["report"];
  readonly mappingsFile: string;
  /** Where the report is kept; null when this run leaves none: a plan, or one that did not come as far as Webex. */
  readonly reportTarget: Config["reportTarget"] | null;
  /** Files of another kind for the report's commit; null when there are none. */
  readonly draftOthers: DraftFiles | null;
}

/** GitHub drops a step summary of more than 1 MiB whole; a little room is left for what others add. */
export const maxSummaryBytes = 1000 * 1024;

/**
 * Tells what happened, everywhere it is looked for: the report, the record, the step summary, the outputs, the
 * annotations and the terminal. A report that cannot be stored makes the run `partial`; the rest is told all the same.
 * Returns the record as it was told.
 */
export async function publish(
  publication: Publication,
  options: Options,
  context: Context,
  actions: Actions,
  runner: Runner,
): Promise<RunRecord> {
  const renderer = createRenderer(readTemplate);
  const stored = await storeReport(
    { ...publication, reportsDir: nameReportsDir(options, publication.reportTarget?.kind === "branch") },
    actions,
    renderer,
  );
  const { address } = stored;
  const record = addFindings(publication.record, stored);

  const input = {
    record,
    notices: record.notices,
    policy: publication.policy,
    // A summary is no page of the repository: a relative link would lead nowhere.
    mappingsAddress: null,
    repositoryUrl: actions.repositoryUrl,
    runUrl: actions.runUrl,
    reportAddress: address,
  };
  const markdown = renderer.renderSummary(input, maxSummaryBytes);
  runner.annotate(publication.annotations);
  warnOfTokenEnd(record, publication.policy.tokenWarningDays, runner);
  const { added, removed, held, failed } = record.totals;
  runner.setOutputs({
    status: record.status,
    added,
    removed,
    held,
    failed,
    digest: record.digest ?? "",
    report: address ?? "",
  });
  const lines = renderTerminal(record, publication.mappingsFile, context.paint);
  if (record.status === "failed") context.log(lines);
  else context.print(lines);
  // On GitHub the run's summary leads to the report; on a person's machine this line does.
  if (address !== null && publication.reportTarget?.kind === "folder") context.log(`Report: ${address}`);

  // Files come last: one that cannot be written must not keep what was done from being told.
  await runner.writeSummary(markdown);
  const jsonFile = textOption(options, "json");
  if (jsonFile !== null) await replaceFile(jsonFile, formatRecord(record));
  const markdownFile = textOption(options, "markdown");
  if (markdownFile !== null) await replaceFile(markdownFile, markdown);
  return record;
}

/** Warns on the runner when the refresh token of a run lives for fewer days than that. */
export function warnOfTokenEnd(
  { token, finishedAt }: Pick<RunRecord, "token" | "finishedAt">,
  warningDays: number,
  runner: Runner,
): void {
  const expiry = measureExpiry(token?.refreshTokenExpiresAt ?? null, new Date(finishedAt), warningDays);
  if (expiry?.isShort) runner.warn(describeExpiry(expiry));
}

function addFindings(record: RunRecord, { error, notices }: StoredReport): RunRecord {
  const told = { ...record, notices: [...record.notices, ...notices] };
  if (error === null) return told;
  const problem = { line: null, column: null, message: error };
  return {
    ...told,
    status: record.status === "failed" ? "failed" : "partial",
    problems: [...record.problems, problem],
  };
}

/** Reads a template by its name. */
export function readTemplate(name: string): string {
  return readFileSync(new URL(`../report/templates/${name}.hbs`, import.meta.url), "utf8");
}

/** What is to be stored, and where; null when the run leaves no report. */
export interface ReportOrder extends Pick<ReportInput, "record" | "policy" | "mappingsFile"> {
  readonly reportTarget: Config["reportTarget"] | null;
  /** The folder of the reports: on disk, or in the repository. */
  readonly reportsDir: string;
  /** Files of another kind that go into the same commit; null when there are none. */
  readonly draftOthers: DraftFiles | null;
}

/** What became of the report. */
export interface StoredReport {
  /** Where people read it; null when it was not stored. */
  readonly address: string | null;
  /** What the memory of earlier runs adds to this one. */
  readonly notices: readonly string[];
  /** Why it could not be stored; null when it was, or was not to be. */
  readonly error: string | null;
}

/** Writes the report to its folder, or commits it to its branch. Never throws: a run must tell the rest all the same. */
export async function storeReport(
  order: ReportOrder,
  actions: Actions,
  renderer: Renderer,
): Promise<StoredReport> {
  const { record, policy, mappingsFile, reportTarget, reportsDir, draftOthers } = order;
  if (reportTarget === null) return { address: null, notices: [], error: null };
  const memoryPath = `${reportsDir}/history.json`;
  let notices: readonly string[] = [];
  let drafts = 0;
  const draft: DraftFiles = async (read) => {
    const historyText = await read(memoryPath);
    const { history } = parseHistory(historyText);
    drafts += 1;
    // Asked again after an answer that got lost on the way, it may find this very run on the branch already.
    if (drafts > 1 && history.checkedAt === record.startedAt) return [];
    notices = findFlapping(history, record);
    const files = renderer.renderFiles({
      record,
      policy,
      historyText,
      mappingsFile,
      reportsDir,
      runId: nameRun(record, actions),
      repositoryUrl: actions.repositoryUrl,
      runUrl: actions.runUrl,
    });
    return [...files, ...(draftOthers === null ? [] : await draftOthers(read))];
  };
  try {
    const files = await storeFiles(reportTarget, memoryPath, draft, describeCommit(record));
    const page = findPage(files) ?? `${reportsDir}/README.md`;
    return { address: addressOf(reportTarget, page), notices, error: null };
  } catch (error) {
    return { address: null, notices, error: errorMessage(error) };
  }
}

function describeCommit({ status, totals }: RunRecord): string {
  const counts = (["added", "removed", "held", "failed"] as const).filter((name) => totals[name] > 0);
  return `Rollcall: ${counts.map((name) => `${totals[name]} ${name}`).join(", ") || status}`;
}

/** The run's own page among the files, or the index. */
function findPage(files: readonly ReportFile[]): string | undefined {
  const pages = files.map((file) => file.path).filter((path) => path.endsWith(".md"));
  return pages.find((path) => path.includes("/runs/")) ?? pages[0];
}

/** Makes the files to store from what is stored there; none when there is nothing to say. May be asked again. */
export type DraftFiles = (read: ReadText) => Promise<readonly ReportFile[]>;

/**
 * Writes files to disk, or commits them as one commit. `memoryPath` is the file that `draft` is sure to read.
 * Returns the files as they were stored. @throws when they could not be.
 */
export async function storeFiles(
  place: Config["reportTarget"],
  memoryPath: string,
  draft: DraftFiles,
  headline: string,
): Promise<readonly ReportFile[]> {
  if (place.kind === "folder") {
    const files = await draft((path) => readFile(path, "utf8").catch(() => undefined));
    for (const { path, text } of files) await replaceFile(path, text);
    return files;
  }
  const { commitReport } = await import("../github/commit.ts");
  let stored: readonly ReportFile[] = [];
  await commitReport(place, memoryPath, async (memory, read) => {
    const files = await draft(async (path) => (path === memoryPath ? memory : await read(path)));
    // Asked again, it may find the files committed already, by an answer that got lost on the way.
    if (files.length > 0) stored = files;
    return files.length === 0 ? null : { files, headline };
  });
  return stored;
}

/** Where people read a stored file. */
export function addressOf(place: Config["reportTarget"], path: string): string {
  if (place.kind === "folder") return path;
  const { repository, branch } = place;
  return `${repository.serverUrl}/${repository.owner}/${repository.name}/blob/${branch}/${path}`;
}

/** What tells this run's page from those of other runs of its day. */
export function nameRun(
  { startedAt }: { readonly startedAt: string },
  { runId, runAttempt }: Actions,
): string {
  if (runId !== null) return runAttempt > 1 ? `${runId}-${runAttempt}` : runId;
  return `local-${startedAt.slice(11).replace(/\D/g, "")}`;
}
