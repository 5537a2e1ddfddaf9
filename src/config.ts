/** The only place that reads the environment. What each variable means is the table in README.md. */

/** The variables of a run, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the refresh token is kept, and so where a rotated one goes. */
export type TokenPlace =
  | { readonly kind: "file"; readonly path: string; readonly seed: string | null }
  | {
      readonly kind: "secret";
      readonly refreshToken: string;
      readonly repository: Repository;
      readonly environment: string | null;
      readonly secretsToken: string;
    };

/** Where reports go. */
export type ReportPlace =
  | {
      readonly kind: "branch";
      readonly repository: Repository;
      readonly branch: string;
      readonly token: string;
    }
  | { readonly kind: "folder" };

/** A repository on one GitHub, with that GitHub's addresses. */
export interface Repository {
  readonly owner: string;
  readonly name: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  readonly serverUrl: string;
}

/** What an online command needs to know of its surroundings. */
export interface Config {
  readonly webexUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenPlace: TokenPlace;
  readonly reportPlace: ReportPlace;
  /** Everything in here that must never be shown. */
  readonly secrets: readonly string[];
}

/** What the runner of GitHub Actions offers; all of it may be absent on a person's machine. */
export interface Surroundings {
  /** True on a runner, where annotations and masks are understood. */
  readonly isRunner: boolean;
  readonly hasSummary: boolean;
  readonly hasOutput: boolean;
  /** GitHub's run id; null elsewhere. */
  readonly runId: string | null;
  /** The pages of the repository and of this run; null where there are none. */
  readonly repositoryUrl: string | null;
  readonly runUrl: string | null;
}

/** Everything that is missing or malformed in the environment, told at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads what the runner offers. */
export function readSurroundings(env: Environment): Surroundings {
  const runId = env.GITHUB_RUN_ID?.trim() || null;
  const server = env.GITHUB_SERVER_URL?.trim() || "https://github.com";
  const repositoryUrl = env.GITHUB_REPOSITORY ? `${server}/${env.GITHUB_REPOSITORY}` : null;
  return {
    isRunner: env.GITHUB_ACTIONS === "true",
    hasSummary: Boolean(env.GITHUB_STEP_SUMMARY),
    hasOutput: Boolean(env.GITHUB_OUTPUT),
    runId,
    repositoryUrl,
    runUrl: runId && repositoryUrl ? `${repositoryUrl}/actions/runs/${runId}` : null,
  };
}

/**
 * Reads the settings of the online commands.
 * @throws {ConfigError} naming every variable that is missing or malformed; no value is ever quoted.
 */
export function readConfig(env: Environment): Config {
  const faults: string[] = [];
  const get = (name: string) => env[name]?.trim() || null;
  const need = (name: string, meaning: string) => {
    const value = get(name);
    if (value === null) faults.push(`${name} is missing (${meaning})`);
    return value ?? "";
  };
  const readUrl = (name: string, standard: string) => {
    const value = get(name) ?? standard;
    if (!isSafeUrl(value)) faults.push(`${name} must be an https address (http only on a loopback address)`);
    return value.replace(/\/+$/, "");
  };
  const readRepository = (): Repository => {
    const [owner = "", name = "", more] = need("GITHUB_REPOSITORY", "the repository, as owner/name").split(
      "/",
    );
    if (get("GITHUB_REPOSITORY") && (!owner || !name || more !== undefined))
      faults.push("GITHUB_REPOSITORY must have the form owner/name");
    return { owner, name, apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
  };
  const github = {
    apiUrl: readUrl("GITHUB_API_URL", "https://api.github.com"),
    graphqlUrl: readUrl("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
    serverUrl: readUrl("GITHUB_SERVER_URL", "https://github.com"),
  };

  const readTokenPlace = (): TokenPlace => {
    const path = get("WEBEX_TOKEN_FILE");
    if (path !== null) return { kind: "file", path, seed: get("WEBEX_REFRESH_TOKEN") };
    const refreshToken = need("WEBEX_REFRESH_TOKEN", "the refresh token; npm run login gets the first one");
    if (get("GITHUB_REPOSITORY") === null && get("SECRETS_TOKEN") === null) {
      faults.push(
        "there is nowhere to store the refresh token that Webex may send in exchange, and a token with nowhere to go " +
          "would be lost: set WEBEX_TOKEN_FILE, or GITHUB_REPOSITORY and SECRETS_TOKEN",
      );
    }
    return {
      kind: "secret",
      refreshToken,
      secretsToken: need("SECRETS_TOKEN", "a token that may write the secret WEBEX_REFRESH_TOKEN"),
      repository: readRepository(),
      environment: get("WEBEX_ENVIRONMENT"),
    };
  };

  const readReportPlace = (): ReportPlace => {
    const token = get("GITHUB_TOKEN");
    if (token === null || get("GITHUB_REPOSITORY") === null) return { kind: "folder" };
    const branch =
      get("REPORT_BRANCH") ?? need("GITHUB_REF_NAME", "the branch for reports, unless REPORT_BRANCH is set");
    return { kind: "branch", token, branch, repository: readRepository() };
  };

  const config: Config = {
    webexUrl: readUrl("WEBEX_API_URL", "https://webexapis.com/v1"),
    clientId: need("WEBEX_CLIENT_ID", "the Webex integration's client id"),
    clientSecret: need("WEBEX_CLIENT_SECRET", "the Webex integration's client secret"),
    tokenPlace: readTokenPlace(),
    reportPlace: readReportPlace(),
    secrets: ["WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN", "GITHUB_TOKEN"].flatMap(
      (name) => get(name) ?? [],
    ),
  };
  if (faults.length > 0) throw new ConfigError([...new Set(faults)].join("; "));
  return config;
}

/** Encrypted, or not leaving this machine. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username } = new URL(text);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  return username === "" && (protocol === "https:" || (protocol === "http:" && isLoopback));
}
