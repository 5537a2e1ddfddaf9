import { stat } from "node:fs/promises";
import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import { createPrompt } from "../cli/prompt.ts";
import type { RepositoryAccess } from "../config/actions.ts";
import { replaceSecretFile } from "../disk/write-atomic.ts";
import { readGhToken, readOrigin } from "../github/checkout.ts";
import { statusOf } from "../github/client.ts";
import { explainRefusal } from "../github/permissions.ts";
import { createRepositoryReader, type RepositoryReader } from "../github/repository.ts";
import { createRepositorySetup, type RepositorySetup, workflowPage } from "../github/repository-setup.ts";
import { errorMessage, withoutFullStop } from "../lib/text.ts";
import { isRow, parseMappings } from "../membership/mapping.ts";
import { type Check, hasFault, renderChecklist } from "../report/checklist.ts";
import { openStore } from "../run/session.ts";
import { surveyDirectory } from "../run/survey.ts";
import type { IssuedTokens } from "../token/rotate.ts";
import { findFeatures, listScopes } from "../token/scopes.ts";
import { createWebexClient } from "../webex/client.ts";
import { examineSetup } from "./doctor.ts";
import { ownerPlaceholder, ownersFile } from "./doctor-github.ts";
import { logIn, openBrowser, readPolicyOrDefault, usualPort } from "./login.ts";
import { type Answers, createAnswers } from "./setup-answers.ts";
import { tokenPage } from "./setup-pages.ts";
import { type Draft, propose } from "./setup-proposal.ts";
import {
  describePlace,
  isOwner,
  type Names,
  nameParts,
  planSetup,
  type Standing,
  type Step,
} from "./setup-steps.ts";

/** What the steps work with. */
interface Work {
  readonly context: Context;
  readonly answers: Answers;
  readonly access: RepositoryAccess;
  readonly reader: RepositoryReader;
  readonly setup: RepositorySetup;
  readonly port: number;
  readonly names: Names;
  standing: Standing;
  /** What this set-up has learned, by the names of the variables. */
  readonly values: Record<string, string>;
  /** What the login of this set-up brought; null while there was none. */
  issued: IssuedTokens | null;
  /** Null until doctor has looked. */
  checks: readonly Check[] | null;
}

/**
 * Leads through the first set-up: what GitHub's API can do is done, what only a person can do is asked for, and what
 * stands is left alone. Returns 0 when doctor finds nothing wrong at the end.
 * @throws naming the step that failed; the steps before it stand.
 */
export async function runSetup(options: OptionsOf<"setup">, context: Context): Promise<number> {
  const answers = createAnswers(context, createPrompt(context.stop));
  const access = await openRepository(answers, context);
  const reader = createRepositoryReader(access.repository, access.token);
  const setup = createRepositorySetup(access);
  const names = nameParts(context.paths.organisation);
  const standing = await explaining("Repository", "Metadata: Read", () =>
    look({ access, reader, setup, names }),
  );
  const port = Number(options.port ?? usualPort);
  const work: Work = {
    context,
    answers,
    access,
    reader,
    setup,
    port,
    names,
    standing,
    values: {},
    issued: null,
    checks: null,
  };
  if (options["dry-run"]) {
    for (const step of planSetup(standing)) showStep(step, context);
    return 0;
  }
  for (const { id } of planSetup(standing)) {
    // Planned again before each: an earlier one may have changed what stands.
    const step = planSetup(work.standing).find((one) => one.id === id);
    if (step !== undefined) await takeStep(step, work);
  }
  return conclude(work);
}

const signs = { done: "✓", todo: "•", person: "!" } as const;

const colours = { done: "green", todo: "bold", person: "yellow" } as const;

function showStep({ title, state, detail }: Step, { print, paint }: Context): void {
  print(`${paint(colours[state], signs[state])} ${title}: ${detail}`);
}

async function takeStep(step: Step, work: Work): Promise<void> {
  showStep(step, work.context);
  if (step.state !== "todo") return;
  if (work.context.stop.aborted) throw new Error("stopped; npm run setup goes on from here");
  const { permission, take } = ways[step.id];
  const done = await explaining(step.title, permission, () => take(work));
  if (done !== null) showStep({ ...step, state: "done", detail: done }, work.context);
}

