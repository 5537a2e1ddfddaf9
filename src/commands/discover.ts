import { readFile } from "node:fs/promises";
import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { isSecretPath } from "../lib/secret-file.ts";
import { quoteText } from "../lib/text.ts";
import { isRow, type Mapping, parseMappings } from "../membership/mapping.ts";
import {
  appendSuggestions,
  type Directory,
  renderDirectory,
  renderSuggestions,
} from "../report/discovery.ts";
import { proveFiles } from "../run/destinations.ts";
import { openSession } from "../run/session.ts";
import { surveyDirectory } from "../run/survey.ts";

/**
 * Lists what the token sees, with suggested rows, as a rooms.csv; returns the exit code, 1 after a list cut short.
 * @throws before anything is asked when `--csv` names a file with rows that `--append` does not spare.
 */
export async function runDiscover(
  { csv, append, json }: OptionsOf<"discover">,
  context: Context,
): Promise<number> {
  if (append && csv === undefined) throw new Error("--append needs --csv <file>, the file to append to");
  const rows = csv === undefined ? null : await readRows(csv, append === true);
  const mapped = await readMapped(context);
  const config = context.settings.readConfig();
  await proveFiles([csv, json]);
  const session = await openSession(config, context);
  try {
    const { directory, isWhole } = await surveyDirectory(session.client, mapped, context);
    context.print(renderDirectory(directory).trimEnd());
    if (csv !== undefined) await writeSuggestions(csv, rows, directory, context);
    if (json !== undefined) await replaceFile(json, `${JSON.stringify(directory, null, 2)}\n`);
    return isWhole ? 0 : 1;
  } finally {
    session.close();
  }
}

/** Null where there is nothing to keep. @throws when the file has rows and nothing is to be appended, or has faults. */
async function readRows(csv: string, append: boolean): Promise<Buffer | null> {
  const bytes = await readIfThere(csv);
  if (bytes === null || bytes.toString("utf8").trim() === "") return null;
  const { mappings, problems } = parseMappings(bytes);
  if (problems.length === 0 && !mappings.some(isRow)) return append ? bytes : null;
  if (!append)
    throw new Error(`${csv} has rows, so it is not overwritten; add --append to add those that it lacks`);
  if (problems.length > 0)
    throw new Error(`${csv} has faults, so nothing is appended; npm run validate names them`);
  return bytes;
}

/** The rows of the mappings: what they hold already is not suggested. */
async function readMapped({ paths, log }: Context): Promise<readonly Mapping[]> {
  const bytes = await readIfThere(paths.mappings);
  if (bytes === null || bytes.toString("utf8").trim() === "") return [];
  const { mappings, problems } = parseMappings(bytes);
  if (problems.length > 0)
    log(
      `${paths.mappings} has faults (npm run validate names them); only its rows without a fault are left out`,
    );
  return mappings.filter(isRow);
}

async function readIfThere(file: string): Promise<Buffer | null> {
  if (isSecretPath(file)) throw new Error(`${file} seems to be the file of a secret; name another file`);
  return await readFile(file).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
}

/** The file begins with its header and has no comments, so that GitHub shows it as a table. */
async function writeSuggestions(
  csv: string,
  rows: Buffer | null,
  directory: Directory,
  { log }: Context,
): Promise<void> {
  if (rows === null) {
    await replaceFile(csv, renderSuggestions(directory));
    log(`${directory.suggestions.length} rows written to ${csv}`);
    return;
  }
  const { text, added, leftOut } = appendSuggestions(rows, directory);
  if (added > 0) await replaceFile(csv, text);
  log(`${added} rows appended to ${csv}`);
  if (leftOut.length > 0)
    log(`Not appended, because the space has rows in another mode: ${leftOut.map(quoteText).join(", ")}`);
}
