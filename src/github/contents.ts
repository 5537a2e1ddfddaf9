import * as v from "valibot";
import { encodePath, type GithubClient, objectId, statusOf } from "./client.ts";

export type Contents =
  | { readonly kind: "file"; readonly bytes: Buffer }
  | { readonly kind: "missing" }
  | { readonly kind: "too-large"; readonly size: number }
  | { readonly kind: "no-file"; readonly type: string };

export interface FileLocation {
  readonly owner: string;
  readonly repo: string;
  readonly path: string;
  readonly ref: string;
  /** Of a larger file nothing but its size is read. Default: 32 MiB. */
  readonly maxBytes?: number;
}

/** Above this GitHub's answer leaves the text of a file out, and its blob is asked for. */
const maxInlineBytes = 1024 * 1024;

const contentsSchema = v.union([
  v.object({ type: v.literal("file"), size: v.number(), content: v.string(), sha: objectId }),
  v.object({ type: v.string() }),
  v.array(v.unknown()),
]);

/** GitHub's answers contradict each other or say nothing: the file may be there. */
export class UnsureContents extends Error {
  override readonly name = "UnsureContents";
}

/** The repository does not know the commit: only a fork may know its own. */
export class UnknownCommit extends UnsureContents {}

/**
 * Reads one file of a commit. "Not found" is believed only when the commit's tree agrees.
 * https://docs.github.com/en/rest/repos/contents#get-repository-content
 * @throws {UnsureContents} when the tree lists a file that cannot be found, or the commit is not found.
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
    const { owner, repo, path, ref, maxBytes = 32 * maxInlineBytes } = place;
    const route = `GET /repos/${owner}/${repo}/contents/${encodePath(path)}`;
    const { data } = await github.request(route, { ref, request });
    const answer = v.safeParse(contentsSchema, data);
    if (!answer.success) throw new UnsureContents(`GitHub's answer about ${path} is not as documented`);
    const contents = answer.output;
    if (Array.isArray(contents)) return { kind: "no-file", type: "dir" };
    if (!("content" in contents)) return { kind: "no-file", type: contents.type };
    if (contents.size > maxBytes) return { kind: "too-large", size: contents.size };
    const isInline = contents.size <= maxInlineBytes;
    const text = isInline ? contents.content : await readBlob(github, place, contents.sha, request);
    const bytes = Buffer.from(text, "base64");
    if (bytes.length === contents.size) return { kind: "file", bytes };
    throw new UnsureContents(
      `GitHub's answer holds ${bytes.length} of the ${contents.size} bytes of ${path}`,
    );
  } catch (error) {
    if (statusOf(error) === 404) return { kind: "missing" };
    throw error;
  }
}

const blobSchema = v.object({ encoding: v.literal("base64"), content: v.string() });

/** Of up to 100 MB. https://docs.github.com/en/rest/git/blobs#get-a-blob */
async function readBlob(
  github: GithubClient,
  { owner, repo, path }: FileLocation,
  sha: string,
  request: object,
): Promise<string> {
  const { data } = await github.request(`GET /repos/${owner}/${repo}/git/blobs/${sha}`, { request });
  const blob = v.safeParse(blobSchema, data);
  if (blob.success) return blob.output.content;
  throw new UnsureContents(`GitHub's answer about the content of ${path} is not as documented`);
}

const treeSchema = v.object({
  tree: v.array(v.object({ path: v.string(), type: v.string(), sha: objectId })),
  truncated: v.boolean(),
});

/** Folder by folder, because GitHub cuts long listings. https://docs.github.com/en/rest/git/trees#get-a-tree */
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
