import type { Folder, RunResult } from "./run-rollcall.ts";

/** A login that waits for its consent. */
export interface RunningLogin {
  /** The address that the terminal shows. */
  readonly url: string;
  readonly ended: Promise<RunResult>;
}

/** Starts `login` on a free port and waits until it shows its address. */
export async function startLogin(
  folder: Folder,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = ["--port", "0"],
): Promise<RunningLogin> {
  let told = "";
  let ended: Promise<RunResult> | null = null;
  const url = await new Promise<string>((resolve, reject) => {
    ended = folder.run(["login", ...args], env, (_, child) => {
      child?.stderr.on("data", (text: string) => {
        told += text;
        const shown = /^ {2}(http\S+)$/m.exec(told)?.[1];
        if (shown) resolve(shown);
      });
    });
    ended.then(({ stderr }) => reject(new Error(`the login ended at once: ${stderr}`)), reject);
  });
  return { url, ended: ended ?? Promise.reject(new Error("not started")) };
}
