import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";

export interface PathOptions {
  readonly mappings?: string;
  readonly policy?: string;
  readonly reports?: string;
  readonly json?: string | true;
  readonly markdown?: string;
  readonly [other: string]: string | true | undefined;
}

export interface ReportPaths {
  readonly reports: string;
  readonly delegations: string;
}

export interface Paths {
  readonly mappings: string;
  readonly policy: string;
  /** Only the standard file may be absent: one that was named was meant to be read. */
  readonly isPolicyNamed: boolean;
  readonly disk: ReportPaths;
  /** As the repository knows them: what is committed is always inside of it. */
  readonly repository: ReportPaths;
  readonly reportsElsewhere: string | null;
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

/** Resolves every file of a run; delegations.csv is beside the mappings. */
export function resolvePaths(options: PathOptions): Paths {
  const { mappings = standard.mappings, policy = standard.policy, reports = standard.reports } = options;
  const delegations = join(dirname(mappings), "delegations.csv").replaceAll("\\", "/");
  const committed = findInRepository(reports);
  const json = typeof options.json === "string" ? options.json : null;
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
    owed: json === null ? null : `${json.replace(/\.json$/, "")}.owed.json`,
  };
}

/** Names the option that leads to the refresh token's file, or null: that file must not be quoted or overwritten. */
export async function findTokenOption(options: PathOptions, tokenFile: string): Promise<string | null> {
  const token = await identify(tokenFile);
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "string" && (await identify(value)) === token) return name;
  }
  return null;
}

async function identify(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return resolve(path);
  }
}

/** The path of a file or folder as the repository knows it; null when it is outside. */
export function findInRepository(path: string): string | null {
  const found = relative("", path).replaceAll("\\", "/");
  return found === "" || found === ".." || found.startsWith("../") || isAbsolute(found) ? null : found;
}
