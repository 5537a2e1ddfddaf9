import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { RepositoryAccess } from "../config/actions.ts";
import type { ApprovalComment } from "../membership/approval.ts";
import { createGithubClient, type GithubClient, parseAnswer, readViewer, statusOf } from "./client.ts";

/** The comment that started a workflow. https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment */
export interface CommentEvent {
  readonly issueNumber: number;
  readonly commentId: number;
  /** What the comment said when it was posted. */
  readonly posted: string;
}

const eventSchema = v.object({
  action: v.literal("created"),
  issue: v.object({ number: v.number() }),
  comment: v.object({ id: v.number(), body: v.string() }),
});

/** Reads the runner's event file. @throws when the event is not a new comment. */
export async function readCommentEvent(path: string | null): Promise<CommentEvent> {
  if (path === null) throw new Error("GITHUB_EVENT_PATH is missing: only a comment starts this");
  const event = v.safeParse(eventSchema, JSON.parse(await readFile(path, "utf8")));
  if (!event.success) throw new Error("the event in GITHUB_EVENT_PATH is not a new comment on an issue");
  const { issue, comment } = event.output;
  return { issueNumber: issue.number, commentId: comment.id, posted: comment.body };
}

const userSchema = v.nullish(v.object({ login: v.string(), type: v.optional(v.string()) }));

const issueSchema = v.object({
  state: v.string(),
  body: v.nullish(v.string()),
  user: userSchema,
  pull_request: v.optional(v.unknown()),
  performed_via_github_app: v.nullish(v.object({ client_id: v.nullish(v.string()) })),
});

const commentSchema = v.object({ body: v.nullish(v.string()), user: userSchema });

const permissionSchema = v.object({ permission: v.string() });

/**
 * Reads the issue, the comment and its author's permission as they are now. The issue may be the work of the GitHub App
 * that replaces our own token elsewhere. @throws on refusal.
 * https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
 */
export async function readApprovalComment(
  { repository, token }: RepositoryAccess,
  { issueNumber, commentId, posted }: CommentEvent,
  appClientId: string | null,
): Promise<ApprovalComment> {
  const github = createGithubClient(repository.apiUrl, token);
  const here = { owner: repository.owner, repo: repository.name };
  const [issueAnswer, commentAnswer, viewer] = await Promise.all([
    github.issues.get({ ...here, issue_number: issueNumber }),
    github.issues.getComment({ ...here, comment_id: commentId }),
    readViewer(github, repository),
  ]);
  const issue = parseAnswer(issueSchema, issueAnswer);
  const comment = parseAnswer(commentSchema, commentAnswer);
  const login = comment.user?.login ?? "";
  const openedBy = issue.user?.login ?? "";
  const app = issue.performed_via_github_app?.client_id;
  // An App also acts for people, under their names.
  const isOurApp = appClientId !== null && app === appClientId && issue.user?.type === "Bot";
  return {
    login,
    isBot: comment.user?.type !== "User",
    posted,
    body: comment.body ?? "",
    issue: {
      isPullRequest: issue.pull_request !== undefined,
      isOpen: issue.state === "open",
      isOwn: isOurApp || openedBy.toLowerCase() === viewer.toLowerCase(),
      body: issue.body ?? "",
    },
    permission: await readPermission(github, here, login),
  };
}

/** Never by `author_association`, which says who belongs to the organisation, not who may write. */
async function readPermission(
  github: GithubClient,
  here: { readonly owner: string; readonly repo: string },
  username: string,
): Promise<string> {
  try {
    const answer = await github.repos.getCollaboratorPermissionLevel({ ...here, username });
    return parseAnswer(permissionSchema, answer).permission;
  } catch (error) {
    if (statusOf(error) === 404) return "none";
    throw error;
  }
}

/** Puts a reaction on the comment. @throws on refusal. https://docs.github.com/en/rest/reactions/reactions */
export async function reactToComment(
  { repository, token }: RepositoryAccess,
  { commentId }: CommentEvent,
  content: "eyes" | "confused" | "-1",
): Promise<void> {
  const github = createGithubClient(repository.apiUrl, token);
  const here = { owner: repository.owner, repo: repository.name };
  // Repeated, it is the same reaction.
  const request = { repeatable: true };
  await github.reactions.createForIssueComment({ ...here, comment_id: commentId, content, request });
}

/** Answers on the comment's issue. @throws on refusal. https://docs.github.com/en/rest/issues/comments */
export async function answerComment(
  { repository, token }: RepositoryAccess,
  { issueNumber }: CommentEvent,
  body: string,
): Promise<void> {
  const github = createGithubClient(repository.apiUrl, token);
  const here = { owner: repository.owner, repo: repository.name };
  await github.issues.createComment({ ...here, issue_number: issueNumber, body });
}
