import { Refusal } from "../router.ts";

export interface Comment {
  readonly id: number;
  readonly login: string;
  body: string;
  readonly reactions: Reaction[];
}

/** An emoji that somebody put on a comment. */
export interface Reaction {
  readonly id: number;
  readonly login: string;
  readonly content: string;
}

/** An issue; a pull request is one as well, as on GitHub. */
export interface Issue {
  readonly number: number;
  readonly login: string;
  readonly isPull: boolean;
  /** The client id of the GitHub App that opened it, if one did. */
  readonly app: string | null;
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
  #lastReaction = 0;

  open(
    login: string,
    title: string,
    body: string,
    { isPull = false, app = null }: { readonly isPull?: boolean; readonly app?: string | null } = {},
  ): Issue {
    const number = this.all.length + 1;
    const issue: Issue = {
      number,
      login,
      isPull,
      app,
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
    const comment = { id: this.#lastComment, login, body, reactions: [] };
    this.find(number).comments.push(comment);
    return comment;
  }

  /** The same one twice is one: `isNew` is false then. */
  react(comment: Comment, login: string, content: string): { reaction: Reaction; isNew: boolean } {
    const own = comment.reactions.find((one) => one.login === login && one.content === content);
    if (own) return { reaction: own, isNew: false };
    this.#lastReaction += 1;
    const reaction = { id: this.#lastReaction, login, content };
    comment.reactions.push(reaction);
    return { reaction, isNew: true };
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
