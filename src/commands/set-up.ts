import type { Context, Options } from "../cli/context.ts";
import { type Environment, readActions } from "../config/actions.ts";
import { createRunner } from "../github/runner.ts";
import { isRow } from "../membership/mapping.ts";
import { createNoteRenderer } from "../report/renderer.ts";
import { readInputs } from "../run/inputs.ts";
import { readTemplate } from "../run/publish.ts";

const names = ["WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN"] as const;

/** Tells what a copy of the repository still needs before it can run: in the step's summary and in the log. */
export async function publishSetupGuide(options: Options, context: Context): Promise<void> {
  const actions = readActions(context.env);
  const { repositoryUrl, environment } = actions;
  const inputs = await readInputs(options).catch(() => null);
  const list = createNoteRenderer(readTemplate).renderSetupGuide({
    present: listPresent(context.env),
    repositoryUrl: repositoryUrl ?? "",
    environment,
    roomCount: new Set(inputs?.mappings.filter(isRow).map((mapping) => mapping.room)).size,
  });
  context.log(list);
  await (await createRunner(actions)).writeSummary(`${list}\n`);
}

function listPresent(env: Environment): ReadonlySet<string> {
  return new Set(names.filter((name) => env[name]?.trim()));
}
