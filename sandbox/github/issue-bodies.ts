import type { createBodies } from "./bodies.ts";
import type { Github } from "./github.ts";
import type { Comment, Issue } from "./issues.ts";
import type { Pull } from "./pulls.ts";

/** Makes the bodies of answers about issues, comments and pull requests, with every field that the contract requires. */
export function createIssueBodies(
  { serverUrl, fullName, defaultBranch, createdAt }: Github,
  bodies: ReturnType<typeof createBodies>,
) {
  const url = `${serverUrl}/api/v3/repos/${fullName}`;
  const times = { created_at: createdAt, updated_at: createdAt };

  function issueUrls(number: number) {
    const self = `${url}/issues/${number}`;
    return {
      url: self,
      repository_url: url,
      labels_url: `${self}/labels{/name}`,
      comments_url: `${self}/comments`,
      events_url: `${self}/events`,
    };
  }

  return {
    issue: (issue: Issue) => ({
      ...issueUrls(issue.number),
      ...times,
      id: 5000 + issue.number,
      node_id: `I_${issue.number}`,
      html_url: `${serverUrl}/${fullName}/${issue.isPull ? "pull" : "issues"}/${issue.number}`,
      number: issue.number,
      title: issue.title,
      body: issue.body,
      state: issue.state,
      ...(issue.stateReason !== null && { state_reason: issue.stateReason }),
      user: bodies.user(issue.login),
      labels: [],
      assignee: null,
      milestone: null,
      locked: false,
      comments: issue.comments.length,
      closed_at: issue.state === "closed" ? createdAt : null,
      ...(issue.isPull && {
        pull_request: {
          url: `${url}/pulls/${issue.number}`,
          html_url: `${serverUrl}/${fullName}/pull/${issue.number}`,
          diff_url: `${serverUrl}/${fullName}/pull/${issue.number}.diff`,
          patch_url: `${serverUrl}/${fullName}/pull/${issue.number}.patch`,
        },
      }),
    }),

    comment: (issue: Issue, comment: Comment) => ({
      ...times,
      id: comment.id,
      node_id: `IC_${comment.id}`,
      url: `${url}/issues/comments/${comment.id}`,
      html_url: `${serverUrl}/${fullName}/issues/${issue.number}#issuecomment-${comment.id}`,
      issue_url: `${url}/issues/${issue.number}`,
      user: bodies.user(comment.login),
      body: comment.body,
    }),

    pull: (pull: Pull) => {
      const { issue } = pull;
      const self = `${url}/pulls/${issue.number}`;
      const side = (fullNameOfSide: string, ref: string, sha: string) => {
        const [owner = ""] = fullNameOfSide.split("/");
        return {
          label: `${owner}:${ref}`,
          ref,
          sha,
          user: bodies.user(owner),
          repo: bodies.repository(fullNameOfSide),
        };
      };
      const links = ["comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment"];
      return {
        ...times,
        url: self,
        id: 7000 + issue.number,
        node_id: `PR_${issue.number}`,
        html_url: `${serverUrl}/${fullName}/pull/${issue.number}`,
        diff_url: `${serverUrl}/${fullName}/pull/${issue.number}.diff`,
        patch_url: `${serverUrl}/${fullName}/pull/${issue.number}.patch`,
        issue_url: `${url}/issues/${issue.number}`,
        commits_url: `${self}/commits`,
        review_comments_url: `${self}/comments`,
        review_comment_url: `${url}/pulls/comments{/number}`,
        comments_url: `${url}/issues/${issue.number}/comments`,
        statuses_url: `${url}/statuses/${pull.headOid}`,
        number: issue.number,
        state: issue.state,
        locked: false,
        title: issue.title,
        user: bodies.user(issue.login),
        body: issue.body,
        ...{ labels: [], milestone: null, closed_at: null, merged_at: null, merge_commit_sha: null },
        ...{ assignee: null, author_association: "CONTRIBUTOR", auto_merge: null, merged: false },
        ...{ mergeable: true, mergeable_state: "clean", merged_by: null, maintainer_can_modify: false },
        ...{ comments: issue.comments.length, review_comments: 0, commits: 1 },
        ...{ additions: 1, deletions: 1, changed_files: 1 },
        head: side(pull.headRepository, pull.branch, pull.headOid),
        base: side(fullName, defaultBranch, pull.baseOid),
        _links: Object.fromEntries([...links, "self"].map((name) => [name, { href: `${self}/${name}` }])),
      };
    },
  };
}
