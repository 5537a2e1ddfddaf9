import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { type Context, exitCodeOf } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import type { ReportTarget } from "../config/settings.ts";
import { planChanges } from "../membership/plan.ts";
import { parseRecord, type RunRecord } from "../membership/record.ts";
import { findMappedRooms } from "../membership/resolve.ts";
import { observeRestore, prepareRestore } from "../membership/restore.ts";
import { InputError, readMappings, readPolicy } from "../run/inputs.ts";
import { runMembership } from "../run/membership.ts";
import { readMemory } from "../run/memory.ts";
import { openNewestFiles } from "../run/newest-files.ts";
import type { Decision, LoadedTask, MembershipTask } from "../run/reconcile.ts";

/** Undoes the membership changes of one run, from its record, within the limits of `sync`. Returns the exit code. */
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
  const { paths } = context;
  return {
    command: isDryRun ? "plan" : "restore",
    undoes: nameRecord(file, paths.disk.reports),
    approval: approve ?? null,
    async load() {
      const files = await openNewestFiles(context);
      const policy = await readPolicy(paths, files.read);
      // They only say which spaces are Rollcall's: they may be the very reason for the undo, and broken.
      const mappings = await readMappings(paths, files.read).catch(explainUnreadable);
      const { record, bytes } = await readRecord(file);
      refuseOthersRecord(record, file, paths.organisation);
      const decide: LoadedTask["decide"] = async (reader, target) => {
        const path = nameRecord(file, paths.disk.reports);
        const [origin, memory] = await Promise.all([
          verifyRecord(path, bytes, target),
          readMemory(target, context),
        ]);
        const observation = await observeRestore(reader, record, context);
        const { rooms, problems, planAgain } = planChanges(observation, policy);
        const { allRooms, moderators, owner } = observation;
        const mappedRooms =
          typeof mappings === "string"
            ? null
            : findMappedRooms(mappings, allRooms, { owner, memory: memory.names });
        const trust = { isVerified: origin.isVerified, mappedRooms };
        const restored = prepareRestore(rooms, moderators, trust);
        const notices = [
          ...files.describe(),
          ...memory.notices,
          ...origin.notices,
          ...(typeof mappings === "string" ? [mappings] : []),
          ...observation.notices,
          ...warnOfNextSync(restored),
        ];
        return { rooms: restored, problems, names: [], planAgain, ownerKey: observation.owner.key, notices };
      };
      return { policy, rows: [], delegations: null, decide };
    },
  };
}

/** Ids of one organisation's people and spaces mean nothing in another. */
function refuseOthersRecord({ organisation }: RunRecord, file: string, own: string | null): void {
  if (organisation === undefined || organisation === own) return;
  throw new Error(
    `${file} is the record of a run for ${organisation}, and this run is ${own === null ? "for no organisation by name" : `for ${own}`}; nothing was changed. Name the other with --organisation ${organisation}`,
  );
}

interface RecordOrigin {
  readonly isVerified: boolean;
  readonly notices: readonly string[];
}

/** On a person's machine nobody has committed the record, and the person answers for it. */
async function verifyRecord(path: string, bytes: Buffer, target: ReportTarget): Promise<RecordOrigin> {
  if (target.kind === "folder") {
    const notice = `Without GitHub nobody can say whether ${path} is as Rollcall wrote it: look at what is undone.`;
    return { isVerified: true, notices: [notice] };
  }
  const { findForeignOrigin } = await import("../github/record-origin.ts");
  const foreign = await findForeignOrigin(target, { path, branch: target.branch, bytes });
  if (foreign === null) return { isVerified: true, notices: [] };
  const notice = `The record ${path} is not known for certain to be what a run of Rollcall left (${foreign}), so all that it asks for waits for approval.`;
  return { isVerified: false, notices: [notice] };
}

/** Without the mappings no space is known as Rollcall's. */
function explainUnreadable(error: unknown): string {
  if (!(error instanceof InputError)) throw error;
  return `The mappings cannot be used, so no space counts as mapped and everything waits for approval: ${error.message}`;
}

async function readRecord(file: string): Promise<{ readonly record: RunRecord; readonly bytes: Buffer }> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "ENOENT" ? "there is no such file" : error.message;
    throw new Error(
      `${file} cannot be read: ${reason}; a run's record is the .json beside its page in reports/runs/`,
      { cause: error },
    );
  });
  const parsed = parseRecord(bytes.toString("utf8"));
  if ("refusal" in parsed)
    throw new Error(`${file} cannot be undone: ${parsed.refusal}. Nothing was changed`);
  return { record: parsed.record, bytes };
}

function nameRecord(file: string, reportsDir: string): string {
  const path = posix.normalize(file.replaceAll("\\", "/"));
  const start = `/${path}`.lastIndexOf(`/${posix.normalize(reportsDir)}/`);
  return start === -1 ? path : path.slice(start);
}

function warnOfNextSync(rooms: Decision["rooms"]): readonly string[] {
  if (!rooms.some((room) => room.additions.length + room.removals.length > 0)) return [];
  return [
    "The next sync compares these spaces with their groups again. Where the groups and rooms.csv still say what they said before that run, it does the same again: correct them first.",
  ];
}
