import { createHash } from "node:crypto";
import { fill, type Values } from "./fixtures.ts";
import type { Commit } from "./git.ts";
import type { Github, Pull, Run } from "./github.ts";
import type { Comment, Issue } from "./issues.ts";

function sha(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** Makes the bodies of GitHub's answers about one repository, with every field that its contract requires. */
export function createBodies(github: Github) {
  const { serverUrl: server, fullName, defaultBranch, createdAt } = github;
  const [owner = ""] = fullName.split("/");
  const api = `${server}/api/v3`;
  const person = { name: owner, email: `${owner}@example.com`, date: createdAt };

  const placesOf = (named: string) => ({
    server,
    api,
    repo: `${api}/repos/${named}`,
    web: `${server}/${named}`,
  });
  const body = (name: string, values: Values) =>
    fill(name, { ...placesOf(fullName), fullName, defaultBranch, createdAt, ...values });

  function createUser(login: string) {
    const type = login === owner ? "Organization" : login.endsWith("[bot]") ? "Bot" : "User";
    return body("user", { login, type });
  }

  /** The repository, or a fork of it by name, as other bodies show it. */
  function createMinimal(named = fullName) {
    const [login = "", name] = named.split("/");
    return body("minimal-repository", {
      ...placesOf(named),
      name,
      fullName: named,
      owner: createUser(login),
      isPrivate: github.isPrivate,
      isFork: named !== fullName,
    });
  }

  const createRepository = (named = fullName) => ({
    ...createMinimal(named),
    ...body("repository", { ...placesOf(named), fullName: named }),
  });

  const createCommit = ({ oid, parent, message }: Commit) =>
    body("commit", {
      sha: oid,
      tree: sha(oid),
      message,
      author: person,
      committer: person,
      authorUser: createUser(owner),
      committerUser: createUser(owner),
      parents: parent ? [{ sha: parent, url: `${placesOf(fullName).repo}/commits/${parent}` }] : [],
    });

  return {
    repository: createRepository,
    workflow: () => body("workflow", { state: github.workflowState }),
    ref: (ref: string, oid: string) => body("ref", { ref, sha: oid }),

    branch: (branch: string, head: Commit) =>
      body("branch", { branch, commit: createCommit(head), isProtected: github.protection !== undefined }),

    content: (path: string, ref: string, text: string) => {
      const size = Buffer.byteLength(text);
      // Above one megabyte the JSON form leaves the text out.
      const isLarge = size > 1024 * 1024;
      return body("content", {
        path,
        ref,
        size,
        sha: sha(text),
        fileName: path.split("/").at(-1),
        encoding: isLarge ? "none" : "base64",
        // GitHub breaks the text into lines.
        content: isLarge ? "" : Buffer.from(text).toString("base64").replace(/.{60}/g, "$&\n"),
      });
    },

    run: ({ id, createdAt: startedAt, head: { oid, message } }: Run) =>
      body("run", {
        id: Number(id),
        startedAt,
        sha: oid,
        tree: sha(oid),
        message,
        author: person,
        committer: person,
        repository: createMinimal(),
      }),

    environment: (environment: string) =>
      body("environment", {
        environment,
        policy:
          github.environmentBranches === null
            ? null
            : { protected_branches: false, custom_branch_policies: true },
      }),

    issue: ({ number, title, body: text, login, state, stateReason, comments, isPull }: Issue) => ({
      ...body("issue", {
        id: 5000 + number,
        number,
        title,
        body: text,
        state,
        user: createUser(login),
        place: isPull ? "pull" : "issues",
        comments: comments.length,
        closedAt: state === "closed" ? createdAt : null,
      }),
      ...(stateReason !== null && { state_reason: stateReason }),
      ...(isPull && { pull_request: body("pull-links", { number }) }),
    }),

    comment: ({ number }: Issue, { id, login, body: text }: Comment) =>
      body("comment", { id, number, user: createUser(login), body: text }),

    pull: ({ issue, headRepository, branch, headOid, baseOid }: Pull) => {
      const side = (named: string, ref: string, oid: string) => {
        const [login = ""] = named.split("/");
        const repository = createRepository(named);
        return body("pull-side", {
          label: `${login}:${ref}`,
          ref,
          sha: oid,
          user: createUser(login),
          repository,
        });
      };
      const { number, title, body: text, login, state, comments } = issue;
      return body("pull", {
        id: 7000 + number,
        number,
        title,
        body: text,
        state,
        sha: headOid,
        user: createUser(login),
        comments: comments.length,
        head: side(headRepository, branch, headOid),
        base: side(fullName, defaultBranch, baseOid),
      });
    },
  };
}
