/** What the runner of GitHub Actions sets in the environment. */

/** The variables of a run, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the runner of GitHub Actions offers; all of it may be absent on a person's machine. */
export interface Actions {
  /** True on a runner, where annotations and masks are understood. */
  readonly isRunner: boolean;
  /** The files that take the step's summary and its outputs; null where there are none. */
  readonly summaryFile: string | null;
  readonly outputFile: string | null;
  /** GitHub's run id; null elsewhere. */
  readonly runId: string | null;
  /** From 1; a run that is started again keeps its id. */
  readonly runAttempt: number;
  /** Who started the run, as GitHub knows them; null elsewhere. */
  readonly actor: string | null;
  /** The branch that the run is of, or the tag or the pull request; null elsewhere. */
  readonly refName: string | null;
  /** Whether that is a branch; null where the runner does not say. */
  readonly isBranch: boolean | null;
  /** What started the run, such as `schedule`; null elsewhere. */
  readonly eventName: string | null;
  /** The branch that gets the reports; null elsewhere. */
  readonly reportBranch: string | null;
  /** The environment that holds the secrets; null for the repository's own. */
  readonly environment: string | null;
  /** The pages of the repository and of this run; null where there are none. */
  readonly repositoryUrl: string | null;
  readonly runUrl: string | null;
}

/** Reads what the runner offers. */
export function readActions(env: Environment): Actions {
  const runId = env.GITHUB_RUN_ID?.trim() || null;
  const repository = env.GITHUB_REPOSITORY?.trim();
  const repositoryUrl = repository ? `${readGithubUrls(env).serverUrl}/${repository}` : null;
  return {
    isRunner: env.GITHUB_ACTIONS === "true",
    summaryFile: env.GITHUB_STEP_SUMMARY || null,
    outputFile: env.GITHUB_OUTPUT || null,
    runId,
    runAttempt: Number(env.GITHUB_RUN_ATTEMPT) || 1,
    actor: env.GITHUB_ACTOR?.trim() || null,
    refName: env.GITHUB_REF_NAME?.trim() || null,
    isBranch: readIsBranch(env),
    eventName: env.GITHUB_EVENT_NAME?.trim() || null,
    reportBranch:
      env.REPORT_BRANCH?.trim().replace(/^refs\/heads\//, "") || env.GITHUB_REF_NAME?.trim() || null,
    environment: env.WEBEX_ENVIRONMENT?.trim() || null,
    repositoryUrl,
    runUrl: runId && repositoryUrl ? `${repositoryUrl}/actions/runs/${runId}` : null,
  };
}

/** Of a pull request GITHUB_REF_TYPE says "branch", though its ref is none. */
function readIsBranch({ GITHUB_REF: ref = "", GITHUB_REF_TYPE: type }: Environment): boolean | null {
  if (ref !== "") return ref.startsWith("refs/heads/");
  return type === "tag" ? false : null;
}

/** A repository on one GitHub, with that GitHub's addresses. */
export interface Repository {
  readonly owner: string;
  readonly name: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  readonly serverUrl: string;
}

/** A repository, and the token that the workflow has for it. */
export interface RepositoryAccess {
  readonly repository: Repository;
  readonly token: string;
}

/** Reads where GitHub is: the public one where the environment does not say. Nobody has checked the addresses yet. */
export function readGithubUrls(env: Environment): Pick<Repository, "apiUrl" | "graphqlUrl" | "serverUrl"> {
  const read = (name: string, standard: string) => (env[name]?.trim() || standard).replace(/\/+$/, "");
  return {
    apiUrl: read("GITHUB_API_URL", "https://api.github.com"),
    graphqlUrl: read("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
    serverUrl: read("GITHUB_SERVER_URL", "https://github.com"),
  };
}

/** Reads the repository and the token for it; null where either is missing or malformed. */
export function readRepositoryAccess(env: Environment): RepositoryAccess | null {
  const token = env.GITHUB_TOKEN?.trim();
  const named = parseRepositoryName(env.GITHUB_REPOSITORY?.trim() ?? "");
  const urls = readGithubUrls(env);
  if (!token || named === null || !Object.values(urls).every(isSafeUrl)) return null;
  return { token, repository: { ...named, ...urls } };
}

/** Takes `owner/name` apart; null for anything else. */
export function parseRepositoryName(text: string): { readonly owner: string; readonly name: string } | null {
  const [, owner, name] = /^([^/\s]+)\/([^/\s]+)$/.exec(text) ?? [];
  return owner && name ? { owner, name } : null;
}

/** Encrypted, or not leaving this machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return username + password === "" && (protocol === "https:" || (protocol === "http:" && isLoopback));
}
