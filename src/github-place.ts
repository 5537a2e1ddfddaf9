import type { Environment } from "./config/actions.ts";

/** A repository on one GitHub, with that GitHub's addresses. */
export interface Repository {
  readonly owner: string;
  readonly name: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  readonly serverUrl: string;
}

/** A repository, and the token that the workflow has for it. */
export interface GithubPlace {
  readonly repository: Repository;
  readonly token: string;
}

/** Where GitHub is when the environment does not say. */
export const githubUrls = {
  GITHUB_API_URL: "https://api.github.com",
  GITHUB_GRAPHQL_URL: "https://api.github.com/graphql",
  GITHUB_SERVER_URL: "https://github.com",
} as const;

/** Reads where GitHub is, apart from all else; null where no repository or no token is named, or not as they must be. */
export function readGithubPlace(env: Environment): GithubPlace | null {
  const token = env.GITHUB_TOKEN?.trim();
  const named = parseRepositoryName(env.GITHUB_REPOSITORY?.trim() ?? "");
  const urlOf = (key: keyof typeof githubUrls) => (env[key]?.trim() || githubUrls[key]).replace(/\/+$/, "");
  const apiUrl = urlOf("GITHUB_API_URL");
  const graphqlUrl = urlOf("GITHUB_GRAPHQL_URL");
  const serverUrl = urlOf("GITHUB_SERVER_URL");
  if (!token || named === null || ![apiUrl, graphqlUrl, serverUrl].every(isSafeUrl)) return null;
  return { token, repository: { ...named, apiUrl, graphqlUrl, serverUrl } };
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
