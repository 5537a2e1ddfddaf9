import { createHash } from "node:crypto";
import { Dispatcher } from "undici";
import * as v from "valibot";
import { Artifacts } from "../../sandbox/github/artifacts.ts";
import { dispatchBy } from "../../src/lib/http.ts";
import { formatOwed, type OwedReport } from "../../src/report/owed.ts";

/** A request of this process, and what a test answers; null cuts the connection. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is bytes; nothing where it is left out. */
  readonly body?: unknown;
}

class Answerer extends Dispatcher {
  readonly #answer: (asked: Asked) => Answer | null;

  constructor(answer: (asked: Asked) => Answer | null) {
    super();
    this.#answer = answer;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { method, path, body: sent } = options;
    handler.onConnect?.(() => undefined);
    setImmediate(() => {
      const answer = this.#answer({ method, path, body: typeof sent === "string" ? sent : "" });
      if (answer === null) return handler.onError?.(new Error("other side closed"));
      const { status = 200, headers = {}, body } = answer;
      const head = Object.entries({ "content-type": "application/json", ...headers }).flat();
      handler.onHeaders?.(
        status,
        head.map((text) => Buffer.from(text)),
        () => undefined,
        "",
      );
      if (body !== undefined)
        handler.onData?.(Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)));
      handler.onComplete?.([]);
    });
    return true;
  }
}

/** Answers all requests of this process, wherever they go, until the test ends. */
export function answerRequests(answer: (asked: Asked) => Answer | null) {
  const asked: Asked[] = [];
  const before = dispatchBy(
    new Answerer((request) => {
      asked.push(request);
      return answer(request);
    }),
  );
  return { asked, [Symbol.dispose]: () => void dispatchBy(before) };
}

const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

/** The id that git gives to this text. */
export const blobOf = (text: string) => sha1(`blob ${Buffer.byteLength(text)}\0${text}`);

/** What GitHub answers about the head of the branch main of acme/spaces, which has these files; null is a submodule. */
export function answerGithub(files: Readonly<Record<string, string | null>>): (asked: Asked) => Answer {
  const head = sha1("head");
  const treeOf = (folder: string) => (folder === "" ? head : sha1(`tree ${folder}`));
  const listTree = (folder: string) => {
    const below = Object.keys(files).filter((path) => path.startsWith(folder));
    const names = new Set(below.map((path) => path.slice(folder.length).split("/")[0] ?? ""));
    return [...names].map((name) => {
      const path = folder + name;
      const text = files[path];
      if (text === undefined) return { path: name, type: "tree", sha: treeOf(`${path}/`) };
      return { path: name, type: text === null ? "commit" : "blob", sha: blobOf(text ?? "") };
    });
  };
  const folders = Object.keys(files).flatMap((path) =>
    path.split("/").map((_, depth, names) => names.slice(0, depth).map((name) => `${name}/`)),
  );
  const trees = new Map(folders.map((names) => [treeOf(names.join("")), names.join("")]));
  const listAll = (folder: string) =>
    Object.keys(files)
      .filter((path) => path.startsWith(folder))
      .map((path) => ({ path: path.slice(folder.length), type: "blob", sha: blobOf(files[path] ?? "") }));
  return ({ path: target }) => {
    const [, what = "", rest = ""] =
      /^\/repos\/acme\/spaces\/(git\/ref|git\/trees|contents)\/([^?]*)/.exec(target) ?? [];
    if (what === "git/ref" && rest === "heads/main") return { body: { object: { sha: head } } };
    if (what === "git/trees") {
      const folder = trees.get(rest);
      if (folder !== undefined)
        return {
          body: {
            tree: target.includes("recursive=1") ? listAll(folder) : listTree(folder),
            truncated: false,
          },
        };
    }
    const text = files[decodeURIComponent(rest)];
    if (what === "contents" && text === null) return { body: { type: "submodule" } };
    if (what === "contents" && typeof text === "string") {
      const content = Buffer.from(text).toString("base64");
      return { body: { type: "file", size: Buffer.byteLength(text), content, sha: blobOf(text) } };
    }
    return { status: 404, body: { message: "Not Found" } };
  };
}

const commitSchema = v.object({
  variables: v.object({
    input: v.object({
      message: v.object({ headline: v.string() }),
      fileChanges: v.object({ additions: v.array(v.object({ path: v.string(), contents: v.string() })) }),
    }),
  }),
});

