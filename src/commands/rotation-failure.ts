import type { Context } from "../cli/context.ts";
import type { Config } from "../config/settings.ts";
import type { Runner } from "../github/runner.ts";
import { StaleTokenError, UnstoredTokenError } from "../token/errors.ts";
import type { Recovery } from "../token/store.ts";

/** Of which run a rotation failed. */
export interface FailedRotation {
  readonly config: Config;
  readonly runner: Runner;
  readonly context: Context;
  /** False when the run may have changed something already, or is done in the name of whoever started it. */
  readonly mayStartFreshRun: boolean;
}

/**
 * Does what can still be done after a rotation failed: shows what a token that could not be stored is recovered
 * with, or starts a fresh run in the place of one with a stale copy. Returns the error to end with.
 */
export async function tellRotationFailure(error: unknown, failed: FailedRotation): Promise<unknown> {
  if (error instanceof UnstoredTokenError) await showRecovery(error, failed);
  if (error instanceof StaleTokenError && failed.mayStartFreshRun) return await startFreshRun(error, failed);
  return error;
}

/** In the log and in the summary: one of the two may be out of reach when it is needed. */
async function showRecovery(error: UnstoredTokenError, { runner, context }: FailedRotation): Promise<void> {
  const { advice, facts, command } = error.recovery;
  const lines = [`RECOVERY: ${advice}.`, ...facts.map(([name, value]) => `${name}: ${value}`), command];
  context.tell(`\n${lines.join("\n")}\n`);
  await runner.writeSummary(formatRecovery(error.recovery)).catch((failure: Error) => {
    context.tell(`the summary could not be written: ${failure.message}`);
  });
}

/** Everything in a recovery is base64, an id or a path: none of it can end a block of code. */
function formatRecovery({ advice, facts, command }: Recovery): string {
  const rows = facts.map(([name, value]) => `- ${name}: \`${value}\``);
  const how = ["```sh", command, "```"];
  return ["## 🛟 Recover the refresh token", "", `${advice}:`, "", ...how, "", ...rows, "", ""].join("\n");
}

async function startFreshRun(error: StaleTokenError, { config }: FailedRotation): Promise<Error> {
  const { tokenPlace } = config;
  if (tokenPlace.kind !== "secret" || tokenPlace.run === null) return error;
  const { dispatchFreshRun } = await import("../github/workflows.ts");
  const done = await dispatchFreshRun(tokenPlace.repository, tokenPlace.run);
  return new StaleTokenError(`${error.message}: ${done}`, { cause: error.cause });
}
