import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, readlink, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseJson } from "../lib/json.ts";
import { errorMessage } from "../lib/text.ts";

export interface LockOptions {
  readonly waitMs?: number;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly now?: () => number;
}

/** A process number alone says nothing: it is given out again, and every container counts for itself. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly nonce: string;
  /** The boot and the namespace in which `pid` counts; null where the system does not tell. */
  readonly space: string | null;
  readonly startTicks: string | null;
}

interface Found {
  readonly holder: Holder | null;
  readonly beat: number;
}

const pollMs = 200;

const beatMs = 5000;
/** Measured while somebody waits and watches, so that no clock has to be right. */
const silenceMs = 20_000;

/** Nobody needs a lock for as long as this; it bounds what a lock that nobody has watched can block. */
const longestHoldMs = 10 * 60_000;

/**
 * Works while holding a lock file; takes over one whose holder is dead or silent, and waits for a living one.
 * @throws {LockRefused} when the folder does not take a lock; an error when the holder does not let go in time.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const nonce = randomBytes(8).toString("hex");
  const own: Holder = { pid: process.pid, host: hostname(), nonce, ...(await identify("self")) };
  await acquire(path, own, options);
  const beat = setInterval(() => void touch(path, own), beatMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    // Only our own: after a long silence the lock may be somebody else's.
    if ((await find(path))?.holder?.nonce === own.nonce) await rm(path, { force: true });
  }
}

/** The folder does not take a lock. */
export class LockRefused extends Error {
  override readonly name = "LockRefused";
}

async function acquire(path: string, own: Holder, options: LockOptions): Promise<void> {
  const { sleep = delay, now = Date.now, waitMs = 3 * 60_000 } = options;
  let seen: Found | null = null;
  let silentMs = 0;
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    if (await create(path, own)) return;
    const found = await find(path);
    if (found === null) continue;
    const isSame = found.beat === seen?.beat && found.holder?.nonce === seen.holder?.nonce;
    silentMs = isSame ? silentMs + pollMs : 0;
    seen = found;
    const isOld = silentMs >= silenceMs || now() - found.beat > longestHoldMs;
    if (isOld || (await isDead(found.holder))) {
      await takeAway(path, found.holder);
      continue;
    }
    if (waitedMs >= waitMs) {
      const who = found.holder ? `process ${found.holder.pid} on ${found.holder.host}` : "another process";
      throw new Error(`${path} is held by ${who}; wait until that run has ended`);
    }
    await sleep(pollMs);
  }
}

async function create(path: string, own: Holder): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw new LockRefused(`the lock ${path} cannot be made: ${errorMessage(error)}`, { cause: error });
  }
  await file.writeFile(JSON.stringify(own)).finally(() => file.close());
  return true;
}

/** Writes what is there already: that moves the time of change on every file system. */
async function touch(path: string, own: Holder): Promise<void> {
  const file = await open(path, "r+").catch(() => null);
  try {
    const text = JSON.stringify(own);
    if ((await file?.readFile("utf8")) === text) await file?.write(text, 0);
  } catch {
  } finally {
    await file?.close();
  }
}

async function find(path: string): Promise<Found | null> {
  // Read before it is dated: a network's file system looks for news when a file is opened.
  try {
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") throw error;
      // Another user's: unreadable, but it can be watched.
      return "";
    });
    const holder = parseJson(text);
    const { mtimeMs } = await stat(path);
    return { holder: isHolder(holder) ? holder : null, beat: mtimeMs };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null) return false;
  return "pid" in value && Number.isInteger(value.pid) && "host" in value && "nonce" in value;
}

/** A process number says who is alive only where processes are counted as they are here. */
async function isDead(holder: Holder | null): Promise<boolean> {
  if (!holder?.space || !holder.startTicks) return false;
  if ((await identify("self")).space !== holder.space) return false;
  return (await identify(String(holder.pid))).startTicks !== holder.startTicks;
}

async function identify(process: string): Promise<Pick<Holder, "space" | "startTicks">> {
  try {
    const [boot, namespace, status] = await Promise.all([
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readlink("/proc/self/ns/pid"),
      readFile(`/proc/${process}/stat`, "utf8").catch(() => ""),
    ]);
    // The name, in parentheses, may contain anything; the start is the 20th field after it.
    const startTicks = status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? null;
    return { space: `${boot.trim()} ${namespace}`, startTicks };
  } catch {
    return { space: null, startTicks: null };
  }
}

/** Two that wait may both have seen it: only one can move it aside, and it puts back a lock that is new. */
async function takeAway(path: string, abandoned: Holder | null): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await rename(path, aside);
    const moved = (await find(aside))?.holder ?? null;
    if (moved !== null && moved.nonce !== abandoned?.nonce) await create(path, moved);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw new Error(`${path} is left over from another run and cannot be removed: ${errorMessage(error)}`);
  } finally {
    await rm(aside, { force: true });
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
