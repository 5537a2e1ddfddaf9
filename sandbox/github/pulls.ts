import { parameter, Refusal, type Routes } from "../router.ts";
import { Repository } from "./git.ts";
import type { Github } from "./github.ts";
import type { createIssueBodies } from "./issue-bodies.ts";
import type { Issue } from "./issues.ts";

/** A pull request, with the issue that it is as well. */
export interface Pull {
  readonly issue: Issue;
  /** The repository that its branch is in, as owner/name. */
  readonly headRepository: string;
  readonly branch: string;
  readonly headOid: string;
  readonly baseOid: string;
}

/** What a pull request proposes. */
export interface Proposal {
  readonly title?: string;
  /** Whose it is. Default: `contributor`. */
  readonly login?: string;
  /** The files it writes, or deletes where the text is null. */
  readonly files: Readonly<Record<string, string | null>>;
  /** The fork, as owner/name; without it the branch is in the repository itself. */
  readonly fork?: string;
  /** The base repository does not answer for the fork's commit: whether GitHub's does is not documented. */
  readonly isHiddenFromBase?: boolean;
}

/** The pull requests of the sandbox's repository, and the forks that they come from. */
export class Pulls {
  readonly #pulls: Pull[] = [];
  readonly #forks = new Map<string, { repository: Repository; isHiddenFromBase: boolean }>();
  readonly #github: Github;

  constructor(github: Github) {
    this.#github = github;
  }

  /** Opens a pull request and returns its number. */
  open(proposal: Proposal): number {
    const { repository, defaultBranch, fullName, issues } = this.#github;
    const base = this.#github.head(defaultBranch);
    const branch = `change-${this.#pulls.length + 1}`;
    const { fork, isHiddenFromBase = false, title = "Change the mappings", login = "contributor" } = proposal;
    const home = fork ? new Repository([defaultBranch], Object.fromEntries(base.files)) : repository;
    if (fork) this.#forks.set(fork, { repository: home, isHiddenFromBase });
    home.createBranch(branch, defaultBranch);
    const head = home.commit(branch, title, new Map(Object.entries(proposal.files)));
    const issue = issues.open(login, title, "", true);
    this.#pulls.push({
      issue,
      headRepository: fork ?? fullName,
      branch,
      headOid: head.oid,
      baseOid: base.oid,
    });
    return issue.number;
  }

  find(number: number): Pull {
    const pull = this.#pulls.find((candidate) => candidate.issue.number === number);
    if (!pull) throw new Refusal(404, "Not Found");
    return pull;
  }

  isFork(fullName: string): boolean {
    return this.#forks.has(fullName);
  }

  /** The text of a file at a commit or branch, as the named repository answers for it. */
  readFile(fullName: string, ref: string, path: string): string | undefined {
    const own = this.#forks.get(fullName);
    if (own) return own.repository.find(ref)?.files.get(path);
    const visible = [...this.#forks.values()].filter((fork) => !fork.isHiddenFromBase);
    const homes = [this.#github.repository, ...visible.map((fork) => fork.repository)];
    return homes
      .map((home) => home.find(ref))
      .find((commit) => commit !== undefined)
      ?.files.get(path);
  }
}

/** The operations on pull requests. */
export function pullRoutes(pulls: Pulls, bodies: ReturnType<typeof createIssueBodies>): Routes {
  return {
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": (request) => {
      const pull = pulls.find(Number(parameter(request, "pull_number")));
      return { status: 200, body: bodies.pull(pull) };
    },
  };
}
