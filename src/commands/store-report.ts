import type { Surroundings } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import type { RunRecord } from "../membership/record.ts";
import { messageOf } from "../message-of.ts";
import { findFlapping } from "../report/flapping.ts";
import { parseHistory } from "../report/history.ts";
import type { Renderer, ReportFile, ReportInput } from "../report/renderer.ts";
import { addressOf, type DraftFiles, nameRun, storeFiles } from "./store-files.ts";

/** What is to be stored, and where; null when the run leaves no report. */
export interface ReportOrder extends Pick<ReportInput, "record" | "policy" | "mappingsFile"> {
  readonly reportPlace: Config["reportPlace"] | null;
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
  surroundings: Surroundings,
  renderer: Renderer,
): Promise<StoredReport> {
  const { record, policy, mappingsFile, reportPlace, reportsDir, draftOthers } = order;
  if (reportPlace === null) return { address: null, notices: [], error: null };
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
      runId: nameRun(record, surroundings),
      repositoryUrl: surroundings.repositoryUrl,
      runUrl: surroundings.runUrl,
    });
    return [...files, ...(draftOthers === null ? [] : await draftOthers(read))];
  };
  try {
    const files = await storeFiles(reportPlace, memoryPath, draft, describeCommit(record));
    const page = findPage(files) ?? `${reportsDir}/README.md`;
    return { address: addressOf(reportPlace, page), notices, error: null };
  } catch (error) {
    return { address: null, notices, error: messageOf(error) };
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
