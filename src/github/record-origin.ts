import * as v from "valibot";
import type { RepositoryAccess } from "../config/actions.ts";
import { blobIdOf, openBranch, unifyLineEnds } from "./branch-files.ts";
import { createGithubClient, objectId, parseAnswer, readViewer } from "./client.ts";

const account = v.nullish(v.object({ login: v.optional(v.string(), "") }));

const historySchema = v.array(
  v.object({
    sha: objectId,
    author: account,
    committer: account,
    commit: v.object({
      message: v.string(),
      verification: v.optional(v.object({ verified: v.boolean() }), { verified: false }),
    }),
  }),
);

type FileCommit = v.InferOutput<typeof historySchema>[number];

const workflowLogin = "github-actions[bot]";

/** Commits made through the API have GitHub's own signature. */
const apiCommitter = "web-flow";

export interface RecordFile {
  readonly path: string;
  readonly branch: string;
  readonly bytes: Uint8Array;
}

/**
 * Says why a file is not from one signed commit by this token or a workflow's through the API; null when it is.
 * https://docs.github.com/en/rest/commits/commits#list-commits @throws when GitHub cannot be asked.
 */
export async function findForeignOrigin(
  { repository, token }: RepositoryAccess,
  { path, branch, bytes }: RecordFile,
): Promise<string | null> {
  const github = createGithubClient(repository.apiUrl, token);
  const head = await openBranch(github, repository, branch);
  const blob = await head.findBlob(path);
  if (blob === null) return `${branch} has no ${path}`;
  if (blob !== blobIdOf(bytes) && blob !== blobIdOf(unifyLineEnds(bytes)))
    return `it differs from ${path} on ${branch}`;
  const { owner, name } = repository;
  const query = { path, sha: head.sha, per_page: 2 };
  const answer = await github.request(`GET /repos/${owner}/${name}/commits`, query);
  const [commit, earlier] = parseAnswer(historySchema, answer);
  if (commit === undefined) return `GitHub names no commit of ${path}`;
  if (earlier !== undefined) return `commit ${shorten(commit)} changed it after it was first committed`;
  return await judgeCommit(commit, () => readViewer(github, repository));
}

async function judgeCommit(commit: FileCommit, readOwnLogin: () => Promise<string>): Promise<string | null> {
  const { author, committer } = commit;
  const { message, verification } = commit.commit;
  const login = author?.login || null;
  if (login === null || (login !== workflowLogin && login !== (await readOwnLogin())))
    return `commit ${shorten(commit)} is by ${login ?? "nobody whom GitHub knows"}, not by Rollcall`;
  const isByApi = committer?.login === apiCommitter && verification.verified;
  return isByApi && message.startsWith("Rollcall:")
    ? null
    : `commit ${shorten(commit)} was not made by a run of Rollcall`;
}

function shorten({ sha }: FileCommit): string {
  return sha.slice(0, 7);
}
