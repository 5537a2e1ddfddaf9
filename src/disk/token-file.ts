import { createHash } from "node:crypto";
import {
  chmod,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { errorMessage } from "../lib/text.ts";
import type { SaveOutcome, TokenStore } from "../token/store.ts";
import { type LockOptions, LockRefused, withFileLock } from "./file-lock.ts";

const ownerOnly = 0o600;

/** Room for any token, reserved before the refresh: a disk that is full afterwards can do no harm. */
const reservedBytes = 4096;

type Way = "replace" | "in place";

/**
 * Keeps the refresh token in a file that only its owner may read; until it exists, `seed` stands in for it. The new
 * token goes to `<path>.next`, is synced and renamed; a file that cannot be replaced (a mount) is written in place.
 * The next run adopts a whole neighbour that is younger than the file, and keeps the other as `<path>.previous`.
 */
export function createTokenFile(
  path: string,
  seed: string | null,
  lockOptions: LockOptions = {},
): TokenStore {
  let file = path;
  let way: Way | null = null;
  let unpadded: Buffer | null = null;
  const next = () => `${file}.next`;

  const tidy = async () => {
    if (way === "replace") await rm(next(), { force: true });
    if (unpadded !== null) await overwrite(file, unpadded, unpadded.length);
    way = unpadded = null;
  };

  return {
    async exclusively(work) {
      // A link stays a link: what it leads to is replaced.
      file = await realpath(path).catch(() => path);
      await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
        throw new Error(
          `the token file's folder ${dirname(file)} cannot be made: ${errorMessage(error)}. Nothing was refreshed`,
        );
      });
      const workOnNewest = async () => {
        await adoptNext(file, next());
        try {
          return await work();
        } finally {
          await tidy();
        }
      };
      return await withSomeLock(file, workOnNewest, lockOptions);
    },
    async load() {
      const text = await readText(file);
      const refreshToken = text?.trim() || seed;
      if (!refreshToken)
        throw new Error(`the token file ${path} holds no refresh token; npm run login gets the first one`);
      if (/\s/.test(refreshToken))
        throw new Error(`the token file ${path} must hold the refresh token and nothing else`);
      return { refreshToken, isStored: Boolean(text?.trim()) };
    },
    dateCopy: () => Promise.resolve(null),
    credentialEnd: () => null,
    async prove() {
      await tidy();
      // Where there are no modes, or they are another's to change, the token is still stored.
      await chmod(file, ownerOnly).catch(() => undefined);
      const replacing = await tryOut(() => proveReplacing(file, next()));
      if (replacing === null) {
        way = "replace";
        return;
      }
      // What was made on the way contains the token, and a later run must not find it.
      await rm(next(), { force: true }).catch(() => undefined);
      const writing = await tryOut(async () => {
        unpadded = await readFile(file);
        await overwrite(file, unpadded, Math.max(unpadded.length, reservedBytes));
      });
      if (writing === null) {
        way = "in place";
        return;
      }
      unpadded = null;
      throw new Error(
        `the token file ${file} can neither be replaced (${replacing}) nor written in place (${writing}). Nothing was refreshed`,
      );
    },
    async save(refreshToken): Promise<SaveOutcome> {
      const bytes = Buffer.from(`${refreshToken}\n`);
      const replace = async () => {
        await fill(next(), bytes);
        await rename(next(), file);
        await syncFolder(dirname(file));
      };
      const writeInPlace = async () => {
        await overwrite(file, bytes, reservedBytes);
        await overwrite(file, bytes, bytes.length);
      };
      const faults: string[] = [];
      // What was proved comes first; if it fails nevertheless, the other one may work.
      for (const attempt of way === "in place" ? [writeInPlace, replace] : [replace, writeInPlace]) {
        const fault = await tryOut(attempt);
        if (fault === null) {
          unpadded = null;
          return { stored: true };
        }
        faults.push(fault);
      }
      // Neither what is in the neighbour now nor what is in the file may be tidied away.
      way = unpadded = null;
      const reason = `the token file ${file} could not be written: ${faults.join("; ")}`;
      return { stored: false, reason, recovery: await saveElsewhere(file, bytes) };
    },
  };
}