/** A repository acme/spaces that takes commits; `onCommit` hears of each, and false loses the answer to it. */
export function createGithub(given: Readonly<Record<string, string>>, onCommit: () => boolean = () => true) {
  const files: Record<string, string> = { LICENSE: "", ...given };
  const headlines: string[] = [];
  const answer = (asked: Asked): Answer | null => {
    if (asked.path !== "/graphql") return answerGithub(files)(asked);
    const { message, fileChanges } = v.parse(commitSchema, JSON.parse(asked.body)).variables.input;
    headlines.push(message.headline);
    for (const { path, contents } of fileChanges.additions)
      files[path] = Buffer.from(contents, "base64").toString("utf8");
    return onCommit()
      ? { body: { data: { createCommitOnBranch: { commit: { oid: sha1("next") } } } } }
      : null;
  };
  return { files, headlines, answer };
}

/** What a runner is told of that repository. */
export const onRunner = {
  GITHUB_ACTIONS: "true",
  GITHUB_REPOSITORY: "acme/spaces",
  GITHUB_TOKEN: "not-a-token",
  GITHUB_REF: "refs/heads/main",
  GITHUB_REF_NAME: "main",
};

/** What GitHub answers about artifacts: earlier runs of main owe these reports. */
export function answerOwed(reports: readonly OwedReport[]): (asked: Asked) => Answer | null {
  const artifacts = new Artifacts();
  const upload = {
    name: "rollcall-owed",
    file: "record.owed.json",
    text: formatOwed(reports),
    runId: "1000",
  };
  artifacts.upload(upload, "2026-11-01T05:17:00Z");
  const [artifact] = artifacts.list(null);
  const run = { id: 1000, repository_id: 1, head_repository_id: 1, head_branch: "main" };
  return ({ path }) => {
    if (path.includes("/actions/artifacts?"))
      return { body: { artifacts: [{ id: artifact?.id, expired: false, workflow_run: run }] } };
    return path.endsWith("/zip")
      ? { status: 302, headers: { location: "https://store.example/owed" } }
      : { body: artifact?.archive };
  };
}

/** What a run on that runner is told of Webex, whose refresh token is a secret there. */
export const withSecret = {
  ...onRunner,
  GITHUB_API_URL: "https://github.example",
  GITHUB_GRAPHQL_URL: "https://github.example/graphql",
  GITHUB_RUN_ID: "1001",
  SECRETS_TOKEN: "not-a-secrets-token",
  WEBEX_API_URL: "https://webex.example/v1",
  WEBEX_CLIENT_ID: "client",
  WEBEX_CLIENT_SECRET: "not-a-client-secret",
  WEBEX_REFRESH_TOKEN: "made-up-refresh-1",
};

/** When the secret was stored last, and when the run was queued, on 2 November 2026; the run has begun at 05:17. */
export interface SecretDates {
  readonly storedAt: string;
  readonly queuedAt: string;
  /** The environment whose secret it is; otherwise it is the repository's. */
  readonly environment?: string;
}

/** What GitHub answers about that secret and that run; whatever is no question about them is left to `others`. */
export function answerSecret(
  { storedAt, queuedAt, environment }: SecretDates,
  others: (asked: Asked) => Answer | null = () => ({ status: 404, body: { message: "Not Found" } }),
): (asked: Asked) => Answer | null {
  const headers = { date: "Mon, 02 Nov 2026 05:17:00 GMT" };
  return (asked) => {
    const { method, path } = asked;
    const [, place = "", what = ""] =
      /^\/repos\/acme\/spaces\/(environments\/\w+|actions)\/(.*)$/.exec(path) ?? [];
    const isElsewhere = place !== (environment === undefined ? "actions" : `environments/${environment}`);
    if (what.startsWith("secrets/") && isElsewhere) return { status: 404, body: { message: "Not Found" } };
    if (what === "secrets/WEBEX_REFRESH_TOKEN" && method === "GET")
      return { headers, body: { updated_at: `2026-11-02T${storedAt}:00Z` } };
    if (what === "secrets/public-key")
      return { body: { key_id: "1", key: Buffer.alloc(32, 9).toString("base64") } };
    if (what === "secrets/WEBEX_WRITE_PROBE" && method === "GET")
      return { headers, body: { updated_at: "2026-11-02T05:17:01Z" } };
    if (what.startsWith("secrets/"))
      return {
        status: 204,
        headers: { "github-authentication-token-expiration": "2026-11-05 05:17:00 UTC" },
      };
    if (what === "runs/1001")
      return {
        body: { created_at: `2026-11-02T${queuedAt}:00Z`, workflow_id: 7, event: "schedule", actor: null },
      };
    return what.endsWith("/dispatches") ? { status: 204 } : others(asked);
  };
}

/** The bodies of the requests that start another run. */
export function listDispatches(asked: readonly Asked[]): readonly unknown[] {
  return asked.flatMap(({ path, body }) => {
    const [, workflow] = /\/actions\/workflows\/([^/]+)\/dispatches$/.exec(path) ?? [];
    return workflow === undefined ? [] : [{ workflow, ...JSON.parse(body) }];
  });
}
