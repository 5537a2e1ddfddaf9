import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { RunRecord } from "../../src/membership/record.ts";
import { assertNoSecret, listSecrets, readTexts, withoutMasks } from "./secrets.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** What a run is given of this process's own environment: nothing that Rollcall reads. */
const { PATH, TMPDIR, NODE_V8_COVERAGE } = process.env;
const loader = import.meta.resolve("tsx");

/** What a run of the real command left behind. */
export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own for a test, with the files that a repository of a user holds. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
  write(file: string, text: string | Uint8Array): Promise<void>;
  read(file: string): Promise<string>;
  /** Removes a file, or a folder with all that is in it. */
  remove(file: string): Promise<void>;
  /** Runs Rollcall in this folder with nothing in its environment but `env`. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>, onStart?: OnStart): Promise<RunResult>;
  /** The record that a run with `--json record.json` wrote. */
  readRecord(): Promise<RunRecord>;
}

/** Is given a way to signal the run that has just been started, and its process where it has one of its own. */
export type OnStart = (
  kill: (signal: NodeJS.Signals) => void,
  child: ChildProcessByStdio<null, Readable, Readable> | null,
) => void;

/** Makes a folder that is removed when the test ends; `rooms` becomes its mappings/rooms.csv. */
export async function createFolder(rooms?: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "rollcall-"));
  const folder: Folder = {
    path,
    async write(file, text) {
      await mkdir(dirname(join(path, file)), { recursive: true });
      await writeFile(join(path, file), text);
    },
    read: (file) => readFile(join(path, file), "utf8"),
    remove: (file) => rm(join(path, file), { recursive: true, force: true }),
    run: (args, env = {}, onStart = () => undefined) => runRollcall(path, args, env, onStart),
    readRecord: async () => JSON.parse(await readFile(join(path, "record.json"), "utf8")),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
  if (rooms !== undefined) await folder.write("mappings/rooms.csv", rooms);
  return folder;
}

async function runRollcall(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onStart: OnStart,
): Promise<RunResult> {
  const child = spawn(process.execPath, ["--import", loader, main, ...args], {
    cwd,
    env: { PATH, HOME: cwd, TMPDIR, NODE_V8_COVERAGE, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onStart((signal) => child.kill(signal), child);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  // Whatever a test is about: no run of any of them may tell a secret, or make Node warn of something.
  assert.doesNotMatch(stderr, /^\(node:\d+\) /m);
  const logs = [
    ["stdout", withoutMasks(stdout)],
    ["stderr", stderr],
  ] as const;
  assertNoSecret(new Map([...logs, ...(await readTexts(cwd, env))]), listSecrets(env));
  return { code, stdout, stderr };
}
