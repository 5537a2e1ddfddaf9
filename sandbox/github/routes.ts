import type { Half } from "../http.ts";
import { type ApiRequest, parameter, Refusal, type Reply, type Routes, textField } from "../router.ts";
import { artifactRoutes, artifactStore } from "./artifacts.ts";
import { createBodies } from "./bodies.ts";
import { environmentRoutes } from "./environments.ts";
import { answerNumberedPage, fileRoutes, nameRepository } from "./files.ts";
import type { Github, Pulls } from "./github.ts";
import { answerGraphql } from "./graphql.ts";
import type { Issues } from "./issues.ts";
import { acceptedPermissions, isPermitted, refusalFor, type TokenGrant } from "./permissions.ts";
import { ruleRoutes } from "./rules.ts";
import { workflowRoutes } from "./workflows.ts";

const repo = "/repos/{owner}/{repo}";

function secretRoutes(github: Github, place: string): Routes {
  const scope = (request: ApiRequest) => github.scope(request.parameters.get("environment_name"));
  const nameOf = (request: ApiRequest) => parameter(request, "secret_name");
  return {
    [`GET ${place}`]: (request) => scope(request).answerList(),
    [`GET ${place}/public-key`]: (request) => scope(request).answerPublicKey(),
    [`GET ${place}/{secret_name}`]: (request) => scope(request).answerGet(nameOf(request)),
    [`PUT ${place}/{secret_name}`]: (request) => scope(request).answerPut(nameOf(request), request.body),
    [`DELETE ${place}/{secret_name}`]: (request) => scope(request).answerDelete(nameOf(request)),
  };
}

function repositoryRoutes(github: Github, bodies: ReturnType<typeof createBodies>): Routes {
  const { issues, pulls } = github;
  return {
    ...issueRoutes(issues, bodies, (request) => requireGrant(github, request)),
    ...pullRoutes(pulls, bodies, (request) => requireGrant(github, request).login),
    [`GET ${repo}`]: () => ({ status: 200, body: bodies.repository() }),
    [`GET ${repo}/collaborators/{username}/permission`]: (request) => {
      const login = parameter(request, "username");
      // An App's account is no user.
      if (login.endsWith("[bot]")) throw new Refusal(404, `${login} is not a user`);
      return { status: 200, body: bodies.permission(login, github.roleOf(login)) };
    },
    [`GET ${repo}/actions/runs/{run_id}`]: (request) => {
      const run = github.findRun(parameter(request, "run_id"));
      if (!run) throw new Refusal(404, "Not Found");
      return { status: 200, body: bodies.run(run) };
    },
  };
}

function requireGrant(github: Github, { headers: { authorization = "" } }: ApiRequest): TokenGrant {
  const presented = /^(?:token|bearer) (.+)$/i.exec(authorization)?.[1];
  const grant = github.grantOf(presented ?? "");
  if (!grant) throw new Refusal(401, "Bad credentials");
  return grant;
}

/** Each answer says when its token ends. */
function withTokenEnd(github: Github, routes: Routes): Routes {
  return Object.fromEntries(
    Object.entries(routes).map(([route, handle]) => [
      route,
      async (request: ApiRequest): Promise<Reply> => {
        const reply = await handle(request);
        const { expires } = route === artifactStore ? {} : requireGrant(github, request);
        if (expires === undefined) return reply;
        return { ...reply, headers: { "github-authentication-token-expiration": expires, ...reply.headers } };
      },
    ]),
  );
}

