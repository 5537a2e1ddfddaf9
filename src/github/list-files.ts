import * as v from "valibot";
import type { Repository } from "../config/actions.ts";
import { type GithubClient, objectId } from "./client.ts";
import { UnsureContents } from "./contents.ts";

const treeSchema = v.object({
  tree: v.array(v.object({ path: v.string(), type: v.string(), sha: objectId })),
  truncated: v.boolean(),
});

type Entry = v.InferOutput<typeof treeSchema>["tree"][number];

/**
 * The paths of all files below a folder of a commit, seen from it; none where there is no such folder.
 * https://docs.github.com/en/rest/git/trees#get-a-tree
 * @throws {UnsureContents} when GitHub does not list all of them.
 */
export async function listFiles(
  github: GithubClient,
  { owner, name }: Repository,
  { commit, folder }: { readonly commit: string; readonly folder: string },
  request: object,
): Promise<readonly string[]> {
  const readTree = async (sha: string, query: object): Promise<readonly Entry[]> => {
    const route = `GET /repos/${owner}/${name}/git/trees/${sha}`;
    const { data } = await github.request(route, { ...query, request });
    const answer = v.safeParse(treeSchema, data);
    if (!answer.success || answer.output.truncated)
      throw new UnsureContents(`GitHub does not list all files of ${folder}`);
    return answer.output.tree;
  };
  let sha = commit;
  for (const part of folder.split("/")) {
    const entries = await readTree(sha, {});
    const found = entries.find(({ path, type }) => path === part && type === "tree");
    if (found === undefined) return [];
    sha = found.sha;
  }
  const entries = await readTree(sha, { recursive: "1" });
  return entries.flatMap(({ path, type }) => (type === "blob" ? [path] : []));
}
