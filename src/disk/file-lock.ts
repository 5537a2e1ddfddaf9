import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { errorMessage } from "../lib/text.ts";

/** How a lock waits; every default is what production uses. */
export interface LockOptions {
  /** How long to wait for a holder that lives before giving up. */
  readonly waitMs?: number;
  readonly sleep?: (ms: number) => Promise<unknown>;
  readonly now?: () => number;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells this holding from every other. */
  readonly nonce: string;
}

const pollMs = 200;

/** Nobody needs a lock for as long as this; it bounds what a process id that was given out again can block. */
const longestHoldMs = 10 * 60_000;

/**
 * Does the work while holding a lock file, which only one process can create. A lock whose holder is dead, or that is
 * older than any work could last, is taken away; the holder of a living one is waited for.
 * @throws when the folder cannot be written, or the holder does not let go in time.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const own: Holder = { pid: process.pid, host: hostname(), nonce: randomBytes(8).toString("hex") };
  await acquire(path, own, options);
  try {
    return await work();
  } finally {
    // Only our own: after a hold beyond all measure the lock may be somebody else's.
    if ((await readHolder(path))?.nonce === own.nonce) await rm(path, { force: true });
  }
}

async function acquire(path: string, own: Holder, options: LockOptions): Promise<void> {
  const sleep = options.sleep ?? delay;
  const waitMs = options.waitMs ?? 3 * 60_000;
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    if (await create(path, own)) return;
    const holder = await readHolder(path);
    if (await isAbandoned(path, holder, options.now ?? Date.now)) {
      await takeAway(path, holder);
      continue;
    }
    if (waitedMs >= waitMs) {
      const who = holder ? `process ${holder.pid} on ${holder.host}` : "another process";
      throw new Error(`${path} is held by ${who}; wait until that run has ended`);
    }
    await sleep(pollMs);
  }
}

/** Appears with its content or not at all, so that nobody sees a lock without a holder. */
async function create(path: string, own: Holder): Promise<boolean> {
  const draft = `${path}.${own.nonce}`;
  try {
    const file = await open(draft, "wx", 0o600);
    await file.writeFile(JSON.stringify(own)).finally(() => file.close());
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    const said = errorMessage(error);
    throw new Error(`the lock ${path} cannot be made: ${said}; make its folder writable for this user`);
  } finally {
    await rm(draft, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | null> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, "utf8"));
    return isHolder(holder) ? holder : null;
  } catch {
    return null;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== "object" || value === null) return false;
  return "pid" in value && Number.isInteger(value.pid) && "host" in value && "nonce" in value;
}

async function isAbandoned(path: string, holder: Holder | null, now: () => number): Promise<boolean> {
  if (holder?.host === hostname() && !isAlive(holder.pid)) return true;
  const found = await stat(path).catch(() => null);
  return found !== null && now() - found.mtimeMs > longestHoldMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it, so it is there.
    return codeOf(error) === "EPERM";
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
    const moved = await readHolder(aside);
    if (moved?.nonce !== abandoned?.nonce) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
