import * as v from "valibot";
import type { Exchange } from "../../sandbox/http.ts";
import { type DelegationRecord, delegationRecordSchema } from "../../src/delegation/record.ts";
import { parseJson } from "../../src/lib/json.ts";
import { parseRecord, type RunRecord } from "../../src/membership/record.ts";
import { connect, runProduct } from "../simulation/product.ts";
import { isMembershipWrite } from "../support/story.ts";
import { environment, listRights, type Story } from "./story.ts";

const files = { record: "record.json", owed: "record.owed.json", summary: "summary.md" } as const;

export type AnyRecord = RunRecord | DelegationRecord;

/** What one run left behind. */
export interface Run {
  /** Null when it did not end by itself. */
  readonly code: number | null;
  /** All that it wrote to its terminal. */
  readonly log: string;
  readonly summary: string;
  /** What `--json` wrote; null when that is no record. */
  readonly record: AnyRecord | null;
  /** The record of this run on the branch. */
  readonly committed: AnyRecord | null;
  readonly requests: readonly Exchange[];
  /** Requests that left for another origin. */
  readonly strays: readonly string[];
  /** Who is in which space and who may schedule for whom since, and who no longer. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Ends the run: in order, or at once. */
export type End = (signal: "SIGTERM" | "SIGKILL") => void;

/** Runs a command as a step of a workflow, with what is stored at this moment; `onStart` is given a way to end it. */
export async function runCommand(
  story: Story,
  args: readonly string[],
  onStart: (end: End) => void = () => undefined,
): Promise<Run> {
  const { sandbox, machine, disk, random, receive } = story;
  for (const file of Object.values(files)) disk.put(file, null);
  for (const file of disk.list("reports")) disk.put(file, null);
  for (const [path, text] of sandbox.github.files()) disk.put(path, text);
  // Runs are at different times, as the date of a secret has whole seconds.
  machine.now += 60_000;
  const firstRequest = sandbox.requests.length;
  const before = listRights(sandbox);
  const env = sandbox.githubEnvironment({
    WEBEX_ENVIRONMENT: environment,
    GITHUB_ACTIONS: "true",
    GITHUB_EVENT_NAME: "workflow_dispatch",
    GITHUB_REF: "refs/heads/main",
    GITHUB_STEP_SUMMARY: files.summary,
  });
  const strays: string[] = [];
  connect({
    machine,
    random,
    receive: (arrival) => {
      if (arrival.origin !== sandbox.url) strays.push(`${arrival.method} ${arrival.origin}${arrival.target}`);
      return receive(arrival);
    },
  });
  const lines: string[] = [];
  const tell = (text: string) => {
    lines.push(text);
  };
  const stop = new AbortController();
  let killAt = 0;
  onStart((signal) => {
    if (signal === "SIGTERM") stop.abort();
    else killAt = (machine.process?.steps ?? 0) + 1;
  });
  const { end } = await machine.run(
    () => runProduct([...args, "--json", files.record], env, stop, { print: tell, log: tell }),
    {
      get killAt() {
        return killAt;
      },
      stopAt: 0,
      stop: () => undefined,
    },
  );
  if (end.kind === "threw") lines.push(String(end.error));
  const after = listRights(sandbox);
  const ending = `${env.GITHUB_RUN_ID}.json`;
  const ofRun = [...sandbox.github.files()].filter(([path]) => path.endsWith(ending));
  // A sync leaves a record of its delegates as well; what it did to them is in its own.
  const [, onBranch = ""] = ofRun.find(([path]) => path.includes("/runs/")) ?? ofRun[0] ?? [];
  return {
    code: end.kind === "ended" ? end.code : null,
    log: lines.join("\n"),
    summary: disk.get(files.summary) ?? "",
    record: readRecord(disk.get(files.record) ?? ""),
    committed: readRecord(onBranch),
    requests: sandbox.requests.slice(firstRequest),
    strays,
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