/** The permissions are what a step takes of the token that sets up; `take` says what was done. */
const ways: Readonly<
  Record<Step["id"], { readonly permission: string; readonly take: (work: Work) => Promise<string | null> }>
> = {
  repository: { permission: "Metadata: Read", take: () => Promise.resolve(null) },
  environment: {
    permission: "Administration: Read and write and Environments: Read and write",
    take: makeEnvironment,
  },
  integration: {
    permission: "Environments: Read and write (or Secrets and Variables, without an environment)",
    take: setIntegration,
  },
  "secrets-token": {
    permission: "Environments: Read and write (or Secrets, without an environment)",
    take: setSecretsToken,
  },
  "report-branch": {
    permission: "Contents: Read and write and Environments: Read and write",
    take: makeReportBranch,
  },
  login: { permission: "Environments: Read and write (or Secrets, without an environment)", take: logInOnce },
  proposal: { permission: "Contents: Read and write and Pull requests: Read and write", take: openProposal },
  doctor: { permission: "Metadata: Read", take: consultDoctor },
};

async function explaining<T>(title: string, permission: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const said =
      statusOf(error) === null ? errorMessage(error) : explainRefusal(error, "GITHUB_TOKEN", permission);
    throw new Error(
      `${title}: ${withoutFullStop(said)}. What was done before stands: run npm run setup again, and it goes on from here`,
      { cause: error },
    );
  }
}

/** The repository from the environment or the checkout; its token from there, or from GitHub's own program. */
async function openRepository(answers: Answers, context: Context): Promise<RepositoryAccess> {
  const { settings, runner, log } = context;
  const { github } = settings;
  const origin = settings.has("GITHUB_REPOSITORY") ? null : await readOrigin(github);
  const fullName =
    origin ??
    (await answers.get({ name: "GITHUB_REPOSITORY", text: "Your repository on GitHub, as owner/name" }));
  const known = settings.find("GITHUB_TOKEN") ?? (await readGhToken(github));
  if (known !== null) runner.mask(known);
  const token = known ?? (await askForToken(fullName, answers, context));
  const access = context.settingsWith({ GITHUB_REPOSITORY: fullName, GITHUB_TOKEN: token }).repository;
  if (access === null)
    throw new Error(
      "GITHUB_REPOSITORY must have the form owner/name, and the addresses of GitHub must be https",
    );
  log(`Setting up ${fullName}`);
  return access;
}

async function askForToken(fullName: string, answers: Answers, context: Context): Promise<string> {
  const { serverUrl } = context.settings.github;
  const page = tokenPage(serverUrl, fullName, "set-up");
  showPage(
    "A token for this set-up, which ends tomorrow. Everything on the page is filled in but the repository",
    page,
    context,
  );
  return await answers.get({ name: "GITHUB_TOKEN", text: "The token", isSecret: true });
}

function showPage(
  what: string,
  { url, lines }: { readonly url: string; readonly lines: readonly string[] },
  { log, settings }: Context,
): void {
  log([`${what}:`, "", `  ${url}`, "", ...lines.map((line) => `    ${line}`), ""].join("\n"));
  if (!settings.has("SSH_CONNECTION") && !settings.has("CI")) openBrowser(url);
}

async function look({
  access: { repository },
  reader,
  setup,
  names,
}: Pick<Work, "access" | "reader" | "setup" | "names">): Promise<Standing> {
  const facts = await reader.readRepository();
  const own = await setup.readVariables(null);
  const place = own.get("WEBEX_SECRET_PLACE") === "repository" ? null : names.environment;
  const environment = place === null ? null : await reader.readEnvironment(place);
  const { defaultBranch } = facts;
  const [inPlace, secrets, rules, owners, rows, pull] = await Promise.all([
    place === null ? own : setup.readVariables(place),
    setup.listSecrets(place),
    reader.readRules(defaultBranch),
    reader.readText(ownersFile, defaultBranch),
    reader.readText(names.mappingsFile, defaultBranch),
    setup.findPull(names.branch),
  ]);
  const variables = new Map([...own, ...inPlace]);
  const reportBranch = variables.get("REPORT_BRANCH");
  return {
    name: `${repository.owner}/${repository.name}`,
    isPrivate: facts.isPrivate,
    isFork: facts.isFork,
    defaultBranch,
    place,
    environment,
    variables,
    secrets,
    rules,
    owners: owners === null ? "absent" : ownerPlaceholder.test(owners) ? "placeholders" : "written",
    hasRows: rows !== null && parseMappings(Buffer.from(rows)).mappings.some(isRow),
    hasReportBranch: reportBranch === undefined ? null : await setup.hasBranch(reportBranch),
    pull,
  };
}

