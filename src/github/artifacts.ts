import * as v from "valibot";
import type { RepositoryAccess } from "../config/actions.ts";
import { sendHttp } from "../lib/http.ts";
import { readZipEntry } from "../lib/zip.ts";
import { createGithubClient, parseAnswer, statusOf } from "./client.ts";

/** A file that an earlier run of the same branch has left. */
export interface Artifact {
  readonly id: number;
  readonly runId: number;
}

const listSchema = v.object({
  artifacts: v.array(
    v.object({
      id: v.number(),
      expired: v.boolean(),
      workflow_run: v.nullish(
        v.object({
          id: v.number(),
          repository_id: v.number(),
          head_repository_id: v.number(),
          head_branch: v.nullable(v.string()),
        }),
      ),
    }),
  ),
});

/** More than anybody owes; the rest is for a later run. */
const maxArtifacts = 20;

/** Anything larger is not ours. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Lists the artifacts of this name that runs of this branch have left. Those of forks and of other branches are not
 * believed: anyone who opens a pull request can make artifacts.
 * https://docs.github.com/en/rest/actions/artifacts#list-artifacts-for-a-repository
 */
export async function listArtifacts(
  { repository, token }: RepositoryAccess,
  name: string,
  branch: string,
): Promise<readonly Artifact[]> {
  const github = createGithubClient(repository.apiUrl, token);
  const route = `GET /repos/${repository.owner}/${repository.name}/actions/artifacts`;
  const answer = await github.request(route, { name, per_page: maxArtifacts });
  return parseAnswer(listSchema, answer).artifacts.flatMap(({ id, expired, workflow_run: run }) => {
    const isOurs = run?.head_branch === branch && run.head_repository_id === run.repository_id;
    return isOurs && !expired ? [{ id, runId: run.id }] : [];
  });
}

/**
 * Reads one file of an artifact. GitHub answers with the address of its store, which is asked without the token.
 * https://docs.github.com/en/rest/actions/artifacts#download-an-artifact
 * @throws when there is no such artifact or file any more.
 */
export async function readArtifact(
  { repository, token }: RepositoryAccess,
  { id }: Artifact,
  file: string,
): Promise<string> {
  const { apiUrl, owner, name } = repository;
  const method = "GET";
  const url = new URL(`${apiUrl}/repos/${owner}/${name}/actions/artifacts/${id}/zip`);
  const headers = { authorization: `token ${token}`, "user-agent": "webex-rollcall" };
  const answer = await sendHttp({ method, url, headers });
  const location = answer.headers.get("location") ?? "";
  const store = URL.canParse(location) ? new URL(location) : null;
  const isSafe = store?.protocol === "https:" || store?.origin === url.origin;
  if (answer.status !== 302 || store === null || !isSafe)
    throw new Error(`GitHub does not say where the artifact is (${answer.status})`);
  const { status, bytes } = await sendHttp({ method, url: store, headers: {} });
  if (status !== 200) throw new Error(`the store of artifacts answered ${status}`);
  const entry = readZipEntry(bytes, file, maxBytes);
  if (entry === null) throw new Error(`the artifact has no file ${file}`);
  return entry.toString("utf8");
}

/**
 * Deletes an artifact that has done its work; false where the token may not.
 * https://docs.github.com/en/rest/actions/artifacts#delete-an-artifact
 */
export async function deleteArtifact(
  { repository, token }: RepositoryAccess,
  { id }: Artifact,
): Promise<boolean> {
  const github = createGithubClient(repository.apiUrl, token);
  try {
    await github.request(`DELETE /repos/${repository.owner}/${repository.name}/actions/artifacts/${id}`);
    return true;
  } catch (error) {
    if (statusOf(error) === null) throw error;
    return false;
  }
}
