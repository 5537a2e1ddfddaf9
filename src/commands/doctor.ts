import { type Context, type Options, textOption } from "../cli/context.ts";
import { readActions } from "../config/actions.ts";
import { type Config, readConfig } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { createRunner, type Runner } from "../github/runner.ts";
import { toDateString } from "../lib/date.ts";
import { endMappings, isRow } from "../membership/mapping.ts";
import {
  type Check,
  formatChecks,
  hasFault,
  renderChecklist,
  renderChecklistMarkdown,
} from "../report/checklist.ts";
import { type Inputs, readInputs } from "../run/inputs.ts";
import { openSession, openStore, type Session } from "../run/session.ts";
import { describeExpiry, measureExpiry } from "../token/expiry.ts";
import { type Feature, findMissingScopes } from "../token/scopes.ts";
import { pingWebex } from "../webex/client.ts";
import { check, conclude, type Finding, ok, skip, wrong } from "./doctor-checks.ts";
import { checkDelegation, checkMappings } from "./doctor-webex.ts";

/**
 * Checks the whole set-up and says what to fix. The token is refreshed in the same order as ever, so nothing is
 * spent that cannot be stored. Returns 0 only if nothing is wrong.
 */
export async function runDoctor(options: Options, context: Context): Promise<number> {
  const actions = readActions(context.env);
  const runner = await createRunner(actions);
  // The checklist is the result: what the steps tell on their way would stand between its lines.
  const quiet: Context = { ...context, log: () => undefined };
  const checks = await makeChecks(options, quiet, context, runner);
  const file = textOption(options, "json");
  if (file !== null) await replaceFile(file, formatChecks(checks));
  context.print(
    options.json === true ? formatChecks(checks).trimEnd() : renderChecklist(checks, context.paint),
  );
  await runner.writeSummary(renderChecklistMarkdown(checks));
  return hasFault(checks) ? 1 : 0;
}

async function makeChecks(
  options: Options,
  context: Context,
  loud: Context,
  runner: Runner,
): Promise<readonly Check[]> {
  let config: Config | null = null;
  let inputs: Inputs | null = null;
  const variables = await check(
    "variables",
    "Variables",
    "Set them as variables and secrets of the repository or its environment; README.md lists them",
    async () => {
      config = readConfig(context.env);
      config.secrets.forEach(runner.mask);
      return ok("all there");
    },
  );
  const mappings = await check(
    "mappings",
    "Mappings and policy",
    "Correct the file; npm run validate checks it without any network",
    async () => {
      inputs = await readInputs(options);
      const { length } = inputs.mappings.filter(isRow);
      return ok(`${length} ${length === 1 ? "mapping" : "mappings"}, no fault`);
    },
  );
  // TypeScript does not see that the two have been assigned above.
  const read = { config: config as Config | null, inputs: inputs as Inputs | null };
  if (read.config === null)
    return [variables, mappings, skip("webex", "Everything else", "needs the variables")];
  return [
    variables,
    mappings,
    ...(await checkWebex(read.config, read.inputs, runner, context, loud)),
    ...(await checkGithub(read.config)),
  ];
}

async function checkWebex(
  config: Config,
  inputs: Inputs | null,
  runner: Runner,
  context: Context,
  loud: Context,
): Promise<readonly Check[]> {
  const api = await check(
    "api",
    "Webex API",
    "Check WEBEX_API_URL and the way out of this network",
    async () => {
      await pingWebex(config.webexUrl);
      return ok(`${new URL(config.webexUrl).host} answers`);
    },
  );
  const store = await checkStore(config, context);
  if (api.state === "wrong" || store.state === "wrong") {
    const why = "not tried, because a refreshed token could not be used or stored now";
    return [api, store, skip("token", "Refresh token", why)];
  }
  let session: Session | null = null;
  const token = await check("token", "Refresh token", "Log in again: npm run login", async () => {
    // Not quiet: a recovery block has to be seen, whatever else is.
    session = await openSession(config, runner, { ...context, log: logRecovery(loud) });
    return describeToken(session, inputs, context);
  });
  const opened = session as Session | null;
  if (opened === null) return [api, store, token];
  const { mappings } = endMappings(inputs?.mappings ?? [], toDateString(context.now()));
  try {
    return [
      api,
      store,
      token,
      checkScopes(opened, config),
      ...(await checkMappings(opened.client, mappings)),
      ...(await checkDelegation(opened, config)),
    ];
  } finally {
    await opened.client.close();
  }
}

function checkStore(config: Config, context: Context): Promise<Check> {
  const { tokenStore } = config;
  const title = tokenStore.kind === "file" ? "Token file" : "Secret store";
  return check("store", title, "See what GitHub or the file system says, and allow it", async () => {
    const store = await openStore(config, context);
    await store.exclusively(() => store.prove());
    return ok("takes a token; tried with a probe that was deleted again");
  });
}

function logRecovery(loud: Context): (text: string) => void {
  return (text) => {
    if (text.includes("RECOVERY:")) loud.log(text);
  };
}

function describeToken(session: Session, inputs: Inputs | null, { now }: Context): Finding {
  const { refreshTokenExpiresAt, rotated } = session.token;
  const warningDays = inputs?.policy.report.tokenWarningDays ?? 14;
  const expiry = measureExpiry(refreshTokenExpiresAt, now(), warningDays);
  const stored = rotated ? "accepted; Webex sent a new one, which is stored" : "accepted, and stays as it is";
  if (expiry === null) return ok(`${stored}; Webex did not say how long it lives`);
  if (expiry.isShort) return wrong(`${stored}. ${describeExpiry(expiry)}`, "Log in again: npm run login");
  return ok(`${stored}. ${describeExpiry(expiry)}`);
}

function checkScopes({ scopes }: Session, { siteUrl }: Config): Check {
  const title = "Scopes";
  if (scopes === null) return skip("scopes", title, "Webex did not say which were granted");
  const wanted: Feature[] = siteUrl === null ? ["memberships"] : ["memberships", "delegates"];
  const missing = findMissingScopes(wanted, scopes);
  if (missing.length === 0) return conclude("scopes", title, ok("all that are needed"));
  const remedy = "Tick them at developer.webex.com (My Apps, the integration), then npm run login";
  return conclude("scopes", title, wrong(`missing ${missing.join(", ")}`, remedy));
}

async function checkGithub(config: Config): Promise<readonly Check[]> {
  // Loaded only here: Octokit is large.
  const { checkRepository } = await import("./doctor-github.ts");
  return await checkRepository(config);
}