async function makeEnvironment(work: Work): Promise<string> {
  const { setup, standing, names, context } = work;
  const { defaultBranch } = standing;
  try {
    await setup.limitEnvironment(names.environment, defaultBranch);
    return `${names.environment}, for ${defaultBranch} only`;
  } catch (error) {
    // Private repositories of GitHub Free have no environments with rules; several organisations need them.
    if (statusOf(error) !== 422 || context.paths.organisation !== null) throw error;
    return await useRepository(work, errorMessage(error));
  }
}

async function useRepository(work: Work, reason: string): Promise<string> {
  const { answers, setup, standing, context } = work;
  context.log(
    `GitHub refuses: ${withoutFullStop(reason)}. Private repositories of GitHub Free have no environments. The repository's ` +
      "own secrets work too, but everybody who may push a branch can reach them.",
  );
  const answer = await answers.get({
    name: "WEBEX_SECRET_PLACE",
    text: "Where to keep the secrets (repository), or nothing to stop here",
    judge: (place) =>
      place === "repository" ? null : "the only other place is the repository; type repository",
  });
  await setup.setVariable(null, "WEBEX_SECRET_PLACE", answer);
  const [variables, secrets] = await Promise.all([setup.readVariables(null), setup.listSecrets(null)]);
  work.standing = { ...standing, place: null, environment: null, variables, secrets };
  return "none: the repository's own secrets are used";
}

async function setVariable(work: Work, name: string, value: string): Promise<void> {
  const { setup, standing } = work;
  await setup.setVariable(standing.place, name, value);
  work.standing = { ...standing, variables: new Map([...standing.variables, [name, value]]) };
}

async function setSecret(work: Work, name: string, value: string): Promise<void> {
  const { setup, standing } = work;
  await setup.setSecret(standing.place, name, value);
  work.standing = { ...standing, secrets: new Set([...standing.secrets, name]) };
}

/** Where the organisation's Webex is, if it is not the usual one: the workflows need to know it too. */
const addresses = ["WEBEX_API_URL", "WEBEX_XML_URL"];

async function setIntegration(work: Work): Promise<string> {
  const { standing, context } = work;
  await chooseSite(work);
  await showIntegrationPage(work);
  await askForIntegration(work);
  for (const name of addresses) {
    const value = context.settings.find(name);
    if (value !== null && !standing.variables.has(name)) await setVariable(work, name, value);
  }
  return `its id and its secret are in ${describePlace(standing.place)}`;
}

async function chooseSite(work: Work): Promise<void> {
  const { standing, answers } = work;
  if (standing.variables.has("WEBEX_SITE_URL")) return;
  const site = await answers.get({
    name: "WEBEX_SITE_URL",
    text: "Your Webex Meetings site, if Rollcall is to keep delegates too, such as acme.webex.com (else nothing)",
    standard: "",
    judge: (text) =>
      text === "" || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(text)
        ? null
        : "write its host name without https:// and without a path",
  });
  if (site !== "") await setVariable(work, "WEBEX_SITE_URL", site);
}

async function showIntegrationPage(work: Work): Promise<void> {
  const { context, port, standing } = work;
  const siteUrl = standing.variables.get("WEBEX_SITE_URL") ?? null;
  const scopes = listScopes(findFeatures({ siteUrl, policy: await readPolicyOrDefault(context) }));
  const page = {
    url: "https://developer.webex.com/my-apps/new/integration",
    lines: [
      "Name:          Rollcall",
      `Redirect URI:  http://127.0.0.1:${port}/callback`,
      "Scopes to tick:",
      ...scopes.map((scope) => `  [ ] ${scope}`),
    ],
  };
  showPage("Register the integration, signed in as the account that Rollcall will use", page, context);
}

