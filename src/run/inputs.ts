import type { Context } from "../cli/context.ts";
import type { Paths } from "../config/paths.ts";
import type { ReportTarget } from "../config/settings.ts";
import type { ListedDelegation } from "../delegation/expiring.ts";
import { type FileProblem, formatFileProblem, type Problem } from "../lib/problem.ts";
import { isSecretContent, isSecretPath } from "../lib/secret-file.ts";
import { type Mapping, parseMappings } from "../membership/mapping.ts";
import { type Policy, parsePolicy } from "../membership/policy.ts";
import { type ReadInput, readFromDisk } from "./newest-files.ts";

/** What people wrote: which groups belong in which rooms, within which limits, and which delegations end when. */
export interface Inputs {
  readonly mappings: readonly Mapping[];
  readonly policy: Policy;
  /** Empty when there is no delegations.csv. */
  readonly grants: readonly ListedDelegation[];
}

/** The input files cannot be used: all their faults. */
export class InputError extends Error {
  override readonly name = "InputError";

  constructor(readonly problems: readonly FileProblem[]) {
    super(problems.map(formatFileProblem).join("\n"));
  }
}

/**
 * Reads the mappings, the policy and the delegations that end.
 * @throws {InputError} with every fault of all the files.
 */
export async function readInputs(paths: Paths, readFile: ReadInput = readFromDisk): Promise<Inputs> {
  const problems: FileProblem[] = [];
  const mappings = await readMappingsFile(paths, problems, readFile);
  const others = await readOthers(paths, problems, readFile);
  return { mappings, ...others };
}

/**
 * Reads what `delegate` needs, which is all but the mappings.
 * @throws {InputError} with every fault of the files.
 */
export async function readDelegationInputs(
  paths: Paths,
  readFile: ReadInput = readFromDisk,
): Promise<Omit<Inputs, "mappings">> {
  return await readOthers(paths, [], readFile);
}

/**
 * Reads the mappings alone.
 * @throws {InputError} with every fault of the file.
 */
export async function readMappings(paths: Paths, readFile: ReadInput): Promise<readonly Mapping[]> {
  const problems: FileProblem[] = [];
  const mappings = await readMappingsFile(paths, problems, readFile);
  if (problems.length > 0) throw new InputError(problems);
  return mappings;
}

/**
 * Reads the policy alone.
 * @throws {InputError} with every fault of the file.
 */
export async function readPolicy(paths: Paths, readFile: ReadInput): Promise<Policy> {
  const problems: FileProblem[] = [];
  return demand(await readPolicyFile(paths, problems, readFile), problems);
}

/** Says so when `--reports` names a folder to which nothing can be committed. */
export function logReportsElsewhere(target: ReportTarget, { paths, log }: Context): void {
  const { reportsElsewhere: folder, repository } = paths;
  if (folder === null || target.kind !== "branch") return;
  log(`--reports ${folder} lies outside of the repository; the report is committed to ${repository.reports}`);
}

/** Reads the policy and the delegations that end; both files may be absent. Throws `problems` with its own. */
async function readOthers(
  paths: Paths,
  problems: FileProblem[],
  readFile: ReadInput,
): Promise<Omit<Inputs, "mappings">> {
  const policy = await readPolicyFile(paths, problems, readFile);
  const { delegations } = paths.disk;
  const csv = await read(delegations, readFile);
  if (!csv) return { policy: demand(policy, problems), grants: [] };
  // Most have no such file, and loading what reads it would delay the first request.
  const { parseDelegations } = await import("../delegation/expiring.ts");
  const reading = parseDelegations(csv);
  addProblems(problems, delegations, reading.problems);
  return { policy: demand(policy, problems), grants: reading.grants };
}

async function readMappingsFile(
  { mappings: file }: Paths,
  problems: FileProblem[],
  readFile: ReadInput,
): Promise<readonly Mapping[]> {
  const csv = await read(file, readFile);
  const reading = csv
    ? parseMappings(csv)
    : { mappings: [], problems: [missing("name the mappings with --mappings <file>")] };
  addProblems(problems, file, reading.problems);
  return reading.mappings;
}

async function readPolicyFile(
  { policy: file, isPolicyNamed }: Paths,
  problems: FileProblem[],
  readFile: ReadInput,
): Promise<Policy | null> {
  const json = await read(file, readFile);
  if (!json && isPolicyNamed)
    addProblems(problems, file, [missing("leave --policy out to use the defaults")]);
  const reading = parsePolicy(json ?? "{}");
  addProblems(problems, file, reading.problems);
  return reading.policy;
}

function addProblems(all: FileProblem[], file: string, found: readonly Problem[]): void {
  all.push(...found.map((problem) => ({ ...problem, file })));
}

function demand(policy: Policy | null, problems: readonly FileProblem[]): Policy {
  if (policy === null || problems.length > 0) throw new InputError(problems);
  return policy;
}

async function read(file: string, readFile: ReadInput): Promise<Buffer | null> {
  // By its path it is not even opened; by its content it is not parsed, because faults quote what they are about.
  if (isSecretPath(file)) throw refuseSecret(file);
  const bytes = await readFile(file);
  if (bytes !== null && isSecretContent(bytes)) throw refuseSecret(file);
  return bytes;
}

function refuseSecret(file: string): InputError {
  const message =
    "this seems to be the file of a secret, so nothing of it is read or shown; name the file you mean";
  return new InputError([{ file, line: null, column: null, message }]);
}

function missing(remedy: string): Problem {
  return { line: null, column: null, message: `there is no such file; ${remedy}` };
}
