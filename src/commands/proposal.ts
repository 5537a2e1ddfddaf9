import type { Options } from "../cli/context.ts";
import type { GithubClient } from "../github/client.ts";
import { type Contents, mostContentBytes, readContents } from "../github/contents.ts";
import { type PullRequest, readHeadFile } from "../github/pull-request.ts";
import type { Repository } from "../github-place.ts";
import { type Mapping, parseMappings } from "../membership/mapping.ts";
import { type Policy, parsePolicy } from "../membership/policy.ts";
import type { Problem } from "../membership/record.ts";
import { type FileProblem, nameMappingsFile, namePolicyFile } from "../run/inputs.ts";

/** The mappings and the policy at one commit, and everything that is wrong with them. */
export interface Side {
  readonly mappings: readonly Mapping[];
  /** Null when the policy cannot be read. */
  readonly policy: Policy | null;
  readonly problems: readonly FileProblem[];
}

/** What a pull request proposes, and what it is compared with. */
export interface Proposal {
  readonly head: Side;
  /** What the default branch says. */
  readonly base: Side;
}

/**
 * Reads what a pull request proposes, and what the default branch says, through the API: nothing of it is checked
 * out or run.
 */
export async function readProposal(
  github: GithubClient,
  repository: Repository,
  pull: PullRequest,
  options: Options,
): Promise<Proposal> {
  const { owner, name: repo } = repository;
  const readHead = (path: string) => readHeadFile(github, repository, pull, path);
  const readBase = (path: string) => readContents(github, { owner, repo, path, ref: pull.defaultBranch });
  const [head, base] = await Promise.all([
    readSide(readHead, options, "the pull request's head"),
    readSide(readBase, options, pull.defaultBranch),
  ]);
  return { head, base };
}

async function readSide(
  read: (path: string) => Promise<Contents>,
  options: Options,
  where: string,
): Promise<Side> {
  const mappingsFile = nameMappingsFile(options);
  const policyFile = namePolicyFile(options);
  const [csv, json] = await Promise.all([read(mappingsFile), read(policyFile)]);
  const problems: FileProblem[] = [];
  const add = (file: string, found: readonly Problem[]) =>
    problems.push(...found.map((problem) => ({ ...problem, file })));

  const reading = csv.kind === "file" ? parseMappings(csv.bytes) : null;
  add(mappingsFile, reading?.problems ?? [explainContents(csv, where)]);
  // A missing policy means the defaults, unless it was named.
  const isStandard = json.kind === "missing" && !("policy" in options);
  const text = json.kind === "file" ? json.bytes.toString("utf8") : isStandard ? "{}" : null;
  const parsed = text === null ? null : parsePolicy(text);
  add(policyFile, parsed?.problems ?? [explainContents(json, where)]);
  return { mappings: reading?.mappings ?? [], policy: parsed?.policy ?? null, problems };
}

function explainContents(contents: Contents, where: string): Problem {
  const tell = (message: string) => ({ line: null, column: null, message });
  switch (contents.kind) {
    case "too-large": {
      const mebibytes = (contents.size / 1024 / 1024).toFixed(1);
      const most = mostContentBytes / 1024 / 1024;
      return tell(`the file has ${mebibytes} MiB at ${where}; at most ${most} MiB is read: split it`);
    }
    case "no-file":
      return tell(`it is no file at ${where} but of type "${contents.type}"`);
    default:
      return tell(`there is no such file at ${where}`);
  }
}
