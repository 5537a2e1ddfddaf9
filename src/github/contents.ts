import * as v from "valibot";
import { encodePath, type GithubClient, statusOf } from "./client.ts";

/** A file at one commit, or why there is none to read. */
export type Contents =
  | { readonly kind: "file"; readonly bytes: Buffer }
  | { readonly kind: "missing" }
  /** Its size in bytes, which is more than is read. */
  | { readonly kind: "too-large"; readonly size: number }
  | { readonly kind: "no-file"; readonly type: string };

/** Which file, by its path in a repository, at which commit or branch. */
export interface FileLocation {
  readonly owner: string;
  readonly repo: string;
  readonly path: string;
  readonly ref: string;
}

/** GitHub's JSON form leaves the text of a larger file out. */
export const maxContentBytes = 1024 * 1024;

const contentsSchema = v.union([
  v.object({ type: v.literal("file"), size: v.number(), content: v.string() }),
  v.object({ type: v.string() }),
  v.array(v.unknown()),
]);

/** GitHub's answers do not add up, or say nothing: for all that is known, the file is there. */
export class UnsureContents extends Error {
  override readonly name = "UnsureContents";
}

/** The repository does not know the commit: a fork's may be known to the fork only. */
export class UnknownCommit extends UnsureContents {}

/**
 * Reads one file as it is at a commit, without a checkout. At most 1 MiB: GitHub itself leaves larger ones out. "Not
 * found" is believed when the commit's tree does not list the file either; if it does, the file is read once more.
 * https://docs.github.com/en/rest/repos/contents#get-repository-content
 * @throws {UnsureContents} when it is still not found then, or the commit is not.
 */
export async function readContents(
  github: GithubClient,
  place: FileLocation,
  request: object = {},
): Promise<Contents> {
  const first = await readOnce(github, place, request);
  if (first.kind !== "missing" || !(await isListed(github, place, request))) return first;
  const second = await readOnce(github, place, request);
  if (second.kind !== "missing") return second;
  throw new UnsureContents(`GitHub does not find ${place.path}, although its commit has it`);
}

async function readOnce(github: GithubClient, place: FileLocation, request: object): Promise<Contents> {
  try {
    const { owner, repo, path, ref } = place;
    const route = `GET /repos/${owner}/${repo}/contents/${encodePath(path)}`;
    const { data } = await github.request(route, { ref, request });
    const answer = v.safeParse(contentsSchema, data);
    if (!answer.success) throw new UnsureContents(`GitHub's answer about ${path} is not as documented`);
    const contents = answer.output;
    if (Array.isArray(contents)) return { kind: "no-file", type: "dir" };
    if (!("content" in contents)) return { kind: "no-file", type: contents.type };
    if (contents.size > maxContentBytes) return { kind: "too-large", size: contents.size };
    return { kind: "file", bytes: Buffer.from(contents.content, "base64") };
  } catch (error) {
    if (statusOf(error) === 404) return { kind: "missing" };
    throw error;
  }
}

const treeSchema = v.object({
  tree: v.array(v.object({ path: v.string(), type: v.string(), sha: v.string() })),
  truncated: v.boolean(),
});

/**
 * Whether a commit's tree has a file at the path, looked for folder by folder: no listing of a single folder is cut
 * short in practice. https://docs.github.com/en/rest/git/trees#get-a-tree
 */
async function isListed(
  github: GithubClient,
  { owner, repo, path, ref }: FileLocation,
  request: object,
): Promise<boolean> {
  let tree = ref;
  for (const name of path.split("/")) {
    const route = `GET /repos/${owner}/${repo}/git/trees/${encodeURIComponent(tree)}`;
    const { data } = await github.request(route, { request }).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
      throw new UnknownCommit(`GitHub finds neither ${path} nor the commit it is read at`, { cause: error });
    });
    const answer = v.safeParse(treeSchema, data);
    if (!answer.success)
      throw new UnsureContents("GitHub's answer about the commit's files is not as documented");
    const { tree: entries, truncated } = answer.output;
    const found = entries.find((entry) => entry.path === name);
    if (found === undefined && truncated)
      throw new UnsureContents(`GitHub does not list all files of ${path}`);
    if (found?.type !== "tree") return found !== undefined && name === path.split("/").at(-1);
    tree = found.sha;
  }
  return true;
}
