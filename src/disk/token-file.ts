import { chmod, mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { errorMessage } from "../lib/text.ts";
import type { SaveOutcome, TokenStore } from "../token/store.ts";
import { type LockOptions, withFileLock } from "./file-lock.ts";

const ownerOnly = 0o600;

/** Room for any token, reserved before the refresh: a disk that is full afterwards can do no harm. */
const reservedBytes = 4096;

/**
 * Keeps the refresh token in a file that only its owner may read. While the file does not exist, `seed` stands in
 * for it: the first run stores it there. The new token is written to a neighbour, synced and renamed; a neighbour
 * that a crash left complete is the newer token, and is moved into place by the next run. One process at a time:
 * `<path>.lock` is the lock, `<path>.next` the neighbour.
 */
export function createTokenFile(
  path: string,
  seed: string | null,
  lockOptions: LockOptions = {},
): TokenStore {
  let file = path;
  const next = () => `${file}.next`;
  let isReserved = false;
  return {
    async exclusively(work) {
      // A link stays a link: what it leads to is replaced.
      file = await realpath(path).catch(() => path);
      await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
        throw cannotWrite(file, error);
      });
      const workAndTidy = async () => {
        try {
          return await work();
        } finally {
          if (isReserved) await rm(next(), { force: true });
        }
      };
      return await withFileLock(`${file}.lock`, workAndTidy, lockOptions);
    },
    async load() {
      await adoptNext(file, next());
      const text = await readText(file);
      const refreshToken = text?.trim() || seed;
      if (!refreshToken)
        throw new Error(`the token file ${path} holds no refresh token; npm run login gets the first one`);
      if (/\s/.test(refreshToken))
        throw new Error(`the token file ${path} must hold the refresh token and nothing else`);
      return { refreshToken, isStored: Boolean(text?.trim()) };
    },
    // Read from the store itself, under its lock: never stale.
    dateCopy: () => Promise.resolve(null),
    async prove() {
      try {
        await reserve(next());
        isReserved = true;
        await chmod(file, ownerOnly).catch(ignoreAbsence);
      } catch (error) {
        throw cannotWrite(file, error);
      }
    },
    async save(refreshToken): Promise<SaveOutcome> {
      try {
        isReserved = false;
        await fill(next(), refreshToken);
        await rename(next(), file);
        await syncFolder(dirname(file));
        return { stored: true };
      } catch (error) {
        return { stored: false, reason: describe(file, error), recovery: recover(file, next()) };
      }
    },
  };
}

/** A neighbour that holds a whole token was written after a refresh, by a run that died before it could rename it. */
async function adoptNext(file: string, next: string): Promise<void> {
  const text = await readText(next);
  if (text === null) return;
  if (/^\S+\n *$/.test(text)) await rename(next, file);
  else await rm(next, { force: true });
}

/** Blanks are never taken for a token. */
async function reserve(next: string): Promise<void> {
  await rm(next, { force: true });
  const handle = await open(next, "wx", ownerOnly);
  try {
    await handle.writeFile(" ".repeat(reservedBytes));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Within the reserved room: a file that does not grow cannot meet a full disk. */
async function fill(next: string, refreshToken: string): Promise<void> {
  const bytes = Buffer.from(`${refreshToken}\n`);
  const handle = await open(next, "r+");
  try {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.sync();
    // Whoever finds it before this finds the token and blanks.
    await handle.truncate(bytes.length);
  } finally {
    await handle.close();
  }
}

/** The rename itself outlives a power cut only once its folder is synced; not every system can do that. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function readText(path: string): Promise<string | null> {
  return await readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return null;
    throw new Error(`the token file ${path} cannot be read: ${errorMessage(error)}`);
  });
}

function recover(file: string, next: string) {
  return {
    advice: `If ${next} holds a token, it is the new one: move it into place, or log in again (npm run login)`,
    facts: [],
    command: `mv ${next} ${file}`,
  };
}

function cannotWrite(file: string, error: unknown): Error {
  return new Error(`${describe(file, error)}. Nothing was refreshed; make the folder writable for this user`);
}

function describe(file: string, error: unknown): string {
  return `the token file's folder ${dirname(file)} cannot be written: ${errorMessage(error)}`;
}

function ignoreAbsence(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
