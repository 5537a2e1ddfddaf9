import { errorMessage } from "../lib/text.ts";
import {
  type Environment,
  isSafeUrl,
  parseRepositoryName,
  type Repository,
  readGithubUrls,
  readRepositoryAccess,
} from "./actions.ts";

export type TokenStoreConfig =
  | { readonly kind: "file"; readonly path: string; readonly seed: string | null }
  | {
      readonly kind: "secret";
      readonly refreshToken: string;
      readonly repository: Repository;
      readonly environment: string | null;
      readonly secretsToken: string;
      readonly run: WorkflowRun | null;
    };

export interface WorkflowRun {
  readonly id: number;
  readonly attempt: number;
  readonly token: string | null;
  readonly ref: string | null;
  readonly eventPath: string | null;
  readonly isDispatchedByBot: boolean;
}

export type ReportTarget =
  | {
      readonly kind: "branch";
      readonly repository: Repository;
      readonly branch: string;
      /** False for what the run is on, which need not be a branch. */
      readonly isNamed: boolean;
      readonly token: string;
    }
  | { readonly kind: "folder" };

export interface Config {
  readonly webexUrl: string;
  readonly xmlUrl: string;
  /** The most requests to Webex under way at once. */
  readonly maxRequests: number;
  /** Without a scheme, in lower case. */
  readonly siteUrl: string | null;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenStore: TokenStoreConfig;
  readonly reportTarget: ReportTarget;
  readonly secrets: readonly string[];
}

const maxRequests = 64;

/** The variables whose values must never be shown. */
export const secretNames = [
  "WEBEX_CLIENT_SECRET",
  "WEBEX_REFRESH_TOKEN",
  "SECRETS_TOKEN",
  "GITHUB_TOKEN",
] as const;

export type SiteConfig = Config & { readonly siteUrl: string };

/** Everything that is missing or malformed in the environment, in one message. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(
    message: string,
    /** One for each variable, where several are wrong. */
    readonly faults: readonly string[] = [message],
  ) {
    super(message);
  }
}

/**
 * Reads the settings of the online commands; `needsSite` demands WEBEX_SITE_URL.
 * @throws {ConfigError} naming every variable that is missing or malformed; never quotes a value.
 */
