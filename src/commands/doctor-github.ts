import type { Repository } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { statusOf } from "../github/client.ts";
import { explainRefusal, isUnexplained } from "../github/permissions.ts";
import { createRepositoryReader, type RepositoryReader } from "../github/repository.ts";
import { findSecretEnvironment, usualEnvironment } from "../github/secret-store.ts";
import { errorMessage } from "../lib/text.ts";
import type { Check } from "../report/checklist.ts";
import { syncWorkflow } from "../report/words.ts";
import { check, type Finding, ok, skip, wrong } from "./doctor-checks.ts";

/** Checks how the repository on GitHub is set up: environment, schedule, report branch, who can see it. */
export async function checkRepository({ tokenStore, reportTarget }: Config): Promise<readonly Check[]> {
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
  return await Promise.all([
    look("environment", "Environment", "Actions: Read", () =>
      lookAtEnvironment(reader, repository, tokenStore),
    ),
    look("schedule", "Schedule", "Actions: Read", () => lookAtSchedule(reader)),
    look("branch", "Report branch", "Contents: Read and write", () => lookAtBranch(reader, reportTarget)),
    look("private", "Repository", "Metadata: Read", () => lookAtPrivacy(reader, repository)),
  ]);
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
  const isProtected = await reader.readIsProtected(branch);
  if (isProtected === null) return wrong(`there is no branch ${branch}`, "Make it, or set REPORT_BRANCH");
  await reader.proveContentsWritable();
  if (isProtected) {
    const remedy = "Set REPORT_BRANCH to a branch without protection, or let this token bypass it";
    return wrong(`${branch} is protected and may refuse the report's commit`, remedy);
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
