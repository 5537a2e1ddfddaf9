import type { Environment } from "./config/actions.ts";
import { readConfig, type TokenPlace } from "./config/settings.ts";

/** What a login needs to know of its surroundings. */
export interface LoginConfig {
  readonly webexUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly siteUrl: string | null;
  /** Where the refresh token goes; null when only a person can carry it there. */
  readonly tokenPlace: TokenPlace | null;
  /** As owner/name; null when it is not known. */
  readonly repositoryName: string | null;
  readonly environment: string | null;
  /** A folder for this user only, in memory where the system has one; null where it has none. */
  readonly privateDir: string | null;
  /** True where a browser would open on this machine, in front of nobody. */
  readonly isRemote: boolean;
}

/**
 * Reads the settings of a login, which is there to get what the other commands ask for.
 * @throws {ConfigError} naming every variable that is missing or malformed.
 */
export function readLoginConfig(env: Environment): LoginConfig {
  const get = (name: string) => env[name]?.trim() || null;
  const hasPlace = get("WEBEX_TOKEN_FILE") !== null || (get("SECRETS_TOKEN") && get("GITHUB_REPOSITORY"));
  const stand = { WEBEX_REFRESH_TOKEN: "none yet", GITHUB_TOKEN: undefined };
  const config = readConfig({ ...env, ...stand, ...(!hasPlace && { WEBEX_TOKEN_FILE: "none yet" }) });
  const { webexUrl, clientId, clientSecret, siteUrl, tokenPlace } = config;
  return {
    webexUrl,
    clientId,
    clientSecret,
    siteUrl,
    tokenPlace: hasPlace ? tokenPlace : null,
    repositoryName: get("GITHUB_REPOSITORY"),
    environment: get("WEBEX_ENVIRONMENT"),
    privateDir: get("XDG_RUNTIME_DIR"),
    isRemote: get("SSH_CONNECTION") !== null || get("CI") !== null,
  };
}
