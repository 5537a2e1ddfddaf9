import { readdir } from "node:fs/promises";
import { findNearest } from "../lib/did-you-mean.ts";
import { compareStrings, quoteText } from "../lib/text.ts";
import type { Environment } from "./actions.ts";
import { ConfigError } from "./settings.ts";

/** Where people say who belongs where: one organisation's own files, or a folder for each of several. */
export const mappingsFolder = "mappings";

/** What a command does with the name: nothing, work in its folder, make the folder's beginnings, or go without. */
export type OrganisationRule = "none" | "existing" | "any" | "optional";

/** What of `mappings/` tells one organisation from several. */
export interface Organisations {
  /** The folders of several, sorted, also those whose name is not valid. */
  readonly names: readonly string[];
  readonly hasOwnRooms: boolean;
  readonly hasOwnPolicy: boolean;
}

const inputFile = /^([^/.][^/]*)\/(?:rooms\.csv|policy\.json|delegations\.csv)$/;

/** Sorts the paths of files below `mappings/`. A folder without rooms.csv counts: that file may have been lost. */
export function sortOrganisations(files: readonly string[]): Organisations {
  const names = new Set(files.flatMap((file) => inputFile.exec(file)?.[1] ?? []));
  return {
    names: [...names].sort(compareStrings),
    hasOwnRooms: files.includes("rooms.csv"),
    hasOwnPolicy: files.includes("policy.json"),
  };
}

/** The files below a folder of this machine, as a repository names them; none where there is no such folder. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, { recursive: true })).map((path) => path.replaceAll("\\", "/"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Whether an organisation may have this name. */
export function isOrganisationName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]*$/.test(name);
}

/** The organisation that was named, by option before variable; null where none was. */
export function readOrganisation(option: string | undefined, env: Environment): string | null {
  return option ?? (env.ROLLCALL_ORGANISATION?.trim() || null);
}

/**
 * Checks the organisation that was named against those there are; null is right where there are no folders.
 * @throws {ConfigError} with the names there are, or the nearest.
 */
export function checkOrganisation(
  name: string | null,
  { names, hasOwnRooms }: Organisations,
  rule: Exclude<OrganisationRule, "none">,
): void {
  if (hasOwnRooms && names.length > 0)
    throw new ConfigError(
      `mappings/rooms.csv stands beside the folders of organisations (${names.join(", ")}), so it is not clear whose rows it holds; move them into the rooms.csv of a folder, and delete it`,
    );
  if (name === null) {
    if (names.length === 0 || rule === "optional") return;
    throw new ConfigError(
      `mappings/ has a folder for each organisation (${names.join(", ")}), and none was named; name it with --organisation <name> or ROLLCALL_ORGANISATION`,
    );
  }
  if (!isOrganisationName(name))
    throw new ConfigError(
      `${quoteText(name)} cannot be the name of an organisation, which has lower-case letters, digits and hyphens, and begins with a letter or a digit${
        names.includes(name) ? "; rename its folder in mappings/" : suggest(name, names)
      }`,
    );
  if (rule === "any" || names.includes(name)) return;
  throw new ConfigError(
    names.length === 0
      ? `there is no mappings/${name}/rooms.csv, and no other folder of an organisation; leave the name out (--organisation, ROLLCALL_ORGANISATION) where there is only one`
      : `there is no mappings/${name}/rooms.csv${suggest(name, names)}`,
  );
}

function suggest(name: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const [nearest] = findNearest(name, names, 1);
  return nearest === undefined ? `; there are ${names.join(", ")}` : `; did you mean "${nearest}"?`;
}
