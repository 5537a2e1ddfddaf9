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
import type { Github } from "./github.ts";
import { createCommitOnBranch } from "./graphql.ts";
import { createIssueBodies } from "./issue-bodies.ts";
import { issueRoutes } from "./issues.ts";
import { pullRoutes } from "./pulls.ts";
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

function repositoryRoutes(github: Github): Routes {
  const { defaultBranch, issues, pulls } = github;
  const bodies = createBodies(github);
  const issueBodies = createIssueBodies(github, bodies);
  return {
    ...issueRoutes(issues, issueBodies, (request) => loginOf(github, request)),
    ...pullRoutes(pulls, issueBodies),
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
  return {
    name: "github",
    // The layout of GitHub Enterprise Server, which Octokit knows as well.
    prefixes: ["/api/v3", "/api"],
    routes: {
      "POST /graphql": (request) => answerGraphql(github, request),
      ...repositoryRoutes(github),
      ...workflowRoutes(github),
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
