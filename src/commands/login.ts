import type { Context, Options } from "../cli/context.ts";
import { textOption } from "../cli/context.ts";
import { readSurroundings } from "../config/actions.ts";
import { createRunner } from "../github/runner.ts";
import { type LoginConfig, readLoginConfig } from "../login-config.ts";
import type { Owner } from "../membership/directory.ts";
import { describeLife, measureLife } from "../token/expiry.ts";
import type { IssuedTokens } from "../token/rotate.ts";
import { type Feature, features, findMissingScopes, listScopes } from "../token/scopes.ts";
import { createWebexClient } from "../webex/client.ts";
import type { ConsentPage } from "../webex/consent-page.ts";
import { type Authorization, createAuthorization, exchangeCode } from "../webex/oauth-authorize.ts";
import { awaitConsent } from "../webex/oauth-callback.ts";
import { awaitDeviceTokens, requestDeviceCode } from "../webex/oauth-device.ts";
import type { ClientIdentity } from "../webex/oauth-token.ts";
import { readOwner } from "../webex/people.ts";
import { createKeeper, type Keeper } from "./keep-token.ts";
import { openBrowser } from "./open-browser.ts";

/** As long as a person may need who has to look for the right account first. */
const consentTimeoutMs = 10 * 60_000;
const usualPort = 5000;

/** One login: what it is for and where its token goes. */
interface Login {
  readonly config: LoginConfig;
  readonly client: ClientIdentity;
  readonly wanted: readonly Feature[];
  readonly scopes: readonly string[];
  readonly keeper: Keeper;
  readonly mask: (secret: string) => void;
  readonly context: Context;
}

/** Gets the first refresh token with a person's consent and stores it. Returns the exit code. */
export async function runLogin(options: Options, context: Context): Promise<number> {
  const config = readLoginConfig(context.env);
  const runner = await createRunner(readSurroundings(context.env));
  const wanted = readFeatures(options, config);
  const keeper = await createKeeper(config, context);
  // Before anybody is asked: a consent whose token has nowhere to go would be for nothing.
  await keeper.prove();
  const { webexUrl: baseUrl, clientId, clientSecret } = config;
  const client = { baseUrl, clientId, clientSecret };
  const login = { config, client, wanted, scopes: listScopes(wanted), keeper, mask: runner.mask, context };
  if (options.device === true) await logInByDevice(login);
  else await logInByBrowser(login, Number(textOption(options, "port") ?? usualPort));
  return 0;
}

function readFeatures(options: Options, { siteUrl }: LoginConfig): readonly Feature[] {
  const named = textOption(options, "features")
    ?.split(/[\s,]+/)
    .filter(Boolean);
  if (!named) return siteUrl === null ? ["memberships"] : ["memberships", "delegates"];
  const unknown = named.find((name) => !features.some((feature) => feature === name));
  if (unknown !== undefined)
    throw new Error(
      `login has no feature "${unknown.slice(0, 40)}"; the features are ${features.join(", ")}`,
    );
  return features.filter((feature) => named.includes(feature));
}

async function logInByBrowser(login: Login, port: number): Promise<void> {
  const { config, client, scopes, context } = login;
  let authorization: Authorization | null = null;
  await awaitConsent({
    port,
    timeoutMs: consentTimeoutMs,
    stop: context.stop,
    ask: (redirectUri) => {
      authorization = createAuthorization(client, redirectUri, scopes);
      tellAddress(authorization, config, context);
      return authorization.state;
    },
    finish: async (code) => {
      if (authorization === null) throw new Error("nobody has been asked yet");
      return await conclude(login, await exchangeCode(client, authorization, code));
    },
  });
}

function tellAddress(
  { url, redirectUri }: Authorization,
  { isRemote }: LoginConfig,
  { tell }: Context,
): void {
  const { port } = new URL(redirectUri);
  tell(`Open this address in a browser and allow it:\n\n  ${url}\n`);
  tell(
    `The integration must be registered with the redirect address ${redirectUri}. Is the browser on another machine? ` +
      `Forward the port first (ssh -L ${port}:127.0.0.1:${port} …), or use --device.`,
  );
  if (!isRemote) openBrowser(url);
}

async function logInByDevice(login: Login): Promise<void> {
  const { client, scopes, context } = login;
  const device = await requestDeviceCode(client, scopes);
  context.tell(
    `Open this address in any browser, enter ${device.userCode} if it asks, and allow it:\n\n  ${device.verificationUrl}\n`,
  );
  await conclude(login, await awaitDeviceTokens(client, device, context.stop));
}

/** Checks what was granted and to whom, and stores the token; only then the login has succeeded. */
async function conclude(login: Login, issued: IssuedTokens): Promise<ConsentPage> {
  const { config, context, keeper, mask } = login;
  mask(issued.accessToken);
  if (issued.refreshToken === null)
    throw new Error("Webex sent no refresh token; register the integration anew");
  mask(issued.refreshToken);
  const scopes = checkScopes(login, issued.scopes);
  const { displayName, email } = await readPerson(config, issued.accessToken);
  const kept = await keeper.keep(issued.refreshToken);
  const { refreshTokenExpiresAt: expiresAt } = issued;
  const life = measureLife(expiresAt?.toISOString() ?? null, context.now(), 0);
  context.print(`Logged in as ${email === null ? displayName : `${displayName} <${email}>`}.`);
  context.print(`${scopes}.`);
  context.print(kept);
  if (life !== null) context.print(describeLife(life));
  return {
    isGood: true,
    title: "Logged in",
    text: "Rollcall has what it needs. You can close this page and go back to the terminal.",
    facts: [
      ["Name", displayName],
      ...(email === null ? [] : [["Address", email] as const]),
      ...(life === null ? [] : [["Good until", life.lastDay] as const]),
    ],
  };
}

/** @throws naming the scopes that the wanted features lack; the token is not stored then. */
function checkScopes({ wanted, scopes }: Login, granted: readonly string[] | null): string {
  if (granted === null) return "Webex did not say which scopes it granted";
  const missing = findMissingScopes(wanted, granted);
  if (missing.length === 0)
    return `All ${scopes.length} scopes were granted that ${wanted.join(" and ")} need`;
  throw new Error(
    `the scopes ${missing.join(", ")} were not granted, and ${wanted.join(" and ")} need them. Nothing was stored: ` +
      "tick them at developer.webex.com (My Apps, the integration) and log in again",
  );
}

async function readPerson({ webexUrl: baseUrl }: LoginConfig, accessToken: string): Promise<Owner> {
  const client = createWebexClient({ baseUrl, accessToken });
  try {
    return await readOwner(client);
  } finally {
    await client.close();
  }
}
