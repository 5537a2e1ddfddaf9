import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";

/** What the command line may say about files. */
export interface PathOptions {
  readonly mappings?: string;
  readonly policy?: string;
  readonly reports?: string;
  /** True where JSON is to be printed, not written to a file. */
  readonly json?: string | true;
  readonly markdown?: string;
  readonly [other: string]: string | true | undefined;
}

/** What a report changes: its folder, and the file of the delegations that end. */
export interface ReportPaths {
  readonly reports: string;
  readonly delegations: string;
}

/** The files of a run, as this process finds them. */
export interface Paths {
  readonly mappings: string;
  readonly policy: string;
  /** Only the standard file may be absent: one that was named was meant to be read. */
  readonly isPolicyNamed: boolean;
  readonly disk: ReportPaths;
  /** As the repository knows them: what is committed never lies outside of it. */
  readonly repository: ReportPaths;
  /** The folder of `--reports` where it lies outside of the repository; null otherwise. */
  readonly reportsElsewhere: string | null;
  /** Where the record and the summary are written besides; null when they are not. */
  readonly json: string | null;
  readonly markdown: string | null;
  /** Beside the record: the reports that are still to be committed, for the run's artifact. */
  readonly owed: string | null;
}

const standard = {
  mappings: "mappings/rooms.csv",
  policy: "mappings/policy.json",
  reports: "reports",
} as const;

/**
 * Resolves every file of a run; delegations.csv lies beside the mappings.
 * @throws for an output that would be written over an input.
 */
export function resolvePaths(options: PathOptions): Paths {
  const { mappings = standard.mappings, policy = standard.policy, reports = standard.reports } = options;
  const delegations = join(dirname(mappings), "delegations.csv").replaceAll("\\", "/");
  const committed = findInRepository(reports);
  const json = typeof options.json === "string" ? options.json : null;
  const owed = json === null ? null : `${json.replace(/\.json$/, "")}.owed.json`;
  const inputs = [mappings, policy, delegations, options.record];
  for (const file of [json, options.markdown, owed]) {
    if (typeof file === "string" && inputs.some((input) => isSamePath(input, file)))
      throw new Error(`${file} is an input of this run, so nothing is written to it; name another file`);
  }
  return {
    mappings,
    policy,
    isPolicyNamed: options.policy !== undefined,
    disk: { reports, delegations },
    repository: {
      reports: committed ?? standard.reports,
      delegations: findInRepository(delegations) ?? "mappings/delegations.csv",
    },
    reportsElsewhere: committed === null ? reports : null,
    json,
    markdown: options.markdown ?? null,
    owed,
  };
}

/**
 * Names the option that leads to the file of the refresh token, by whatever path or link: as an input its content
 * would be quoted, as an output it would be overwritten. Null when there is none.
 */
export async function findTokenOption(options: PathOptions, tokenFile: string): Promise<string | null> {
  const token = await identify(tokenFile);
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "string" && (await identify(value)) === token) return name;
  }
  return null;
}

/** What makes two paths the same file: where there is none yet, the path itself. */
async function identify(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return resolve(path);
  }
}

/** The path of a file or folder as the repository knows it; null when it lies outside. */
export function findInRepository(path: string): string | null {
  const found = relative("", path).replaceAll("\\", "/");
  return found === "" || found === ".." || found.startsWith("../") || isAbsolute(found) ? null : found;
}

function isSamePath(one: string | true | undefined, other: string): boolean {
  return typeof one === "string" && resolve(one) === resolve(other);
}
