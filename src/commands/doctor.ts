import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import type { Config } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { toDateString } from "../lib/date.ts";
import { endMappings, isRow } from "../membership/mapping.ts";
import { noNames } from "../membership/names.ts";
import {
  type Check,
  formatChecks,
  hasFault,
  renderChecklist,
  renderChecklistMarkdown,
} from "../report/checklist.ts";
import { proveFiles } from "../run/destinations.ts";
import { type Inputs, readInputs } from "../run/inputs.ts";
import { readMemory } from "../run/memory.ts";
import { openSession, openStore, type Session } from "../run/session.ts";
import { describeExpiry, measureExpiry } from "../token/expiry.ts";
import { type Feature, findMissingScopes } from "../token/scopes.ts";
import { pingWebex } from "../webex/client.ts";
import { check, conclude, type Finding, obtain, ok, skip, wrong } from "./doctor-checks.ts";
import { checkDelegation, checkMappings } from "./doctor-webex.ts";

/** Checks the set-up and says what to fix; it spends no token it cannot store. Returns 0 only if nothing is wrong. */
export async function runDoctor({ json }: OptionsOf<"doctor">, context: Context): Promise<number> {
  // The checklist is the result, so the steps log nothing between its lines; only a recovery block must be seen.
  const log = (text: string) => {
    if (text.includes("RECOVERY:")) context.log(text);
  };
  if (typeof json === "string") await proveFiles([json], context);
  const checks = await makeChecks({ ...context, log });
  if (typeof json === "string") await replaceFile(json, formatChecks(checks));
  context.print(json === true ? formatChecks(checks).trimEnd() : renderChecklist(checks, context.paint));
  await context.runner.writeSummary(renderChecklistMarkdown(checks));
  return hasFault(checks) ? 1 : 0;
}

async function makeChecks(context: Context): Promise<readonly Check[]> {
  const [variables, config] = await obtain(
    "variables",
    "Variables",
    "Set them as variables and secrets of the repository or its environment; README.md lists them",
    async () => [ok("all there"), context.settings.readConfig()],
  );
  const [mappings, inputs] = await obtain(
    "mappings",
    "Mappings and policy",
    "Correct the file; npm run validate checks it without any network",
    async () => {
      const read = await readInputs(context.paths);
      const { length } = read.mappings.filter(isRow);
      return [ok(`${length} ${length === 1 ? "mapping" : "mappings"}, no fault`), read];
    },
  );
  if (config === null) return [variables, mappings, skip("webex", "Everything else", "needs the variables")];
  const ofWebex = await checkWebex(config, inputs, context);
  // Loaded only here: Octokit is large.
  const { checkRepository } = await import("./doctor-github.ts");
  return [variables, mappings, ...ofWebex, ...(await checkRepository(config))];
}

async function checkWebex(
  config: Config,
  inputs: Inputs | null,
  context: Context,
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
  const [token, session] = await obtain("token", "Refresh token", "Log in again: npm run login", async () => {
    const opened = await openSession(config, context);
    return [describeToken(opened, inputs, context), opened];
  });
  if (session === null) return [api, store, token];
  const { mappings } = endMappings(inputs?.mappings ?? [], toDateString(context.now()));
  // Where reports cannot be read, the repository's checks say so.
  const memory = await readMemory(config.reportTarget, context).catch(() => null);
  try {
    return [
      api,
      store,
      token,
      checkScopes(session, config),
      ...(await checkMappings(session.client, mappings, memory?.names ?? noNames)),
      ...(await checkDelegation(session, config)),
    ];
  } finally {
    session.close();
  }
}

function checkStore({ tokenStore }: Config, context: Context): Promise<Check> {
  const title = tokenStore.kind === "file" ? "Token file" : "Secret store";
  return check("store", title, "See what GitHub or the file system says, and allow it", async () => {
    const store = await openStore(tokenStore, context);
    await store.exclusively(() => store.prove());
    return ok("takes a token; tried with a probe that was deleted again");
  });
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
