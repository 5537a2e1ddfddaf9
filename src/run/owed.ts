import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { Context } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { Artifact } from "../github/artifacts.ts";
import { compareStrings, errorMessage } from "../lib/text.ts";
import { formatOwed, type OwedReport, parseOwed } from "../report/owed.ts";

/** The workflows upload the file under this name; the jobs of one run must not take each other's. */
function nameArtifact({ organisation }: Context["paths"]): string {
  return organisation === null ? "rollcall-owed" : `rollcall-owed-${organisation}`;
}

/** The reports that earlier runs could not commit, and what keeps this run's own until it is committed. */
export interface OwedReports {
  /** Looks for those of earlier runs, once. Never throws: what cannot be looked at stays where it is for the next run. */
  find(): Promise<readonly OwedReport[]>;
  /** Keeps this run's own, with what was found, in the file that becomes the run's artifact. True where that is so. */
  keep(own: OwedReport | null): Promise<boolean>;
  /** Everything is committed. */
  settle(): Promise<void>;
}

/** Without a runner of GitHub's nothing is found and nothing is kept: there are no artifacts. */
export function createOwedReports(target: ReportTarget, context: Context): OwedReports {
  const { actions, paths, stop } = context;
  const { refName } = actions;
  const file = paths.owed;
  if (target.kind !== "branch" || actions.runId === null || refName === null || file === null) {
    return { find: async () => [], keep: async () => false, settle: async () => undefined };
  }
  let found: readonly Found[] | null = null;
  const sort = () => sortOwed((found ?? []).flatMap(({ reports }) => reports));
  return {
    async find() {
      // A run that is to end has no time for the reports of others.
      if (!stop.aborted) found ??= await findOwed(target, { branch: refName, file: basename(file) }, context);
      return sort();
    },
    async keep(own) {
      const all = own === null ? sort() : [...sort(), own];
      if (all.length === 0) return false;
      return await replaceFile(file, formatOwed(all)).then(
        () => true,
        (error: unknown) => warn(errorMessage(error), context),
      );
    },
    async settle() {
      await rm(file, { force: true });
      if (!found?.length) return;
      const { deleteArtifact } = await import("../github/artifacts.ts");
      for (const { artifact } of found) await deleteArtifact(target, artifact).catch(() => false);
    },
  };
}

interface Found {
  readonly artifact: Artifact;
  readonly reports: readonly OwedReport[];
}

async function findOwed(
  target: Extract<ReportTarget, { readonly kind: "branch" }>,
  { branch, file }: { readonly branch: string; readonly file: string },
  context: Context,
): Promise<readonly Found[]> {
  const { listArtifacts, readArtifact } = await import("../github/artifacts.ts");
  const found: Found[] = [];
  try {
    for (const artifact of await listArtifacts(target, nameArtifact(context.paths), branch)) {
      const reports = parseOwed(await readArtifact(target, artifact, file));
      if (reports === null)
        warn(`the artifact of run ${artifact.runId} is not as Rollcall writes it`, context);
      else found.push({ artifact, reports });
    }
  } catch (error) {
    warn(`whether an earlier run owes its report could not be looked at: ${errorMessage(error)}`, context);
  }
  return found;
}

/** The oldest first, each once: a run that could not commit them either has kept those of others with its own. */
function sortOwed(reports: readonly OwedReport[]): readonly OwedReport[] {
  const unique = new Map(reports.map((report) => [`${report.kind} ${report.runId}`, report]));
  return [...unique.values()].sort((a, b) => compareStrings(a.record.startedAt, b.record.startedAt));
}

function warn(message: string, { log, runner }: Context): false {
  log(message);
  runner.warn(message);
  return false;
}
