import { readFile } from "node:fs/promises";
import { type Mapping, parseMappings } from "../membership/mapping.ts";
import { type Policy, parsePolicy } from "../membership/policy.ts";
import type { Problem } from "../membership/record.ts";
import { type Options, textOption } from "./context.ts";

/** A fault of an input file. */
export interface FileProblem extends Problem {
  readonly file: string;
}

/** What people wrote: which groups belong in which rooms, and within which limits. */
export interface Inputs {
  readonly mappings: readonly Mapping[];
  readonly policy: Policy;
}

/** The input files cannot be used: all their faults. */
export class InputError extends Error {
  override readonly name = "InputError";

  constructor(readonly problems: readonly FileProblem[]) {
    super(problems.map(formatFileProblem).join("\n"));
  }
}

const standardPolicy = "mappings/policy.json";

/** Writes a fault as editors and terminals know it: `file:line: column: message`. */
export function formatFileProblem({ file, line, column, message }: FileProblem): string {
  return [line === null ? file : `${file}:${line}`, ...(column === null ? [] : [column]), message].join(": ");
}

/** The file that the mappings are read from. */
export function nameMappingsFile(options: Options): string {
  return textOption(options, "mappings") ?? "mappings/rooms.csv";
}

/** The folder of the reports. */
export function nameReportsDir(options: Options): string {
  return textOption(options, "reports") ?? "reports";
}

/**
 * Reads the mappings and the policy.
 * @throws {InputError} with every fault of both files.
 */
export async function readInputs(options: Options): Promise<Inputs> {
  const mappingsFile = nameMappingsFile(options);
  const policyFile = textOption(options, "policy") ?? standardPolicy;
  const problems: FileProblem[] = [];
  const add = (file: string, found: readonly Problem[]) =>
    problems.push(...found.map((problem) => ({ ...problem, file })));

  const csv = await read(mappingsFile);
  if (!csv) add(mappingsFile, [missing("name the mappings with --mappings <file>")]);
  const { mappings, problems: faults } = csv ? parseMappings(csv) : { mappings: [], problems: [] };
  add(mappingsFile, faults);

  const json = await read(policyFile);
  // Only the standard file may be absent: one that was named was meant to be read.
  if (!json && "policy" in options) add(policyFile, [missing("leave --policy out to use the defaults")]);
  const { policy, problems: flaws } = parsePolicy(json ? json.toString("utf8") : "{}");
  add(policyFile, flaws);

  if (policy === null || problems.length > 0) throw new InputError(problems);
  return { mappings, policy };
}

async function read(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

function missing(remedy: string): Problem {
  return { line: null, column: null, message: `there is no such file; ${remedy}` };
}
