import type { Half } from "../http.ts";
import {
  type ApiRequest,
  bodyField,
  parameter,
  Refusal,
  type Reply,
  type Routes,
  textField,
} from "../router.ts";
import { createBodies } from "./bodies.ts";
import type { Changes } from "./git.ts";
import type { Github, Protection, Pulls } from "./github.ts";
import type { Issues } from "./issues.ts";
import { workflowRoutes } from "./workflows.ts";

const repo = "/repos/{owner}/{repo}";

function tokenOf(request: ApiRequest): string | undefined {
  return /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** Who a token belongs to. */
function loginOf(github: Github, request: ApiRequest): string {
  return tokenOf(request) === github.token ? "github-actions[bot]" : "octo-admin";
}

function nameRepository({ parameters }: ApiRequest): string {
  return `${parameters.get("owner")}/${parameters.get("repo")}`;
}

function secretRoutes(github: Github, place: string): Routes {
  const scope = (request: ApiRequest) => github.scope(request.parameters.get("environment_name"));
  const nameOf = (request: ApiRequest) => parameter(request, "secret_name");
  return {
    [`GET ${place}/public-key`]: (request) => scope(request).answerPublicKey(),
    [`GET ${place}/{secret_name}`]: (request) => scope(request).answerGet(nameOf(request)),
    [`PUT ${place}/{secret_name}`]: (request) => scope(request).answerPut(nameOf(request), request.body),
    [`DELETE ${place}/{secret_name}`]: (request) => scope(request).answerDelete(nameOf(request)),
  };
}

function repositoryRoutes(github: Github, bodies: ReturnType<typeof createBodies>): Routes {
  const { defaultBranch, issues, pulls } = github;
  return {
    ...issueRoutes(issues, bodies, (request) => loginOf(github, request)),
    ...pullRoutes(pulls, bodies),
    [`GET ${repo}`]: () => ({ status: 200, body: bodies.repository() }),
    [`GET ${repo}/branches/{branch}`]: (request) => {
      const branch = parameter(request, "branch");
      return { status: 200, body: bodies.branch(branch, github.head(branch)) };
    },
    [`GET ${repo}/git/ref/{ref}`]: (request) => {
      const ref = parameter(request, "ref");
      return { status: 200, body: bodies.ref(ref, github.head(ref.replace(/^heads\//, "")).oid) };
    },
    [`GET ${repo}/contents/{path}`]: (request) => {
      const path = parameter(request, "path");
      const ref = request.url.searchParams.get("ref") ?? defaultBranch;
      const text = pulls.readFile(nameRepository(request), ref, path);
      if (text === undefined) throw new Refusal(404, "Not Found");
      const isRaw = request.headers.accept?.includes("raw") ?? false;
      return { status: 200, body: isRaw ? text : bodies.content(path, ref, text) };
    },
    [`GET ${repo}/actions/runs/{run_id}`]: (request) => {
      const run = github.findRun(parameter(request, "run_id"));
      if (!run) throw new Refusal(404, "Not Found");
      return { status: 200, body: bodies.run(run) };
    },
    [`GET ${repo}/environments/{environment_name}`]: (request) => {
      const name = parameter(request, "environment_name");
      github.scope(name);
      return { status: 200, body: bodies.environment(name) };
    },
  };
}

function answerGraphql(github: Github, request: ApiRequest): Reply {
  const query = textField(request.body, "query") ?? "";
  if (query.includes("createCommitOnBranch")) {
    return createCommitOnBranch(github, bodyField(request.body, "variables"));
  }
  if (/\bviewer\s*\{\s*login\s*\}/.test(query)) {
    return { status: 200, body: { data: { viewer: { login: loginOf(github, request) } } } };
  }
  return { status: 200, body: { errors: [{ message: "The sandbox doesn't know this query." }] } };
}

/** The GitHub half of the server: the operations that the project uses. */
export function createGithubHalf(github: Github): Half {
  const bodies = createBodies(github);
  return {
    name: "github",
    // The layout of GitHub Enterprise Server, which Octokit knows as well.
    prefixes: ["/api/v3", "/api"],
    routes: {
      "POST /graphql": (request) => answerGraphql(github, request),
      ...repositoryRoutes(github, bodies),
      ...workflowRoutes(github, bodies.workflow),
      ...secretRoutes(github, `${repo}/actions/secrets`),
      ...secretRoutes(github, `${repo}/environments/{environment_name}/secrets`),
    },
    authorise(request, route) {
      const presented = tokenOf(request);
      if (presented !== github.token && presented !== github.secretsToken) {
        throw new Refusal(401, "Bad credentials");
      }
      if (presented === github.token && route.includes("/secrets/")) {
        const permission = route.includes("/environments/") ? "environments" : "secrets";
        const access = route.startsWith("GET") ? "read" : "write";
        const headers = { "x-accepted-github-permissions": `${permission}=${access}` };
        throw new Refusal(403, "Resource not accessible by integration", headers);
      }
      const isForksFile = route.includes("/contents/") && github.pulls.isFork(nameRepository(request));
      if (request.parameters.has("owner") && nameRepository(request) !== github.fullName && !isForksFile)
        throw new Refusal(404, "Not Found");
    },
    headers: (trackingId) => ({ "x-github-request-id": trackingId }),
    errorBody: ({ message, status }) => ({
      message,
      documentation_url: "https://docs.github.com/rest",
      status: String(status),
    }),
  };
}

/** GitHub refuses a longer body. */
const maxCharacters = 65_536;

/** One page of a list by number, with GitHub's `Link` header where more follows. */
function answerNumberedPage<T>(request: ApiRequest, all: readonly T[], show: (item: T) => unknown): Reply {
  const query = request.url.searchParams;
  const size = Math.min(Number(query.get("per_page") ?? 30), 100);
  const page = Number(query.get("page") ?? 1);
  const body = all.slice((page - 1) * size, page * size).map(show);
  if (page * size >= all.length) return { status: 200, body };
  const next = new URL(request.url);
  next.searchParams.set("page", String(page + 1));
  return { status: 200, headers: { link: `<${next.href}>; rel="next"` }, body };
}

function readBody(request: ApiRequest): string {
  const body = textField(request.body, "body") ?? "";
  if ([...body].length > maxCharacters)
    throw new Refusal(422, `Validation Failed: Body is too long (maximum is ${maxCharacters} characters)`);
  return body;
}

/** The operations on issues and comments; `loginOf` tells whose token a request has. */
export function issueRoutes(
  issues: Issues,
  bodies: ReturnType<typeof createBodies>,
  loginOf: (request: ApiRequest) => string,
): Routes {
  const repo = "/repos/{owner}/{repo}";
  const numberOf = (request: ApiRequest) => Number(parameter(request, "issue_number"));
  const commentOf = (request: ApiRequest) => issues.findComment(Number(parameter(request, "comment_id")));
  return {
    [`GET ${repo}/issues`]: (request) => {
      const state = request.url.searchParams.get("state") ?? "open";
      const creator = request.url.searchParams.get("creator");
      const found = issues.all
        .filter((issue) => state === "all" || issue.state === state)
        .filter((issue) => creator === null || issue.login === creator);
      // The newest come first unless the oldest are asked for.
      if (request.url.searchParams.get("direction") !== "asc") found.reverse();
      return answerNumberedPage(request, found, bodies.issue);
    },
    [`POST ${repo}/issues`]: (request) => {
      const title = textField(request.body, "title");
      if (!title) throw new Refusal(422, "Validation Failed");
      return { status: 201, body: bodies.issue(issues.open(loginOf(request), title, readBody(request))) };
    },
    [`GET ${repo}/issues/{issue_number}`]: (request) => {
      return { status: 200, body: bodies.issue(issues.find(numberOf(request))) };
    },
    [`PATCH ${repo}/issues/{issue_number}`]: (request) => {
      const issue = issues.find(numberOf(request));
      issue.title = textField(request.body, "title") ?? issue.title;
      issue.body = readBody(request) || issue.body;
      const state = textField(request.body, "state");
      if (state === "open" || state === "closed") issue.state = state;
      issue.stateReason = textField(request.body, "state_reason") ?? issue.stateReason;
      return { status: 200, body: bodies.issue(issue) };
    },
    [`GET ${repo}/issues/{issue_number}/comments`]: (request) => {
      const issue = issues.find(numberOf(request));
      return answerNumberedPage(request, issue.comments, (comment) => bodies.comment(issue, comment));
    },
    [`POST ${repo}/issues/{issue_number}/comments`]: (request) => {
      const issue = issues.find(numberOf(request));
      const comment = issues.comment(issue.number, loginOf(request), readBody(request));
      return { status: 201, body: bodies.comment(issue, comment) };
    },
    [`PATCH ${repo}/issues/comments/{comment_id}`]: (request) => {
      const { issue, comment } = commentOf(request);
      comment.body = readBody(request);
      return { status: 200, body: bodies.comment(issue, comment) };
    },
    [`DELETE ${repo}/issues/comments/{comment_id}`]: (request) => {
      const { issue, comment } = commentOf(request);
      issue.comments.splice(issue.comments.indexOf(comment), 1);
      return { status: 204 };
    },
  };
}

/** The operations on pull requests. */
export function pullRoutes(pulls: Pulls, bodies: ReturnType<typeof createBodies>): Routes {
  return {
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": (request) => {
      const pull = pulls.find(Number(parameter(request, "pull_number")));
      return { status: 200, body: bodies.pull(pull) };
    },
  };
}

// Classic protection and rulesets answer with different types: Thinkmill/keystatic issue 1598.
const protectionErrors: Readonly<Record<Protection, { type: string; message: string }>> = {
  "branch protection": {
    type: "BRANCH_PROTECTION_RULE_VIOLATION",
    message: "Changes must be made through a pull request.",
  },
  ruleset: {
    type: "UNPROCESSABLE",
    message: "Repository rule violations found\n\nChanges must be made through a pull request.\n\n",
  },
};

// An error of GraphQL comes with HTTP 200.
function graphqlError(type: string, message: string): Reply {
  const path = ["createCommitOnBranch"];
  return { status: 200, body: { data: { createCommitOnBranch: null }, errors: [{ type, path, message }] } };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readChanges(fileChanges: unknown): Changes {
  const changes = new Map<string, string | null>();
  for (const addition of list(bodyField(fileChanges, "additions"))) {
    const contents = textField(addition, "contents") ?? "";
    changes.set(textField(addition, "path") ?? "", Buffer.from(contents, "base64").toString("utf8"));
  }
  for (const deletion of list(bodyField(fileChanges, "deletions"))) {
    changes.set(textField(deletion, "path") ?? "", null);
  }
  return changes;
}

/** Answers `createCommitOnBranch` with its input in `variables.input`. */
export function createCommitOnBranch(github: Github, variables: unknown): Reply {
  const { repository, fullName, protection } = github;
  const input = bodyField(variables, "input");
  const branch = textField(bodyField(input, "branch"), "branchName") ?? "";
  const isHere = textField(bodyField(input, "branch"), "repositoryNameWithOwner") === fullName;
  const head = isHere ? repository.head(branch) : undefined;
  if (!head) return graphqlError("NOT_FOUND", `Could not resolve to a Branch with the name '${branch}'.`);
  if (textField(input, "expectedHeadOid") !== head.oid) {
    const message = `Expected branch to point to "${head.oid}" but it did not. Pull and try again.`;
    return graphqlError("STALE_DATA", message);
  }
  if (protection)
    return graphqlError(protectionErrors[protection].type, protectionErrors[protection].message);
  const changes = readChanges(bodyField(input, "fileChanges"));
  const absent = [...changes].find(([path, text]) => text === null && !head.files.has(path));
  if (absent) {
    return graphqlError("UNPROCESSABLE", `A file that doesn't exist can't be deleted: "${absent[0]}".`);
  }
  const message = bodyField(input, "message");
  const text = [textField(message, "headline"), textField(message, "body")].filter(Boolean).join("\n\n");
  const { oid } = repository.commit(branch, text, changes);
  const commit = { oid, url: `${github.serverUrl}/${fullName}/commit/${oid}` };
  return { status: 200, body: { data: { createCommitOnBranch: { commit } } } };
}
