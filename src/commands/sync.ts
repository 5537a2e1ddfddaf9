import type { Context, Options } from "../cli/context.ts";
import { readSurroundings } from "../config/actions.ts";
import { isUnconfigured } from "../config/settings.ts";
import { readGithubPlace } from "../github-place.ts";
import type { MembershipReader } from "../membership/directory.ts";
import { readInputs } from "../run/inputs.ts";
import { type MembershipTask, runMembership } from "../run/membership.ts";
import { exitCodeOf } from "./exit-code.ts";

/** Makes the rooms' members what the mappings say, within limits, and reports. Returns the exit code. */
export async function runSync(options: Options, context: Context): Promise<number> {
  const isNew = isUnconfigured(context.env);
  if (isNew) {
    const { tellSetUp } = await import("./set-up.ts");
    await tellSetUp(options, context);
    // Nobody has asked for this run: a copy of the template should not send mail every day.
    if (readSurroundings(context.env).eventName === "schedule") return 0;
  }
  if (options["dry-run"]) return await runPlan(options, context);
  const record = await runMembership(createSyncTask("sync", options, context), options, context);
  const place = readGithubPlace(context.env);
  if (!isNew && place !== null) {
    const { followUp } = await import("./post-sync.ts");
    await followUp(record, place, options, context);
  }
  return exitCodeOf(record.status, false);
}

/** Shows what `runSync` would do; it makes no writer, so it cannot change a membership. Returns the exit code. */
export async function runPlan(options: Options, context: Context): Promise<number> {
  if ("pull-request" in options) {
    // Loaded only where it is asked for: it works on GitHub alone.
    const { runPullRequestPlan } = await import("./plan-pull-request.ts");
    return await runPullRequestPlan(options, context);
  }
  const { status } = await runMembership(createSyncTask("plan", options, context), options, context);
  return exitCodeOf(status, true);
}

function createSyncTask(command: "plan" | "sync", options: Options, { tell }: Context): MembershipTask {
  return {
    command,
    async load() {
      const { mappings, policy, grants } = await readInputs(options);
      const decide = async (reader: MembershipReader) => {
        const { observe } = await import("../membership/observe.ts");
        const { planChanges } = await import("../membership/plan.ts");
        const observation = await observe(reader, mappings, tell);
        return { ...planChanges(observation, policy), ownerKey: observation.owner.key, notices: [] };
      };
      return { policy, grants, decide };
    },
  };
}
