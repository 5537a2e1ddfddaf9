import { parseArgs } from "node:util";
import { nearest } from "./nearest.ts";

interface Option {
  readonly name: string;
  /** What the option takes, as the usage shows it; null for a switch. */
  readonly value: string | null;
  readonly help: string;
  /** What a value must look like, where not everything will do. */
  readonly form?: RegExp;
}

interface Command {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option[];
}

const inputs: readonly Option[] = [
  {
    name: "mappings",
    value: "<file>",
    help: "which groups belong in which rooms (default mappings/rooms.csv)",
  },
  { name: "policy", value: "<file>", help: "limits and protection (default mappings/policy.json)" },
];
const online: readonly Option[] = [
  ...inputs,
  { name: "reports", value: "<dir>", help: "where reports are kept (default reports)" },
  { name: "json", value: "<file>", help: "write the run's record to this file" },
];
const approve: Option = {
  name: "approve",
  value: "<digest>",
  help: "apply the held removals that have this digest",
  form: /^[0-9a-f]{12}$/,
};

const commands = [
  { name: "validate", summary: "check the mappings and the policy, without any network", options: inputs },
  {
    name: "plan",
    summary: "read Webex and show what sync would do; changes no membership",
    options: [
      ...online,
      { name: "markdown", value: "<file>", help: "write the plan as Markdown to this file" },
    ],
  },
  {
    name: "sync",
    summary: "make the rooms' members what the mappings say, within limits, and report",
    options: [...online, { name: "dry-run", value: null, help: "only show the plan" }, approve],
  },
  {
    name: "demo",
    summary: "run sync twice against the built-in sandbox; needs no account",
    options: [
      { name: "reports", value: "<dir>", help: "where to leave the reports (default rollcall-demo)" },
    ],
  },
] as const satisfies readonly Command[];

/** The commands' names. */
export type CommandName = (typeof commands)[number]["name"];

/** What a command line asks for. */
export type Invocation =
  | {
      readonly kind: "run";
      readonly command: CommandName;
      readonly options: Readonly<Record<string, string | boolean>>;
    }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "mistake"; readonly message: string };

/** Reads the arguments after `main.ts`. A mistake is told in one line, with the nearest valid choice. */
export function parseCommandLine(args: readonly string[]): Invocation {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return { kind: "help", text: describeProgram() };
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    const names = commands.map((candidate) => candidate.name);
    return { kind: "mistake", message: `there is no command "${name}"; ${suggest(name, names)}` };
  }
  if (rest.includes("--help") || rest.includes("-h")) return { kind: "help", text: describeCommand(command) };
  return parseOptions(command, rest);
}

function parseOptions(command: (typeof commands)[number], args: readonly string[]): Invocation {
  const known: readonly Option[] = command.options;
  const options = Object.fromEntries(
    known.map((option) => [option.name, { type: option.value === null ? "boolean" : "string" } as const]),
  );
  // Not strict, because our own messages name the nearest choice.
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | boolean> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") return mistake(command, `does not take "${token.value}"`);
    const option = known.find((candidate) => candidate.name === token.name);
    if (!option) {
      const names = known.map((candidate) => `--${candidate.name}`);
      return mistake(command, `has no option ${token.rawName}; ${suggest(token.rawName, names)}`);
    }
    const name = `--${option.name}`;
    if (Object.hasOwn(values, option.name)) return mistake(command, `takes ${name} only once`);
    if (option.value === null) {
      if (token.value !== undefined) return mistake(command, `takes ${name} without a value`);
      values[option.name] = true;
    } else {
      if (!token.value || (!token.inlineValue && token.value.startsWith("--")))
        return mistake(command, `needs a value: ${name} ${option.value}`);
      if (option.form && !option.form.test(token.value))
        return mistake(
          command,
          `${name} "${token.value}" is malformed; the report shows the ${option.value.slice(1, -1)} to give`,
        );
      values[option.name] = token.value;
    }
  }
  return { kind: "run", command: command.name, options: values };
}

function mistake(command: Command, message: string): Invocation {
  return { kind: "mistake", message: `${command.name} ${message}` };
}

function suggest(given: string, choices: readonly string[]): string {
  const [best] = nearest(given, choices, 1);
  return best ? `did you mean "${best}"?` : `choose one of ${choices.join(", ")}`;
}

function describeProgram(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "Rollcall: Webex space memberships as code.",
    "",
    "Usage: node --import tsx src/main.ts <command> [options]",
    "       npm run <command> -- [options]",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "<command> --help shows the options of a command; README.md tells how to set it up.",
  ].join("\n");
}

function describeCommand({ name, summary, options }: Command): string {
  const lines = options.map(
    ({ name, value, help }) => [`--${name}${value ? ` ${value}` : ""}`, help] as const,
  );
  const width = Math.max(...lines.map(([flag]) => flag.length));
  return [
    `${name}: ${summary}.`,
    "",
    `Usage: node --import tsx src/main.ts ${name} [options]`,
    "",
    ...lines.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
  ].join("\n");
}
