import type { Clock } from "../clock.ts";
import { Refusal } from "../router.ts";
import { Artifacts, type Upload } from "./artifacts.ts";
import { type Authorship, type Commit, type Identity, Repository } from "./git.ts";
import { type Issue, Issues } from "./issues.ts";
import { allPermissions, type TokenGrant } from "./permissions.ts";
import { SecretScope } from "./secrets.ts";

export interface GithubOptions {
  /** Default: `acme/spaces`. */
  readonly repository?: string;
  /** Default: only `main`; the first one is where runs start. */
  readonly branches?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly environments?: readonly string[];
  /** Where the refresh token is stored. Rollcall wants it in one place. Default: in the environments, if any. */
  readonly tokenIn?: "repository" | "environments" | "both" | "nowhere";
  readonly protection?: Protection;
  /** Who may do what here, by login. Default: `octo-admin` is an admin, and others have what everybody has. */
  readonly collaborators?: Readonly<Record<string, Role>>;
  /** Default: true. */
  readonly private?: boolean;
  /** The owner's plan: with `free`, a private repository has no environments. Default: `team`. */
  readonly plan?: "free" | "team";
  /** The branches that an environment lets in; null for all. Default: the first of the repository only. */
  readonly environmentBranches?: readonly string[] | null;
  /** The workflow's state; null when there is none. Default: `active`. */
  readonly workflowState?: string | null;
  /** What the two tokens may do. Default: everything; but a workflow's own never reaches secrets. */
  readonly tokens?: {
    readonly workflow?: Partial<TokenGrant>;
    readonly secrets?: Partial<TokenGrant>;
  };
}

export type Role = "admin" | "maintain" | "write" | "triage" | "read";

const bot: Identity = {
  login: "github-actions[bot]",
  name: "github-actions[bot]",
  email: "41898282+github-actions[bot]@users.noreply.github.com",
};

/** What a workflow's own token can never do. */
const beyondWorkflows = new Set(["secrets", "environments", "actions_variables", "administration"]);

/** Who commits what is committed through the API: GitHub itself, with its own signature. */
const webFlow: Identity = { login: "web-flow", name: "GitHub", email: "noreply@github.com" };

function identify(login: string): Identity {
  return login === bot.login ? bot : { login, name: login, email: `${login}@users.noreply.github.com` };
}

/** The authorship of what this account commits by the API or in the browser. */
export function byApi(login: string): Authorship {
  return { author: identify(login), committer: webFlow, isVerified: true };
}

/** The authorship of what this account pushes with git, unsigned. */
export function byPush(login: string): Authorship {
  return { author: identify(login), committer: identify(login), isVerified: false };
}

export interface Run {
  readonly id: string;
  readonly createdAt: string;
  readonly head: Commit;
}

/** The state of the sandbox's GitHub: one repository, its secrets and its workflow runs. */
export class Github {
  readonly fullName: string;
  readonly defaultBranch: string;
  readonly protection: Protection | undefined;
  readonly isPrivate: boolean;
  readonly plan: "free" | "team";
  workflowState: string | null;
  readonly repository: Repository;
  readonly issues = new Issues();
  readonly artifacts = new Artifacts();
  readonly pulls: Pulls;
  readonly createdAt: string;
  readonly token = "ghs_sandboxWorkflowToken";
  readonly secretsToken = "github_pat_sandboxSecretsToken";
  readonly #repositorySecrets: SecretScope;
  readonly #environments: Map<string, Environment>;
  readonly #repositoryVariables = new Map<string, string>();
  readonly #collaborators: ReadonlyMap<string, Role>;
  readonly #runs: Run[] = [];
  readonly #tokens = new Map<string, TokenGrant>();

