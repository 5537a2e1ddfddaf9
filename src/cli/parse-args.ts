import { parseArgs } from "node:util";
import { findNearest } from "../lib/did-you-mean.ts";
import {
  type Command,
  type CommandName,
  commands,
  type Option,
  type OptionsOf,
  workflowCommands,
} from "./options.ts";

/** A command that is to run, with its own options. */
export type Call<Name extends CommandName = CommandName> = {
  [One in Name]: { readonly kind: "run"; readonly command: One; readonly options: OptionsOf<One> };
}[Name];

/** What a command line asks for. */
export type Invocation =
  | Call
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | { readonly kind: "mistake"; readonly message: string };

/** Reads the arguments after `main.ts`. A mistake is told in one line, with the nearest valid choice. */
export function parseCommandLine(args: readonly string[]): Invocation {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return { kind: "help", text: describeProgram() };
  if (name === "--version") return { kind: "version" };
  const command = [...commands, ...workflowCommands].find((candidate) => candidate.name === name);
  if (!command) {
    const names = commands.map((candidate) => candidate.name);
    return describeMistake(`there is no command "${name}"; ${suggest(name, names)}`);
  }
  if (rest.includes("--help") || rest.includes("-h")) return { kind: "help", text: describeCommand(command) };
  return parseOptions(command, rest);
}

function parseOptions(
  command: Command & { readonly name: CommandName },
  args: readonly string[],
): Invocation {
  const known: readonly Option[] = command.options;
  const options = Object.fromEntries(
    known.map((option) => [
      option.name,
      { type: option.value === null || isOptional(option) ? "boolean" : "string" } as const,
    ]),
  );
  // Not strict, because our own messages name the nearest choice.
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | true> = {};
  let open: string | null = null;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional" && open !== null) {
      values[open] = token.value;
      open = null;
      continue;
    }
    open = null;
    if (token.kind === "positional") return mistake(command, `does not take "${token.value}"`);
    const option = known.find((candidate) => candidate.name === token.name);
    if (!option) {
      const names = known.map((candidate) => `--${candidate.name}`);
      return mistake(command, `has no option ${token.rawName}; ${suggest(token.rawName, names)}`);
    }
    const name = `--${option.name}`;
    const earlier = values[option.name];
    if (earlier !== undefined && !option.repeats) return mistake(command, `takes ${name} only once`);
    if (isOptional(option)) {
      values[option.name] = token.value ?? true;
      if (token.value === undefined) open = option.name;
    } else if (option.value === null) {
      if (token.value !== undefined) return mistake(command, `takes ${name} without a value`);
      values[option.name] = true;
    } else {
      const { value = "" } = token;
      const isGiven = value !== "" || (option.repeats && token.value !== undefined);
      if (!isGiven || (!token.inlineValue && value.startsWith("--")))
        return mistake(command, `needs a value: ${name} ${option.value}`);
      if (option.choices && !option.choices.includes(value))
        return mistake(command, `has no ${name} "${value}"; ${suggest(value, option.choices)}`);
      const hint = option.hint ? `; ${option.hint}` : "";
      if (option.form && !option.form.test(value))
        return mistake(command, `${name} "${value}" is malformed${hint}`);
      values[option.name] = earlier === undefined ? value : `${earlier}\n${value}`;
    }
  }
  const absent = known.find((option) => option.isRequired && !Object.hasOwn(values, option.name));
  if (absent) return mistake(command, `needs --${absent.name} ${absent.value}, ${absent.help}`);
  // What the table asks of the values has just been checked, one by one.
  return { kind: "run", command: command.name, options: values } as Call;
}

/** Whether the option's value may be left out. */
function isOptional({ value }: Option): boolean {
  return value?.startsWith("[") ?? false;
}

function mistake(command: Command, message: string): Invocation {
  return describeMistake(`${command.name} ${message}`);
}

/** On one line, whatever was typed. */
function describeMistake(message: string): Invocation {
  return { kind: "mistake", message: message.replace(/\p{Cc}+/gu, " ") };
}

function suggest(given: string, choices: readonly string[]): string {
  const [best] = findNearest(given, choices, 1);
  return best ? `did you mean "${best}"?` : `choose one of ${choices.join(", ")}`;
}

function describeProgram(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "Rollcall keeps Webex space memberships in step with your directory groups.",
    "",
    "Usage: npm run <command> -- [options]",
    "       node --import tsx src/main.ts <command> [options]",
    "       npm run rollcall -- --version",
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
    `Usage: npm run ${name} -- [options]`,
    `       node --import tsx src/main.ts ${name} [options]`,
    "",
    ...lines.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
  ].join("\n");
}
