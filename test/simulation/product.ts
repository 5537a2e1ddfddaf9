import { setMaxListeners } from "node:events";
import { readdir } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Context, createContext, type Terminal } from "../../src/cli/context.ts";
import { type CommandName, findOrganisationRule, type OptionsOf } from "../../src/cli/options.ts";
import { type Call, parseCommandLine } from "../../src/cli/parse-args.ts";
import { runApproval } from "../../src/commands/approval.ts";
import { runDelegate } from "../../src/commands/delegate.ts";
import { runDiscover } from "../../src/commands/discover.ts";
import { runDoctor } from "../../src/commands/doctor.ts";
import { runOrganisations } from "../../src/commands/organisations.ts";
import { runRestore } from "../../src/commands/restore.ts";
import { runPlan, runSync } from "../../src/commands/sync.ts";
import { runValidate } from "../../src/commands/validate.ts";
import { runWhy } from "../../src/commands/why.ts";
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

/** Compiled or not: a file and what came of it may lie side by side. */
const extension = import.meta.url.slice(-3);

/** After so long main.ts ends a run in order. */
const maxMinutes = 25;

let stage: Stage;
let route: Route;
let isPrepared = false;
let putBack: (() => void) | null = null;

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
  await prepare();
  putBack ??= replaceGlobals(() => stage, root);
  return stage;
}

/** Gives the real clock and disk back to this process. */
export function leaveStage(): void {
  putBack?.();
  putBack = null;
}

/** From now on requests arrive there. */
export function connect(to: Route): void {
  route = to;
}

/**
 * Puts the virtual network in the place of the real one, once for this process, and loads everything that the product
 * loads on the way: loading takes real time, and nothing may depend on how long.
 */
export async function prepare(): Promise<void> {
  if (isPrepared) return;
  isPrepared = true;
  const source = fileURLToPath(new URL("../../src/", import.meta.url));
  for (const file of await readdir(source, { recursive: true })) {
    if (file.endsWith(extension) && file !== `main${extension}`)
      await import(pathToFileURL(source + file).href);
  }
  await import("@actions/core");
  await (await import("libsodium-wrappers")).default.ready;
  process.env.GITHUB_OUTPUT = "/dev/null";
  dispatchBy(new VirtualNetwork(() => route));
}

type RunCommand<Name extends CommandName> = (options: OptionsOf<Name>, context: Context) => Promise<number>;

/** Those that need no browser and no terminal. */
const commands: { readonly [Name in CommandName]?: RunCommand<Name> } = {
  plan: runPlan,
  sync: runSync,
  delegate: runDelegate,
  restore: runRestore,
  validate: runValidate,
  discover: runDiscover,
  why: runWhy,
  doctor: runDoctor,
  organisations: runOrganisations,
  approval: runApproval,
};

/** What main.ts does: reads the arguments, makes the context, runs the command. */
export async function runProduct(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  controller: AbortController,
  { print, log }: Pick<Terminal, "print" | "log">,
): Promise<number> {
  const { signal: stop } = controller;
  const invocation = parseCommandLine(args);
  if (invocation.kind !== "run") throw new Error(invocation.kind === "mistake" ? invocation.message : "help");
  setMaxListeners(0, stop);
  giveUpRequestsAfter(stop);
  setTimeout(() => controller.abort(), maxMinutes * 60_000).unref();
  const isVerbose = "verbose" in invocation.options;
  const terminal = {
    print,
    log,
    detail: isVerbose ? log : () => undefined,
    isVerbose,
    count: countSilently,
    paint: (_: unknown, text: string) => text,
    now: () => new Date(),
    stop,
  };
  return await runCommand(invocation, env, terminal);
}

async function runCommand<Name extends CommandName>(
  { command, options }: Call<Name>,
  env: Readonly<Record<string, string>>,
  terminal: Terminal,
): Promise<number> {
  const run = commands[command];
  if (run === undefined) throw new Error(`the simulation does not play ${command}`);
  return await run(
    options,
    await createContext(env, options, terminal, findOrganisationRule(command, options)),
  );
}
