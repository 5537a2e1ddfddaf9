import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import { type Options, textOption } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import { type ListedDelegation, parseDelegations } from "../delegation/expiring.ts";
import { type FileProblem, formatFileProblem, type Problem } from "../lib/problem.ts";
import { isSecretContent, isSecretPath } from "../lib/secret-file.ts";
import { errorMessage } from "../lib/text.ts";
import { type Mapping, parseMappings } from "../membership/mapping.ts";
import { type Policy, parsePolicy } from "../membership/policy.ts";

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

const standardPolicy = "mappings/policy.json";

const standardReports = "reports";

/** The file that the mappings are read from. */
export function nameMappingsFile(options: Options): string {
  return textOption(options, "mappings") ?? "mappings/rooms.csv";
}

/**
 * The file of the delegations that end: delegations.csv beside the mappings. Committed, it is always a file of the
 * repository.
 */
export function nameDelegationsFile(options: Options, isCommitted = false): string {
  const file = join(dirname(nameMappingsFile(options)), "delegations.csv").replaceAll("\\", "/");
  return isCommitted ? (findInRepository(file) ?? "mappings/delegations.csv") : file;
}

/** The folder of the reports. Committed, it is always a folder of the repository. */
export function nameReportsDir(options: Options, isCommitted = false): string {
  const folder = textOption(options, "reports") ?? standardReports;
  return isCommitted ? (findInRepository(folder) ?? standardReports) : folder;
}

/** Says so when `--reports` names a folder to which nothing can be committed. */
export function logReportsElsewhere(
  place: ReportTarget,
  options: Options,
  log: (text: string) => void,
): void {
  const folder = textOption(options, "reports");
  if (folder === null || place.kind !== "branch" || findInRepository(folder) !== null) return;
  log(`--reports ${folder} lies outside of the repository; the report is committed to ${standardReports}`);
}

/** The path of a file or folder as the repository knows it; null when it lies outside. */
function findInRepository(path: string): string | null {
  const found = relative("", path).replaceAll("\\", "/");
  return found === "" || found === ".." || found.startsWith("../") || isAbsolute(found) ? null : found;
}

/**
 * Reads the mappings, the policy and the delegations that end.
 * @throws {InputError} with every fault of all the files.
 */
export async function readInputs(options: Options): Promise<Inputs> {
  const mappingsFile = nameMappingsFile(options);
  const problems: FileProblem[] = [];
  const add = (file: string, found: readonly Problem[]) =>
    problems.push(...found.map((problem) => ({ ...problem, file })));

  const csv = await read(mappingsFile);
  if (!csv) add(mappingsFile, [missing("name the mappings with --mappings <file>")]);
  const { mappings, problems: faults } = csv ? parseMappings(csv) : { mappings: [], problems: [] };
  add(mappingsFile, faults);

  const { policy, grants } = await readOthers(options, problems);
  if (policy === null || problems.length > 0) throw new InputError(problems);
  return { mappings, policy, grants };
}

/**
 * Reads what `delegate` needs, which is all but the mappings.
 * @throws {InputError} with every fault of the files.
 */
export async function readDelegationInputs(options: Options): Promise<Omit<Inputs, "mappings">> {
  const problems: FileProblem[] = [];
  const { policy, grants } = await readOthers(options, problems);
  if (policy === null || problems.length > 0) throw new InputError(problems);
  return { policy, grants };
}

/**
 * Reads what `restore` needs, which is the policy only.
 * @throws {InputError} with every fault of the file.
 */
export async function readPolicy(options: Options): Promise<Policy> {
  const problems: FileProblem[] = [];
  const policy = await readPolicyFile(options, problems);
  if (policy === null || problems.length > 0) throw new InputError(problems);
  return policy;
}

/** The file that the policy is read from. */
export function namePolicyFile(options: Options): string {
  return textOption(options, "policy") ?? standardPolicy;
}

async function readPolicyFile(options: Options, problems: FileProblem[]): Promise<Policy | null> {
  const policyFile = namePolicyFile(options);
  const json = await read(policyFile);
  const { policy, problems: flaws } = parsePolicy(json ?? "{}");
  // Only the standard file may be absent: one that was named was meant to be read.
  const absence = !json && "policy" in options ? [missing("leave --policy out to use the defaults")] : [];
  problems.push(...[...absence, ...flaws].map((problem) => ({ ...problem, file: policyFile })));
  return policy;
}

/** Reads the policy and the delegations that end; both may be absent. Faults are added to `problems`. */
async function readOthers(
  options: Options,
  problems: FileProblem[],
): Promise<{ readonly policy: Policy | null; readonly grants: readonly ListedDelegation[] }> {
  const policy = await readPolicyFile(options, problems);
  const delegationsFile = nameDelegationsFile(options);
  const csv = await read(delegationsFile);
  const { grants, problems: faults } = csv ? parseDelegations(csv) : { grants: [], problems: [] };
  problems.push(...faults.map((problem) => ({ ...problem, file: delegationsFile })));
  return { policy, grants };
}

async function read(file: string): Promise<Buffer | null> {
  // By its path it is not even opened; by its content it is not parsed, because faults quote what they are about.
  if (isSecretPath(file)) throw refuseSecret(file);
  try {
    const bytes = await readFile(file);
    if (isSecretContent(bytes)) throw refuseSecret(file);
    return bytes;
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new Error(`${file} cannot be read: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function refuseSecret(file: string): InputError {
  const message =
    "this seems to be the file of a secret, so nothing of it is read or shown; name the file you mean";
  return new InputError([{ file, line: null, column: null, message }]);
}

function missing(remedy: string): Problem {
  return { line: null, column: null, message: `there is no such file; ${remedy}` };
}
