import { readFile } from "node:fs/promises";
import type { Surroundings } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { ReadText } from "../github/commit.ts";
import type { ReportFile } from "../report/renderer.ts";

/** Makes the files to store from what is stored there; none when there is nothing to say. May be asked again. */
export type DraftFiles = (read: ReadText) => Promise<readonly ReportFile[]>;

/**
 * Writes files to disk, or commits them as one commit. `memoryPath` is the file that `draft` is sure to read.
 * Returns the files as they were stored. @throws when they could not be.
 */
export async function storeFiles(
  place: Config["reportPlace"],
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
export function addressOf(place: Config["reportPlace"], path: string): string {
  if (place.kind === "folder") return path;
  const { repository, branch } = place;
  return `${repository.serverUrl}/${repository.owner}/${repository.name}/blob/${branch}/${path}`;
}

/** What tells this run's page from those of other runs of its day. */
export function nameRun(
  { startedAt }: { readonly startedAt: string },
  { runId, runAttempt }: Surroundings,
): string {
  if (runId !== null) return runAttempt > 1 ? `${runId}-${runAttempt}` : runId;
  return `local-${startedAt.slice(11).replace(/\D/g, "")}`;
}
