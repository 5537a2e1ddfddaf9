import * as v from "valibot";
import type { RepositoryAccess } from "../config/actions.ts";
import { errorMessage } from "../lib/text.ts";
import { createGithubClient, isOwn, listPages, readViewer } from "./client.ts";
import { hintAt } from "./permissions.ts";

export interface StickyComment {
  readonly number: number;
  readonly marker: string;
  readonly body: string;
  /** True when the existing body says the same, so that nothing need be written. */
  readonly isSame: (other: string) => boolean;
}

export type CommentChange = "created" | "updated" | "unchanged";

const commentSchema = v.object({
  id: v.number(),
  body: v.nullish(v.string()),
  user: v.nullish(v.object({ login: v.string() })),
});

/** Keeps one own comment, without duplicates. @throws on refusal. https://docs.github.com/en/rest/issues/comments */
export async function writeStickyComment(
  { repository, token }: RepositoryAccess,
  { number, marker, body, isSame }: StickyComment,
): Promise<CommentChange> {
  const github = createGithubClient(repository.apiUrl, token);
  const here = { owner: repository.owner, repo: repository.name };
  try {
    const viewer = await readViewer(github, repository);
    const route = `GET /repos/${here.owner}/${here.repo}/issues/${number}/comments`;
    const comments = await listPages(github, route, {}, commentSchema);
    const [own, ...duplicates] = comments.filter((comment) =>
      isOwn({ login: comment.user?.login, body: comment.body }, viewer, marker),
    );
    // A comment made after a lost answer is a duplicate that the next run finds.
    for (const { id } of duplicates) await github.issues.deleteComment({ ...here, comment_id: id });
    if (!own) {
      await github.issues.createComment({ ...here, issue_number: number, body });
      return "created";
    }
    if (isSame(own.body ?? "")) return "unchanged";
    const request = { repeatable: true };
    await github.issues.updateComment({ ...here, comment_id: own.id, body, request });
    return "updated";
  } catch (error) {
    const said = errorMessage(error);
    const hint = hintAt(
      error,
      "; the workflow's token needs permissions: pull-requests: write (and a locked conversation takes no comment)",
    );
    throw new Error(`the comment on pull request ${number} was not written: ${said}${hint}`, {
      cause: error,
    });
  }
}
