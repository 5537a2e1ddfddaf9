import { Refusal } from "../router.ts";
import { type Commit, Repository } from "./git.ts";
import type { Protection } from "./graphql.ts";
import { Issues } from "./issues.ts";
import { Pulls } from "./pulls.ts";
import { SecretScope } from "./secrets.ts";

/** The repository that a sandbox's GitHub has. */
export interface GithubOptions {
  /** Default: `acme/spaces`. */
  readonly repository?: string;
  /** Default: only `main`; the first one is where runs start. */
  readonly branches?: readonly string[];
  /** The files on every branch. */
  readonly files?: Readonly<Record<string, string>>;
  /** The environments that exist. */
  readonly environments?: readonly string[];
  /** What keeps commits from all branches. */
  readonly protection?: Protection;
  /** Who sees the repository. Default: true. */
  readonly private?: boolean;
  /** The branches that an environment lets in; null for all. Default: the first of the repository only. */
  readonly environmentBranches?: readonly string[] | null;
  /** The workflow's state; null when there is none. Default: `active`. */
  readonly workflowState?: string | null;
}

/** A workflow run, as far as the project asks for it. */
export interface Run {
  readonly id: string;
  readonly createdAt: string;
  readonly head: Commit;
}

/**
 * A clock that is one second later each time, so that what came after what can be told from whole seconds. It
 * starts an hour ago: nothing lies in the future of a client that compares with its own clock.
 */
function createClock(): () => string {
  let seconds = Math.floor(Date.now() / 1000) - 3600;
  return () => {
    seconds += 1;
    return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  };
}

/** The state of the sandbox's GitHub: one repository, its secrets and its workflow runs. */
export class Github {
  readonly fullName: string;
  readonly defaultBranch: string;
  readonly protection: Protection | undefined;
  readonly isPrivate: boolean;
  readonly environmentBranches: readonly string[] | null;
  workflowState: string | null;
  readonly repository: Repository;
  readonly issues = new Issues();
  readonly pulls: Pulls;
  readonly createdAt: string;
  /** The workflow's own token. */
  readonly token = "ghs_sandboxWorkflowToken";
  /** The token that may write secrets. */
  readonly secretsToken = "github_pat_sandboxSecretsToken";
  readonly #repositorySecrets: SecretScope;
  readonly #environmentSecrets: ReadonlyMap<string, SecretScope>;
  readonly #runs: Run[] = [];
  readonly #now = createClock();

  /** The refresh token is stored in the repository and in each environment. */
  constructor(
    readonly serverUrl: string,
    refreshToken: string,
    options: GithubOptions = {},
  ) {
    const { repository = "acme/spaces", branches = ["main"], environments = [] } = options;
    this.fullName = repository;
    this.defaultBranch = branches[0] ?? "main";
    this.protection = options.protection;
    this.pulls = new Pulls(this);
    this.isPrivate = options.private ?? true;
    const { environmentBranches = [this.defaultBranch], workflowState = "active" } = options;
    this.environmentBranches = environmentBranches;
    this.workflowState = workflowState;
    this.repository = new Repository(branches, options.files ?? {});
    this.createdAt = this.#now();
    const createScope = (keyId: string) => {
      const scope = new SecretScope(keyId, this.#now);
      scope.store("WEBEX_REFRESH_TOKEN", refreshToken);
      return scope;
    };
    this.#repositorySecrets = createScope("568250167242549743");
    this.#environmentSecrets = new Map(environments.map((name, index) => [name, createScope(`60${index}`)]));
  }

  /** The value of a secret, of the repository or of an environment. */
  secret(name: string, environment?: string): string | undefined {
    return this.scope(environment).value(name);
  }

  /** A branch's files, by path. */
  files(branch = this.defaultBranch): ReadonlyMap<string, string> {
    return this.head(branch).files;
  }

  /** The commits made so far, on any branch. */
  get commits(): readonly Commit[] {
    return this.repository.commits;
  }

  /** Somebody else's commit. */
  writeFile(path: string, text: string, branch = this.defaultBranch): void {
    this.repository.commit(branch, `Write ${path}`, new Map([[path, text]]));
  }

  /** The secrets of an environment, without a name those of the repository; 404 for one that doesn't exist. */
  scope(environment: string | undefined): SecretScope {
    const scope = environment ? this.#environmentSecrets.get(environment) : this.#repositorySecrets;
    if (!scope) throw new Refusal(404, "Not Found");
    return scope;
  }

  /** A branch's last commit; 404 for a branch that doesn't exist. */
  head(branch: string): Commit {
    const head = this.repository.head(branch);
    if (!head) throw new Refusal(404, "Branch not found");
    return head;
  }

  findRun(id: string): Run | undefined {
    return this.#runs.find((run) => run.id === id);
  }

  /**
   * Starts a workflow run and makes its variables. Secrets are those stored at this moment; an environment's
   * secret wins over the repository's, and one that doesn't exist is empty.
   */
  startRun(environment = ""): Record<string, string> {
    const id = String(1001 + this.#runs.length);
    const head = this.head(this.defaultBranch);
    this.#runs.push({ id, createdAt: this.#now(), head });
    const scopes = [this.#environmentSecrets.get(environment), this.#repositorySecrets];
    const refreshToken = scopes.map((scope) => scope?.value("WEBEX_REFRESH_TOKEN")).find(Boolean);
    return {
      GITHUB_REPOSITORY: this.fullName,
      GITHUB_TOKEN: this.token,
      GITHUB_API_URL: `${this.serverUrl}/api/v3`,
      GITHUB_GRAPHQL_URL: `${this.serverUrl}/api/graphql`,
      GITHUB_SERVER_URL: this.serverUrl,
      GITHUB_REF_NAME: this.defaultBranch,
      GITHUB_RUN_ID: id,
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_ACTOR: "octo-admin",
      GITHUB_SHA: head.oid,
      SECRETS_TOKEN: this.secretsToken,
      WEBEX_REFRESH_TOKEN: refreshToken ?? "",
    };
  }
}
