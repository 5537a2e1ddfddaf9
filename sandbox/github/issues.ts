import { Refusal } from "../router.ts";

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

  find(number: number): Issue {
    const issue = this.all.find((candidate) => candidate.number === number);
    if (!issue) throw new Refusal(404, "Not Found");
    return issue;
  }

  findComment(id: number): { issue: Issue; comment: Comment } {
    for (const issue of this.all) {
      const comment = issue.comments.find((candidate) => candidate.id === id);
      if (comment) return { issue, comment };
    }
    throw new Refusal(404, "Not Found");
  }
}
