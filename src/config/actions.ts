/** What the runner of GitHub Actions sets in the environment. */

/** The variables of a run, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the runner of GitHub Actions offers; all of it may be absent on a person's machine. */
export interface Surroundings {
  /** True on a runner, where annotations and masks are understood. */
  readonly isRunner: boolean;
  /** The files that take the step's summary and its outputs; null where there are none. */
  readonly summaryFile: string | null;
  readonly outputFile: string | null;
  /** GitHub's run id; null elsewhere. */
  readonly runId: string | null;
  /** From 1; a run that is started again keeps its id. */
  readonly runAttempt: number;
  /** Who started the run, as GitHub knows them; null elsewhere. */
  readonly actor: string | null;
  /** The branch that the run is of; null elsewhere. */
  readonly refName: string | null;
  /** What started the run, such as `schedule`; null elsewhere. */
  readonly eventName: string | null;
  /** The branch that gets the reports; null elsewhere. */
  readonly reportBranch: string | null;
  /** The environment that holds the secrets; null for the repository's own. */
  readonly environment: string | null;
  /** The pages of the repository and of this run; null where there are none. */
  readonly repositoryUrl: string | null;
  readonly runUrl: string | null;
}

/** Reads what the runner offers. */
export function readSurroundings(env: Environment): Surroundings {
  const runId = env.GITHUB_RUN_ID?.trim() || null;
  const server = (env.GITHUB_SERVER_URL?.trim() || "https://github.com").replace(/\/+$/, "");
  const repository = env.GITHUB_REPOSITORY?.trim();
  const repositoryUrl = repository ? `${server}/${repository}` : null;
  return {
    isRunner: env.GITHUB_ACTIONS === "true",
    summaryFile: env.GITHUB_STEP_SUMMARY || null,
    outputFile: env.GITHUB_OUTPUT || null,
    runId,
    runAttempt: Number(env.GITHUB_RUN_ATTEMPT) || 1,
    actor: env.GITHUB_ACTOR?.trim() || null,
    refName: env.GITHUB_REF_NAME?.trim() || null,
    eventName: env.GITHUB_EVENT_NAME?.trim() || null,
    reportBranch: env.REPORT_BRANCH?.trim() || env.GITHUB_REF_NAME?.trim() || null,
    environment: env.WEBEX_ENVIRONMENT?.trim() || null,
    repositoryUrl,
    runUrl: runId && repositoryUrl ? `${repositoryUrl}/actions/runs/${runId}` : null,
  };
}
