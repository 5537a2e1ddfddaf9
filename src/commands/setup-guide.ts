import { readFile } from "node:fs/promises";
import type { Context } from "../cli/context.ts";
import { errorMessage } from "../lib/text.ts";
import { isRow } from "../membership/mapping.ts";
import { parseHistory } from "../report/history.ts";
import { createRenderer } from "../report/renderer.ts";
import { readInputs } from "../run/inputs.ts";

const names = ["WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN"];

/** Tells what a copy of the repository still needs before it can run: in the step's summary and in the log. */
export async function publishSetupGuide({ actions, settings, paths, runner, log }: Context): Promise<void> {
  const inputs = await readInputs(paths).catch(() => null);
  const list = createRenderer().renderSetupGuide({
    present: new Set(names.filter(settings.has)),
    repositoryUrl: actions.repositoryUrl ?? "",
    environment: actions.environment,
    organisation: paths.organisation,
    mappingsFile: paths.mappings,
    roomCount: new Set(inputs?.mappings.filter(isRow).map((mapping) => mapping.room)).size,
  });
  log(list);
  await runner.writeSummary(`${list}\n`);
}

/**
 * Tells a set-up that is gone from one that was never made: says since when nothing is done and what is missing, where
 * the reports tell of an earlier run; null where they tell of none.
 */
export async function describeLostSetup(fault: string, context: Context): Promise<string | null> {
  try {
    const lastCheck = await findLastCheck(context);
    if (lastCheck === null) return null;
    return `the set-up is no longer complete, and since the last check (${lastCheck}) nobody is added or removed: ${fault}`;
  } catch (error) {
    return `${fault}. Whether there was an earlier run cannot be read: ${errorMessage(error)}`;
  }
}

/** In the check-out, or where that has no reports, on the branch that gets them. */
async function findLastCheck(context: Context): Promise<string | null> {
  const { paths, settings, actions } = context;
  const file = `${paths.repository.reports}/history.json`;
  const local = await readFile(file, "utf8").catch(() => undefined);
  const found = readLastCheck(local);
  if (found !== null || settings.repository === null || actions.reportBranch === null) return found;
  const { repository, token } = settings.repository;
  const { createGithubClient } = await import("../github/client.ts");
  const { readContents, UnknownCommit } = await import("../github/contents.ts");
  const place = { owner: repository.owner, repo: repository.name, path: file, ref: actions.reportBranch };
  const contents = await readContents(createGithubClient(repository.apiUrl, token), place).catch(
    (error: unknown) => {
      // A branch that nobody has made yet has no reports.
      if (error instanceof UnknownCommit) return null;
      throw error;
    },
  );
  return contents?.kind === "file" ? readLastCheck(contents.bytes.toString("utf8")) : null;
}

function readLastCheck(text: string | undefined): string | null {
  const { history, notice } = parseHistory(text);
  const at = history.checkedAt ?? history.lastChange?.at ?? null;
  if (at !== null) return at.slice(0, 10);
  return notice === null ? null : "whose date cannot be read any more";
}
