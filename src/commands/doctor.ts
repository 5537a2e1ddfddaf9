import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import { type Config, ConfigError, secretNames } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { dayMs, toDateString } from "../lib/date.ts";
import { endMappings, isRow } from "../membership/mapping.ts";
import { noNames } from "../membership/names.ts";
import { defaultPolicy } from "../membership/policy.ts";
import {
  type Check,
  formatChecks,
  hasFault,
  renderChecklist,
  renderChecklistMarkdown,
} from "../report/checklist.ts";
import { describeFacts, type WebexFacts } from "../report/webex-facts.ts";
import { proveFiles } from "../run/destinations.ts";
import { type Inputs, readInputs } from "../run/inputs.ts";
import { readMemory } from "../run/memory.ts";
import { openSession, openStore, type Session } from "../run/session.ts";
import { describeExpiry, measureExpiry } from "../token/expiry.ts";
import { type FeatureNeeds, findFeatures, findMissingScopes } from "../token/scopes.ts";
import { pingWebex } from "../webex/client.ts";
import { check, conclude, type Finding, obtain, ok, skip, wrong } from "./doctor-checks.ts";
import { checkClock, checkProxy } from "./doctor-machine.ts";
import { checkDelegation, checkMappings, readFacts } from "./doctor-webex.ts";

/** Checks the set-up and says what to fix; it spends no token it cannot store. Returns 0 only if nothing is wrong. */
export async function runDoctor({ json }: OptionsOf<"doctor">, context: Context): Promise<number> {
  // The checklist is the result, so the steps log nothing between its lines; only a recovery block must be seen.
  const log = (text: string) => {
    if (text.includes("RECOVERY:")) context.log(text);
  };
  if (typeof json === "string") await proveFiles([json]);
  const checks = await examineSetup({ ...context, log });
  if (typeof json === "string") await replaceFile(json, formatChecks(checks));
  context.print(json === true ? formatChecks(checks).trimEnd() : renderChecklist(checks, context.paint));
  await context.runner.writeSummary(renderChecklistMarkdown(checks));
  return hasFault(checks) ? 1 : 0;
}

/** Makes all checks; what is wrong is in them, not thrown. */
export async function examineSetup(context: Context): Promise<readonly Check[]> {
  const { variables, config } = readVariables(context);
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
  if (config === null)
    return [...variables, mappings, skip("webex", "Everything else", "needs the variables")];
  const ofWebex = await checkWebex(config, inputs, context);
  // Loaded only here: Octokit is large.
  const { checkRepository } = await import("./doctor-github.ts");
  const { tokenWarningDays: warningDays } = (inputs?.policy ?? defaultPolicy).report;
  const ofGithub = await checkRepository(config, { now: context.now, warningDays });
  return [...variables, mappings, ...ofWebex, ...ofGithub];
}

/** One line for each variable that is missing or malformed. */
function readVariables({ settings }: Context): { variables: readonly Check[]; config: Config | null } {
  const title = "Variables";
  try {
    return { config: settings.readConfig(), variables: [conclude("variables", title, ok("all there"))] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const variables = error.faults.map((fault) =>
      conclude("variables", title, wrong(fault, adviseOn(fault))),
    );
    return { config: null, variables };
  }
}

const secrets: readonly string[] = secretNames;

function adviseOn(fault: string): string {
  const name = /^[A-Z_]+/.exec(fault)?.[0] ?? "";
  if (name === "GITHUB_REPOSITORY") return "Set it to owner/name; on a runner GitHub sets it";
  const kind = secrets.includes(name) ? "a secret" : "a variable";
  return `npm run setup sets it; by hand: ${kind} of the environment webex, or of the repository`;
}

async function checkWebex(
  config: Config,
  inputs: Inputs | null,
  context: Context,
): Promise<readonly Check[]> {
  const [api, webexDate] = await obtain(
    "api",
    "Webex API",
    "Check WEBEX_API_URL, the proxy and the way out of this network",
    async () => {
      const date = await pingWebex(config.webexUrl);
      return [ok(`${new URL(config.webexUrl).host} answers`), date] as const;
    },
  );
  const machine = [checkProxy(context), checkClock(webexDate, context)];
  const store = await checkStore(config, context);
  if (api.state === "wrong" || store.state === "wrong") {
    const why = "not tried, because a refreshed token could not be used or stored now";
    return [...machine, api, store, skip("token", "Refresh token", why)];
  }
  const [token, session] = await obtain("token", "Refresh token", "Log in again: npm run login", async () => {
    const opened = await openSession(config, context);
    return [describeToken(opened, inputs, context), opened];
  });
  if (session === null) return [...machine, api, store, token];
  const { mappings } = endMappings(inputs?.mappings ?? [], toDateString(context.now()));
  // Where reports cannot be read, the repository's checks say so.
  const memory = await readMemory(config.reportTarget, context).catch(() => null);
  try {
    const ofMappings = await checkMappings(session.client, mappings, memory?.names ?? noNames);
    const ofDelegation = await checkDelegation(session, config);
    const facts = {
      ...readTokenFacts(session, context),
      ...ofMappings.facts,
      ...ofDelegation.facts,
      ...(await readFacts(session.client)),
    };
    return [
      ...machine,
      api,
      store,
      token,
      checkScopes(session, { ...config, policy: inputs?.policy ?? defaultPolicy }),
      ...ofMappings.checks,
      ...ofDelegation.checks,
      await settleFacts(facts, config, context),
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
    return ok("writable");
  });
}

function describeToken(session: Session, inputs: Inputs | null, { now }: Context): Finding {
  const { refreshTokenExpiresAt, rotated } = session.token;
  const { tokenWarningDays: warningDays } = (inputs?.policy ?? defaultPolicy).report;
  const expiry = measureExpiry(refreshTokenExpiresAt, now(), warningDays);
  const stored = rotated ? "accepted; Webex sent a new one, which is stored" : "accepted, and stays as it is";
  if (expiry === null) return ok(`${stored}; Webex did not say how long it lives`);
  if (expiry.isShort) return wrong(`${stored}. ${describeExpiry(expiry)}`, "Log in again: npm run login");
  return ok(`${stored}. ${describeExpiry(expiry)}`);
}

function readTokenFacts({ token }: Session, { now }: Context): WebexFacts {
  const end = token.refreshTokenExpiresAt;
  return {
    refreshTokenChanges: token.rotated,
    ...(end !== null && { refreshTokenDays: Math.round((Date.parse(end) - now().getTime()) / dayMs) }),
  };
}

/** Says what this look has settled about Webex, and keeps it where a run has left a memory. */
async function settleFacts(facts: WebexFacts, config: Config, context: Context): Promise<Check> {
  const settled = describeFacts(facts).join("; ");
  return await check("facts", "Settled about Webex", "See what GitHub or the file system says", async () => {
    const { keepFacts } = await import("../run/keep-facts.ts");
    const place = await keepFacts(facts, config.reportTarget, context);
    return ok(place === null ? settled : `${settled}. Kept in ${place}`);
  });
}

function checkScopes({ scopes }: Session, needs: FeatureNeeds): Check {
  const title = "Scopes";
  if (scopes === null) return skip("scopes", title, "Webex did not say which were granted");
  const missing = findMissingScopes(findFeatures(needs), scopes);
  if (missing.length === 0) return conclude("scopes", title, ok("all that are needed"));
  const remedy = "Tick them at developer.webex.com (My Apps, the integration), then npm run login";
  return conclude("scopes", title, wrong(`missing ${missing.join(", ")}`, remedy));
}
