import type { Context } from "../cli/context.ts";
import type { Prompt } from "../cli/prompt.ts";

/** A question; its answer may be in the environment, under `name`. */
export interface Question {
  readonly name: string;
  readonly text: string;
  readonly isSecret?: true;
  /** Taken from the environment alone: nobody is asked. */
  readonly isQuiet?: true;
  /** Taken for an empty answer, and where nobody can be asked. */
  readonly standard?: string;
  /** Says what is wrong with an answer; null for a good one. */
  readonly judge?: (answer: string) => string | null | Promise<string | null>;
}

/** Gets what only a person knows: from the environment, or by asking. */
export interface Answers {
  get(question: Question): Promise<string>;
}

const maxTries = 3;

/** Makes the source of answers. A bad answer is asked again; one from the environment is told. */
export function createAnswers({ settings, runner, log }: Context, prompt: Prompt): Answers {
  const ask = async ({ text, isSecret, standard }: Question): Promise<string> =>
    isSecret ? await prompt.askSecret(text) : await prompt.ask(text, standard);
  return {
    async get(question) {
      const { name, isSecret, isQuiet, standard, judge } = question;
      const given = settings.find(name);
      for (let attempt = 1; ; attempt += 1) {
        const isAsked = given === null && prompt.isThere && !isQuiet;
        if (!isAsked && given === null && standard === undefined)
          throw new Error(`${name} is missing, and nobody can be asked here: set it in the environment`);
        const answer = isAsked ? await ask(question) : (given ?? standard ?? "");
        if (isSecret) runner.mask(answer);
        const fault =
          answer === "" && standard === undefined ? `${name} is needed` : ((await judge?.(answer)) ?? null);
        if (fault === null) return answer;
        if (!isAsked || attempt === maxTries) throw new Error(`${name}: ${fault}`);
        log(`  ${fault}`);
      }
    },
  };
}
