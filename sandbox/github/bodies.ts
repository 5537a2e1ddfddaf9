import { fill, type Values } from "./fixtures.ts";
import { type Commit, type Identity, objectId, type TreeEntry } from "./git.ts";
import type { ChangedFile, Github, Pull, Role, Run } from "./github.ts";
import type { Comment, Issue, Reaction } from "./issues.ts";

/** Makes the bodies of GitHub's answers about one repository, with every field that its contract requires. */
export function createBodies(github: Github) {
  const { serverUrl: server, fullName, defaultBranch, createdAt } = github;
  const [owner = ""] = fullName.split("/");
  const api = `${server}/api/v3`;

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

  const createPerson = ({ name, email }: Identity, date: string) => ({ name, email, date });
  const createAccount = ({ login }: Identity) => (login === null ? null : createUser(login));

  const createCommit = ({ oid, parent, tree, message, author, committer, date, isVerified }: Commit) =>
    body("commit", {
      sha: oid,
      tree,
      message,
      author: createPerson(author, date),
      committer: createPerson(committer, date),
      authorUser: createAccount(author),
      committerUser: createAccount(committer),
      verification: {
        verified: isVerified,
        reason: isVerified ? "valid" : "unsigned",
        signature: isVerified
          ? "-----BEGIN PGP SIGNATURE-----\n\nsandbox\n-----END PGP SIGNATURE-----\n"
          : null,
        payload: isVerified ? `tree ${tree}\n` : null,
        verified_at: isVerified ? date : null,
      },
      parents: parent ? [{ sha: parent, url: `${placesOf(fullName).repo}/commits/${parent}` }] : [],
    });

  return {
    repository: createRepository,
    commit: createCommit,
    tree: (id: string, entries: readonly TreeEntry[]) => {
      const { repo } = placesOf(fullName);
      const tree = entries.map((one) => ({ ...one, url: `${repo}/git/${one.type}s/${one.sha}` }));
      return body("tree", { sha: id, tree });
    },
    workflow: () => body("workflow", { state: github.workflowState }),
    ref: (ref: string, oid: string) => body("ref", { ref, sha: oid }),

    branch: (branch: string, head: Commit) =>
      body("branch", {
        branch,
        commit: createCommit(head),
        isProtected: github.protection !== undefined && branch === defaultBranch,
        isClassic: github.protection === "branch protection" && branch === defaultBranch,
      }),

    content: (path: string, ref: string, text: string) => {
      const size = Buffer.byteLength(text);
      // Above one megabyte the JSON form leaves the text out.
      const isLarge = size > 1024 * 1024;
      return body("content", {
        path,
        ref,
        size,
        sha: objectId("blob", text),
        fileName: path.split("/").at(-1),
        encoding: isLarge ? "none" : "base64",
        // GitHub breaks the text into lines.
        content: isLarge ? "" : Buffer.from(text).toString("base64").replace(/.{60}/g, "$&\n"),
      });
    },

    blob: (sha: string, text: string) =>
      body("blob", {
        sha,
        size: Buffer.byteLength(text),
        content: Buffer.from(text).toString("base64").replace(/.{60}/g, "$&\n"),
      }),

    entry: ({ path, type, sha, size = 0 }: TreeEntry, ref: string) =>
      body("entry", {
        path,
        ref,
        sha,
        size,
        type: type === "blob" ? "file" : "dir",
        kind: `${type}s`,
        view: type,
        fileName: path.split("/").at(-1),
        download: type === "blob" ? `${server}/raw/${fullName}/${ref}/${path}` : null,
      }),

    run: ({ id, createdAt: startedAt, head: { oid, tree, message, author, committer, date } }: Run) =>
      body("run", {
        id: Number(id),
        startedAt,
        sha: oid,
        tree,
        message,
        author: createPerson(author, date),
        committer: createPerson(committer, date),
        repository: createMinimal(),
      }),

    environment: (environment: string) =>
      body("environment", {
        environment,
        policy:
          github.environment(environment).branches === null
            ? null
            : { protected_branches: false, custom_branch_policies: true },
      }),

    issue: ({ number, title, body: text, login, state, stateReason, comments, isPull, app }: Issue) => ({
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
      ...(app !== null && {
        performed_via_github_app: body("app", {
          clientId: app,
          slug: login.replace("[bot]", ""),
          owner: createUser(owner),
        }),
      }),
      ...(isPull && { pull_request: body("pull-links", { number }) }),
    }),

    comment: ({ number }: Issue, { id, login, body: text }: Comment) =>
      body("comment", { id, number, user: createUser(login), body: text }),

    reaction: ({ id, login, content }: Reaction) =>
      body("reaction", { id, content, user: createUser(login) }),

    /** The role in full, and the permission that it amounts to. */
    permission: (login: string, role: Role | "none") => {
      const permission = role === "maintain" ? "write" : role === "triage" ? "read" : role;
      const user = role === "none" ? null : { ...createUser(login), role_name: role };
      return { permission, role_name: role, user };
    },

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

    changedFile: ({ path, text }: ChangedFile, { headRepository, headOid }: Pull) =>
      body("changed-file", {
        ...placesOf(headRepository),
        path,
        oid: headOid,
        sha: text === null ? null : objectId("blob", text),
        status: text === null ? "removed" : "modified",
      }),
  };
}
