import type { Surroundings } from "../surroundings.ts";

/** Something in a file that needs a person. */
export interface Annotation {
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
}

/** What the runner of GitHub Actions understands; on any other machine every call does nothing. */
export interface Runner {
  /** Hides a secret in all later lines of the log. */
  mask(secret: string): void;
  annotate(annotations: readonly Annotation[]): void;
  /** Shows a warning that belongs to no file. */
  warn(message: string): void;
  setOutputs(outputs: Readonly<Record<string, string | number>>): void;
  writeSummary(markdown: string): Promise<void>;
}

/** The runner shows ten errors of a step: nine, and one that says how many there are. */
const mostAnnotations = 9;

/**
 * Speaks the runner's protocol where there is a runner.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
export async function createRunner(surroundings: Surroundings): Promise<Runner> {
  const { isRunner, hasOutput, hasSummary } = surroundings;
  if (!isRunner && !hasOutput && !hasSummary) {
    const writeSummary = () => Promise.resolve();
    return { mask: ignore, annotate: ignore, warn: ignore, setOutputs: ignore, writeSummary };
  }
  // Loaded only where it is needed: it would double the time until the first request.
  const core = await import("@actions/core");
  return {
    mask(secret) {
      if (isRunner && secret !== "") core.setSecret(secret);
    },
    annotate(annotations) {
      if (!isRunner) return;
      for (const { file, line, message } of annotations.slice(0, mostAnnotations)) {
        core.error(message, { title: "Rollcall", file, ...(line === null ? {} : { startLine: line }) });
      }
      const more = annotations.length - mostAnnotations;
      if (more > 0) core.error(`${more} more, see the summary of this run`, { title: "Rollcall" });
    },
    warn(message) {
      if (isRunner) core.warning(message, { title: "Rollcall" });
    },
    setOutputs(outputs) {
      if (hasOutput) for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
    },
    async writeSummary(markdown) {
      if (hasSummary) await core.summary.addRaw(markdown).write();
    },
  };
}

function ignore(): void {}
