import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { gate } from "../lib/redact.ts";

/**
 * Replaces a file so that a reader, or a crash, sees either the old text or the new one: a neighbour is written,
 * synced and renamed. Folders are made as needed. No secret gets into it.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await replace(path, gate.clean(text), 0o644);
}

/** The same for a file that is there to hold a secret, and that only this user may read. */
export async function replaceSecretFile(path: string, secret: string): Promise<void> {
  await replace(path, secret, 0o600);
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const neighbour = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(neighbour, "wx", mode);
    try {
      await file.writeFile(text);
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
