import { type ApiRequest, parameter, Refusal, type Reply, type Routes, textField } from "../router.ts";
import type { createBodies } from "./bodies.ts";
import { objectId } from "./git.ts";
import type { Github } from "./github.ts";
import { standardBase64 } from "./secrets.ts";

const repo = "/repos/{owner}/{repo}";

/** The repository that a request names, as owner/name. */
export function nameRepository({ parameters }: ApiRequest): string {
  return `${parameters.get("owner")}/${parameters.get("repo")}`;
}

/** One page of a list by number, with GitHub's `Link` header where more follows. */
export function answerNumberedPage<T>(
  request: ApiRequest,
  all: readonly T[],
  show: (item: T) => unknown,
): Reply {
  const query = request.url.searchParams;
  const size = Math.min(Number(query.get("per_page") ?? 30), 100);
  const page = Number(query.get("page") ?? 1);
  const body = all.slice((page - 1) * size, page * size).map(show);
  if (page * size >= all.length) return { status: 200, body };
  const next = new URL(request.url);
  next.searchParams.set("page", String(page + 1));
  return { status: 200, headers: { link: `<${next.href}>; rel="next"` }, body };
}

/** The operations on branches, commits, trees and files. */
export function fileRoutes(github: Github, bodies: ReturnType<typeof createBodies>): Routes {
  const { serverUrl, fullName, defaultBranch, pulls } = github;

  function findCommit(request: ApiRequest, ref: string) {
    for (const home of pulls.homes(nameRepository(request))) {
      const commit = home.find(ref);
      if (commit) return { home, commit };
    }
    throw new Refusal(404, `No commit found for the ref ${ref}`);
  }

  function readContents(request: ApiRequest): Reply {
    const path = request.parameters.get("path") ?? "";
    const ref = request.url.searchParams.get("ref") ?? defaultBranch;
    const { home, commit } = findCommit(request, ref);
    const text = commit.files.get(path);
    if (text !== undefined) {
      const isRaw = request.headers.accept?.includes("raw") ?? false;
      return { status: 200, body: isRaw ? text : bodies.content(path, ref, text) };
    }
    const depth = path === "" ? 0 : path.split("/").length;
    const entries = home
      .expandTree(home.findTree(commit.oid)?.entries ?? [])
      .filter((entry) => path === "" || entry.path.startsWith(`${path}/`))
      .filter((entry) => entry.path.split("/").length === depth + 1);
    if (entries.length === 0) throw new Refusal(404, "Not Found");
    return { status: 200, body: entries.map((entry) => bodies.entry(entry, ref)) };
  }

  return {
    [`GET ${repo}/contents`]: readContents,
    [`GET ${repo}/contents/`]: readContents,
    [`GET ${repo}/contents/{path}`]: readContents,
    [`GET ${repo}/branches/{branch}`]: (request) => {
      const branch = parameter(request, "branch");
      return { status: 200, body: bodies.branch(branch, github.head(branch)) };
    },
    [`GET ${repo}/git/ref/{ref}`]: (request) => {
      const ref = parameter(request, "ref");
      const branch = /^heads\/(.+)$/.exec(ref)?.[1];
      if (branch === undefined) throw new Refusal(404, "Not Found");
      return { status: 200, body: bodies.ref(ref, github.head(branch).oid) };
    },
    [`POST ${repo}/git/refs`]: (request) => {
      const ref = textField(request.body, "ref") ?? "";
      const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
      if (branch === undefined) throw new Refusal(422, "Reference name must start with 'refs/heads/'");
      if (github.repository.head(branch)) throw new Refusal(422, "Reference already exists");
      const commit = github.repository.branchAt(branch, textField(request.body, "sha") ?? "");
      if (!commit) throw new Refusal(422, "Object does not exist");
      return { status: 201, body: bodies.ref(ref.replace(/^refs\//, ""), commit.oid) };
    },
    [`GET ${repo}/git/trees/{tree_sha}`]: (request) => {
      const ref = parameter(request, "tree_sha");
      for (const home of pulls.homes(nameRepository(request))) {
        const found = home.findTree(ref);
        // Any value of it asks for everything, "0" and "false" too.
        const isWhole = request.url.searchParams.has("recursive");
        if (!found) continue;
        return {
          status: 200,
          body: bodies.tree(found.sha, isWhole ? home.expandTree(found.entries) : found.entries),
        };
      }
      throw new Refusal(404, "Not Found");
    },
    [`GET ${repo}/commits`]: (request) => {
      const query = request.url.searchParams;
      const { home, commit } = findCommit(request, query.get("sha") ?? defaultBranch);
      const author = query.get("author");
      const found = home
        .history(commit, query.get("path") ?? "")
        .filter(({ author: { login, email } }) => author === null || author === login || author === email);
      return answerNumberedPage(request, found, bodies.commit);
    },
    [`GET ${repo}/commits/{ref}`]: (request) => {
      const { commit } = findCommit(request, parameter(request, "ref"));
      return { status: 200, body: bodies.commit(commit) };
    },
    [`GET ${repo}/git/blobs/{file_sha}`]: (request) => {
      const sha = parameter(request, "file_sha");
      for (const home of pulls.homes(nameRepository(request))) {
        const text = home.findBlob(sha);
        if (text !== undefined) return { status: 200, body: bodies.blob(sha, text) };
      }
      throw new Refusal(404, "Not Found");
    },
    [`POST ${repo}/git/blobs`]: (request) => {
      const content = textField(request.body, "content") ?? "";
      const isBase64 = textField(request.body, "encoding") === "base64";
      if (isBase64 && !standardBase64.test(content)) throw new Refusal(422, "content is not valid Base64");
      const sha = objectId("blob", isBase64 ? Buffer.from(content, "base64") : content);
      return { status: 201, body: { sha, url: `${serverUrl}/api/v3/repos/${fullName}/git/blobs/${sha}` } };
    },
  };
}
