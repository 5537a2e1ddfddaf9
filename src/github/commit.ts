import * as v from "valibot";
import type { ReportTarget } from "../config/settings.ts";
import { pause } from "../lib/http.ts";
import { errorMessage, withoutFullStop } from "../lib/text.ts";
import { readHead } from "./branch-files.ts";
import { createGithubClient, type GithubClient, parseAnswer, statusOf, UnreadableAnswer } from "./client.ts";
import { readContents, UnsureContents } from "./contents.ts";
import { listFiles } from "./list-files.ts";
import { type Patience, persist, type Retry } from "./patience.ts";
import { explainRefusal, isUnexplained } from "./permissions.ts";

export interface CommitFile {
  readonly path: string;
  readonly text: string;
}

export interface ReportDraft {
  readonly files: readonly CommitFile[];
  readonly headline: string;
}

/** Reads on the commit that the report is made on; undefined where there is no such file. */
export type ReadText = (path: string) => Promise<string | undefined>;

/** The paths of all files below a folder, seen from it, on the same commit. */
export type ListFiles = (folder: string) => Promise<readonly string[]>;

export interface CommitReader {
  readonly read: ReadText;
  readonly list: ListFiles;
}

export type ReportBranch = Omit<Extract<ReportTarget, { readonly kind: "branch" }>, "kind">;

/** The branch would not take the report: what GitHub said, and what to do about it. */
export class ReportRefused extends Error {
  override readonly name = "ReportRefused";
}

/** The report is the last thing that a stopped run commits; the rest of nine seconds is for telling it elsewhere. */
const graceMs = 7000;

const longestRaceMs = 3 * 60_000;

/**
 * Others commit to the branch at the same moment, such as the jobs of twenty organisations; chance lets one go ahead.
 * Twenty at once need about 85 attempts and a minute (docs/organisations.md), and GitHub allows 80 commits a minute.
 */
function retryRace(lost: number): Retry {
  const withinMs = Math.min(3000 * 2 ** (lost - 1), 20_000);
  return { pauseMs: Math.random() * withinMs, patienceMs: longestRaceMs };
}

const mutation =
  "mutation($input:CreateCommitOnBranchInput!){createCommitOnBranch(input:$input){commit{oid url}}}";

/**
 * Commits the report on top of the branch's newest commit and returns the commit's id, or null where `draft` has
 * nothing to commit. `draft` gets the text of `memoryPath` (or undefined) and is asked again when the branch moves.
 * https://docs.github.com/en/graphql/reference/mutations#createcommitonbranch
 * @throws {ReportRefused} when the branch does not take it.
 */
export async function commitReport(
  place: ReportBranch,
  memoryPath: string,
  draft: (memory: string | undefined, at: CommitReader) => ReportDraft | null | Promise<ReportDraft | null>,
  patience: Patience = {},
): Promise<string | null> {
  const github = createGithubClient(place.repository.apiUrl, place.token);
  let drafts = 0;
  const attempt = async (signal: AbortSignal | undefined): Promise<string | null> => {
    const request = { single: true, ...(signal && { signal }) };
    const head = await readHead(github, place.repository, place.branch, request);
    if (head === null) throw new MayPass(`there is no branch ${place.branch}`);
    const read: ReadText = (path) => readText(github, place, path, { ref: head, request });
    const memory = await read(memoryPath);
    drafts += 1;
    const list: ListFiles = (folder) =>
      listFiles(github, place.repository, { commit: head, folder }, request);
    const wanted = await draft(memory, { read, list });
    if (wanted === null) return null;
    return await createCommit(github, place, { head, wanted, request });
  };
  const retryAfter = (error: unknown) => (error instanceof StaleHead ? retryRace(drafts) : null);
  try {
    return await persist(attempt, (error) => !mayPass(error), { graceMs, retryAfter, ...patience });
  } catch (error) {
    throw new ReportRefused(explain(error, place), { cause: error });
  }
}

class MayPass extends Error {}

class ProtectedBranch extends Error {}

class StaleHead extends MayPass {}

function mayPass(error: unknown): boolean {
  const isOurs =
    error instanceof MayPass || error instanceof UnsureContents || error instanceof UnreadableAnswer;
  return isOurs || statusOf(error) !== null;
}

async function readText(
  github: GithubClient,
  { repository }: ReportBranch,
  path: string,
  { ref, request }: { readonly ref: string; readonly request: object },
): Promise<string | undefined> {
  const place = { owner: repository.owner, repo: repository.name, path, ref };
  const contents = await readContents(github, place, request);
  if (contents.kind === "file") return contents.bytes.toString("utf8");
  if (contents.kind === "missing") return undefined;
  // Taken for empty, the file would be overwritten.
  throw new Error(`${path} on the branch is not a file that can be read (${contents.kind})`);
}