export function readConfig(env: Environment, needsSite = false): Config {
  refuseQuoted(env);
  const faults: string[] = [];
  const get = (name: string) => env[name]?.trim() || null;
  const need = (name: string, meaning: string) => {
    const value = get(name);
    if (value === null) faults.push(`${name} is missing (${meaning})`);
    return value ?? "";
  };
  const demandSafe = (name: string, url: string) => {
    if (!isSafeUrl(url)) faults.push(`${name} must be an https address (http only on a loopback address)`);
    return url;
  };
  const readUrl = (name: string, standard: string) =>
    demandSafe(name, (get(name) ?? standard).replace(/\/+$/, ""));
  const readRepository = (): Repository => {
    const text = need("GITHUB_REPOSITORY", "the repository, as owner/name");
    const named = parseRepositoryName(text);
    if (text !== "" && named === null) faults.push("GITHUB_REPOSITORY must have the form owner/name");
    return { owner: "", name: "", ...named, ...github };
  };
  const github = readGithubUrls(env);
  demandSafe("GITHUB_API_URL", github.apiUrl);
  demandSafe("GITHUB_GRAPHQL_URL", github.graphqlUrl);
  demandSafe("GITHUB_SERVER_URL", github.serverUrl);

  const readTokenStore = (): TokenStoreConfig => {
    const path = get("WEBEX_TOKEN_FILE");
    if (path !== null) return { kind: "file", path, seed: get("WEBEX_REFRESH_TOKEN") };
    const refreshToken = need("WEBEX_REFRESH_TOKEN", "the refresh token; npm run login gets the first one");
    if (get("GITHUB_REPOSITORY") === null && get("SECRETS_TOKEN") === null) {
      faults.push(
        "Rollcall needs a place to save the renewed token: set WEBEX_TOKEN_FILE, or GITHUB_REPOSITORY and SECRETS_TOKEN",
      );
    }
    return {
      kind: "secret",
      refreshToken,
      secretsToken: need("SECRETS_TOKEN", "a token that may write the secret WEBEX_REFRESH_TOKEN"),
      repository: readRepository(),
      environment: get("WEBEX_ENVIRONMENT"),
      run: readRun(get),
    };
  };

  const readReportTarget = (): ReportTarget => {
    const token = get("GITHUB_TOKEN");
    if (token === null || get("GITHUB_REPOSITORY") === null) return { kind: "folder" };
    const named = get("REPORT_BRANCH")?.replace(/^refs\/heads\//, "") || null;
    // A tag may have the name of an unrelated branch.
    const prefix = get("GITHUB_REF_TYPE") === "tag" ? "refs/tags/" : "";
    const ofRun = () =>
      prefix + need("GITHUB_REF_NAME", "the branch for reports, unless REPORT_BRANCH is set");
    return {
      kind: "branch",
      token,
      branch: named ?? ofRun(),
      isNamed: named !== null,
      repository: readRepository(),
    };
  };

  const readSite = (): string | null => {
    const meaning = "the Webex Meetings site, such as acme.webex.com";
    const value = needsSite ? need("WEBEX_SITE_URL", meaning) : get("WEBEX_SITE_URL");
    if (!value) return null;
    const site = value
      .replace(/^https:\/\//i, "")
      .replace(/\/+$/, "")
      .toLowerCase();
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(site)) {
      faults.push("WEBEX_SITE_URL must be the site's host name without a path, such as acme.webex.com");
    }
    return site;
  };

  const readMaxRequests = (): number => {
    const value = get("WEBEX_MAX_REQUESTS") ?? String(maxRequests);
    const count = /^\d+$/.test(value) ? Number(value) : 0;
    if (count < 1 || count > maxRequests)
      faults.push(`WEBEX_MAX_REQUESTS must be a whole number from 1 to ${maxRequests}`);
    return count;
  };

  const config: Config = {
    webexUrl: readUrl("WEBEX_API_URL", "https://webexapis.com/v1"),
    xmlUrl: readUrl("WEBEX_XML_URL", "https://api.webex.com/WBXService/XMLService"),
    maxRequests: readMaxRequests(),
    siteUrl: readSite(),
    clientId: need("WEBEX_CLIENT_ID", "the Webex integration's client id"),
    clientSecret: need("WEBEX_CLIENT_SECRET", "the Webex integration's client secret"),
    tokenStore: readTokenStore(),
    reportTarget: readReportTarget(),
    secrets: secretNames.flatMap((name) => get(name) ?? []),
  };
  const different = [...new Set(faults)];
  if (different.length > 0) throw new ConfigError(different.join("; "), different);
  return config;
}

const ours = /^(WEBEX_|GITHUB_|ROLLCALL_|SECRETS_TOKEN$|REPORT_BRANCH$)/;

/**
 * Tools that do not read quotes, such as `docker --env-file`, hand them on as a part of the value. Said alone: every
 * other fault would follow from it, and name what its reader has done already.
 */
function refuseQuoted(env: Environment): void {
  const names = Object.keys(env).filter(
    (name) => ours.test(name) && /^(["'`]).*\1$|^[“”„‘’«].*[“”‘’»]$/s.test(env[name]?.trim() ?? ""),
  );
  if (names.length === 0) return;
  const [values, them] = names.length === 1 ? ["value", "it"] : ["values", "them"];
  throw new ConfigError(
    `quotes stand around the ${values} of ${names.join(", ")}, as a part of ${them}; take the quotes away where the ${values} ${names.length === 1 ? "is" : "are"} set`,
  );
}

function readRun(get: (name: string) => string | null): WorkflowRun | null {
  const id = Number(get("GITHUB_RUN_ID"));
  if (!Number.isSafeInteger(id) || id <= 0) return null;
  return {
    id,
    attempt: Number(get("GITHUB_RUN_ATTEMPT")) || 1,
    token: get("GITHUB_TOKEN"),
    ref: get("GITHUB_REF_NAME"),
    eventPath: get("GITHUB_EVENT_PATH"),
    isDispatchedByBot:
      get("GITHUB_EVENT_NAME") === "workflow_dispatch" && (get("GITHUB_ACTOR")?.endsWith("[bot]") ?? false),
  };
}

export interface LoginConfig extends Pick<Config, "webexUrl" | "clientId" | "clientSecret" | "siteUrl"> {
  /** Null when only a person can carry the refresh token to its place. */
  readonly tokenStore: TokenStoreConfig | null;
  readonly repositoryName: string | null;
  readonly environment: string | null;
  /** A folder for this user only, in memory where the system has one. */
  readonly privateDir: string | null;
  /** True where a browser would open on this machine, in front of nobody. */
  readonly isRemote: boolean;
}

function readLoginConfig(env: Environment): LoginConfig {
  const get = (name: string) => env[name]?.trim() || null;
  const hasStore = get("WEBEX_TOKEN_FILE") !== null || (get("SECRETS_TOKEN") && get("GITHUB_REPOSITORY"));
  const stand = { WEBEX_REFRESH_TOKEN: "none yet", GITHUB_TOKEN: undefined };
  const config = readConfig({ ...env, ...stand, ...(!hasStore && { WEBEX_TOKEN_FILE: "none yet" }) });
  const { webexUrl, clientId, clientSecret, siteUrl, tokenStore } = config;
  const emptyStore = tokenStore.kind === "file" ? { ...tokenStore, seed: null } : tokenStore;
  return {
    webexUrl,
    clientId,
    clientSecret,
    siteUrl,
    tokenStore: hasStore ? emptyStore : null,
    repositoryName: get("GITHUB_REPOSITORY"),
    environment: get("WEBEX_ENVIRONMENT"),
    privateDir: get("XDG_RUNTIME_DIR"),
    isRemote: get("SSH_CONNECTION") !== null || get("CI") !== null,
  };
}

export type Settings = ReturnType<typeof createSettings>;

const webexNames = ["WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "WEBEX_TOKEN_FILE"];

/**
 * Reads the environment on demand, because commands need different parts of it; `mask` hides each secret first.
 * What reads or requires something throws a ConfigError that names every variable that is missing or malformed.
 */
export function createSettings(env: Environment, mask: (secret: string) => void) {
  const readMasked = (needsSite = false): Config => {
    const config = readConfig(env, needsSite);
    config.secrets.forEach(mask);
    return config;
  };
  const has = (name: string) => Boolean(env[name]?.trim());
  const repository = readRepositoryAccess(env);
  return {
    readConfig: () => readMasked(),
    readSiteConfig(): SiteConfig {
      const config = readMasked(true);
      return { ...config, siteUrl: config.siteUrl ?? "" };
    },
    /** All that is missing or malformed; null where an online command can begin. */
    findFault(): string | null {
      try {
        readMasked();
        return null;
      } catch (error) {
        return errorMessage(error);
      }
    },
    readLoginConfig: () => readLoginConfig(env),
    repository,
    requireRepository: () => repository ?? explainNoRepository(env),
    /** True on GitHub where nothing of Webex is set: a copy of the repository that nobody has set up yet. */
    isUnconfigured: repository !== null && !webexNames.some(has),
    has,
    find: (name: string) => env[name]?.trim() || null,
    github: readGithubUrls(env),
    proxies: readProxies(env),
  };
}

/** A variable that names a proxy, and where it leads; null where that cannot be read. */
export interface Proxy {
  readonly name: string;
  readonly host: string | null;
}

/** In small letters too, which come first. The address may hold a password, so only its host is told. */
function readProxies(env: Environment): readonly Proxy[] {
  return ["HTTPS_PROXY", "HTTP_PROXY"].flatMap((name) => {
    const value = (env[name.toLowerCase()] || env[name])?.trim();
    if (!value) return [];
    const isProxy = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
    return [{ name, host: isProxy ? new URL(value).host : null }];
  });
}

function explainNoRepository(env: Environment): never {
  const missing = ["GITHUB_REPOSITORY", "GITHUB_TOKEN"].filter((name) => !env[name]?.trim());
  const faults =
    missing.length > 0 ? [`${missing.join(" and ")} must be set, because this command works on GitHub`] : [];
  try {
    readConfig(env);
  } catch (error) {
    faults.push(errorMessage(error));
  }
  throw new ConfigError(faults.join("; ") || "GITHUB_REPOSITORY must have the form owner/name");
}
