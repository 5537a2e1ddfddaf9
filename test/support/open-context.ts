import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Context, createContext } from "../../src/cli/context.ts";
import type { PathOptions } from "../../src/config/paths.ts";
import { countSilently } from "../../src/lib/progress.ts";

/** The context of a run that nobody started, and what it writes, each line with where it goes: `print: …`. */
export interface OpenedContext {
  readonly context: Context;
  readonly lines: readonly string[];
}

/** Makes a context of this environment and these options; the clock stands still. */
export async function openContext(
  env: Readonly<Record<string, string>> = {},
  options: PathOptions = {},
  stop: AbortSignal = new AbortController().signal,
): Promise<OpenedContext> {
  const lines: string[] = [];
  const note = (where: string) => (text: string) => {
    lines.push(`${where}: ${text}`);
  };
  const terminal = {
    print: note("print"),
    log: note("log"),
    detail: note("detail"),
    isVerbose: false,
    count: countSilently,
    paint: (_: unknown, text: string) => text,
    now: () => new Date("2026-11-02T05:17:00Z"),
    stop,
  };
  const context = await createContext(env, options, terminal, "none");
  const fold = (title: string) => {
    note("fold")(title);
    return () => note("unfold")(title);
  };
  return { context: { ...context, runner: { ...context.runner, warn: note("warn"), fold } }, lines };
}

/** A folder of this machine with these files, until the test ends. */
export async function openFolder(files: Readonly<Record<string, string>> = {}) {
  const path = await mkdtemp(join(tmpdir(), "rollcall-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
