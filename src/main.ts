import { type Context, createContext } from "./cli/context.ts";
import type { CommandName, OptionsOf } from "./cli/options.ts";
import { type Call, parseCommandLine } from "./cli/parse-args.ts";
import { gate } from "./lib/redact.ts";
import { errorMessage, type Paint } from "./lib/text.ts";

type RunCommand<Name extends CommandName> = (options: OptionsOf<Name>, context: Context) => Promise<number>;

/** Each command is loaded only when it is called: a run should reach Webex soon after it starts. */
const commands: { readonly [Name in CommandName]: () => Promise<RunCommand<Name>> } = {
  validate: async () => (await import("./commands/validate.ts")).runValidate,
  plan: async () => (await import("./commands/sync.ts")).runPlan,
  sync: async () => (await import("./commands/sync.ts")).runSync,
  restore: async () => (await import("./commands/restore.ts")).runRestore,
  delegate: async () => (await import("./commands/delegate.ts")).runDelegate,
  discover: async () => (await import("./commands/discover.ts")).runDiscover,
  login: async () => (await import("./commands/login.ts")).runLogin,
  doctor: async () => (await import("./commands/doctor.ts")).runDoctor,
  demo: async () => (await import("./commands/demo.ts")).runDemo,
};

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

const hasColours = process.stdout.isTTY && process.stdout.hasColors();

const paint: Paint = (style, text) => (hasColours ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);

/** What may be printed: no secret, and nothing that the runner takes for a command. */
function makeSafe(text: string): string {
  return disarm(gate.clean(text));
}

/**
 * A runner takes `::name::` at the start of a line and `##[name]` anywhere for its commands, and a name in Webex or
 * a cell of a CSV may hold either. https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
function disarm(text: string): string {
  return text.replaceAll("##[", "## [").replace(/^([^\S\n]*:)(?=:)/gm, "$1 ");
}

async function run(args: readonly string[]): Promise<number> {
  const invocation = parseCommandLine(args);
  if (invocation.kind === "help") {
    console.log(invocation.text);
    return 0;
  }
  if (invocation.kind === "mistake") {
    console.error(invocation.message);
    return 1;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      console.error(`${signal}: nothing new is begun; what is under way ends, then the report is made`);
      stop.abort();
    });
  }
  return await runCommand(invocation, stop.signal);
}

async function runCommand<Name extends CommandName>(
  { command, options }: Call<Name>,
  stop: AbortSignal,
): Promise<number> {
  const terminal = {
    print: (text: string) => console.log(makeSafe(text)),
    log: (text: string) => console.error(makeSafe(text)),
    paint,
    now: () => new Date(),
    stop,
  };
  const [start, context] = await Promise.all([
    commands[command](),
    createContext(process.env, options, terminal),
  ]);
  return await start(options, context);
}

run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(makeSafe(errorMessage(error)));
    process.exitCode = 1;
  },
);
