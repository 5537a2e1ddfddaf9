import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import {
  checkOrganisation,
  isOrganisationName,
  listFiles,
  mappingsFolder,
  type Organisations,
  sortOrganisations,
} from "../config/organisation.ts";
import { createGithubClient } from "../github/client.ts";
import { listChangedFiles } from "../github/pull-request.ts";

/** https://docs.github.com/en/actions/reference/limits */
const maxMatrixJobs = 256;

/**
 * Tells a workflow for which organisations it has something to do: prints their names, one a line, and sets the output
 * `organisations`, for the matrix of a job. Where there is only one organisation, it has no name. Returns the exit code.
 */
export async function runOrganisations(
  options: OptionsOf<"organisations">,
  context: Context,
): Promise<number> {
  const found = sortOrganisations(await listFiles(mappingsFolder));
  const names = await chooseNames(options, found, context);
  if (names.length > maxMatrixJobs)
    throw new Error(
      `mappings/ has ${names.length} organisations, and a workflow of GitHub runs at most ${maxMatrixJobs} jobs of one kind; move some to another repository`,
    );
  context.print(names.join("\n"));
  context.runner.setOutputs({ organisations: JSON.stringify(names) });
  return 0;
}

async function chooseNames(
  { "pull-request": number, record }: OptionsOf<"organisations">,
  found: Organisations,
  context: Context,
): Promise<readonly string[]> {
  const { organisation: named } = context.paths;
  if (named !== null) return [named];
  if (record !== undefined) return [findOfRecord(record, found)];
  if (number === undefined) return found.names.length === 0 ? [""] : found.names;
  const { repository, token } = context.settings.requireRepository();
  context.runner.mask(token);
  const files = await listChangedFiles(
    createGithubClient(repository.apiUrl, token),
    repository,
    Number(number),
  );
  return nameChanged(files, found);
}

/** By the folder of the reports. @throws where there is no such organisation. */
function findOfRecord(record: string, found: Organisations): string {
  const path = record.replaceAll("\\", "/");
  const [, name = null] = /(?:^|\/)reports\/([^/]+)\/(?:runs|delegations)\/[^/]+$/.exec(path) ?? [];
  checkOrganisation(name, found, "existing");
  return name ?? "";
}

/** Those whose own files are changed; a name that is not valid is for Check to tell. */
function nameChanged(files: readonly string[], { names }: Organisations): readonly string[] {
  const below = files.flatMap((file) =>
    file.startsWith(`${mappingsFolder}/`) ? [file.slice(mappingsFolder.length + 1)] : [],
  );
  const changed = sortOrganisations(below);
  const valid = changed.names.filter(isOrganisationName);
  // Where there is only one, every change below mappings/ is its own.
  const concernsOne = names.length === 0 && (valid.length === 0 || changed.hasOwnRooms);
  return concernsOne ? ["", ...valid] : valid;
}
