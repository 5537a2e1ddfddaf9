import { readFileSync } from "node:fs";
import { type Context, type Options, textOption } from "../cli/context.ts";
import type { DraftFiles } from "../commands/store-files.ts";
import { type StoredReport, storeReport } from "../commands/store-report.ts";
import type { Surroundings } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { Annotation, Runner } from "../github/runner.ts";
import type { Policy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import { formatRecord } from "../report/record-json.ts";
import { createRenderer } from "../report/renderer.ts";
import { renderTerminal } from "../report/terminal.ts";
import { describeLife, measureLife } from "../token/expiry.ts";
import { nameReportsDir } from "./inputs.ts";

/** What is told, and of which surroundings. */
export interface Delivery {
  readonly record: RunRecord;
  readonly annotations: readonly Annotation[];
  readonly policy: Policy["report"];
  readonly mappingsFile: string;
  /** Where the report is kept; null when this run leaves none: a plan, or one that did not come as far as Webex. */
  readonly reportPlace: Config["reportPlace"] | null;
  /** Files of another kind for the report's commit; null when there are none. */
  readonly draftOthers: DraftFiles | null;
}

/** GitHub drops a step summary of more than 1 MiB whole; a little room is left for what others add. */
export const mostSummaryBytes = 1000 * 1024;

/**
 * Tells what happened, everywhere it is looked for: the report, the record, the step summary, the outputs, the
 * annotations and the terminal. A report that cannot be stored makes the run `partial`; the rest is told all the same.
 * Returns the record as it was told.
 */
export async function deliver(
  delivery: Delivery,
  options: Options,
  context: Context,
  surroundings: Surroundings,
  runner: Runner,
): Promise<RunRecord> {
  const renderer = createRenderer(readTemplate);
  const stored = await storeReport(
    { ...delivery, reportsDir: nameReportsDir(options, delivery.reportPlace?.kind === "branch") },
    surroundings,
    renderer,
  );
  const { address } = stored;
  const record = addFindings(delivery.record, stored);

  const input = {
    record,
    notices: record.notices,
    policy: delivery.policy,
    // A summary is no page of the repository: a relative link would lead nowhere.
    mappingsAddress: null,
    repositoryUrl: surroundings.repositoryUrl,
    runUrl: surroundings.runUrl,
    reportAddress: address,
  };
  const markdown = renderer.renderSummary(input, mostSummaryBytes);
  runner.annotate(delivery.annotations);
  warnOfTokenEnd(record, delivery.policy.tokenWarningDays, runner);
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
  const lines = renderTerminal(record, delivery.mappingsFile, context.paint);
  if (record.status === "failed") context.tell(lines);
  else context.print(lines);
  // On GitHub the run's summary leads to the report; on a person's machine this line does.
  if (address !== null && delivery.reportPlace?.kind === "folder") context.tell(`Report: ${address}`);

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
  const life = measureLife(token?.refreshTokenExpiresAt ?? null, new Date(finishedAt), warningDays);
  if (life?.isShort) runner.warn(describeLife(life));
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
