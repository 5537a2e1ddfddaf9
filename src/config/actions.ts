export type Environment = Readonly<Record<string, string | undefined>>;

export interface Actions {
  readonly isRunner: boolean;
  readonly summaryFile: string | null;
  readonly outputFile: string | null;
  readonly runId: string | null;
  readonly runAttempt: number;
  readonly actor: string | null;
  readonly refName: string | null;
  readonly isBranch: boolean | null;
  readonly eventName: string | null;
  /** The file that holds the event. */
  readonly eventPath: string | null;
  /** The client id of the GitHub App that replaces the workflow's own token. */
  readonly appClientId: string | null;
  readonly reportBranch: string | null;
  readonly environment: string | null;
  readonly repositoryUrl: string | null;
  readonly runUrl: string | null;
}

/** Reads what GitHub's runner offers; all of it may be absent on a person's machine. */
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
    eventPath: env.GITHUB_EVENT_PATH || null,
    appClientId: env.ROLLCALL_APP_CLIENT_ID?.trim() || null,
    reportBranch:
      env.REPORT_BRANCH?.trim().replace(/^refs\/heads\//, "") || env.GITHUB_REF_NAME?.trim() || null,
    environment: env.WEBEX_ENVIRONMENT?.trim() || null,
    repositoryUrl,
    runUrl: runId && repositoryUrl ? `${repositoryUrl}/actions/runs/${runId}` : null,
  };
}

/** Where GitHub lets a person edit a file of the run's branch; null outside of GitHub, and where there is none. */
export function findEditor({ repositoryUrl, refName, isBranch }: Actions, path: string): string | null {
  if (repositoryUrl === null || refName === null || isBranch === false) return null;
  const file = [refName, path].join("/").split("/").map(encodeURIComponent).join("/");
  return `${repositoryUrl}/edit/${file}`;
}

/** For a pull request GITHUB_REF_TYPE says "branch", though its ref is not one. */
function readIsBranch({ GITHUB_REF: ref = "", GITHUB_REF_TYPE: type }: Environment): boolean | null {
  if (ref !== "") return ref.startsWith("refs/heads/");
  return type === "tag" ? false : null;
}

export interface Repository {
  readonly owner: string;
  readonly name: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  readonly serverUrl: string;
}

export interface RepositoryAccess {
  readonly repository: Repository;
  readonly token: string;
}

/** Reads where GitHub is, by default the public one; the addresses are unchecked. */
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

/** Splits `owner/name`; null for anything else. */
export function parseRepositoryName(text: string): { readonly owner: string; readonly name: string } | null {
  const [, owner, name] = /^([^/\s]+)\/([^/\s]+)$/.exec(text) ?? [];
  return owner && name ? { owner, name } : null;
}

/** True for an address that is encrypted or does not leave this machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return username + password === "" && (protocol === "https:" || (protocol === "http:" && isLoopback));
}