/** Both are stored as soon as they are known. */
async function askForIntegration(work: Work): Promise<void> {
  const { standing, answers, values } = work;
  const known = standing.variables.get("WEBEX_CLIENT_ID");
  const clientId = await answers.get({
    name: "WEBEX_CLIENT_ID",
    text: "Client ID",
    ...(known !== undefined && { standard: known }),
    judge: (text) =>
      /^\w{10,}$/.test(text) ? null : "a client id is one word of letters and digits, such as C0ffee…",
  });
  if (clientId !== known) await setVariable(work, "WEBEX_CLIENT_ID", clientId);
  const clientSecret = await answers.get({
    name: "WEBEX_CLIENT_SECRET",
    text: "Client secret",
    isSecret: true,
  });
  await setSecret(work, "WEBEX_CLIENT_SECRET", clientSecret);
  Object.assign(values, { WEBEX_CLIENT_ID: clientId, WEBEX_CLIENT_SECRET: clientSecret });
}

async function setSecretsToken(work: Work): Promise<string> {
  const { standing, answers, access, context, values } = work;
  const { place } = standing;
  const page = tokenPage(
    access.repository.serverUrl,
    standing.name,
    place === null ? "secrets" : "environments",
  );
  if (!context.settings.has("SECRETS_TOKEN"))
    showPage(
      "A token that may do nothing but store the login. Everything on the page is filled in but the repository",
      page,
      context,
    );
  const token = await answers.get({
    name: "SECRETS_TOKEN",
    text: "The token",
    isSecret: true,
    judge: (secretsToken) => proveToken(secretsToken, work),
  });
  await setSecret(work, "SECRETS_TOKEN", token);
  Object.assign(values, { SECRETS_TOKEN: token });
  return `stored in ${describePlace(place)}; it was tried, and may store the login`;
}

/** Says why the token may not store a secret; null when it may: the very act is tried with a probe. */
async function proveToken(secretsToken: string, { access, standing, context }: Work): Promise<string | null> {
  const { repository } = access;
  const place = { repository, environment: standing.place, secretsToken, refreshToken: "", run: null };
  try {
    await (await openStore({ kind: "secret", ...place }, context)).prove();
    return null;
  } catch (error) {
    return `${withoutFullStop(errorMessage(error))}. In an organisation that approves tokens, let an owner approve it first`;
  }
}

async function makeReportBranch(work: Work): Promise<string> {
  const { standing, answers, setup } = work;
  const named = standing.variables.get("REPORT_BRANCH");
  const branch =
    named ??
    (await answers.get({ name: "REPORT_BRANCH", text: "Branch for the reports", standard: "reports" }));
  await setup.makeBranch(branch, standing.defaultBranch);
  if (named === undefined) await setVariable(work, "REPORT_BRANCH", branch);
  return `${branch} gets the reports`;
}

/** The environment as the login and doctor would find it on a runner; where a token is not known, ours stands in. */
function settingsOf(
  { context, access, standing, values }: Work,
  extra: Readonly<Record<string, string>> = {},
) {
  const { owner, name } = access.repository;
  return context.settingsWith({
    ...Object.fromEntries(standing.variables),
    ...values,
    GITHUB_REPOSITORY: `${owner}/${name}`,
    GITHUB_TOKEN: access.token,
    GITHUB_REF_NAME: standing.defaultBranch,
    SECRETS_TOKEN: values.SECRETS_TOKEN ?? access.token,
    WEBEX_ENVIRONMENT: standing.place ?? "",
    WEBEX_TOKEN_FILE: "",
    ...extra,
  });
}

async function logInOnce(work: Work): Promise<string> {
  const { values, context, port } = work;
  if (values.WEBEX_CLIENT_SECRET === undefined) {
    context.log("GitHub shows no secret again, so the login needs the integration's once more.");
    await askForIntegration(work);
  }
  const settings = settingsOf(work);
  const config = settings.readLoginConfig();
  const wanted = findFeatures({ ...config, policy: await readPolicyOrDefault(context) });
  work.issued = await logIn({ config, wanted, port }, { ...context, settings });
  const { standing } = work;
  work.standing = { ...standing, secrets: new Set([...standing.secrets, "WEBEX_REFRESH_TOKEN"]) };
  return `WEBEX_REFRESH_TOKEN is a secret of ${describePlace(standing.place)}`;
}

