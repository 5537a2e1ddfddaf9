import { readSurroundings } from "../config.ts";
import { createRunner } from "../github/runner.ts";
import type { Context, Options } from "./context.ts";
import { InputError, readInputs } from "./inputs.ts";

/** Checks the mappings and the policy without any network. Returns the exit code. */
export async function runValidate(options: Options, context: Context): Promise<number> {
  try {
    const { mappings } = await readInputs(options);
    const rooms = new Set(mappings.map((mapping) => mapping.room)).size;
    context.print(`${mappings.length} mappings of ${rooms} rooms, and the policy: no fault found`);
    return 0;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.tell(error.message);
    const runner = await createRunner(readSurroundings(context.env));
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
