import { createHash } from "node:crypto";
import type { Commit } from "./git.ts";
import type { Github, Pull, Run } from "./github.ts";
import type { Comment, Issue } from "./issues.ts";

function sha(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** `<name>_url` for each name, below one address. */
function urlFields(names: string, base: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [`${name}_url`, `${base}/${name}`]));
}

const userUrls =
  "avatar events followers following gists html organizations received_events repos starred subscriptions";

const repositoryUrls =
  "archive assignees blobs branches clone collaborators comments commits compare contents contributors " +
  "deployments downloads events forks git git_commits git_refs git_tags hooks html issue_comment issue_events " +
  "issues keys labels languages merges milestones notifications pulls releases ssh stargazers statuses " +
  "subscribers subscription svn tags teams trees";

const runUrls = "jobs logs check_suite cancel rerun artifacts workflow html";

/** Makes the bodies of GitHub's answers about one repository, with every field that its contract requires. */
export function createBodies(github: Github) {
  const { serverUrl, fullName, defaultBranch, createdAt } = github;
  const [owner = ""] = fullName.split("/");
  const api = `${serverUrl}/api/v3`;
  const url = `${api}/repos/${fullName}`;
  const person = { name: owner, email: `${owner}@example.com`, date: createdAt };
  const createUser = (login: string, type = login.endsWith("[bot]") ? "Bot" : "User") => ({
    ...urlFields(userUrls, `${api}/users/${login}`),
    gravatar_id: "",
    id: 1,
    node_id: "U_1",
    login,
    site_admin: false,
    type,
    url: `${api}/users/${login}`,
  });
  const user = createUser(owner, "Organization");
  const createMinimal = (named: string) => ({
    ...urlFields(repositoryUrls, `${api}/repos/${named}`),
    id: 2,
    node_id: "R_2",
    name: named.split("/")[1] ?? "",
    full_name: named,
    owner: named === fullName ? user : createUser(named.split("/")[0] ?? ""),
    private: github.isPrivate,
    description: null,
    fork: named !== fullName,
    url: `${api}/repos/${named}`,
  });
  const minimal = createMinimal(fullName);

  return {
    user: createUser,

    /** The repository itself, or a fork of it by name. */
    repository: (named = fullName) => ({
      ...createMinimal(named),
      default_branch: defaultBranch,
      ...{ forks: 0, forks_count: 0, open_issues: 0, open_issues_count: 0, size: 0, stargazers_count: 0 },
      ...{ watchers: 0, watchers_count: 0, network_count: 0, subscribers_count: 0 },
      ...{ has_issues: true, has_projects: false, has_wiki: false, has_pages: false, has_discussions: false },
      has_downloads: false,
      ...{
        homepage: null,
        language: null,
        mirror_url: null,
        license: null,
        archived: false,
        disabled: false,
      },
      ...{ pushed_at: createdAt, created_at: createdAt, updated_at: createdAt },
    }),

    branch: (branch: string, { oid, parent, message }: Commit) => ({
      name: branch,
      commit: {
        url: `${url}/commits/${oid}`,
        sha: oid,
        node_id: `C_${oid}`,
        html_url: `${serverUrl}/${fullName}/commit/${oid}`,
        comments_url: `${url}/commits/${oid}/comments`,
        commit: {
          url: `${url}/git/commits/${oid}`,
          author: person,
          committer: person,
          message,
          comment_count: 0,
          tree: { sha: sha(oid), url: `${url}/git/trees/${sha(oid)}` },
        },
        author: user,
        committer: user,
        parents: parent ? [{ sha: parent, url: `${url}/commits/${parent}` }] : [],
      },
      _links: { html: `${serverUrl}/${fullName}/tree/${branch}`, self: `${url}/branches/${branch}` },
      protection: { enabled: github.protection !== undefined },
      protected: github.protection !== undefined,
      protection_url: `${url}/branches/${branch}/protection`,
    }),

    ref: (ref: string, oid: string) => ({
      ref: `refs/${ref}`,
      node_id: `REF_${oid}`,
      url: `${url}/git/refs/${ref}`,
      object: { type: "commit", sha: oid, url: `${url}/git/commits/${oid}` },
    }),

    content: (path: string, ref: string, text: string) => {
      // Above one megabyte the JSON form leaves the text out.
      const isLarge = Buffer.byteLength(text) > 1024 * 1024;
      const self = `${url}/contents/${path}?ref=${ref}`;
      const git = `${url}/git/blobs/${sha(text)}`;
      const html = `${serverUrl}/${fullName}/blob/${ref}/${path}`;
      return {
        type: "file",
        encoding: isLarge ? "none" : "base64",
        size: Buffer.byteLength(text),
        name: path.split("/").at(-1),
        path,
        // GitHub breaks the text into lines.
        content: isLarge ? "" : Buffer.from(text).toString("base64").replace(/.{60}/g, "$&\n"),
        sha: sha(text),
        url: self,
        git_url: git,
        html_url: html,
        download_url: html,
        _links: { self, git, html },
      };
    },

    run: ({ id, createdAt: startedAt, head: { oid, message } }: Run) => ({
      ...urlFields(runUrls, `${url}/actions/runs/${id}`),
      id: Number(id),
      node_id: `WFR_${id}`,
      head_branch: defaultBranch,
      head_sha: oid,
      run_number: Number(id),
      run_attempt: 1,
      display_title: "Sync",
      event: "schedule",
      status: "in_progress",
      conclusion: null,
      path: ".github/workflows/sync.yml",
      workflow_id: 3,
      url: `${url}/actions/runs/${id}`,
      created_at: startedAt,
      updated_at: startedAt,
      head_commit: {
        id: oid,
        tree_id: sha(oid),
        message,
        timestamp: createdAt,
        author: person,
        committer: person,
      },
      head_repository: minimal,
      repository: minimal,
      pull_requests: [],
    }),

    environment: (environment: string) => ({
      id: 4,
      node_id: "EN_4",
      name: environment,
      url: `${url}/environments/${environment}`,
      html_url: `${serverUrl}/${fullName}/deployments`,
      created_at: createdAt,
      updated_at: createdAt,
      deployment_branch_policy:
        github.environmentBranches === null
          ? null
          : { protected_branches: false, custom_branch_policies: true },
    }),
  };
}

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
