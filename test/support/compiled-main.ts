import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The program as JavaScript, for a test that starts it some hundred times: without tsx it starts in half the time. */
export interface CompiledMain extends AsyncDisposable {
  readonly main: string;
}

/** Compiles src into a folder from which its packages are found as well. */
export async function compileMain(): Promise<CompiledMain> {
  const folder = await mkdtemp(`${root}node_modules/.rollcall-`);
  const tsc = fileURLToPath(import.meta.resolve("typescript-compiler/package.json")).replace(
    "package.json",
    "bin/tsc",
  );
  const args = [
    "--noEmit",
    "false",
    "--outDir",
    folder,
    "--rewriteRelativeImportExtensions",
    "--rootDir",
    ".",
  ];
  // Types are `npm run typecheck`'s business: it emits whatever they are.
  await promisify(execFile)(process.execPath, [tsc, "-p", "test/support/tsconfig.compiled.json", ...args], {
    cwd: root,
  }).catch((error: { stdout?: string }) => error);
  await cp(`${root}src/report/templates`, `${folder}/src/report/templates`, { recursive: true });
  return { main: `${folder}/src/main.js`, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
