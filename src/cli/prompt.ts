import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks the person in front of the terminal. */
export interface Prompt {
  /** False where nobody can be asked: input does not come from a terminal. */
  readonly isThere: boolean;
  /** Returns the trimmed answer, or `standard` for an empty one. */
  ask(question: string, standard?: string): Promise<string>;
  /** Shows nothing of what is typed or pasted. */
  askSecret(question: string): Promise<string>;
}

/** Opens the terminal for questions; it is held only while one waits. @throws by its questions, once `stop` is aborted. */
export function createPrompt(stop: AbortSignal): Prompt {
  const put = async (question: string, isSecret: boolean): Promise<string> => {
    const output = new Writable({
      write(chunk, _encoding, done) {
        if (!isSecret) process.stderr.write(chunk);
        done();
      },
    });
    const line = createInterface({ input: process.stdin, output, terminal: true });
    // Only now: until then the terminal itself would show what is typed.
    if (isSecret) process.stderr.write(question);
    // The terminal gives no signal while it is read key by key.
    line.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    try {
      return (await line.question(isSecret ? "" : question, { signal: stop })).trim();
    } catch (error) {
      throw stop.aborted ? new Error("stopped at a question", { cause: error }) : error;
    } finally {
      if (isSecret) process.stderr.write("\n");
      line.close();
    }
  };
  return {
    isThere: process.stdin.isTTY === true,
    async ask(question, standard) {
      const answer = await put(standard ? `${question} [${standard}]: ` : `${question}: `, false);
      return answer === "" ? (standard ?? "") : answer;
    },
    askSecret: (question) => put(`${question} (not shown): `, true),
  };
}
