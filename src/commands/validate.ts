import type { Context, Options } from "../cli/context.ts";
import { readActions } from "../config/actions.ts";
import { createRunner } from "../github/runner.ts";
import { InputError, readInputs } from "../run/inputs.ts";

/** Checks the mappings, the policy and the delegations that end without any network. Returns the exit code. */
export async function runValidate(options: Options, context: Context): Promise<number> {
  try {
    const { mappings, grants } = await readInputs(options);
    const rooms = new Set(mappings.map((mapping) => mapping.room)).size;
    const ending = grants.length > 0 ? `, ${grants.length} delegations that end` : "";
    context.print(`${mappings.length} mappings of ${rooms} rooms${ending}, and the policy: no fault found`);
    return 0;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.log(error.message);
    const runner = await createRunner(readActions(context.env));
    runner.annotate(
      error.problems.map(({ file, line, column, message }) => ({
        file,
        line,
        message: column === null ? message : `${column}: ${message}`,
      })),
    );
    return 1;
  }
}
