import { readFile } from "node:fs/promises";
import type { Context } from "../cli/context.ts";
import { findInRepository } from "../config/paths.ts";
import type { BranchFiles } from "../github/branch-files.ts";
import { errorMessage } from "../lib/text.ts";

/** Reads a file that people wrote; null where there is none. */
export type ReadInput = (file: string) => Promise<Buffer | null>;

/** Where the files that people wrote are read from. */
export interface NewestFiles {
  readonly read: ReadInput;
  /** Says which of the files that were read the checkout holds otherwise. */
  describe(): readonly string[];
}

/** Reads a file of this machine; null where there is none. @throws when it cannot be read. */
export async function readFromDisk(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new Error(`${file} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Opens the newest files: on a runner those at the head of the run's branch, because a checkout only says what they
 * were once; elsewhere, and outside of the repository, those on disk.
 * @throws when GitHub does not show the head.
 */
export async function openNewestFiles(context: Context): Promise<NewestFiles> {
  const { actions, settings, runner, log } = context;
  const { repository: access } = settings;
  if (!actions.isRunner || access === null) return { read: readFromDisk, describe: () => [] };
  runner.mask(access.token);
  const { readRunBranch, blobIdOf, unifyLineEnds } = await import("../github/branch-files.ts");
  const { refName: name, isBranch } = actions;
  const head = await readRunBranch(access, { name, isBranch }).catch(refuse);
  const differing = new Set<string>();

  async function read(file: string): Promise<Buffer | null> {
    const path = findInRepository(file);
    if (path === null) return await readFromDisk(file);
    const [checkedOut, blob] = await Promise.all([readFromDisk(file), head.findBlob(path).catch(refuse)]);
    if (checkedOut !== null && blob === blobIdOf(checkedOut)) return checkedOut;
    const newest = blob === null ? null : await readWhole(head, path).catch(refuse);
    const isSame =
      checkedOut === null || newest === null
        ? checkedOut === newest
        : unifyLineEnds(checkedOut).equals(unifyLineEnds(newest));
    if (!isSame) {
      differing.add(file);
      // In the log at once: what is wrong with the newest file may end the run.
      log(describeDiffering([file], head));
    }
    return newest;
  }
  return {
    read,
    describe: () => (differing.size === 0 ? [] : [describeDiffering([...differing].sort(), head)]),
  };
}

async function readWhole(head: BranchFiles, path: string): Promise<Buffer> {
  const contents = await head.read(path);
  if (contents.kind === "file") return contents.bytes;
  const why = contents.kind === "too-large" ? `it has ${contents.size} bytes` : contents.kind;
  throw new Error(`GitHub does not show ${path} (${why})`);
}

/** A run that does not know the newest files changes nothing. */
function refuse(error: unknown): never {
  throw new Error(
    `the newest files of the branch cannot be read, and those of the checkout may be older, so nothing was changed: ${errorMessage(error)}`,
    { cause: error },
  );
}

function describeDiffering(files: readonly string[], { branch, sha }: BranchFiles): string {
  const commit = sha.slice(0, 7);
  return files.length === 1
    ? `This checkout's ${files[0]} is not the one of ${branch}, which is at ${commit}; the run used the one of ${branch}.`
    : `This checkout's ${files.join(" and ")} are not those of ${branch}, which is at ${commit}; the run used those of ${branch}.`;
}
