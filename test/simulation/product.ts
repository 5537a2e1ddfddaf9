import { setMaxListeners } from "node:events";
import { readdir } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createContext } from "../../src/cli/context.ts";
import { type CommandName, findOrganisationRule } from "../../src/cli/options.ts";
import { type Call, parseCommandLine } from "../../src/cli/parse-args.ts";
import { runDelegate } from "../../src/commands/delegate.ts";
import { runRestore } from "../../src/commands/restore.ts";
import { runPlan, runSync } from "../../src/commands/sync.ts";
import { dispatchBy, giveUpRequestsAfter } from "../../src/lib/http.ts";
import { countSilently } from "../../src/lib/progress.ts";
import { Disk } from "./disk.ts";
import { replaceGlobals, type Stage } from "./globals.ts";
import { Machine } from "./machine.ts";
import { type Route, VirtualNetwork } from "./network.ts";
import { createRandom } from "./random.ts";

/** Where the product finds Webex and GitHub, and the folder in which it runs. */
export const url = "http://127.0.0.1:8080";
export const root = "/simulated";

/** After so long main.ts ends a run in order. */
const maxMinutes = 25;

let stage: Stage;
let route: Route;
let isPrepared = false;

/** Begins with a clock at that moment, an empty disk, and chance drawn from that number. */
export async function enterStage(chance: number, startMs: number): Promise<Stage> {
  const random = createRandom(chance);
  const machine = new Machine(startMs);
  const disk: Disk = new Disk(root, {
    now: () => machine.now,
    step: (work) => machine.step(0.02 + 0.1 * random(), work),
    processNumber: () => machine.process?.number ?? 0,
  });
  stage = { machine, disk, random };
  if (!isPrepared) await prepare();
  isPrepared = true;
  return stage;
}

/** From now on requests arrive there. */
export function connect(to: Route): void {
  route = to;
}

/**
 * Puts the virtual clock, disk and network in the place of the real ones, once for this process. Everything that the
 * product loads on the way is loaded before: loading takes real time, and nothing may depend on how long.
 */
async function prepare(): Promise<void> {
  const source = fileURLToPath(new URL("../../src/", import.meta.url));
  for (const file of await readdir(source, { recursive: true })) {
    if (/\.[jt]s$/.test(file) && !/^main\.[jt]s$/.test(file)) await import(pathToFileURL(source + file).href);
  }
  await import("@actions/core");
  await (await import("libsodium-wrappers")).default.ready;
  replaceGlobals(() => stage, root);
  process.env.GITHUB_OUTPUT = "/dev/null";
  dispatchBy(new VirtualNetwork(() => route));
}

/** What main.ts does: reads the arguments, makes the context, runs the command. */
export async function runProduct(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  controller: AbortController,
  lines: string[],
): Promise<number> {
  const { signal: stop } = controller;
  const invocation = parseCommandLine(args);
  if (invocation.kind !== "run") throw new Error(invocation.kind === "mistake" ? invocation.message : "help");
  setMaxListeners(0, stop);
  giveUpRequestsAfter(stop);
  setTimeout(() => controller.abort(), maxMinutes * 60_000).unref();
  const tell = (text: string) => {
    lines.push(text);
  };
  const terminal = {
    print: tell,
    log: tell,
    detail: () => undefined,
    isVerbose: false,
    count: countSilently,
    paint: (_: unknown, text: string) => text,
    now: () => new Date(),
    stop,
  };
  const open = <Name extends CommandName>({ command, options }: Call<Name>) =>
    createContext(env, options, terminal, findOrganisationRule(command, options));
  if (invocation.command === "plan") return await runPlan(invocation.options, await open(invocation));
  if (invocation.command === "sync") return await runSync(invocation.options, await open(invocation));
  if (invocation.command === "delegate") return await runDelegate(invocation.options, await open(invocation));
  if (invocation.command === "restore") return await runRestore(invocation.options, await open(invocation));
  throw new Error(`the simulation does not play ${invocation.command}`);
}
