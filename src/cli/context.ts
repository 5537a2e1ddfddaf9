import type { Environment } from "../config/actions.ts";
import type { Paint } from "../lib/text.ts";

/** What a command is given by whoever starts it. */
export interface Context {
  readonly env: Environment;
  /** A line of the result. */
  print(text: string): void;
  /** A line about the work that goes on, or about what went wrong. */
  log(text: string): void;
  readonly paint: Paint;
  readonly now: () => Date;
  /** Aborted when the run is to end in order: nothing new begins, and the report is still made. */
  readonly stop: AbortSignal;
}

/** A command's options by name, as the command line gave them. */
export type Options = Readonly<Record<string, string | boolean>>;

/** The value of an option that takes one; null when it was not given. */
export function textOption(options: Options, name: string): string | null {
  const value = options[name];
  return typeof value === "string" ? value : null;
}

const exitCodes = {
  converged: 0,
  changed: 0,
  failed: 1,
  held: 2,
  partial: 3,
} as const;

/** The exit code of a run that ended so; a plan succeeds when it could be made, whatever is in it. */
export function exitCodeOf(status: keyof typeof exitCodes, isPlan: boolean): number {
  return isPlan && status !== "failed" ? 0 : exitCodes[status];
}
