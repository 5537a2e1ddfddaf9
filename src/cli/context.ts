import { type Actions, type Environment, readActions } from "../config/actions.ts";
import {
  checkOrganisation,
  listFiles,
  mappingsFolder,
  type OrganisationRule,
  readOrganisation,
  sortOrganisations,
} from "../config/organisation.ts";
import { findTokenOption, type PathOptions, type Paths, resolvePaths } from "../config/paths.ts";
import { ConfigError, createSettings, type Settings, secretNames } from "../config/settings.ts";
import { createRunner, type Runner } from "../github/runner.ts";
import type { CountWork } from "../lib/progress.ts";
import { gate } from "../lib/redact.ts";
import type { Paint } from "../lib/text.ts";

/** The process as a command sees it. */
export interface Terminal {
  /** A line of the result. */
  print(text: string): void;
  /** A line about the work that goes on, or about what went wrong. */
  log(text: string): void;
  /** A line that only those see who have asked for more (`--verbose`). */
  detail(text: string): void;
  /** True for somebody who has asked for more. */
  readonly isVerbose: boolean;
  /** Shows how far work has come. */
  readonly count: CountWork;
  readonly paint: Paint;
  readonly now: () => Date;
  /** Aborted when the run is to end in order: nothing new begins, and the report is still made. */
  readonly stop: AbortSignal;
}

/** Everything a command is given besides its own options. */
export interface Context extends Terminal {
  readonly actions: Actions;
  readonly settings: Settings;
  readonly runner: Runner;
  readonly paths: Paths;
  /** The settings with values that were not in the environment. */
  settingsWith(values: Readonly<Record<string, string>>): Settings;
}

/** Makes the context of one run; everything in it that comes from the environment comes from `env`. */
export async function createContext(
  env: Environment,
  options: PathOptions,
  terminal: Terminal,
  rule: OrganisationRule,
): Promise<Context> {
  for (const name of secretNames) gate.add(env[name] ?? "");
  const tokenFile = env.WEBEX_TOKEN_FILE?.trim();
  const option = tokenFile ? await findTokenOption(options, tokenFile) : null;
  if (option !== null) {
    throw new ConfigError(
      `--${option} names WEBEX_TOKEN_FILE, the file of the refresh token; name another file`,
    );
  }
  const organisation = rule === "none" ? null : await chooseOrganisation(env, options, terminal, rule);
  const own = organisation === null ? env : { ...env, WEBEX_ENVIRONMENT: nameEnvironment(organisation, env) };
  const actions = readActions(own);
  const runner = await createRunner(actions);
  const settings = createSettings(own, runner.mask);
  return {
    ...terminal,
    actions,
    settings,
    runner,
    paths: resolvePaths(options, organisation),
    settingsWith: (values) => createSettings({ ...own, ...values }, runner.mask),
  };
}

/** @throws where the name and the folders of mappings/ do not fit together. */
async function chooseOrganisation(
  env: Environment,
  options: PathOptions,
  { log }: Terminal,
  rule: Exclude<OrganisationRule, "none">,
): Promise<string | null> {
  const name = readOrganisation(options.organisation, env);
  const found = sortOrganisations(await listFiles(mappingsFolder));
  checkOrganisation(name, found, options.mappings === undefined ? rule : "any");
  if (name !== null && found.hasOwnPolicy && options.policy === undefined)
    log(`${mappingsFolder}/policy.json is not read: each organisation has its own, or the defaults`);
  return name;
}

/** Each has its own token, so the repository's own secret is nobody's. */
function nameEnvironment(organisation: string, { WEBEX_ENVIRONMENT: named }: Environment): string {
  return named?.trim() || `webex-${organisation}`;
}

const exitCodes = { converged: 0, changed: 0, failed: 1, held: 2, partial: 3 } as const;

/** The exit code of a run that ended so; a plan succeeds when it could be made, whatever is in it. */
export function exitCodeOf(status: keyof typeof exitCodes, isPlan: boolean): number {
  return isPlan && status !== "failed" ? 0 : exitCodes[status];
}
