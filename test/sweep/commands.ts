import { emailOf } from "../support/organisation.ts";
import { runCommand } from "./run.ts";
import type { Story } from "./story.ts";

/** A command that the sweep disturbs: what comes before it, what it is given, and how people go on afterwards. */
export interface SweptCommand {
  /** Returns the arguments, once the world is as the command expects it. */
  prepare(story: Story): Promise<readonly string[]>;
  /** What a run without any fault ends with. */
  readonly code: number;
  /** The runs that bring everything to its end, whatever the disturbed one left. */
  goOn(story: Story, args: readonly string[]): Promise<{ readonly code: number | null }>;
}

const sync = ["sync"];
const sameAgain: SweptCommand["goOn"] = (story, args) => runCommand(story, args);

/** Approves what is held, as a person does who has read the report; where nothing is, the run is the last one. */
const approveHeld: SweptCommand["goOn"] = async (story) => {
  const run = await runCommand(story, sync);
  const digest = run.record !== null && "digest" in run.record ? run.record.digest : null;
  return digest === null ? run : await runCommand(story, [...sync, "--approve", digest]);
};

const replace = ["delegate", "--mode", "replace", "--host", [emailOf("ann"), emailOf("bob")].join(" ")];
const delegates = ["--delegate", [emailOf("kim"), emailOf("eve")].join(" ")];

/** The commands that change something. */
export const sweptCommands = {
  sync: { prepare: async () => sync, code: 2, goOn: sameAgain },
  approve: {
    async prepare(story) {
      // A plan tells the digest and changes nothing.
      const { log } = await runCommand(story, ["plan"]);
      const digest = /--approve ([0-9a-f]{12})/.exec(log)?.[1];
      if (digest === undefined) throw new Error(`the plan names no digest: ${log}`);
      return [...sync, "--approve", digest];
    },
    code: 0,
    goOn: approveHeld,
  },
  restore: {
    async prepare(story) {
      await runCommand(story, sync);
      const isRecord = (path: string) => /^reports\/runs\/.*\.json$/.test(path);
      const [path] = [...story.sandbox.github.files().keys()].filter(isRecord);
      if (path === undefined) throw new Error("there is no record to restore");
      return ["restore", "--record", path];
    },
    // The run before it added more people to one space than may be removed there at once.
    code: 2,
    goOn: sameAgain,
  },
  delegate: {
    prepare: async () => [...replace, ...delegates],
    code: 0,
    goOn: sameAgain,
  },
  "delegate, XML": {
    prepare: async () => [...replace, ...delegates, "--backend", "xml"],
    code: 0,
    goOn: sameAgain,
  },
} satisfies Readonly<Record<string, SweptCommand>>;

export type SweptName = keyof typeof sweptCommands;
export const sweptNames = Object.keys(sweptCommands).filter(
  (name): name is SweptName => name in sweptCommands,
);
