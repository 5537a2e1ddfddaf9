import { appendFile, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Actions } from "../config/actions.ts";
import { gate } from "../lib/redact.ts";
import { errorMessage } from "../lib/text.ts";

export interface Annotation {
  readonly file: string;
  readonly line: number | null;
  readonly character?: number | undefined;
  readonly message: string;
}

/** On any other machine every call but `mask` does nothing. */
export interface Runner {
  mask(secret: string): void;
  annotate(annotations: readonly Annotation[]): void;
  warn(message: string): void;
  fold(title: string): () => void;
  /** A failed write is only a warning, because the run has done its work by then. */
  setOutputs(outputs: Readonly<Record<string, string | number>>): void;
  /** Returns what replaces this text by another one, where there turns out to be more to say. */
  writeSummary(markdown: string): Promise<(instead: string) => Promise<void>>;
}

/** The runner shows ten errors of a step: nine, and one that says how many there are. */
const maxAnnotations = 9;

/** Speaks the runner's protocol. https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands */
export async function createRunner(actions: Actions): Promise<Runner> {
  const { isRunner, outputFile, summaryFile } = actions;
  if (!isRunner && outputFile === null && summaryFile === null) {
    const writeSummary = () => Promise.resolve(() => Promise.resolve());
    return {
      mask: gate.add,
      annotate: ignore,
      warn: ignore,
      fold: () => ignore,
      setOutputs: ignore,
      writeSummary,
    };
  }
  // Loaded only where it is needed: it would double the time until the first request.
  const core = await import("@actions/core");
  const warn = (message: string) => {
    if (isRunner) core.warning(gate.clean(message), { title: "Rollcall" });
  };
  // The runner makes these files; on another machine a variable may name one that does not exist.
  for (const file of [outputFile, summaryFile]) if (file !== null) await touch(file).catch(ignore);
  return {
    mask(secret) {
      gate.add(secret);
      if (isRunner && secret !== "") core.setSecret(secret);
    },
    annotate(annotations) {
      if (!isRunner) return;
      for (const { file, line, character, message } of annotations.slice(0, maxAnnotations)) {
        const place = character === undefined ? {} : { startColumn: character };
        core.error(gate.clean(message), {
          title: "Rollcall",
          file: gate.clean(file),
          ...(line === null ? {} : { startLine: line, ...place }),
        });
      }
      const more = annotations.length - maxAnnotations;
      if (more > 0) core.error(`${more} more, see the summary of this run`, { title: "Rollcall" });
    },
    warn,
    fold(title) {
      if (!isRunner) return ignore;
      core.startGroup(title);
      return core.endGroup;
    },
    setOutputs(outputs) {
      if (outputFile === null) return;
      try {
        for (const [name, value] of Object.entries(outputs)) core.setOutput(name, gate.clean(String(value)));
      } catch (error) {
        warn(`the step's outputs could not be written: ${errorMessage(error)}`);
      }
    },
    async writeSummary(markdown) {
      if (summaryFile === null) return () => Promise.resolve();
      const attempt = (work: Promise<void>) =>
        work.catch((error: unknown) =>
          warn(`the step's summary could not be written: ${errorMessage(error)}`),
        );
      const written = gate.clean(markdown);
      await attempt(appendFile(summaryFile, written));
      return async (instead) => {
        const text = gate.clean(instead);
        if (text !== written) await attempt(replaceInFile(summaryFile, written, text));
      };
    },
  };
}

/** Others may have written to the file too; a text that is not there any more is added at its end. */
async function replaceInFile(file: string, text: string, instead: string): Promise<void> {
  const whole = await readFile(file, "utf8");
  const start = whole.lastIndexOf(text);
  if (start === -1) return await appendFile(file, instead);
  await writeFile(file, whole.slice(0, start) + instead + whole.slice(start + text.length));
}

async function touch(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await (await open(file, "a")).close();
}

function ignore(): void {}
