import { type ApiRequest, parameter, Refusal, type Reply, type Routes, textField } from "../router.ts";
import type { createIssueBodies } from "./issue-bodies.ts";

/** A comment on an issue or a pull request. */
export interface Comment {
  readonly id: number;
  readonly login: string;
  body: string;
}

/** An issue; a pull request is one as well, as on GitHub. */
export interface Issue {
  readonly number: number;
  readonly login: string;
  readonly isPull: boolean;
  title: string;
  body: string;
  state: "open" | "closed";
  stateReason: string | null;
  readonly comments: Comment[];
}

/** GitHub refuses a longer body. */
const mostCharacters = 65_536;

/** The issues, pull requests and comments of the sandbox's repository. */
export class Issues {
  readonly all: Issue[] = [];
  #lastComment = 1000;

  open(login: string, title: string, body: string, isPull = false): Issue {
    const number = this.all.length + 1;
    const issue: Issue = {
      number,
      login,
      isPull,
      title,
      body,
      state: "open",
      stateReason: null,
      comments: [],
    };
    this.all.push(issue);
    return issue;
  }

  comment(number: number, login: string, body: string): Comment {
    this.#lastComment += 1;
    const comment = { id: this.#lastComment, login, body };
    this.find(number).comments.push(comment);
    return comment;
  }

  /** The issue of that number; 404 where there is none. */
  find(number: number): Issue {
    const issue = this.all.find((candidate) => candidate.number === number);
    if (!issue) throw new Refusal(404, "Not Found");
    return issue;
  }

  /** A comment and the issue it stands on; 404 where there is none. */
  findComment(id: number): { issue: Issue; comment: Comment } {
    for (const issue of this.all) {
      const comment = issue.comments.find((candidate) => candidate.id === id);
      if (comment) return { issue, comment };
    }
    throw new Refusal(404, "Not Found");
  }
}

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
  if ([...body].length > mostCharacters)
    throw new Refusal(422, `Validation Failed: Body is too long (maximum is ${mostCharacters} characters)`);
  return body;
}

/** The operations on issues and comments; `loginOf` tells whose token a request has. */
export function issueRoutes(
  issues: Issues,
  bodies: ReturnType<typeof createIssueBodies>,
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
