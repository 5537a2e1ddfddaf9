import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The path of an installed program, or null where it is not on the PATH. */
export async function findTool(name: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

/** Why a test that needs a program is skipped; false where the program is there. */
export function explainAbsence(name: string, path: string | null): string | false {
  return path === null ? `${name} is not installed; .ci/run installs it where Go is there` : false;
}

/** How a program ended and what it printed. `env` is added to its environment. */
export async function runTool(
  path: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return await new Promise((resolve, reject) => {
    execFile(path, args, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      // A text is the reason why it could not be started.
      if (typeof code === "number") resolve({ code, stdout, stderr });
      else reject(error);
    });
  });
}
