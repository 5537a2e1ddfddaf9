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

/**
 * Reads one file as it is at a commit, without a checkout. At most 1 MiB: GitHub itself leaves larger ones out.
 * https://docs.github.com/en/rest/repos/contents#get-repository-content
 */
export async function readContents(github: GithubClient, place: FileLocation): Promise<Contents> {
  try {
    const { owner, repo, path, ref } = place;
    const route = `GET /repos/${owner}/${repo}/contents/${encodePath(path)}`;
    const { data } = await github.request(route, { ref });
    if (Array.isArray(data)) return { kind: "no-file", type: "dir" };
    if (data.type !== "file") return { kind: "no-file", type: data.type };
    if (data.size > maxContentBytes) return { kind: "too-large", size: data.size };
    return { kind: "file", bytes: Buffer.from(data.content, "base64") };
  } catch (error) {
    if (statusOf(error) === 404) return { kind: "missing" };
    throw error;
  }
}
