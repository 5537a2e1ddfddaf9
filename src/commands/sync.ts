import { type Context, exitCodeOf, type Options } from "../cli/context.ts";
import { readActions, readRepositoryAccess } from "../config/actions.ts";
import { isUnconfigured } from "../config/settings.ts";
import { toDateString } from "../lib/date.ts";
import type { MembershipReader } from "../membership/directory.ts";
import { endMappings } from "../membership/mapping.ts";
import { type AddressReader, findIdleProtections } from "../membership/protection.ts";
import { readInputs } from "../run/inputs.ts";
import { type MembershipTask, runMembership } from "../run/membership.ts";

/** Makes the rooms' members what the mappings say, within limits, and reports. Returns the exit code. */
export async function runSync(options: Options, context: Context): Promise<number> {
  const isNew = isUnconfigured(context.env);
  if (isNew) {
    const { publishSetupGuide } = await import("./set-up.ts");
    await publishSetupGuide(options, context);
    // Nobody has asked for this run: a copy of the template should not send mail every day.
    if (readActions(context.env).eventName === "schedule") return 0;
  }
  if (options["dry-run"]) return await runPlan(options, context);
  const record = await runMembership(createSyncTask("sync", options, context), options, context);
  const place = readRepositoryAccess(context.env);
  if (!isNew && place !== null) {
    const { postSync } = await import("./post-sync.ts");
    await postSync(record, place, options, context);
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

function createSyncTask(command: "plan" | "sync", options: Options, { log, now }: Context): MembershipTask {
  return {
    command,
    async load() {
      const { policy, grants, ...inputs } = await readInputs(options);
      const { mappings, notices } = endMappings(inputs.mappings, toDateString(now()));
      const decide = async (reader: MembershipReader & AddressReader) => {
        const { observe } = await import("../membership/observe.ts");
        const { planChanges } = await import("../membership/plan.ts");
        const observation = await observe(reader, mappings, log);
        const plan = planChanges(observation, policy);
        const problems = [...plan.problems, ...(await findIdleProtections(reader, policy, observation))];
        return { ...plan, problems, ownerKey: observation.owner.key, notices };
      };
      return { policy, grants, decide };
    },
  };
}
