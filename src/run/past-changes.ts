import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { compareStrings, errorMessage } from "../lib/text.ts";
import { parseRecord } from "../membership/record.ts";
import { findPastChanges, type PastChange } from "../membership/why.ts";

/** What earlier runs did to somebody's memberships, and what people have to know of how it was found. */
export interface Past {
  readonly changes: readonly PastChange[];
  readonly notices: readonly string[];
}

/** The records of a folder, by their files' names. */
interface Records {
  readonly names: readonly string[];
  /** Null for one that is left out. */
  read(name: string): Promise<string | null>;
}

/** Requests for records that the checkout lacks: an hour of GitHub's token has 1,000 for the whole repository. */
const maxFetched = 200;

const recordsAtOnce = 8;

const recordName = /^(\d{4}-\d\d-\d\d)-(.+)\.json$/;

/** Reads the records of earlier runs, where reports are kept. Never throws: what cannot be read is told. */
export async function readPastChanges(target: ReportTarget, key: string, context: Context): Promise<Past> {
  try {
    const records =
      target.kind === "branch" ? await openOnBranch(target, context) : await openOnDisk(context);
    // The newest first: they are what is asked for.
    const names = records.names.filter((name) => recordName.test(name)).sort((a, b) => compareStrings(b, a));
    const semaphore = createSemaphore(recordsAtOnce);
    let leftOut = 0;
    const readOne = async (name: string): Promise<readonly PastChange[]> => {
      const text = await records.read(name);
      if (text === null) leftOut += 1;
      const [, date = "", run = ""] = recordName.exec(name) ?? [];
      const parsed = text === null ? null : parseRecord(text);
      return parsed && "record" in parsed ? findPastChanges(parsed.record, key, { run, date }) : [];
    };
    const found = await Promise.all(names.map((name) => semaphore.run(() => readOne(name))));
    const notice = `the records of ${leftOut} older runs were not read, so an addition by one of them is not known`;
    return { changes: found.flat(), notices: leftOut > 0 ? [notice] : [] };
  } catch (error) {
    const notice = `the records of earlier runs could not be read, so it is not known since when: ${errorMessage(error)}`;
    return { changes: [], notices: [notice] };
  }
}

async function openOnDisk({ paths }: Context): Promise<Records> {
  const folder = join(paths.disk.reports, "runs");
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return { names, read: (name) => readFile(join(folder, name), "utf8") };
}

/** A record that the checkout holds as the branch has it needs no request. */
async function openOnBranch(
  { repository, token, branch }: Extract<ReportTarget, { kind: "branch" }>,
  { paths }: Context,
): Promise<Records> {
  const { readRunBranch, blobIdOf } = await import("../github/branch-files.ts");
  const files = await readRunBranch({ repository, token }, { name: branch, isBranch: null });
  const folder = `${paths.repository.reports}/runs`;
  const stored = await files.list(folder);
  let fetched = 0;
  return {
    names: [...stored.keys()],
    async read(name) {
      const local = await readFile(join(paths.disk.reports, "runs", name)).catch(() => null);
      if (local !== null && blobIdOf(local) === stored.get(name)) return local.toString("utf8");
      fetched += 1;
      if (fetched > maxFetched) return null;
      const contents = await files.read(`${folder}/${name}`);
      if (contents.kind === "file") return contents.bytes.toString("utf8");
      throw new Error(`GitHub does not show ${folder}/${name} (${contents.kind})`);
    },
  };
}
