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
  const { folder, ...rest } = await compile("test/support/tsconfig.compiled.json", ["src/report/templates"]);
  return { main: `${folder}/src/main.js`, ...rest };
}

/** A part of the repository as JavaScript. */
export interface Compiled extends AsyncDisposable {
  readonly folder: string;
}

/** Compiles what a project includes; `data` are folders that the program reads beside its code. */
export async function compile(project: string, data: readonly string[]): Promise<Compiled> {
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
  await promisify(execFile)(process.execPath, [tsc, "-p", project, ...args], {
    cwd: root,
  }).catch((error: { stdout?: string }) => error);
  for (const one of data) await cp(`${root}${one}`, `${folder}/${one}`, { recursive: true });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
