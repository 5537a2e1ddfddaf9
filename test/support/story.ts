import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Exchange } from "../../sandbox/http.ts";
import type { Organisation } from "../../sandbox/organisation.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import type { RoomRecord, RunRecord } from "../../src/membership/record.ts";
import { roomsFile } from "./organisations.ts";
import { createFolder, type Folder, type OnStart, type RunResult } from "./run-rollcall.ts";
import { assertNoSecret } from "./secrets.ts";

/** All that one run of the command left behind. */
export interface Ending extends RunResult {
  readonly record: RunRecord;
  /** The step's outputs, by name. */
  readonly outputs: Readonly<Record<string, string>>;
  /** The step's summary. */
  readonly summary: string;
  /** What the record says of each room, by title; see `summarise`. */
  readonly rooms: Readonly<Record<string, RoomSummary>>;
  /** The requests of this run. */
  readonly requests: readonly Exchange[];
  /** The membership writes of this run, as `add ann to NOC: 200`, sorted. */
  readonly writes: readonly string[];
  /** How many commits this run made. */
  readonly commits: number;
}

/** A room's record in names: empty lists are left out, reasons follow a colon. */
export interface RoomSummary {
  readonly members: string;
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly held?: readonly string[];
  readonly failed?: readonly string[];
  readonly kept?: readonly string[];
  readonly missing?: readonly string[];
  readonly frozen?: string;
}

/** Where a run happens, beside the story's own folder and sandbox. */
export interface RunOptions {
  /** More variables, or other values for those of a workflow run; an empty value removes one. */
  readonly env?: Readonly<Record<string, string>>;
  /** On a person's machine: no GitHub, the refresh token in `token`. Default: on GitHub. */
  readonly local?: boolean;
  readonly onStart?: OnStart;
}

/** An organisation, a user's folder, and the real command between them. */
export interface Story extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: Folder;
  /** Runs a command with `--json`; the record must have been written. */
  run(args: readonly string[], options?: RunOptions): Promise<Ending>;
}

/** Starts a sandbox with this organisation, and makes a folder with these lines of rooms.csv below the header. */
export async function startStory(
  organisation: Organisation,
  rows: readonly string[],
  options: SandboxOptions = {},
): Promise<Story> {
  const csv = roomsFile(rows);
  // The folder is a checkout: a run on a runner asks GitHub whether it is the newest.
  const files = { "mappings/rooms.csv": csv, ...options.github?.files };
  const sandbox = await startSandbox(organisation, { ...options, github: { ...options.github, files } });
  const folder = await createFolder(csv);
  const name = createNames(sandbox, organisation);

  async function run(args: readonly string[], options: RunOptions = {}): Promise<Ending> {
    const before = { requests: sandbox.requests.length, commits: sandbox.github.commits.length };
    const files = { record: "record.json", outputs: ".outputs", summary: ".summary.md" };
    for (const file of Object.values(files)) await rm(join(folder.path, file), { force: true });
    for (const file of [files.outputs, files.summary]) await folder.write(file, "");
    const env = options.local
      ? sandbox.environment({ WEBEX_TOKEN_FILE: "token", ...options.env })
      : sandbox.githubEnvironment({
          GITHUB_OUTPUT: join(folder.path, files.outputs),
          GITHUB_STEP_SUMMARY: join(folder.path, files.summary),
          ...options.env,
        });
    const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
    const result = await folder.run([...args, "--json", files.record], given, options.onStart);
    const commits = sandbox.github.commits
      .slice(before.commits)
      .flatMap(({ oid, message, paths, files }) => [
        [oid, message] as const,
        ...paths.map((path) => [`${oid}:${path}`, files.get(path) ?? ""] as const),
      ]);
    assertNoSecret(new Map(commits), sandbox.secrets());
    // As the workflows do, whatever became of the run.
    const owed = await folder.read("record.owed.json").catch(() => null);
    if (owed !== null) {
      const upload = { name: "rollcall-owed", file: "record.owed.json", text: owed };
      sandbox.github.uploadArtifact({ ...upload, runId: given.GITHUB_RUN_ID ?? "" });
      await rm(join(folder.path, "record.owed.json"));
    }
    const requests = sandbox.requests.slice(before.requests);
    const record = await folder.readRecord().catch(() => assert.fail(`no record; stderr: ${result.stderr}`));
    return {
      ...result,
      record,
      outputs: parseOutputs(await folder.read(files.outputs)),
      summary: await folder.read(files.summary),
      rooms: Object.fromEntries(record.rooms.map((room) => [room.title, summarise(room)])),
      requests,
      writes: requests.filter(isMembershipWrite).map(name.write).sort(),
      commits: sandbox.github.commits.length - before.commits,
    };
  }

  return {
    sandbox,
    folder,
    run,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

function summarise(room: RoomRecord): RoomSummary {
  const { added, removed, held, failed, kept, missing, frozen } = room;
  const lists = {
    added: added.map((person) => person.displayName),
    removed: removed.map((person) => person.displayName),
    held: held.map((person) => `${person.displayName}: ${person.reason}`),
    failed: failed.map((person) => `${person.action} ${person.displayName}: ${person.error}`),
    kept: kept.map((person) => `${person.displayName}: ${person.reason}`),
    missing: missing.map((person) => person.displayName),
  };
  return {
    members: `${room.before ?? "?"} → ${room.after ?? "?"}`,
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(frozen === undefined ? {} : { frozen }),
  };
}

/** True for a request that would change who is in a room or a team. */
export function isMembershipWrite({ half, method, path }: Exchange): boolean {
  return half === "webex" && method !== "GET" && path.includes("memberships");
}

/** Reads a step's outputs as the runner does: `name<<delimiter`, the value's lines, the delimiter. */
export function parseOutputs(text: string): Record<string, string> {
  const entries = text.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...entries].map(([, name, , value]) => [name, value]));
}

/** Tells a request by the keys and titles of the organisation instead of ids. */
export function createNames(sandbox: Sandbox, { people, rooms }: Organisation) {
  const keyOf = (id: string) => Buffer.from(id, "base64url").toString().split("/").at(-1) ?? "";
  const titles = new Map(rooms.map(({ title }) => [keyOf(sandbox.roomId(title)), title]));
  const keys = new Map(people.map(({ key }) => [keyOf(sandbox.personId(key)), key]));
  return {
    write({ method, path, body, status }: Exchange): string {
      const fields = Object(body) as { personId?: string; roomId?: string; teamId?: string };
      const ended = keyOf(decodeURIComponent(path.split("/").at(-1) ?? "")).split(":");
      const place = fields.roomId ?? fields.teamId;
      const [person = "", room = ""] =
        method === "POST" ? [keyOf(fields.personId ?? ""), keyOf(place ?? "")] : ended;
      const verb = method === "POST" ? "add" : "remove";
      const via = path.startsWith("/team/") ? " by the team" : "";
      const preposition = verb === "add" ? "to" : "from";
      return `${verb} ${keys.get(person)} ${preposition} ${titles.get(room)}${via}: ${status ?? "no answer"}`;
    },
  };
}
