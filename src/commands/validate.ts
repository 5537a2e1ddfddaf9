import type { Context } from "../cli/context.ts";
import { isRow } from "../membership/mapping.ts";
import { InputError, readInputs } from "../run/inputs.ts";

/** Checks the mappings, the policy and the delegations that end without any network. Returns the exit code. */
export async function runValidate(_: object, { paths, print, log, runner }: Context): Promise<number> {
  try {
    const { mappings, grants } = await readInputs(paths);
    const rows = mappings.filter(isRow);
    const rooms = new Set(rows.map((mapping) => mapping.room)).size;
    const ending = grants.length > 0 ? `, ${grants.length} delegations` : "";
    print(`${rows.length} mappings of ${rooms} spaces${ending}, and the policy: no fault found`);
    return 0;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    log(error.message);
    runner.annotate(
      error.problems.map(({ file, line, column, character, message }) => ({
        file,
        line,
        character,
        message: column === null ? message : `${column}: ${message}`,
      })),
    );
    return 1;
  }
}
