import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Why no terminal can be had here; false where one can: util-linux's `script` makes one. */
export const noTerminal =
  spawnSync("script", ["-qefc", "true", "/dev/null"], { stdio: "ignore" }).status === 0
    ? false
    : "there is no util-linux script to make a terminal with";

/** The real command in a terminal, and a person in front of it. */
export interface Terminal {
  /** Waits until the terminal shows this behind all that was waited for before. */
  see(what: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  /** Everything that was shown. */
  readonly text: string;
  readonly ended: Promise<number | null>;
}

/** Starts Rollcall in a terminal, with nothing in its environment but `env`. */
export function startInTerminal(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Terminal {
  const command = [process.execPath, "--import", import.meta.resolve("tsx"), main, ...args];
  const child = spawn("script", ["-qefc", command.map((word) => `'${word}'`).join(" "), "/dev/null"], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, TERM: "dumb", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  let from = 0;
  let look = () => undefined as undefined;
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += stripVTControlCharacters(part).replaceAll("\r\n", "\n");
    look();
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return {
    ended,
    get text() {
      return text;
    },
    type: (line) => void child.stdin.write(`${line}\r`),
    see: (what) =>
      new Promise((resolve, reject) => {
        look = () => {
          const found = what.exec(text.slice(from));
          if (found === null) return;
          from += found.index + found[0].length;
          look = () => undefined;
          resolve(found);
        };
        ended.then(() => reject(new Error(`it ended without showing ${what}:\n${text}`)), reject);
        look();
      }),
  };
}
