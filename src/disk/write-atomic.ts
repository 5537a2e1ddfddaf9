import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gate } from "../lib/redact.ts";
import { errorMessage } from "../lib/text.ts";

/** Replaces a file so that a reader or a crash sees the old or the new text; for no secret. @throws naming the file. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await naming(path, () => replace(path, gate.clean(text), 0o644));
}

/** The same for a secret, in a file that only this user may read. */
export async function replaceSecretFile(path: string, secret: string): Promise<void> {
  await naming(path, () => replace(path, secret, 0o600));
}

/** Proves that `replaceFile` can write this file, and leaves nothing new behind. @throws naming the file. */
export async function proveFile(path: string): Promise<void> {
  await naming(path, async () => {
    if (await isFile(path)) await replace(path, await readFile(path), 0o644);
    else await proveFolder(dirname(path));
  });
}

/** Proves that files can be made in this folder, and makes it. @throws naming a file in it. */
export async function proveFolder(path: string): Promise<void> {
  const probe = nameNeighbour(join(path, "probe"));
  await naming(probe, async () => {
    await mkdir(path, { recursive: true });
    await (await open(probe, "wx")).close();
    await rm(probe);
  });
}

async function replace(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await isFile(path);
  await mkdir(dirname(path), { recursive: true });
  const neighbour = nameNeighbour(path);
  try {
    const file = await open(neighbour, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(neighbour, path);
  } catch (error) {
    await rm(neighbour, { force: true });
    throw error;
  }
}

/** @throws for what is there and is not a file: a device would be renamed over. */
async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found !== null && !found.isFile())
    throw new Error(found.isDirectory() ? "it is a folder" : "it is not a file");
  return found !== null;
}

function nameNeighbour(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

class Unwritable extends Error {}

async function naming(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Unwritable) throw error;
    throw new Unwritable(`${path} cannot be written: ${errorMessage(error)}`, { cause: error });
  }
}
