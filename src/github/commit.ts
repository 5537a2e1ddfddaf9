import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import type { ReportTarget } from "../config/settings.ts";
import { errorMessage } from "../lib/text.ts";
import { createGithubClient, encodePath, type GithubClient } from "./client.ts";
import { readContents } from "./contents.ts";

/** A file to commit; the path is seen from the root of the repository. */
export interface CommitFile {
  readonly path: string;
  readonly text: string;
}

/** What a commit is to hold, made from what the branch holds now. */
export interface ReportDraft {
  readonly files: readonly CommitFile[];
  readonly headline: string;
}

/** Reads a file as it is where the report goes, on the commit it is made on; undefined where there is none. */
export type ReadText = (path: string) => Promise<string | undefined>;

/** Which branch gets the report, and with which token. */
export type ReportBranch = Omit<Extract<ReportTarget, { readonly kind: "branch" }>, "kind">;

/** The branch would not take the report: what GitHub said, and what to do about it. */
export class ReportRefused extends Error {
  override readonly name = "ReportRefused";
}

const attempts = 5;

const mutation =
  "mutation($input:CreateCommitOnBranchInput!){createCommitOnBranch(input:$input){commit{oid url}}}";

/**
 * Commits the report as one commit on top of what the branch holds at that moment. `draft` is given the text of
 * `memoryPath` on that very commit (undefined where there is none), may read other files of it by `read`, and returns
 * null when there is nothing to commit; when somebody else's commit comes in between, it is asked again. Returns the
 * commit's id, or null.
 * https://docs.github.com/en/graphql/reference/mutations#createcommitonbranch
 * @throws {ReportRefused} when the branch does not take it.
 */
export async function commitReport(
  place: ReportBranch,
  memoryPath: string,
  draft: (memory: string | undefined, read: ReadText) => ReportDraft | null | Promise<ReportDraft | null>,
  sleep: (ms: number) => Promise<unknown> = delay,
): Promise<string | null> {
  const github = createGithubClient(place.repository.apiUrl, place.token, sleep);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const head = await readHead(github, place);
      const read: ReadText = (path) => readText(github, place, path, head);
      const wanted = await draft(await read(memoryPath), read);
      if (wanted === null) return null;
      const answer = await createCommit(github, place, head, wanted);
      if ("oid" in answer) return answer.oid;
      if (!answer.isStale || attempt === attempts) throw new ReportRefused(answer.message);
      await sleep(200 * 2 ** attempt * Math.random());
    }
  } catch (error) {
    throw new ReportRefused(explain(error, place), { cause: error });
  }
}

const refSchema = v.object({ object: v.object({ sha: v.string() }) });

async function readHead(github: GithubClient, { repository, branch }: ReportBranch): Promise<string> {
  const route = `GET /repos/${repository.owner}/${repository.name}/git/ref/heads/${encodePath(branch)}`;
  const { data } = await github.request(route);
  return v.parse(refSchema, data).object.sha;
}

async function readText(
  github: GithubClient,
  { repository }: ReportBranch,
  path: string,
  ref: string,
): Promise<string | undefined> {
  const contents = await readContents(github, { owner: repository.owner, repo: repository.name, path, ref });
  if (contents.kind === "file") return contents.bytes.toString("utf8");
  if (contents.kind === "missing") return undefined;
  // Taken for empty, it would be written anew from nothing.
  throw new Error(`${path} on the branch is no file that can be read (${contents.kind})`);
}

type Answer = { readonly oid: string } | { readonly isStale: boolean; readonly message: string };

async function createCommit(
  github: GithubClient,
  { repository, branch }: ReportBranch,
  expectedHeadOid: string,
  { files, headline }: ReportDraft,
): Promise<Answer> {
  const input = {
    branch: { repositoryNameWithOwner: `${repository.owner}/${repository.name}`, branchName: branch },
    expectedHeadOid,
    message: { headline },
    fileChanges: {
      additions: files.map(({ path, text }) => ({
        path,
        contents: Buffer.from(text, "utf8").toString("base64"),
      })),
    },
  };
  // Sent again after a network error, it cannot commit twice: the head has moved then, and GitHub says so.
  const request = { repeatable: true };
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
    v.array(v.object({ type: v.optional(v.string()), message: v.optional(v.string(), "unknown error") })),
  ),
  data: v.nullish(
    v.object({ createCommitOnBranch: v.nullish(v.object({ commit: v.object({ oid: v.string() }) })) }),
  ),
});

/** GraphQL tells errors inside a 200. */
function readAnswer(data: unknown): Answer {
  const { errors = [], data: reply } = v.parse(answerSchema, data);
  const oid = reply?.createCommitOnBranch?.commit.oid;
  if (errors.length === 0 && oid !== undefined) return { oid };
  const message = errors.map((error) => error.message).join("; ") || "GitHub's answer holds no commit";
  return { isStale: errors.some((error) => error.type === "STALE_DATA"), message };
}

function explain(error: unknown, { branch }: ReportBranch): string {
  const said = errorMessage(error);
  return (
    `the report was not committed to ${branch}: ${said}. What was changed in Webex is as this run reports it. ` +
    "Let the workflow's token write to that branch (permissions: contents: write), or set REPORT_BRANCH to a branch without protection"
  );
}
