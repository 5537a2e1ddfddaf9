import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { mappingsFolder } from "./organisation.ts";

export interface PathOptions {
  readonly mappings?: string;
  readonly policy?: string;
  readonly reports?: string;
  readonly json?: string | true;
  readonly markdown?: string;
  readonly organisation?: string;
  readonly [other: string]: string | true | undefined;
}

export interface ReportPaths {
  readonly reports: string;
  readonly delegations: string;
}

export interface Paths {
  /** Of several the one whose files these are; null where there is only one. */
  readonly organisation: string | null;
  readonly mappings: string;
  readonly policy: string;
  /** Only the standard file may be absent: one that was named was meant to be read. */
  readonly isPolicyNamed: boolean;
  readonly disk: ReportPaths;
  /** As the repository knows them: what is committed is always inside of it. */
  readonly repository: ReportPaths;
  readonly reportsElsewhere: string | null;
  /** Where the reports of all organisations are listed; null without several, and for reports that lie elsewhere. */
  readonly overview: string | null;
  readonly json: string | null;
  readonly markdown: string | null;
  /** Beside the record: the reports that are still to be committed, for the run's artifact. */
  readonly owed: string | null;
}

const reportsFolder = "reports";

/** Resolves every file; delegations.csv is beside the mappings. @throws for an output that would overwrite an input. */
export function resolvePaths(options: PathOptions, organisation: string | null = null): Paths {
  const inner = organisation === null ? "" : `/${organisation}`;
  const standard = {
    mappings: `${mappingsFolder}${inner}/rooms.csv`,
    policy: `${mappingsFolder}${inner}/policy.json`,
    reports: `${reportsFolder}${inner}`,
  };
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
    organisation,
    mappings,
    policy,
    isPolicyNamed: options.policy !== undefined,
    disk: { reports, delegations },
    repository: {
      reports: committed ?? standard.reports,
      delegations: findInRepository(delegations) ?? `${mappingsFolder}${inner}/delegations.csv`,
    },
    reportsElsewhere: committed === null ? reports : null,
    overview: organisation === null || committed !== standard.reports ? null : reportsFolder,
    json,
    markdown: options.markdown ?? null,
    owed,
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

function isSamePath(one: string | true | undefined, other: string): boolean {
  return typeof one === "string" && resolve(one) === resolve(other);
}
