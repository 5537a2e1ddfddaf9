import type { Context, Options } from "../cli/context.ts";
import { type Actions, type RepositoryAccess, readActions } from "../config/actions.ts";
import { createRunner } from "../github/runner.ts";
import { explainIssueFailure, type IssueState, keepTrackingIssue } from "../github/tracking-issue.ts";
import { keepScheduleEnabled } from "../github/workflows.ts";
import { errorMessage } from "../lib/text.ts";
import type { RunRecord } from "../membership/record.ts";
import { describeCalm, describeNeed, needsIssue } from "../report/issue.ts";
import { createNoteRenderer, isSameNote, noteMarkers } from "../report/renderer.ts";
import { nameMappingsFile, nameReportsDir } from "../run/inputs.ts";
import { readTemplate } from "../run/publish.ts";

/**
 * What a sync on GitHub does once it has told what happened: it keeps the one issue while something needs a person,
 * and keeps the schedule alive. Never throws, and never changes how the run ends: what fails here is only told.
 */
export async function postSync(
  record: RunRecord,
  place: RepositoryAccess,
  options: Options,
  context: Context,
): Promise<void> {
  const actions = readActions(context.env);
  // A person's shell may hold GitHub's token as well, but no run; and a run that is being stopped has no time.
  if (actions.runId === null || context.stop.aborted) return;
  const runner = await createRunner(actions);
  runner.mask(place.token);
  const log = (message: string) => {
    context.log(message);
    runner.warn(message);
  };
  await keepIssue(record, place, actions, options).catch((error: unknown) => log(explainIssueFailure(error)));
  // Whatever else starts a run is activity by itself.
  if (actions.eventName !== "schedule") return;
  await keepScheduleEnabled(place).catch((error: unknown) => {
    const said = errorMessage(error);
    log(
      `the schedule could not be kept enabled: ${said}; give the workflow "permissions: actions: write", or GitHub stops it after 60 quiet days`,
    );
  });
}

async function keepIssue(
  record: RunRecord,
  place: RepositoryAccess,
  actions: Actions,
  options: Options,
): Promise<void> {
  await keepTrackingIssue(place, noteMarkers.trackingIssue, describeState(record, actions, options));
}

function describeState(record: RunRecord, actions: Actions, options: Options): IssueState {
  const { repositoryUrl, runUrl, refName, reportBranch } = actions;
  if (!needsIssue(record)) return { kind: "closed", lastWord: describeCalm(record, runUrl) };
  const addressOf = (branch: string | null, path: string) =>
    repositoryUrl === null || branch === null ? null : `${repositoryUrl}/blob/${branch}/${path}`;
  const mappings = addressOf(refName, nameMappingsFile(options));
  const body = createNoteRenderer(readTemplate).renderIssue({
    record,
    repositoryUrl,
    runUrl,
    // Plain, because GitHub's table view of a CSV has no lines to lead to.
    mappingsAddress: mappings === null ? null : `${mappings}?plain=1`,
    // A run that did not come as far as Webex has left no report, and there may be no earlier one.
    reportAddress:
      record.token === null ? null : addressOf(reportBranch, `${nameReportsDir(options, true)}/README.md`),
  });
  const title = `Rollcall: ${describeNeed(record).replace(/\.$/, "")}`;
  return { kind: "open", title, body, isSame: (other) => isSameNote(body, other) };
}
