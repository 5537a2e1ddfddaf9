import { type Context, exitCodeOf } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import { findEditor } from "../config/actions.ts";
import { findInRepository } from "../config/paths.ts";
import type { ReportTarget } from "../config/settings.ts";
import { toDateString } from "../lib/date.ts";
import { endMappings } from "../membership/mapping.ts";
import { readInputs } from "../run/inputs.ts";
import { runMembership } from "../run/membership.ts";
import type { Memory } from "../run/memory.ts";
import { openNewestFiles } from "../run/newest-files.ts";
import type { LoadedTask, MembershipTask } from "../run/reconcile.ts";

/** Makes the rooms' members what the mappings say, within limits, and reports. Returns the exit code. */
export async function runSync(options: OptionsOf<"sync">, context: Context): Promise<number> {
  const { actions, settings } = context;
  const fault = settings.repository === null ? null : settings.findFault();
  let lost: string | null = null;
  if (fault !== null) {
    const { describeLostSetup, publishSetupGuide } = await import("./setup-guide.ts");
    lost = await describeLostSetup(fault, context);
    if (settings.isUnconfigured) await publishSetupGuide(context);
    // Nobody has asked for this run: a copy of the template should not send mail every day.
    if (settings.isUnconfigured && lost === null && actions.eventName === "schedule") return 0;
  }
  const isPlan = options["dry-run"] === true;
  const task = createSyncTask(isPlan ? "plan" : "sync", options.approve ?? null, context);
  const explained = lost === null ? task : { ...task, load: () => Promise.reject(new Error(lost)) };
  const record = await runMembership(explained, context);
  const isNew = settings.isUnconfigured && lost === null;
  if (!isPlan && !isNew && settings.repository !== null) {
    const { postSync } = await import("./post-sync.ts");
    await postSync(record, settings.repository, context);
  }
  return exitCodeOf(record.status, isPlan);
}

/** Shows what `runSync` would do; it makes no writer, so it cannot change a membership. Returns the exit code. */
export async function runPlan(options: OptionsOf<"plan">, context: Context): Promise<number> {
  if (options["pull-request"] !== undefined) {
    // Loaded only where it is asked for: it works on GitHub alone.
    const { runPullRequestPlan } = await import("./plan-pull-request.ts");
    return await runPullRequestPlan(Number(options["pull-request"]), context);
  }
  const { status } = await runMembership(createSyncTask("plan", null, context), context);
  return exitCodeOf(status, true);
}

function createSyncTask(command: "plan" | "sync", approval: string | null, context: Context): MembershipTask {
  const { actions, paths, log, count, now } = context;
  return {
    command,
    approval,
    async load() {
      const files = await openNewestFiles(context);
      const { policy, grants, ...inputs } = await readInputs(paths, files.read);
      const path = findInRepository(paths.mappings);
      const editor = path === null ? null : findEditor(actions, path);
      const { mappings, notices: ending } = endMappings(inputs.mappings, toDateString(now()), editor);
      const notices = [...files.describe(), ...ending];
      // Read once: the names and the delegations are in the same file.
      let memory: Promise<Memory> | null = null;
      const recall = (target: ReportTarget) => {
        // As all that is imported here, loaded only when the token is safe: it would delay the first request.
        memory ??= import("../run/memory.ts").then(({ readMemory }) => readMemory(target, context));
        return memory;
      };
      const decide: LoadedTask["decide"] = async (reader, target) => {
        const { observe } = await import("../membership/observe.ts");
        const { planChanges } = await import("../membership/plan.ts");
        const { findIdleProtections } = await import("../membership/protection.ts");
        const { names: nameMemory, notices: loss } = await recall(target);
        const [observation] = await observe(reader, [mappings], {
          log,
          count,
          memory: nameMemory,
          describesNewcomers: command === "plan",
        });
        const plan = planChanges(observation, policy);
        const added = plan.rooms.flatMap(({ additions }) => additions.map(({ personId }) => personId));
        const lookUpNewcomers = () => reader.lookUpPeople([...new Set(added)]);
        const idle = await findIdleProtections(reader, policy, { ...observation, lookUpNewcomers });
        const problems = [...plan.problems, ...idle];
        return {
          ...plan,
          problems,
          names: observation.names,
          ownerKey: observation.owner.key,
          notices: [...loss, ...notices],
        };
      };
      return { policy, rows: mappings, delegations: { grants, recall }, decide };
    },
  };
}
