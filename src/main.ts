import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { type Context, createContext } from "./cli/context.ts";
import { type CommandName, findOrganisationRule, type OptionsOf } from "./cli/options.ts";
import { type Call, parseCommandLine } from "./cli/parse-args.ts";
import { createProgress } from "./cli/progress.ts";
import { giveUpRequestsAfter } from "./lib/http.ts";
import { gate } from "./lib/redact.ts";
import { errorMessage, type Paint } from "./lib/text.ts";

// Else garbage grows to four times what is in use: a million memberships would take 600 MiB, and not 300.
setFlagsFromString("--heap-growing-percent=20");

type RunCommand<Name extends CommandName> = (options: OptionsOf<Name>, context: Context) => Promise<number>;

/** Each command is loaded only when it is called: a run should reach Webex soon after it starts. */
const commands: { readonly [Name in CommandName]: () => Promise<RunCommand<Name>> } = {
  validate: async () => (await import("./commands/validate.ts")).runValidate,
  plan: async () => (await import("./commands/sync.ts")).runPlan,
  sync: async () => (await import("./commands/sync.ts")).runSync,
  why: async () => (await import("./commands/why.ts")).runWhy,
  restore: async () => (await import("./commands/restore.ts")).runRestore,
  delegate: async () => (await import("./commands/delegate.ts")).runDelegate,
  discover: async () => (await import("./commands/discover.ts")).runDiscover,
  login: async () => (await import("./commands/login.ts")).runLogin,
  doctor: async () => (await import("./commands/doctor.ts")).runDoctor,
  setup: async () => (await import("./commands/setup.ts")).runSetup,
  demo: async () => (await import("./commands/demo.ts")).runDemo,
  organisations: async () => (await import("./commands/organisations.ts")).runOrganisations,
  approval: async () => (await import("./commands/approval.ts")).runApproval,
};

/** What the options say to the process itself, where a command has them. */
interface CommonOptions {
  readonly verbose?: true;
  readonly "max-minutes"?: string;
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

const hasColours = process.stdout.isTTY && process.stdout.hasColors();

const paint: Paint = (style, text) => (hasColours ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);

/** What may be printed: no secret, nothing that the runner takes for a command, nothing that steers a terminal. */
function makeSafe(text: string): string {
  return disarm(gate.clean(text)).replace(
    /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]|\p{Cc}/gu,
    showCode,
  );
}

/** Lines and colours are ours; any other control character came from outside. */
function showCode(character: string): string {
  const isOurs = character === "\n" || character === "\t" || (hasColours && character === "\u001b");
  return isOurs ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * A runner takes `::name::` at the start of a line and `##[name]` anywhere for its commands, and a name in Webex or
 * a cell of a CSV may hold either. https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
function disarm(text: string): string {
  return text.replaceAll("##[", "## [").replace(/^([^\S\n]*:)(?=:)/gm, "$1 ");
}

/** Closed by its reader (`… | head`) or on a full disk, a stream takes no more lines: the run goes on without it. */
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

const progress = createProgress({
  write: process.stderr.isTTY ? (text) => process.stderr.write(text) : null,
  log: (text) => console.error(text),
  now: () => performance.now(),
});

function print(text: string): void {
  progress.clear();
  console.log(makeSafe(text));
}

function log(text: string): void {
  progress.clear();
  console.error(makeSafe(text));
}

/** True after an error outside of all order: however the run ends then, it has failed. */
let hasFailed = false;

/** The runner kills a process ten seconds after the first signal. What still hangs then has nothing to tell. */
const maxEndingMs = 8_800;

/** Aborted when the run is to end in order: by a signal, or when its time is over. */
function createStop(maxMinutes: number): AbortSignal {
  const stop = new AbortController();
  // Everything that waits listens; Node takes more than ten for a leak, and says so.
  setMaxListeners(0, stop.signal);
  const end = (why: string) => {
    // A second signal does not cut the telling short.
    if (stop.signal.aborted) return;
    stop.abort();
    log(`${why}: nothing new begins; what is under way gets 3 seconds, then the report is made`);
    setTimeout(() => process.exit(1), maxEndingMs).unref();
  };
  process.on("uncaughtException", (error) => {
    hasFailed = true;
    log(errorMessage(error));
    end("an error that nobody expected");
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(signal));
  giveUpRequestsAfter(stop.signal);
  const isOver = () => end(`the run's time is over (${maxMinutes} minutes, --max-minutes)`);
  setTimeout(isOver, maxMinutes * 60_000).unref();
  return stop.signal;
}

async function run(args: readonly string[]): Promise<number> {
  const invocation = parseCommandLine(args);
  if (invocation.kind === "help") {
    print(invocation.text);
    return 0;
  }
  if (invocation.kind === "version") {
    print(await readVersion());
    return 0;
  }
  if (invocation.kind === "mistake") {
    log(invocation.message);
    return 1;
  }
  return await runCommand(invocation);
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  const { version }: { readonly version: string } = JSON.parse(text);
  return version;
}

async function runCommand<Name extends CommandName>({ command, options }: Call<Name>): Promise<number> {
  const { verbose, "max-minutes": minutes = "25" }: CommonOptions = options;
  const terminal = {
    print,
    log,
    detail: verbose ? log : () => undefined,
    isVerbose: verbose === true,
    count: progress.count,
    paint,
    now: () => new Date(),
    stop: createStop(Number(minutes)),
  };
  const [start, context] = await Promise.all([
    commands[command](),
    createContext(process.env, options, terminal, findOrganisationRule(command, options)),
  ]);
  return await start(options, context);
}

run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = hasFailed ? 1 : code;
  },
  (error: unknown) => {
    log(errorMessage(error));
    process.exitCode = 1;
  },
);
