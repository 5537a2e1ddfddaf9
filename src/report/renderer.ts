import { createCompiler } from "./compile-templates.ts";
import { findFlapping } from "./flapping.ts";
import { decideReport, extendHistory, parseHistory } from "./history.ts";
import { viewIndex } from "./index-page.ts";
import { findRelativePath, nameRunFiles } from "./paths.ts";
import { formatRecord } from "./record-json.ts";
import { fitRows } from "./rows.ts";
import { viewRun } from "./run-page.ts";
import type { PageInput, ReportPolicy } from "./sections.ts";
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
