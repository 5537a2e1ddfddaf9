import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { Exchange } from "../../sandbox/http.ts";
import { type DelegationRecord, delegationRecordSchema } from "../../src/delegation/record.ts";
import { parseJson } from "../../src/lib/json.ts";
import { parseRecord, type RunRecord } from "../../src/membership/record.ts";
import { isMembershipWrite } from "../support/story.ts";
import { environment, listRights, type Story } from "./story.ts";

/** How many times faster pauses and time limits pass in the program. */
const speed = 25;
/** In real time: no run that ends by itself comes near. */
const longestMs = 90_000;

const fastTime = new URL("fast-time.mjs", import.meta.url).href;
const files = { record: "record.json", outputs: ".outputs", summary: ".summary.md" };

export type AnyRecord = RunRecord | DelegationRecord;

/** What one run left behind. */
export interface Run {
  /** Null when it did not end by itself. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: string;
  /** What `--json` wrote; null when that is no record. */
  readonly record: AnyRecord | null;
  /** The record of this run on the branch. */
  readonly committed: AnyRecord | null;
  readonly requests: readonly Exchange[];
  /** Who is in which space and who may schedule for whom since, and who no longer. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Runs a command on GitHub's runner, with what is stored there at this moment; `onStart` may end it by a signal. */
export async function runCommand(
  { sandbox, folder }: Story,
  main: string,
  args: readonly string[],
  onStart: (kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Run> {
  for (const file of Object.values(files)) await rm(join(folder.path, file), { force: true });
  for (const file of [files.outputs, files.summary]) await folder.write(file, "");
  const firstRequest = sandbox.requests.length;
  const before = listRights(sandbox);
  const env = sandbox.githubEnvironment({
    WEBEX_ENVIRONMENT: environment,
    GITHUB_OUTPUT: join(folder.path, files.outputs),
    GITHUB_STEP_SUMMARY: join(folder.path, files.summary),
  });
  const child = spawn(process.execPath, ["--import", fastTime, main, ...args, "--json", files.record], {
    cwd: folder.path,
    env: { PATH: process.env.PATH, HOME: folder.path, SWEEP_SPEED: String(speed), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: longestMs,
    killSignal: "SIGKILL",
  });
  onStart((signal) => child.kill(signal));
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const after = listRights(sandbox);
  const ending = `${env.GITHUB_RUN_ID}.json`;
  const ofRun = [...sandbox.github.files()].filter(([path]) => path.endsWith(ending));
  // A sync leaves a record of its delegates as well; what it did to them is in its own.
  const [, onBranch = ""] = ofRun.find(([path]) => path.includes("/runs/")) ?? ofRun[0] ?? [];
  return {
    code,
    stdout,
    stderr,
    summary: await folder.read(files.summary),
    record: readRecord(await folder.read(files.record).catch(() => "")),
    committed: readRecord(onBranch),
    requests: sandbox.requests.slice(firstRequest),
    added: after.filter((one) => !before.includes(one)),
    removed: before.filter((one) => !after.includes(one)),
  };
}

function readRecord(text: string): AnyRecord | null {
  const delegation = v.safeParse(delegationRecordSchema, parseJson(text));
  if (delegation.success) return delegation.output;
  const reading = parseRecord(text);
  return "record" in reading ? reading.record : null;
}

/** The membership changes that a run asked Webex for. */
export function listWrites({ requests }: Run): string[] {
  return requests
    .filter(isMembershipWrite)
    .map(({ method, path, body }) => `${method} ${path} ${JSON.stringify(body ?? null)}`);
}