  constructor(
    readonly serverUrl: string,
    refreshToken: string,
    readonly clock: Clock,
    options: GithubOptions = {},
  ) {
    const { repository = "acme/spaces", branches = ["main"], environments = [] } = options;
    this.fullName = repository;
    this.defaultBranch = branches[0] ?? "main";
    this.protection = options.protection;
    this.pulls = new Pulls(this);
    this.isPrivate = options.private ?? true;
    const { environmentBranches = [this.defaultBranch], workflowState = "active" } = options;
    this.plan = options.plan ?? "team";
    this.workflowState = workflowState;
    this.#collaborators = new Map(Object.entries(options.collaborators ?? { "octo-admin": "admin" }));
    this.createdAt = clock.tick();
    const files = new Map(Object.entries(options.files ?? {}));
    this.repository = new Repository(branches, files, () => clock.second(), byPush("octo-admin"));
    const permissions = Object.fromEntries(
      Object.entries(allPermissions).filter(([name]) => !beyondWorkflows.has(name)),
    );
    const { workflow, secrets } = options.tokens ?? {};
    this.#tokens.set(this.token, { kind: "installation", login: bot.login ?? "", permissions, ...workflow });
    const personal = { kind: "fine-grained", login: "octo-admin", permissions: allPermissions } as const;
    this.#tokens.set(this.secretsToken, { ...personal, ...secrets });
    const { tokenIn = environments.length > 0 ? "environments" : "repository" } = options;
    const createScope = (keyId: string, place: "repository" | "environments") => {
      const scope = new SecretScope(keyId, () => clock.tick());
      if (tokenIn === place || tokenIn === "both") scope.store("WEBEX_REFRESH_TOKEN", refreshToken);
      return scope;
    };
    this.#repositorySecrets = createScope("568250167242549743", "repository");
    this.#environments = new Map(
      environments.map((name, index) => [
        name,
        {
          secrets: createScope(`60${index}`, "environments"),
          variables: new Map(),
          branches: environmentBranches && [...environmentBranches],
        },
      ]),
    );
  }

  /** What an environment has; 404 for one that doesn't exist. */
  environment(name: string): Environment {
    const environment = this.#environments.get(name);
    if (!environment) throw new Refusal(404, "Not Found");
    return environment;
  }

  /** Makes an environment, or leaves the one that is there, and lets in all branches, or none until rules are added. */
  putEnvironment(name: string, isLimited: boolean): void {
    const found = this.#environments.get(name);
    if (found) {
      found.branches = isLimited ? (found.branches ?? []) : null;
      return;
    }
    const secrets = new SecretScope(`60${this.#environments.size}`, () => this.clock.tick());
    this.#environments.set(name, { secrets, variables: new Map(), branches: isLimited ? [] : null });
  }

  /** Without a name the repository's own. */
  variables(environment: string | undefined): Map<string, string> {
    return environment ? this.environment(environment).variables : this.#repositoryVariables;
  }

  issueToken(grant: TokenGrant): string {
    const token = `github_pat_sandboxToken${this.#tokens.size}`;
    this.#tokens.set(token, grant);
    return token;
  }

  get tokens(): string[] {
    return [...this.#tokens.keys()];
  }

  /** What a token may do; undefined for one that GitHub does not know. */
  grantOf(token: string): TokenGrant | undefined {
    return this.#tokens.get(token);
  }

  /** What an account may do: everybody may read a public repository. */
  roleOf(login: string): Role | "none" {
    return this.#collaborators.get(login.toLowerCase()) ?? (this.isPrivate ? "none" : "read");
  }

  secret(name: string, environment?: string): string | undefined {
    return this.scope(environment).value(name);
  }

  files(branch = this.defaultBranch): ReadonlyMap<string, string> {
    return this.head(branch).files;
  }

  get commits(): readonly Commit[] {
    return this.repository.commits;
  }

  /** Somebody else's commit, pushed by a person unless `by` says otherwise; null deletes the file. */
  writeFile(path: string, text: string | null, branch = this.defaultBranch, by = byPush("octo-admin")): void {
    this.repository.commit(
      branch,
      `${text === null ? "Delete" : "Write"} ${path}`,
      new Map([[path, text]]),
      by,
    );
  }

  /** Moves a secret's `updated_at` to this moment, or to the time given, and leaves its value. */
  touchSecret(name: string, environment?: string, updatedAt?: string): void {
    this.scope(environment).touch(name, updatedAt);
  }

  /** Whether a request is about this repository: GitHub does not look at capitals. */
  isCalled(fullName: string): boolean {
    return fullName.toLowerCase() === this.fullName.toLowerCase();
  }

  /** Without a name the repository's own; 404 for an environment that doesn't exist. */
  scope(environment: string | undefined): SecretScope {
    return environment ? this.environment(environment).secrets : this.#repositorySecrets;
  }

  head(branch: string): Commit {
    const head = this.repository.head(branch);
    if (!head) throw new Refusal(404, "Branch not found");
    return head;
  }

  findRun(id: string): Run | undefined {
    return this.#runs.find((run) => run.id === id);
  }

  uploadArtifact(upload: Upload): void {
    this.artifacts.upload(upload, this.clock.tick());
  }

  queueRun(branch = this.defaultBranch): Run {
    const id = String(1001 + this.#runs.length);
    const run = { id, createdAt: this.clock.tick(), head: this.head(branch) };
    this.#runs.push(run);
    return run;
  }

  /** Starts a run and makes its variables; an environment's secret beats the repository's, a missing one is empty. */
  startRun(environment = ""): Record<string, string> {
    const { id, head } = this.queueRun();
    const scopes = [this.#environments.get(environment)?.secrets, this.#repositorySecrets];
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

export interface Environment {
  readonly secrets: SecretScope;
  readonly variables: Map<string, string>;
  /** Null while every branch is let in. */
  branches: string[] | null;
}

export type Protection = "branch protection" | "ruleset";

export interface Pull {
  readonly issue: Issue;
  readonly headRepository: string;
  readonly branch: string;
  readonly headOid: string;
  readonly baseOid: string;
}

export interface ChangedFile {
  readonly path: string;
  readonly text: string | null;
}

export interface Proposal {
  readonly title?: string;
  /** Default: `contributor`. */
  readonly login?: string;
  /** Null deletes the file. */
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

  open(proposal: Proposal): number {
    const { repository, defaultBranch, fullName, issues } = this.#github;
    const base = this.#github.head(defaultBranch);
    const branch = `change-${this.#pulls.length + 1}`;
    const { fork, isHiddenFromBase = false, title = "Change the mappings", login = "contributor" } = proposal;
    const now = () => this.#github.clock.second();
    const home = fork ? new Repository([defaultBranch], base.files, now, base) : repository;
    if (fork) this.#forks.set(fork.toLowerCase(), { repository: home, isHiddenFromBase });
    home.createBranch(branch, defaultBranch);
    const head = home.commit(branch, title, new Map(Object.entries(proposal.files)), byPush(login));
    const issue = issues.open(login, title, "", { isPull: true });
    this.#pulls.push({
      issue,
      headRepository: fork ?? fullName,
      branch,
      headOid: head.oid,
      baseOid: base.oid,
    });
    return issue.number;
  }

  /** Opens a pull request for a branch that is there. */
  openFor(branch: string, { login, title, body }: Pick<Issue, "login" | "title" | "body">): Pull {
    const { defaultBranch, fullName, issues, repository } = this.#github;
    const [head, base] = [repository.head(branch), this.#github.head(defaultBranch)];
    if (!head) throw new Refusal(422, "Validation Failed");
    if (head.oid === base.oid)
      throw new Refusal(422, `Validation Failed: No commits between ${defaultBranch} and ${branch}`);
    const issue = issues.open(login, title, body, { isPull: true });
    const pull = { issue, headRepository: fullName, branch, headOid: head.oid, baseOid: base.oid };
    this.#pulls.push(pull);
    return pull;
  }

  get all(): readonly Pull[] {
    return this.#pulls;
  }

  find(number: number): Pull {
    const pull = this.#pulls.find((candidate) => candidate.issue.number === number);
    if (!pull) throw new Refusal(404, "Not Found");
    return pull;
  }

  /** What the head's commit changes, by path; a file that is gone has no text. */
  listFiles({ headOid, headRepository }: Pull): readonly ChangedFile[] {
    const head = this.homes(headRepository).flatMap((home) => home.find(headOid) ?? [])[0];
    return [...(head?.paths ?? [])].sort().map((path) => ({ path, text: head?.files.get(path) ?? null }));
  }

  isFork(fullName: string): boolean {
    return this.#forks.has(fullName.toLowerCase());
  }

  homes(fullName: string): Repository[] {
    const own = this.#forks.get(fullName.toLowerCase());
    if (own) return [own.repository];
    const visible = [...this.#forks.values()].filter((fork) => !fork.isHiddenFromBase);
    return [this.#github.repository, ...visible.map((fork) => fork.repository)];
  }
}
