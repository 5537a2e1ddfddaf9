import { createHash } from "node:crypto";
import * as v from "valibot";
import type { Repository, RepositoryAccess } from "../config/actions.ts";
import {
  createGithubClient,
  encodePath,
  type GithubClient,
  objectId,
  parseAnswer,
  statusOf,
} from "./client.ts";
import { type Contents, readContents } from "./contents.ts";

export interface BranchFiles {
  readonly branch: string;
  readonly sha: string;
  /** By the trees of the commit alone; null where they list no such file. */
  findBlob(path: string): Promise<string | null>;
  /** The files of a folder and the ids of their contents, by name; none where there is no such folder. */
  list(folder: string): Promise<ReadonlyMap<string, string>>;
  read(path: string): Promise<Contents>;
}

export interface RunRef {
  readonly name: string | null;
  readonly isBranch: boolean | null;
}

/**
 * Reads the head of the branch that a run is of; for a tag or a pull request, of the default branch. @throws when
 * there is no such branch, or GitHub cannot be asked. https://docs.github.com/en/rest/git/refs#get-a-reference
 */
export async function readRunBranch(
  { repository, token }: RepositoryAccess,
  { name, isBranch }: RunRef,
): Promise<BranchFiles> {
  const github = createGithubClient(repository.apiUrl, token);
  if (name !== null && isBranch !== false) {
    const sha = await readHead(github, repository, name);
    if (sha !== null) return openCommit(github, repository, { branch: name, sha });
    if (isBranch === true) throw missingBranch(repository, name);
  }
  const answer = await github.repos.get({ owner: repository.owner, repo: repository.name });
  const { default_branch: branch } = parseAnswer(v.object({ default_branch: v.string() }), answer);
  return await openBranch(github, repository, branch);
}

const refSchema = v.object({ object: v.object({ sha: objectId }) });

/**
 * The commit that a branch points to; null where there is no such branch.
 * https://docs.github.com/en/rest/git/refs#get-a-reference
 */
export async function readHead(
  github: GithubClient,
  { owner, name }: Repository,
  branch: string,
  request: object = {},
): Promise<string | null> {
  try {
    const route = `GET /repos/${owner}/${name}/git/ref/heads/${encodePath(branch)}`;
    return parseAnswer(refSchema, await github.request(route, { request })).object.sha;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Reads the head of a branch. @throws when there is no such branch, or GitHub cannot be asked. */
export async function openBranch(
  github: GithubClient,
  repository: Repository,
  branch: string,
): Promise<BranchFiles> {
  const sha = await readHead(github, repository, branch);
  if (sha === null) throw missingBranch(repository, branch);
  return openCommit(github, repository, { branch, sha });
}

/** The id that git gives to a file's content. */
export function blobIdOf(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** A file's bytes with every line end as LF: a checkout on Windows may have made them CRLF. */
export function unifyLineEnds(bytes: Uint8Array): Buffer {
  // One byte is one character in latin1, whatever the text's own encoding.
  return Buffer.from(Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n"), "latin1");
}

function missingBranch({ owner, name }: Repository, branch: string): Error {
  return new Error(`GitHub finds no branch ${branch} in ${owner}/${name}`);
}

const treeSchema = v.object({
  tree: v.array(v.object({ path: v.string(), type: v.string(), sha: objectId })),
  truncated: v.boolean(),
});

type Tree = ReadonlyMap<string, { readonly type: string; readonly sha: string }>;

function openCommit(
  github: GithubClient,
  { owner, name: repo }: Repository,
  { branch, sha }: { readonly branch: string; readonly sha: string },
): BranchFiles {
  const trees = new Map<string, Promise<Tree>>();
  /** https://docs.github.com/en/rest/git/trees#get-a-tree */
  const readTree = async (id: string): Promise<Tree> => {
    const answer = await github.request(`GET /repos/${owner}/${repo}/git/trees/${id}`);
    const { tree, truncated } = parseAnswer(treeSchema, answer);
    if (truncated) throw new Error(`GitHub does not list all files of ${owner}/${repo}`);
    return new Map(tree.map((entry) => [entry.path, entry]));
  };
  const findTree = (id: string): Promise<Tree> => {
    const tree = trees.get(id) ?? readTree(id);
    trees.set(id, tree);
    return tree;
  };
  const findBlob = async (path: string): Promise<string | null> => {
    let id = sha;
    for (const name of path.split("/")) {
      const entry = (await findTree(id)).get(name);
      if (entry === undefined) return null;
      id = entry.sha;
    }
    return id;
  };
  return {
    branch,
    sha,
    findBlob,
    async list(folder) {
      const id = await findBlob(folder);
      const entries = id === null ? [] : [...(await findTree(id))];
      return new Map(entries.flatMap(([name, { type, sha }]) => (type === "blob" ? [[name, sha]] : [])));
    },
    read: (path) => readContents(github, { owner, repo, path, ref: sha }),
  };
}
