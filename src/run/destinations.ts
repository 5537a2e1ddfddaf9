import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import { proveFile, proveFolder } from "../disk/write-atomic.ts";
import { logReportsElsewhere } from "./inputs.ts";

/**
 * Proves that what a run is going to tell has somewhere to go, before the token is refreshed: a change that nobody can
 * be told of must not be made. Returns where the report goes; `leavesReport` is false for what only shows.
 * @throws naming the file, the folder or the branch; nothing was touched then.
 */
export async function proveDestinations(
  target: ReportTarget,
  leavesReport: boolean,
  context: Context,
): Promise<ReportTarget> {
  const { paths } = context;
  await proveFiles([paths.json, paths.markdown, paths.owed]);
  if (!leavesReport) return target;
  logReportsElsewhere(target, context);
  if (target.kind === "folder") {
    await proveReports(paths.disk.reports);
    if (paths.overview !== null) await proveOverview(paths.overview);
    return target;
  }
  // Loaded only where there is a branch: Octokit is large.
  const { checkReportBranch } = await import("../github/commit.ts");
  return { kind: "branch", ...(await checkReportBranch(target)) };
}

/** Proves files that the command line names for output. @throws for one that cannot be written. */
export async function proveFiles(files: readonly (string | null | undefined)[]): Promise<void> {
  for (const file of files) if (file !== null && file !== undefined) await proveFile(file);
}

/** The pages that every report replaces, and the folders that hold one page a run. */
async function proveReports(folder: string): Promise<void> {
  await proveFolder(folder);
  await proveThose(folder, ["README.md", "history.json", "state.json"]);
  for (const name of ["runs", "delegations"]) {
    const inner = join(folder, name);
    if (await isThere(inner)) await proveFolder(inner);
  }
}

async function proveOverview(folder: string): Promise<void> {
  await proveThose(folder, ["README.md", "organisations.json"]);
}

async function proveThose(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const file = join(folder, name);
    if (await isThere(file)) await proveFile(file);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
