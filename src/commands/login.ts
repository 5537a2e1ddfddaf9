import { spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import type { LoginConfig, TokenStoreConfig } from "../config/settings.ts";
import { replaceSecretFile } from "../disk/write-atomic.ts";
import { gate } from "../lib/redact.ts";
import { defaultPolicy, type Policy } from "../membership/policy.ts";
import { readPolicy } from "../run/inputs.ts";
import { readFromDisk } from "../run/newest-files.ts";
import { openStore } from "../run/session.ts";
import { describeExpiry, measureExpiry } from "../token/expiry.ts";
import type { IssuedTokens } from "../token/rotate.ts";
import { type Feature, features, findFeatures, findMissingScopes, listScopes } from "../token/scopes.ts";
import { createWebexClient } from "../webex/client.ts";
import { type Authorization, createAuthorization, exchangeCode } from "../webex/oauth-authorize.ts";
import { awaitCallback, type CallbackPage } from "../webex/oauth-callback.ts";
import { awaitDeviceTokens, requestDeviceCode } from "../webex/oauth-device.ts";
import type { ClientIdentity } from "../webex/oauth-token.ts";
import { readOwner } from "../webex/people.ts";

/** Milliseconds; a person may have to look for the right account first. */
const loginTimeoutMs = 10 * 60_000;

export const usualPort = 5000;

/** What a login is for. */
export interface LoginOrder {
  readonly config: LoginConfig;
  readonly wanted: readonly Feature[];
  /** Where the browser comes back to on this machine; null for a code that is entered elsewhere. */
  readonly port: number | null;
}

interface Login extends LoginOrder {
  readonly client: ClientIdentity;
  readonly scopes: readonly string[];
  readonly destination: Destination;
  readonly context: Context;
}

/** Gets the first refresh token with a person's consent and stores it. Returns the exit code. */
export async function runLogin(options: OptionsOf<"login">, context: Context): Promise<number> {
  const config = context.settings.readLoginConfig();
  const wanted =
    options.features === undefined
      ? findFeatures({ ...config, policy: await readPolicyOrDefault(context) })
      : parseFeatures(options.features);
  await logIn({ config, wanted, port: options.device ? null : Number(options.port ?? usualPort) }, context);
  return 0;
}

/** Asks a person for their consent and stores the refresh token; returns what Webex issued. */
export async function logIn(order: LoginOrder, context: Context): Promise<IssuedTokens> {
  const { config, wanted, port } = order;
  const destination = await createDestination(config, context);
  // Before anybody is asked: a consent whose token has nowhere to go would be for nothing.
  await destination.prove();
  const { webexUrl: baseUrl, clientId, clientSecret } = config;
  const client = { baseUrl, clientId, clientSecret };
  const login = { ...order, client, scopes: listScopes(wanted), destination, context };
  return port === null ? await logInByDevice(login) : await logInByBrowser(login, port);
}

/** The policy on the disk; where it cannot be read the defaults, as its faults are for others to tell. */
export async function readPolicyOrDefault({ paths }: Context): Promise<Policy> {
  return await readPolicy(paths, readFromDisk).catch(() => defaultPolicy);
}

function parseFeatures(text: string): readonly Feature[] {
  const named = text.split(/[\s,]+/).filter(Boolean);
  const unknown = named.find((name) => !features.some((feature) => feature === name));
  if (unknown !== undefined)
    throw new Error(
      `login has no feature "${unknown.slice(0, 40)}"; the features are ${features.join(", ")}`,
    );
  return features.filter((feature) => named.includes(feature));
}

async function logInByBrowser(login: Login, port: number): Promise<IssuedTokens> {
  const { config, client, scopes, context } = login;
  let authorization: Authorization | null = null;
  let issued: IssuedTokens | null = null;
  await awaitCallback({
    port,
    timeoutMs: loginTimeoutMs,
    stop: context.stop,
    ask: (redirectUri) => {
      authorization = createAuthorization(client, redirectUri, scopes);
      gate.add(authorization.verifier);
      logAddress(authorization, config, context);
      return authorization.state;
    },
    finish: async (code) => {
      gate.add(code);
      if (authorization === null) throw new Error("nobody has been asked yet");
      issued = await exchangeCode(client, authorization, code);
      return await conclude(login, issued);
    },
  });
  if (issued === null) throw new Error("nobody has logged in");
  return issued;
}

function logAddress({ url, redirectUri }: Authorization, { isRemote }: LoginConfig, { log }: Context): void {
  const { port } = new URL(redirectUri);
  log(`Open this address in a browser and allow it:\n\n  ${url}\n`);
  log(
    `The integration must be registered with the redirect address ${redirectUri}. Is the browser on another machine? ` +
      `Forward the port first (ssh -L ${port}:127.0.0.1:${port} …), or use --device.`,
  );
  if (!isRemote) openBrowser(url);
}

async function logInByDevice(login: Login): Promise<IssuedTokens> {
  const { client, scopes, context } = login;
  const device = await requestDeviceCode(client, scopes);
  context.log(
    `Open this address in any browser, enter ${device.userCode} if it asks, and allow it:\n\n  ${device.verificationUrl}\n`,
  );
  const issued = await awaitDeviceTokens(client, device, context.stop);
  await conclude(login, issued);
  return issued;
}

/** The login has succeeded only once the token is stored. */
async function conclude(login: Login, issued: IssuedTokens): Promise<CallbackPage> {
  const { config, context, destination } = login;
  const { mask } = context.runner;
  mask(issued.accessToken);
  if (issued.refreshToken === null)
    throw new Error("Webex sent no refresh token; register the integration again");
  mask(issued.refreshToken);
  const scopes = checkScopes(login, issued.scopes);
  const webex = createWebexClient({ baseUrl: config.webexUrl, accessToken: issued.accessToken });
  const { displayName, email } = await readOwner(webex);
  context.detail(`${webex.requestCount()} request to Webex besides the login's own`);
  const kept = await destination.keep(issued.refreshToken);
  const { refreshTokenExpiresAt: expiresAt } = issued;
  const expiry = measureExpiry(expiresAt?.toISOString() ?? null, context.now(), 0);
  context.print(`Logged in as ${email === null ? displayName : `${displayName} <${email}>`}.`);
  context.print(`${scopes}.`);
  context.print(kept);
  if (expiry !== null) context.print(describeExpiry(expiry));
  return {
    isGood: true,
    title: "Logged in",
    text: "Rollcall has what it needs. You can close this page and go back to the terminal.",
    facts: [
      ["Name", displayName],
      ...(email === null ? [] : [["Address", email] as const]),
      ...(expiry === null ? [] : [["Good until", expiry.lastDay] as const]),
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

/** Keeps the refresh token that a login brings. */
export interface Destination {
  /** Fails before anybody is asked for consent, if the token would have nowhere to go. */
  prove(): Promise<void>;
  /** Keeps the token; returns what was done and what is left to do, without the token. @throws when it is not kept. */
  keep(refreshToken: string): Promise<string>;
}

/** Chooses where the token goes: a token file, a GitHub secret, or a private file that a person carries on. */
export async function createDestination(config: LoginConfig, context: Context): Promise<Destination> {
  const { tokenStore } = config;
  if (tokenStore === null) {
    return { prove: () => Promise.resolve(), keep: (refreshToken) => keepForGh(refreshToken, config) };
  }
  const store = await openStore(tokenStore, context);
  return {
    prove: () => store.exclusively(() => store.prove()),
    async keep(refreshToken) {
      return await store.exclusively(async () => {
        // Again, as it reserves what the saving needs.
        await store.prove();
        const outcome = await store.save(refreshToken);
        if (outcome.stored) return `The refresh token is stored in ${describeStore(tokenStore)}.`;
        const { advice, command } = outcome.recovery;
        context.log(`\nRECOVERY: ${advice}.\n${command}\n`);
        throw new Error(outcome.reason);
      });
    },
  };
}

function describeStore(store: TokenStoreConfig): string {
  if (store.kind === "file") return store.path;
  const { owner, name } = store.repository;
  const where = store.environment === null ? "" : `, environment ${store.environment}`;
  return `the secret WEBEX_REFRESH_TOKEN of ${owner}/${name}${where}`;
}

/** GitHub's own program takes a secret from standard input: so it is in no argument and on no screen. */
async function keepForGh(refreshToken: string, config: LoginConfig): Promise<string> {
  const folder = await mkdtemp(join(config.privateDir ?? tmpdir(), "rollcall-"));
  const file = join(folder, "refresh-token");
  await replaceSecretFile(file, refreshToken);
  const repository = config.repositoryName === null ? "" : ` --repo ${quote(config.repositoryName)}`;
  const environment = config.environment === null ? "" : ` --env ${quote(config.environment)}`;
  return [
    "The refresh token is in a file that only you can read. This stores it and removes the file:",
    "",
    `  gh secret set WEBEX_REFRESH_TOKEN${repository}${environment} < ${quote(file)} && rm -r ${quote(folder)}`,
  ].join("\n");
}

function quote(text: string): string {
  return /^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Opens an address in the person's browser, where there is one; the printed address is there in any case. */
export function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler", url]
        : ["xdg-open", url];
  // Nobody sits in front of a program whose output goes into a pipe.
  if (command === undefined || !process.stdout.isTTY) return;
  const browser = spawn(command, args, { detached: true, stdio: "ignore" });
  browser.on("error", () => undefined);
  browser.unref();
}