interface CommitOrder {
  readonly head: string;
  readonly wanted: ReportDraft;
  readonly request: object;
}

async function createCommit(
  github: GithubClient,
  { repository, branch }: ReportBranch,
  { head, wanted, request }: CommitOrder,
): Promise<string> {
  const input = {
    branch: { repositoryNameWithOwner: `${repository.owner}/${repository.name}`, branchName: branch },
    // Sent again after a lost answer, it cannot commit twice: the head has moved then, and GitHub says so.
    expectedHeadOid: head,
    message: { headline: wanted.headline },
    fileChanges: {
      additions: wanted.files.map(({ path, text }) => ({
        path,
        contents: Buffer.from(text, "utf8").toString("base64"),
      })),
    },
  };
  const { data } = await github.request({
    method: "POST",
    url: repository.graphqlUrl,
    query: mutation,
    variables: { input },
    request,
  });
  return readAnswer(data);
}

const answerSchema = v.object({
  errors: v.optional(
    v.array(
      v.object({
        type: v.optional(v.string()),
        message: v.optional(v.string(), "unknown error"),
        extensions: v.optional(v.looseObject({ code: v.optional(v.string()) })),
      }),
    ),
  ),
  data: v.nullish(
    v.object({ createCommitOnBranch: v.nullish(v.object({ commit: v.object({ oid: v.string() }) })) }),
  ),
});

const finalTypes = new Set(["BRANCH_PROTECTION_RULE_VIOLATION", "UNPROCESSABLE", "INSUFFICIENT_SCOPES"]);

/** Rulesets have no type of their own. */
const ruleViolation = /rule violations|protected branch|through a pull request/i;

/** GraphQL reports errors with status 200. */
function readAnswer(data: unknown): string {
  const answer = v.safeParse(answerSchema, data);
  if (!answer.success) throw new MayPass("GitHub's answer to the commit is not as documented");
  const { errors = [], data: reply } = answer.output;
  const oid = reply?.createCommitOnBranch?.commit.oid;
  if (errors.length === 0 && oid !== undefined) return oid;
  const message = errors.map((error) => error.message).join("; ") || "GitHub's answer holds no commit";
  if (errors.some(({ type }) => type === "STALE_DATA")) throw new StaleHead(message);
  // A query that is wrong in itself has a code; what only failed this time has neither code nor type of these.
  const isFinal = errors.some(
    ({ type, extensions }) => finalTypes.has(type ?? "") || extensions?.code !== undefined,
  );
  if (!isFinal) throw new MayPass(message);
  throw ruleViolation.test(message) ? new ProtectedBranch(message) : new Error(message);
}

function explain(error: unknown, { branch }: ReportBranch): string {
  const said = errorMessage(error);
  const remedy =
    error instanceof ProtectedBranch
      ? ". To let it in, set REPORT_BRANCH to a branch without protection, or let a GitHub App that may bypass it write the report"
      : isUnexplained(said)
        ? ". Let the workflow's token write to that branch (permissions: contents: write)"
        : "";
  return `the report was not committed to ${branch}: ${withoutFullStop(said)}. What was changed in Webex is as this run reports it${remedy}`;
}

/**
 * Finds the branch for the report before anything is changed: REPORT_BRANCH, else the run's, else the default branch.
 * @throws when it does not exist, or GitHub refuses. https://docs.github.com/en/rest/git/refs#get-a-reference
 */
export async function checkReportBranch(
  target: ReportBranch,
  sleep: (ms: number) => Promise<unknown> = pause,
): Promise<ReportBranch> {
  const { repository, branch, isNamed } = target;
  const { owner, name } = repository;
  const github = createGithubClient(repository.apiUrl, target.token, sleep);
  try {
    if ((await readHead(github, repository, branch)) !== null) return target;
    // A single "not found" is not believed.
    await sleep(1000);
    if ((await readHead(github, repository, branch)) !== null) return target;
    const answer = await github.repos.get({ owner, repo: name });
    const { default_branch: usual } = parseAnswer(
      v.object({ default_branch: v.nullish(v.string()) }),
      answer,
    );
    if (!isNamed && usual) return { ...target, branch: usual };
  } catch (error) {
    const said = explainRefusal(error, "GITHUB_TOKEN", "Contents: Read and write");
    throw new Error(`the branch ${branch}, which takes the report, cannot be looked at: ${said}`, {
      cause: error,
    });
  }
  throw new Error(
    `there is no branch ${branch} in ${owner}/${name}: make it, or set REPORT_BRANCH to another`,
  );
}
