import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config, Surroundings } from "../config.ts";
import { replaceFile } from "../disk/replace-file.ts";
import type { Annotation, Runner } from "../github/runner.ts";
import type { Policy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import { parseHistory } from "../report/history.ts";
import { formatRecord } from "../report/record-text.ts";
import {
  createRenderer,
  type Renderer,
  type ReportFile,
  type Templates,
  templateNames,
} from "../report/render.ts";
import { renderTerminal } from "../report/terminal.ts";
import { type Context, type Options, textOption } from "./context.ts";

/** What is told, and of which surroundings. */
export interface Delivery {
  readonly record: RunRecord;
  readonly annotations: readonly Annotation[];
  readonly policy: Policy["report"];
  readonly mappingsFile: string;
  /** Where the report is kept; null when this run leaves none: a plan, or one that did not come as far as Webex. */
  readonly reportPlace: Config["reportPlace"] | null;
}

/** GitHub drops a step summary of more than 1 MiB whole; a little room is left for what others add. */
const mostSummaryBytes = 1000 * 1024;

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
  const renderer = createRenderer(await loadTemplates());
  const stored = await storeReport(delivery, options, surroundings, renderer);
  const record = "error" in stored ? addProblem(delivery.record, stored.error) : delivery.record;
  const address = "address" in stored ? stored.address : null;

  const jsonFile = textOption(options, "json");
  if (jsonFile !== null) await replaceFile(jsonFile, formatRecord(record));
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
  const markdownFile = textOption(options, "markdown");
  if (markdownFile !== null) await replaceFile(markdownFile, markdown);
  await runner.writeSummary(markdown);
  runner.annotate(delivery.annotations);
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
  return record;
}

type Stored = { readonly address: string | null } | { readonly error: string };

async function storeReport(
  { record, policy, mappingsFile, reportPlace }: Delivery,
  options: Options,
  surroundings: Surroundings,
  renderer: Renderer,
): Promise<Stored> {
  if (reportPlace === null) return { address: null };
  const reportsDir = textOption(options, "reports") ?? "reports";
  const memoryPath = `${reportsDir}/history.json`;
  const render = (historyText: string | undefined) =>
    renderer.renderFiles({
      record,
      policy,
      historyText,
      mappingsFile,
      reportsDir,
      runId: surroundings.runId ?? `local-${record.startedAt.slice(11).replace(/\D/g, "")}`,
      repositoryUrl: surroundings.repositoryUrl,
      runUrl: surroundings.runUrl,
    });
  try {
    if (reportPlace.kind === "folder") {
      const memory = await readFile(memoryPath, "utf8").catch(() => undefined);
      const files = render(memory);
      for (const { path, text } of files) await replaceFile(path, text);
      return { address: findPage(files) ?? (memory === undefined ? null : join(reportsDir, "README.md")) };
    }
    const { commitReport } = await import("../github/report-branch.ts");
    const { repository, branch } = reportPlace;
    let page = `${reportsDir}/README.md`;
    await commitReport(reportPlace, memoryPath, (memory) => {
      // After an answer that got lost on the way, the branch may hold this very run already.
      if (parseHistory(memory).history.checkedAt === record.startedAt) return null;
      const files = render(memory);
      page = findPage(files) ?? page;
      return files.length === 0 ? null : { files, headline: describeCommit(record) };
    });
    return {
      address: `${repository.serverUrl}/${repository.owner}/${repository.name}/blob/${branch}/${page}`,
    };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
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

function addProblem(record: RunRecord, message: string): RunRecord {
  const status = record.status === "failed" ? "failed" : "partial";
  return { ...record, status, problems: [...record.problems, { line: null, column: null, message }] };
}

async function loadTemplates(): Promise<Templates> {
  const texts = templateNames.map(async (name) => {
    const file = new URL(`../report/templates/${name}.hbs`, import.meta.url);
    return [name, await readFile(file, "utf8")] as const;
  });
  return Object.fromEntries(await Promise.all(texts)) as Templates;
}
