import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { type Context, exitCodeOf } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import type { MembershipReader } from "../membership/directory.ts";
import { planChanges } from "../membership/plan.ts";
import { parseRecord, type RunRecord } from "../membership/record.ts";
import { addAsModerators, observeRestore } from "../membership/restore.ts";
import { readPolicy } from "../run/inputs.ts";
import { runMembership } from "../run/membership.ts";
import { openNewestFiles } from "../run/newest-files.ts";
import type { Decision, MembershipTask } from "../run/reconcile.ts";

/**
 * Undoes the membership changes of one earlier run, from its record, within the same limits and with the same report
 * as `sync`. Returns the exit code.
 */
export async function runRestore(options: OptionsOf<"restore">, context: Context): Promise<number> {
  const isDryRun = options["dry-run"] === true;
  const { status } = await runMembership(createRestoreTask(options, isDryRun, context), context);
  return exitCodeOf(status, isDryRun);
}

function createRestoreTask(
  { record: file, approve }: OptionsOf<"restore">,
  isDryRun: boolean,
  context: Context,
): MembershipTask {
  const { paths, log } = context;
  return {
    command: isDryRun ? "plan" : "restore",
    undoes: nameRecord(file, paths.disk.reports),
    approval: approve ?? null,
    async load() {
      // The mappings are not read: they may be the very reason for the undo, and broken.
      const files = await openNewestFiles(context);
      const policy = await readPolicy(paths, files.read);
      const record = await readRecord(file);
      const decide = async (reader: MembershipReader): Promise<Decision> => {
        const observation = await observeRestore(reader, record, log);
        const { rooms, problems, planAgain } = planChanges(observation, policy);
        const restored = addAsModerators(rooms, observation.moderators);
        const notices = [...files.describe(), ...observation.notices, ...warnOfNextSync(restored)];
        return { rooms: restored, problems, planAgain, ownerKey: observation.owner.key, notices };
      };
      return { policy, grants: [], decide };
    },
  };
}

async function readRecord(file: string): Promise<RunRecord> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "ENOENT" ? "there is no such file" : error.message;
    throw new Error(
      `${file} cannot be read: ${reason}; a run's record is the .json beside its page in reports/runs/`,
      { cause: error },
    );
  });
  const parsed = parseRecord(text);
  if ("refusal" in parsed)
    throw new Error(`${file} cannot be undone: ${parsed.refusal}. Nothing was changed`);
  return parsed.record;
}

/** The record by its name in the repository, wherever the branch that holds it is checked out. */
function nameRecord(file: string, reportsDir: string): string {
  const path = posix.normalize(file.replaceAll("\\", "/"));
  const start = `/${path}`.lastIndexOf(`/${posix.normalize(reportsDir)}/`);
  return start === -1 ? path : path.slice(start);
}

function warnOfNextSync(rooms: Decision["rooms"]): readonly string[] {
  if (!rooms.some((room) => room.additions.length + room.removals.length > 0)) return [];
  return [
    "The next sync compares these rooms with their groups again. Where the groups and rooms.csv still say what they said before that run, it does the same again: correct them first.",
  ];
}
