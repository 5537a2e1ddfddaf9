import type { Context } from "../cli/context.ts";
import type { RepositoryAccess } from "../config/actions.ts";
import { hintAt } from "../github/permissions.ts";
import { explainIssueFailure, type IssueState, keepTrackingIssue } from "../github/tracking-issue.ts";
import { keepScheduleEnabled } from "../github/workflows.ts";
import { errorMessage } from "../lib/text.ts";
import type { RunRecord } from "../membership/record.ts";
import { describeCalm, describeNeed, needsIssue } from "../report/issue.ts";
import { createRenderer, isSameNote, markNote } from "../report/renderer.ts";
import { syncWorkflow } from "../report/words.ts";

/** Writes the one issue and keeps the schedule alive after a sync. Never throws: a failure here is only a warning. */
export async function postSync(record: RunRecord, access: RepositoryAccess, context: Context): Promise<void> {
  const { actions, runner, stop } = context;
  // A person's shell may hold GitHub's token as well, but no run; and a run that is being stopped has no time.
  if (actions.runId === null || stop.aborted) return;
  runner.mask(access.token);
  const attempt = async (work: () => Promise<void>, explain: (error: unknown) => string) => {
    try {
      await work();
    } catch (error) {
      const message = explain(error);
      context.log(message);
      runner.warn(message);
    }
  };
  await attempt(
    () =>
      keepTrackingIssue(
        access,
        markNote("trackingIssue", record.organisation),
        describeState(record, context),
      ),
    explainIssueFailure,
  );
  // Whatever else starts a run is activity by itself.
  if (actions.eventName !== "schedule") return;
  await attempt(
    () => keepScheduleEnabled(access, syncWorkflow),
    (error) =>
      `the schedule could not be kept enabled: ${errorMessage(error)}${hintAt(error, '; give the workflow "permissions: actions: write"')}. Without it GitHub stops the schedule after 60 quiet days`,
  );
}

function describeState(record: RunRecord, { actions, paths }: Context): IssueState {
  const { repositoryUrl, runUrl, refName, reportBranch } = actions;
  if (!needsIssue(record)) return { kind: "closed", lastWord: describeCalm(record, runUrl) };
  const addressOf = (branch: string | null, path: string) =>
    repositoryUrl === null || branch === null ? null : `${repositoryUrl}/blob/${branch}/${path}`;
  const mappings = addressOf(refName, paths.mappings);
  const body = createRenderer().renderIssue({
    record,
    repositoryUrl,
    runUrl,
    // Plain, because GitHub's table view of a CSV has no lines to lead to.
    mappingsAddress: mappings === null ? null : `${mappings}?plain=1`,
    // A run that did not come as far as Webex has left no report, and there may be no earlier one.
    reportAddress:
      record.token === null ? null : addressOf(reportBranch, `${paths.repository.reports}/README.md`),
  });
  const name = record.organisation ? ` (${record.organisation})` : "";
  const title = `Rollcall${name}: ${describeNeed(record).replace(/\.$/, "")}`;
  return { kind: "open", title, body, isSame: (other) => isSameNote(body, other) };
}