/** The GitHub half of the server: the operations that the project uses. */
export function createGithubHalf(github: Github): Half {
  const bodies = createBodies(github);
  const graphql = "POST /graphql";
  return {
    name: "github",
    // The layout of GitHub Enterprise Server, which Octokit knows as well.
    prefixes: ["/api/v3", "/api"],
    routes: withTokenEnd(github, {
      [graphql]: (request) => answerGraphql(github, requireGrant(github, request), request),
      ...repositoryRoutes(github, bodies),
      ...fileRoutes(github, bodies),
      ...artifactRoutes(github),
      ...workflowRoutes(github, bodies.workflow),
      ...environmentRoutes(github, bodies.environment),
      ...ruleRoutes(github, (request) => requireGrant(github, request)),
      ...secretRoutes(github, `${repo}/actions/secrets`),
      ...secretRoutes(github, `${repo}/environments/{environment_name}/secrets`),
    }),
    authorise(request, route) {
      if (route === artifactStore) return;
      const grant = requireGrant(github, request);
      // GraphQL says what it refuses inside of a 200.
      if (route === graphql) return;
      const named = nameRepository(request);
      const isForksFile = github.pulls.isFork(named) && /\/(contents|commits|git)/.test(route);
      if (!github.isCalled(named) && !isForksFile) throw new Refusal(404, "Not Found");
      if (grant.isPending && github.isPrivate) throw new Refusal(404, "Not Found");
      const isPublic = !github.isPrivate && route.startsWith("GET ") && !route.includes("/secrets");
      if (isPublic || isPermitted(grant, acceptedPermissions(route))) return;
      throw grant.refusedWith === 404 ? new Refusal(404, "Not Found") : new Refusal(403, refusalFor(grant));
    },
    headers: (trackingId, route) => ({
      "x-github-request-id": trackingId,
      ...(route !== "" &&
        route !== graphql && { "x-accepted-github-permissions": acceptedPermissions(route).join("; ") }),
    }),
    errorBody: ({ message, status }) => ({
      message,
      documentation_url: "https://docs.github.com/rest",
      status: String(status),
    }),
  };
}

/** GitHub refuses a longer body. */
const maxCharacters = 65_536;

function readBody(request: ApiRequest): string {
  const body = textField(request.body, "body") ?? "";
  if ([...body].length > maxCharacters)
    throw new Refusal(422, `Validation Failed: Body is too long (maximum is ${maxCharacters} characters)`);
  return body;
}

const reactionContents = new Set(["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]);

/** The operations on issues and comments; `grantOf` tells whose token a request has. */
export function issueRoutes(
  issues: Issues,
  bodies: ReturnType<typeof createBodies>,
  grantOf: (request: ApiRequest) => TokenGrant,
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
      const { login, app = null } = grantOf(request);
      return { status: 201, body: bodies.issue(issues.open(login, title, readBody(request), { app })) };
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
      const comment = issues.comment(issue.number, grantOf(request).login, readBody(request));
      return { status: 201, body: bodies.comment(issue, comment) };
    },
    [`GET ${repo}/issues/comments/{comment_id}`]: (request) => {
      const { issue, comment } = commentOf(request);
      return { status: 200, body: bodies.comment(issue, comment) };
    },
    [`POST ${repo}/issues/comments/{comment_id}/reactions`]: (request) => {
      const content = textField(request.body, "content") ?? "";
      if (!reactionContents.has(content)) throw new Refusal(422, "Validation Failed");
      const { reaction, isNew } = issues.react(commentOf(request).comment, grantOf(request).login, content);
      return { status: isNew ? 201 : 200, body: bodies.reaction(reaction) };
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
export function pullRoutes(
  pulls: Pulls,
  bodies: ReturnType<typeof createBodies>,
  loginOf: (request: ApiRequest) => string,
): Routes {
  return {
    "GET /repos/{owner}/{repo}/pulls": (request) => {
      const query = request.url.searchParams;
      const head = query.get("head")?.split(":")[1];
      const found = pulls.all
        .filter(({ issue }) => issue.state === (query.get("state") ?? "open"))
        .filter(({ branch }) => head === undefined || branch === head);
      return answerNumberedPage(request, [...found].reverse(), bodies.pull);
    },
    "POST /repos/{owner}/{repo}/pulls": (request) => {
      const field = (name: string) => textField(request.body, name) ?? "";
      const [branch, title] = [field("head"), field("title")];
      if (branch === "" || title === "" || field("base") === "") throw new Refusal(422, "Validation Failed");
      const issue = { login: loginOf(request), title, body: field("body") };
      return { status: 201, body: bodies.pull(pulls.openFor(branch, issue)) };
    },
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": (request) => {
      const pull = pulls.find(Number(parameter(request, "pull_number")));
      return { status: 200, body: bodies.pull(pull) };
    },
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/files": (request) => {
      const pull = pulls.find(Number(parameter(request, "pull_number")));
      return answerNumberedPage(request, pulls.listFiles(pull), (file) => bodies.changedFile(file, pull));
    },
  };
}
