import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Organisation } from "../../sandbox/organisation.ts";
import {
  createSandbox,
  type DetachedSandbox,
  type Sandbox,
  type SandboxOptions,
} from "../../sandbox/server.ts";
import { gate } from "../../src/lib/redact.ts";
import { errorMessage } from "../../src/lib/text.ts";
import type { Stage } from "../simulation/globals.ts";
import { connect, enterStage, leaveStage, root, runProduct } from "../simulation/product.ts";
import type { Folder, OnStart, RunResult } from "../support/run-rollcall.ts";
import { assertNoSecret, listSecrets, withoutMasks } from "../support/secrets.ts";

// What the tests of test/scenarios are given in the place of a process for each run, a folder and a port: the same
// commands in this process, a disk in memory and a sandbox without a server, in virtual time.

/** What one test has: its folders, its sandboxes, and the run that is under way. */
interface Play extends Stage {
  readonly sandboxes: Map<string, DetachedSandbox>;
  folders: number;
  last: Promise<unknown>;
}

let current: Play | null = null;

function playNow(): Play {
  if (current === null) throw new Error("no test is on the stage");
  return current;
}

// The runner's outputs are written at once.
const { appendFileSync, existsSync } = fs;
const isVirtual = (path: unknown): path is string =>
  current !== null && typeof path === "string" && (!path.startsWith("/") || path.startsWith(root));
Object.assign(fs, {
  existsSync: (path: fs.PathLike) => (isVirtual(path) ? playNow().disk.get(path) !== null : existsSync(path)),
  appendFileSync: (path: fs.PathLike, text: string) =>
    isVirtual(path) ? playNow().disk.operate("appendFile", [path, text]) : appendFileSync(path, text),
});
syncBuiltinESMExports();

// What a test asks a sandbox itself.
const { fetch } = globalThis;
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  const { origin, pathname, search } = new URL(request.url);
  const sandbox = current?.sandboxes.get(origin);
  if (sandbox === undefined) return await fetch(request);
  const { method, headers } = request;
  const { head, content } = await sandbox.receive({
    method,
    origin,
    target: pathname + search,
    headers: Object.fromEntries(headers),
    readBody: () => request.text(),
  });
  return new Response(content.length > 0 ? Buffer.from(content) : null, { status: head?.status ?? 502 });
};

/** Runs one test with a disk of its own; afterwards this process has its clock and its disk back. */
export async function onStage(test: () => Promise<void>): Promise<void> {
  const stage = await enterStage(1, Date.now());
  current = { ...stage, sandboxes: new Map(), folders: 0, last: Promise.resolve() };
  try {
    await test();
  } finally {
    await current.last;
    current = null;
    leaveStage();
  }
}

/** A sandbox without a port: `run` brings it the requests. */
export async function startSandbox(
  organisation: Organisation,
  options: SandboxOptions = {},
): Promise<Sandbox> {
  const { sandboxes } = playNow();
  const url = `http://127.0.0.1:${8080 + sandboxes.size}`;
  const detached = await createSandbox(url, organisation, options);
  sandboxes.set(url, detached);
  return Object.assign(detached.sandbox, { [Symbol.asyncDispose]: () => Promise.resolve() });
}

/** A folder on the disk in memory. */
export async function createFolder(rooms?: string): Promise<Folder> {
  const play = playNow();
  const { disk } = play;
  play.folders += 1;
  const path = `${root}/folder${play.folders}`;
  disk.operate("mkdir", [path, { recursive: true }]);
  const folder: Folder = {
    path,
    async write(file, text) {
      disk.operate("mkdir", [dirname(join(path, file)), { recursive: true }]);
      disk.operate("writeFile", [join(path, file), text]);
    },
    read: async (file) => String(disk.operate("readFile", [join(path, file), "utf8"])),
    async remove(file) {
      const place = join(path, file);
      for (const one of disk.list(place)) disk.put(one, null);
      disk.put(place, null);
    },
    run(args, env = {}, onStart = () => undefined) {
      // One at a time: they share what a process has once.
      const run = play.last.then(() => runHere(path, args, env, onStart));
      play.last = run.catch(() => undefined);
      return run;
    },
    readRecord: async () => JSON.parse(await folder.read("record.json")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  if (rooms !== undefined) await folder.write("mappings/rooms.csv", rooms);
  return folder;
}

async function runHere(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onStart: OnStart,
): Promise<RunResult> {
  const { machine, disk, random, sandboxes } = playNow();
  disk.folder = path;
  machine.now += 1000;
  connect({
    machine,
    random,
    receive: (arrival) =>
      sandboxes.get(arrival.origin)?.receive(arrival) ??
      Promise.resolve({ head: null, content: new Uint8Array(), isCut: true }),
  });
  let stdout = "";
  let stderr = "";
  const print = (text: string) => {
    stdout += `${gate.clean(text)}\n`;
  };
  const log = (text: string) => {
    stderr += `${gate.clean(text)}\n`;
  };
  const stop = new AbortController();
  let killAt = 0;
  onStart((signal) => {
    if (signal === "SIGKILL") killAt = (machine.process?.steps ?? 0) + 1;
    else {
      log(`${signal}: nothing new begins`);
      stop.abort();
    }
  }, null);
  const { write } = process.stdout;
  process.stdout.write = (text: string | Uint8Array) => {
    stdout += text;
    return true;
  };
  process.env.GITHUB_OUTPUT = env.GITHUB_OUTPUT ?? "/dev/null";
  const { end } = await machine.run(() => runProduct(args, env, stop, { print, log }), {
    get killAt() {
      return killAt;
    },
    stopAt: 0,
    stop: () => undefined,
  });
  process.stdout.write = write;
  if (end.kind === "never ended") throw new Error(end.why);
  if (end.kind === "threw") log(errorMessage(end.error));
  const code = { ended: "code" in end ? end.code : null, threw: 1, killed: null }[end.kind];
  const held = ["token", "refresh-token", basename(env.WEBEX_TOKEN_FILE ?? "refresh-token")];
  const files = disk.list(path).filter((file) => !held.includes(basename(file)));
  const texts = files.map((file) => [file, disk.get(file) ?? ""] as const);
  assertNoSecret(new Map([["stdout", withoutMasks(stdout)], ["stderr", stderr], ...texts]), listSecrets(env));
  return { code, stdout, stderr };
}
