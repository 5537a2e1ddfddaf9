import * as v from "valibot";
import type { Repository } from "../github-place.ts";
import type { GithubClient } from "./client.ts";

const answerSchema = v.object({ data: v.object({ viewer: v.object({ login: v.string() }) }) });

/**
 * Whose token it is, by which own comments and issues are told from others'. By GraphQL, because `GET /user` refuses
 * a workflow's token. https://docs.github.com/en/graphql/reference/queries#viewer
 */
export async function readViewer(github: GithubClient, { graphqlUrl: url }: Repository): Promise<string> {
  const request = { repeatable: true };
  const { data } = await github.request({ method: "POST", url, query: "{ viewer { login } }", request });
  const answer = v.safeParse(answerSchema, data);
  if (!answer.success) throw new Error("GitHub does not say whose token this is (GraphQL viewer.login)");
  return answer.output.data.viewer.login;
}

/** True for what the viewer wrote and marked: neither somebody else's copy of the marker nor the viewer's other texts. */
export function isOwn(
  text: { readonly login: string | undefined; readonly body: string | null | undefined },
  viewer: string,
  marker: string,
): boolean {
  const isMarked = text.body?.trimStart().startsWith(marker) ?? false;
  return isMarked && text.login?.toLowerCase() === viewer.toLowerCase();
}