async function withSomeLock<T>(file: string, work: () => Promise<T>, options: LockOptions): Promise<T> {
  const name = createHash("sha256").update(file).digest("hex").slice(0, 16);
  for (const lock of [`${file}.lock`, join(tmpdir(), `rollcall-${name}.lock`)]) {
    try {
      return await withFileLock(lock, work, options);
    } catch (error) {
      if (!(error instanceof LockRefused)) throw error;
    }
  }
  return await work();
}

/** A whole neighbour was written after a refresh, by a run that died before the rename. Both were tokens: keep both. */
async function adoptNext(file: string, next: string): Promise<void> {
  const text = await readText(next);
  if (text === null) return;
  if (!/^\S+\s*$/.test(text)) {
    await rm(next, { force: true });
    return;
  }
  const previous = `${file}.previous`;
  const held = await readText(file);
  if (held?.trim()) {
    const [{ mtimeMs: heldSince }, { mtimeMs: nextSince }] = await Promise.all([stat(file), stat(next)]);
    if (nextSince <= heldSince) return await rename(next, previous);
    await makeAnew(previous, Buffer.from(held));
  }
  const replacing = await tryOut(() => rename(next, file));
  if (replacing === null) return;
  const bytes = Buffer.from(text);
  await overwrite(file, bytes, bytes.length);
  await rm(next, { force: true });
}

/** Does what storing will do, with a copy of the file, and leaves the neighbour with room for the new token. */
async function proveReplacing(file: string, next: string): Promise<void> {
  const held = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  });
  await makeAnew(next, held === null ? Buffer.from(" ") : await readFile(file));
  // As old as it was: a neighbour that a crash leaves later on must be younger.
  if (held !== null) await utimes(next, held.atime, held.mtime).catch(() => undefined);
  await rename(next, file);
  if (held === null) await rm(file);
  await makeAnew(next, Buffer.alloc(reservedBytes, " "));
}

async function makeAnew(path: string, bytes: Buffer): Promise<void> {
  await rm(path, { force: true });
  await withFile(path, "wx", async (handle) => {
    await handle.writeFile(bytes);
    await handle.sync();
  });
}

/** Within the reserved room: a file that does not grow cannot meet a full disk. */
async function fill(next: string, bytes: Buffer): Promise<void> {
  await withFile(next, "r+", async (handle) => {
    await handle.writeFile(bytes);
    await handle.sync();
    await handle.truncate(bytes.length);
  });
}

async function overwrite(file: string, bytes: Buffer, size: number): Promise<void> {
  await withFile(file, "r+", async (handle) => {
    const padding = Buffer.alloc(Math.max(0, size - bytes.length), " ");
    await handle.writeFile(Buffer.concat([bytes, padding]));
    await handle.sync();
    await handle.truncate(bytes.length + padding.length);
  });
}

async function withFile(
  path: string,
  flags: string,
  work: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(path, flags, ownerOnly);
  try {
    await work(handle);
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

async function saveElsewhere(file: string, bytes: Buffer) {
  try {
    const place = join(await mkdtemp(join(tmpdir(), "rollcall-")), "refresh-token");
    await writeFile(place, bytes, { mode: ownerOnly });
    const advice = `The new refresh token is in ${place}, which only this user may read: move it into place`;
    return { advice, facts: [], command: `cat '${place}' > '${file}' && rm '${place}'` };
  } catch {
    const advice = `If ${file}.next holds a token, it is the new one: move it into place, or log in again (npm run login)`;
    return { advice, facts: [], command: `mv '${file}.next' '${file}'` };
  }
}

async function tryOut(work: () => Promise<void>): Promise<string | null> {
  return await work().then(
    () => null,
    (error: unknown) => errorMessage(error),
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
