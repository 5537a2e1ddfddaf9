import type { Context } from "../cli/context.ts";
import { isRow } from "../membership/mapping.ts";
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
    roomCount: new Set(inputs?.mappings.filter(isRow).map((mapping) => mapping.room)).size,
  });
  log(list);
  await runner.writeSummary(`${list}\n`);
}
