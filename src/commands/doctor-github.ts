import type { Repository } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { statusOf } from "../github/client.ts";
import { explainRefusal, isUnexplained } from "../github/permissions.ts";
import { createRepositoryReader, type RepositoryReader } from "../github/repository.ts";
import { findSecretEnvironment, usualEnvironment } from "../github/secret-store.ts";
import { errorMessage } from "../lib/text.ts";
import type { Check } from "../report/checklist.ts";
import { syncWorkflow } from "../report/words.ts";
import { describeSecretsTokenEnd, measureExpiry } from "../token/expiry.ts";
import { check, type Finding, ok, skip, wrong } from "./doctor-checks.ts";

/** By when a token's end is near. */
export interface Deadline {
  readonly now: () => Date;
  readonly warningDays: number;
}

/** Checks how the repository on GitHub is set up: environment, schedule, report branch, owners, who can see it. */
export async function checkRepository(
  { tokenStore, reportTarget }: Config,
  deadline: Deadline,
): Promise<readonly Check[]> {
  const repository =
    tokenStore.kind === "secret"
      ? tokenStore.repository
      : reportTarget.kind === "branch"
        ? reportTarget.repository
        : null;
  if (repository === null)
    return [skip("github", "GitHub", "not used here: the token and the reports are in files")];
  const runToken = reportTarget.kind === "branch" ? reportTarget.token : null;
  const token = runToken ?? (tokenStore.kind === "secret" ? tokenStore.secretsToken : "");
  const name = runToken === null ? "SECRETS_TOKEN" : "GITHUB_TOKEN";
  const reader = createRepositoryReader(repository, token);
  const look = (id: string, title: string, permission: string, work: () => Promise<Finding>) =>
    check(id, title, "See what GitHub says", () => work().catch(explainAs(name, permission)));
  const checks = await Promise.all([
    look("environment", "Environment", "Actions: Read", () =>
      lookAtEnvironment(reader, repository, tokenStore),
    ),
    look("schedule", "Schedule", "Actions: Read", () => lookAtSchedule(reader)),
    look("branch", "Report branch", "Contents: Read and write", () => lookAtBranch(reader, reportTarget)),
    look("private", "Repository", "Metadata: Read", () => lookAtPrivacy(reader, repository)),
    look("owners", "Code owners", "Contents: Read", () => lookAtOwners(reader)),
  ]);
  if (tokenStore.kind === "file") return checks;
  const { secretsToken } = tokenStore;
  const ofSecrets = createRepositoryReader(repository, secretsToken);
  const isApp = secretsToken === runToken;
  const own = await check("secrets-token", "SECRETS_TOKEN", makeToken, () =>
    lookAtSecretsToken(ofSecrets, { reader: isApp ? null : reader, repository, deadline }),
  );
  return [...checks, own];
}

const makeToken = "Make a new token and store it: npm run setup does both";

interface TokenView {
  /** Reads as the workflow's own token; null where there is no other token to compare with. */
  readonly reader: RepositoryReader | null;
  readonly repository: Repository;
  readonly deadline: Deadline;
}

/** Whether the token sees the repository, and until when. A token that waits for approval sees public ones only. */
async function lookAtSecretsToken(
  ofSecrets: RepositoryReader,
  { reader, repository, deadline: { now, warningDays } }: TokenView,
): Promise<Finding> {
  const { owner, name } = repository;
  try {
    const { tokenEnd } = await ofSecrets.readRepository();
    const warning = describeSecretsTokenEnd(tokenEnd, now(), warningDays);
    if (warning !== null) return wrong(warning, makeToken);
    const expiry = measureExpiry(tokenEnd?.toISOString() ?? null, now(), warningDays);
    return ok(
      `sees ${owner}/${name}${expiry === null ? "; it does not expire" : `, until ${expiry.lastDay}`}`,
    );
  } catch (error) {
    const status = statusOf(error);
    const said = errorMessage(error);
    if (status === 401) return wrong(`${said}: it is expired, revoked or mistyped`, makeToken);
    if ((status !== 403 && status !== 404) || !isUnexplained(said)) throw error;
    const facts = await reader?.readRepository().catch(() => null);
    const detail = `it does not see ${owner}/${name} (${status}: ${said})`;
    if (!facts?.isOfOrganisation)
      return wrong(detail, "Make it for this repository, with its owner as the resource owner");
    return wrong(
      `${detail}: ${owner} has not approved it yet, or it is for another repository`,
      `${owner}, Settings, Personal access tokens, Pending requests: let an owner of the organisation approve it`,
    );
  }
}

/** The template's words, which no account bears. */
export const ownerPlaceholder = /@your-organisation\b/;

export const ownersFile = ".github/CODEOWNERS";

