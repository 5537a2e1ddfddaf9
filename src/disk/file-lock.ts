import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, readlink, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { parseJson } from "../lib/json.ts";
import { errorMessage } from "../lib/text.ts";

/** How a lock waits; every default is what production uses. */
export interface LockOptions {
  /** How long to wait for a holder that lives before giving up. */
  readonly waitMs?: number;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly now?: () => number;
}

/** Who holds a lock. A number alone says nothing: it is given out again, and every container counts for itself. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells this holding from every other. */
  readonly nonce: string;
  /** The boot and the namespace in which `pid` counts; null where the system does not tell. */
  readonly space: string | null;
  /** When the process began, in ticks since the boot; null where the system does not tell. */
  readonly startTicks: string | null;
}

/** A lock as it is found; `beat` changes as long as its holder lives. */
interface Found {
  readonly holder: Holder | null;
  readonly beat: number;
}

const pollMs = 200;

/** A holder touches its lock this often, */
const beatMs = 5000;
/** and is dead when it has not for this long: so long as somebody waits and watches, whatever the clocks say. */
const silenceMs = 20_000;

/** Nobody needs a lock for as long as this; it bounds what a lock that nobody has watched can block. */
const longestHoldMs = 10 * 60_000;

/**
 * Does the work while holding a lock file, which only one process can create. A lock whose holder is dead, or does
 * not touch it any longer, is taken away; the holder of a living one is waited for.
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
    // Only our own: after a silence beyond all measure the lock may be somebody else's.
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
    // Let go just now.
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
    // The next beat may succeed; a lock that none reaches is taken away by those who wait.
  } finally {
    await file?.close();
  }
}

/** The lock as it is now; null when there is none. A holder that cannot be read is unknown. */
async function find(path: string): Promise<Found | null> {
  // Read before it is dated: a network's file system looks for news when a file is opened.
  try {
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") throw error;
      // Another user's: it cannot be read, but watched.
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

/** Only where process numbers are counted as they are here, a number says who is alive. */
async function isDead(holder: Holder | null): Promise<boolean> {
  if (!holder?.space || !holder.startTicks) return false;
  if ((await identify("self")).space !== holder.space) return false;
  return (await identify(String(holder.pid))).startTicks !== holder.startTicks;
}

/** What tells a process from all others, by Linux's own books; elsewhere nothing does. */
async function identify(process: string): Promise<Pick<Holder, "space" | "startTicks">> {
  try {
    const [boot, namespace, status] = await Promise.all([
      readFile("/proc/sys/kernel/random/boot_id", "utf8"),
      readlink("/proc/self/ns/pid"),
      readFile(`/proc/${process}/stat`, "utf8").catch(() => ""),
    ]);
    // The name, in parentheses, may hold anything; the start is the 20th field after it.
    const startTicks = status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? null;
    return { space: `${boot.trim()} ${namespace}`, startTicks };
  } catch {
    return { space: null, startTicks: null };
  }
}

/**
 * Removes an abandoned lock. Two that wait may both have seen it, and the first may hold a new one already: it is
 * moved aside, which only one of them can do, and put back if it turns out to be a new one.
 */
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
