import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Repository } from "../config/actions.ts";

const run = promisify(execFile);

/** The repository that the checkout in this folder comes from, as owner/name; null where that cannot be told. */
export async function readOrigin({ serverUrl }: Pick<Repository, "serverUrl">): Promise<string | null> {
  const url = await read("git", ["remote", "get-url", "origin"]);
  // https://github.com/acme/spaces.git, git@github.com:acme/spaces.git, ssh://git@github.com/acme/spaces
  const [, host, name] =
    /^(?:\w+:\/\/)?(?:[^@/]*@)?([^/:]+)(?::\d+)?[:/](.+?)(?:\.git)?\/?$/.exec(url ?? "") ?? [];
  const isOurs = host === new URL(serverUrl).hostname && /^[^/\s]+\/[^/\s]+$/.test(name ?? "");
  return isOurs && name !== undefined ? name : null;
}

/** The token of GitHub's own program, where somebody has logged in with it on this machine; null otherwise. */
export async function readGhToken({ serverUrl }: Pick<Repository, "serverUrl">): Promise<string | null> {
  return await read("gh", ["auth", "token", "--hostname", new URL(serverUrl).host]);
}

async function read(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await run(program, [...args], { timeout: 10_000 });
    return stdout.trim() || null;
  } catch {
    return null;
  }
}