async function lookAtOwners(reader: RepositoryReader): Promise<Finding> {
  const { defaultBranch } = await reader.readRepository();
  const text = await reader.readText(ownersFile, defaultBranch);
  if (text === null)
    return { state: "skipped", detail: `there is no ${ownersFile}, so anybody who may merge approves` };
  const lines = text.split(/\r?\n/);
  const line = lines.findIndex((one) => !one.trim().startsWith("#") && ownerPlaceholder.test(one));
  if (line < 0) return ok(`${ownersFile} names who approves`);
  return wrong(
    `${ownersFile}:${line + 1} still names the template's teams, which do not exist: nobody's approval is asked for`,
    "Write your teams or people there; npm run setup proposes it",
  );
}

function explainAs(tokenName: string, permission: string): (error: unknown) => Finding {
  return (error) => {
    const status = statusOf(error);
    if (status !== 401 && status !== 403 && status !== 404) throw error;
    const detail = errorMessage(error);
    const remedy = isUnexplained(detail)
      ? explainRefusal(error, tokenName, permission)
      : "See what GitHub says";
    return wrong(detail, remedy);
  };
}

async function lookAtEnvironment(
  reader: RepositoryReader,
  repository: Repository,
  tokenStore: Config["tokenStore"],
): Promise<Finding> {
  if (tokenStore.kind !== "secret") return { state: "skipped", detail: "the token is in a file" };
  const found = await findSecretEnvironment(repository, tokenStore.secretsToken, tokenStore.environment);
  const name = tokenStore.environment ?? found;
  if (name === null) {
    const detail = `none: the repository's own secret is used. A run that waits holds an old copy of it and stops; an environment "${usualEnvironment}" avoids that`;
    return { state: "skipped", detail };
  }
  const make = `Settings, Environments, ${name}: under "Deployment branches and tags" choose "Selected branches" and add the default branch only`;
  const [facts, { defaultBranch }] = await Promise.all([
    reader.readEnvironment(name),
    reader.readRepository(),
  ]);
  if (facts === null) return wrong(`there is no environment "${name}"`, `Make it: ${make}`);
  if (facts.branches === null)
    return wrong(`"${name}" lets in every branch, so everyone who may push can read the token`, make);
  const others = facts.branches.filter((branch) => branch !== defaultBranch);
  if (others.length > 0) return wrong(`"${name}" also lets in ${others.join(", ")}`, make);
  if (facts.branches.length === 0) return wrong(`"${name}" lets in no branch at all`, make);
  if (facts.hasReviewers)
    return wrong(
      `"${name}" waits for reviewers, for 30 days at most`,
      "Take the required reviewers out of it",
    );
  if (tokenStore.environment === null)
    return wrong(
      `the secret is in "${name}", which was found by looking`,
      `Set WEBEX_ENVIRONMENT to ${name}`,
    );
  return ok(`"${name}" lets in ${defaultBranch} only`);
}

async function lookAtSchedule(reader: RepositoryReader): Promise<Finding> {
  const state = await reader.readWorkflowState(syncWorkflow);
  if (state === "active") return ok(`${syncWorkflow} is enabled`);
  if (state === null)
    return wrong(`there is no .github/workflows/${syncWorkflow}`, "Put it on the default branch");
  return wrong(
    `${syncWorkflow} is ${state.replaceAll("_", " ")}`,
    `Actions, Sync, Enable workflow; or gh workflow enable ${syncWorkflow}`,
  );
}

async function lookAtBranch(reader: RepositoryReader, target: Config["reportTarget"]): Promise<Finding> {
  if (target.kind === "folder") return { state: "skipped", detail: "reports are written to a folder here" };
  const { branch } = target;
  const rules = await reader.readRules(branch);
  if (rules === null) return wrong(`there is no branch ${branch}`, "Make it, or set REPORT_BRANCH");
  await reader.proveContentsWritable();
  if (rules.isProtected || rules.refusals.length > 0) {
    const why = rules.refusals.map((refusal) => `${refusal}. `).join("");
    const remedy = `${why}Set REPORT_BRANCH to a branch without protection, or let this token bypass it`;
    const capital = remedy.charAt(0).toUpperCase() + remedy.slice(1);
    return wrong(`${branch} is protected and may refuse the report's commit`, capital);
  }
  return ok(`${branch} takes the report`);
}

async function lookAtPrivacy(reader: RepositoryReader, { owner, name }: Repository): Promise<Finding> {
  const { isPrivate } = await reader.readRepository();
  if (isPrivate) return ok(`${owner}/${name} is private`);
  return wrong(
    `${owner}/${name} is public, and the reports name people`,
    "Settings, General, Danger Zone: Change visibility",
  );
}
