import { posix } from "node:path";

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
