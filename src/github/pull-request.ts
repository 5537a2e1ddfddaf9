import * as v from "valibot";
import type { Repository } from "../config/actions.ts";
import { errorMessage } from "../lib/text.ts";
import { type GithubClient, listPages, objectId, parseAnswer } from "./client.ts";
import { type Contents, readContents, UnknownCommit } from "./contents.ts";
import { hintAt } from "./permissions.ts";

export interface PullRequest {
  readonly number: number;
  readonly headSha: string;
  /** As owner/name; null when it has been deleted. */
  readonly headRepository: string | null;
  readonly defaultBranch: string;
}

const pullSchema = v.object({
  head: v.object({ sha: objectId, repo: v.nullish(v.object({ full_name: v.string() })) }),
  base: v.object({ repo: v.object({ default_branch: v.string() }) }),
});

/** Reads a pull request. @throws on refusal. https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request */
export async function readPullRequest(
  github: GithubClient,
  { owner, name: repo }: Repository,
  number: number,
): Promise<PullRequest> {
  try {
    const answer = await github.pulls.get({ owner, repo, pull_number: number });
    const { head, base } = parseAnswer(pullSchema, answer);
    return {
      number,
      headSha: head.sha,
      headRepository: head.repo?.full_name ?? null,
      defaultBranch: base.repo.default_branch,
    };
  } catch (error) {
    const said = errorMessage(error);
    const hint = hintAt(
      error,
      "; check the number, and that the workflow's token may read pull requests (permissions: pull-requests: write)",
    );
    throw new Error(`pull request ${number} of ${owner}/${repo} could not be read: ${said}${hint}`, {
      cause: error,
    });
  }
}

const fileSchema = v.object({ filename: v.string(), previous_filename: v.optional(v.string()) });

/**
 * The paths of the files that a pull request changes, with those that it renames or deletes.
 * https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files @throws on refusal.
 */
export async function listChangedFiles(
  github: GithubClient,
  { owner, name: repo }: Repository,
  number: number,
): Promise<readonly string[]> {
  try {
    const files = await listPages(
      github,
      `GET /repos/${owner}/${repo}/pulls/${number}/files`,
      {},
      fileSchema,
    );
    return files.flatMap((file) => [file.filename, file.previous_filename ?? []].flat());
  } catch (error) {
    const hint = hintAt(error, "; the workflow's token needs permissions: pull-requests: read");
    throw new Error(
      `the files of pull request ${number} could not be listed: ${errorMessage(error)}${hint}`,
      {
        cause: error,
      },
    );
  }
}

/** Anybody may open a pull request: a larger file of its head is not read. */
export const maxHeadBytes = 1024 * 1024;

/** Reads a file of the head as data, without a checkout. Only the fork may know its own commit. */
export async function readHeadFile(
  github: GithubClient,
  { owner, name: repo }: Repository,
  pull: PullRequest,
  path: string,
): Promise<Contents> {
  const [forkOwner, fork] = pull.headRepository?.split("/") ?? [];
  const place = { path, ref: pull.headSha, maxBytes: maxHeadBytes };
  try {
    return await readContents(github, { owner, repo, ...place });
  } catch (error) {
    const isOwn = pull.headRepository === `${owner}/${repo}`;
    if (!(error instanceof UnknownCommit) || !forkOwner || !fork || isOwn) throw error;
    return await readContents(github, { owner: forkOwner, repo: fork, ...place });
  }
}