async function openProposal(work: Work): Promise<string> {
  const { standing, setup, access, context } = work;
  const draft = await draftProposal(work);
  if (draft === null) {
    const page = workflowPage(access.repository, "discover.yml");
    return `nothing yet: rows need a login of this machine (npm run login, then npm run discover), or Actions, Discover: ${page}`;
  }
  const pull = await propose(draft, access, setup, standing.defaultBranch);
  if (pull === null) return "Webex shows no group and space that belong together; add rows by hand";
  work.standing = { ...standing, pull };
  context.detail(`pull request ${pull.number} is on the branch ${work.names.branch}`);
  return `#${pull.number} proposes it: ${pull.url}`;
}

/** Null where there is nothing that could be proposed. */
async function draftProposal(work: Work): Promise<Draft | null> {
  const { standing, issued, context, answers, setup } = work;
  const directory =
    issued === null || standing.hasRows
      ? null
      : (await surveyDirectory(openWebex(issued, work), [], context)).directory;
  const { names } = work;
  if (standing.owners !== "placeholders") return directory && { names, directory, owners: null };
  const login = `@${await setup.readLogin()}`;
  const judge = (text: string) => {
    const wrong = text.split(/\s+/).find((one) => !isOwner(one));
    return wrong === undefined ? null : `${wrong} is neither @person, @organisation/team nor an address`;
  };
  const maintainers = await answers.get({
    name: "ROLLCALL_MAINTAINERS",
    text: "Who approves changes (@person or @organisation/team, several with spaces)",
    standard: login,
    judge,
  });
  const workspaceOwners = await answers.get({
    name: "ROLLCALL_OWNERS",
    text: "Who approves who belongs in which space",
    isQuiet: true,
    standard: maintainers,
    judge,
  });
  return { names, directory, owners: { maintainers, workspaceOwners } };
}

function openWebex({ accessToken }: IssuedTokens, work: Work) {
  const { webexUrl: baseUrl } = settingsOf(work).readLoginConfig();
  return createWebexClient({ baseUrl, accessToken, stop: work.context.stop });
}

/** Here with the login's own token; where there was no login, on GitHub, which has it. */
async function consultDoctor(work: Work): Promise<string | null> {
  const { issued, setup, standing, context } = work;
  if (issued === null || issued.refreshToken === null) {
    const page = await setup.startWorkflow("doctor.yml", standing.defaultBranch);
    return `started on GitHub, where the login is: ${page}`;
  }
  const settings = settingsOf(work, { WEBEX_REFRESH_TOKEN: issued.refreshToken });
  const checks = await examineSetup({ ...context, settings });
  // What the pull request brings is not on the branch before it is merged.
  work.checks = checks.map((one) =>
    one.id === "owners" && standing.pull !== null
      ? {
          ...one,
          state: "skipped",
          detail: `the pull request #${standing.pull.number} names them`,
          remedy: null,
        }
      : one,
  );
  context.print(renderChecklist(work.checks, context.paint));
  await keepOnThisMachine(work, work.checks);
  return null;
}

/** One login serves two places only while a refresh leaves the token as it is, which doctor has just seen. */
async function keepOnThisMachine(work: Work, checks: readonly Check[]): Promise<void> {
  const { answers, context, issued } = work;
  const file = await answers.get({
    name: "WEBEX_TOKEN_FILE",
    text: "A file for the login on this machine too, for npm run plan here (else nothing)",
    standard: "",
  });
  if (file === "" || issued?.refreshToken == null) return;
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  const stays = checks.some(({ id, detail }) => id === "token" && detail.startsWith("accepted, and stays"));
  if (isThere) context.print(`${file} is there already and was left alone.`);
  else if (stays) {
    await replaceSecretFile(file, issued.refreshToken);
    context.print(`The login is in ${file} as well: export WEBEX_TOKEN_FILE=${file}`);
  } else {
    context.print(
      `Webex changes the refresh token whenever it is used, so two places cannot share one. This machine needs a login of its own: WEBEX_TOKEN_FILE=${file} npm run login`,
    );
  }
}

function conclude({ standing, checks, context, access }: Work): number {
  const { print } = context;
  print("");
  if (standing.pull !== null)
    print(
      `Next: look at ${standing.pull.url} and merge it. The merge starts Sync, which leaves the first report; rows in mode audit change nobody.`,
    );
  else
    print(`Next: start Sync, which leaves the first report: ${workflowPage(access.repository, "sync.yml")}`);
  return checks !== null && hasFault(checks) ? 1 : 0;
}
