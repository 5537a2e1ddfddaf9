import type { Context, Options } from "../cli/context.ts";
import { readSurroundings, type Surroundings } from "../config/actions.ts";
import { createRunner } from "../github/runner.ts";
import { keepScheduleEnabled } from "../github/schedule.ts";
import { explainIssueFailure, type IssueState, keepAttentionIssue } from "../github/tracking-issue.ts";
import type { GithubPlace } from "../github-place.ts";
import type { RunRecord } from "../membership/record.ts";
import { messageOf } from "../message-of.ts";
import { describeCalm, describeNeed, needsAttention } from "../report/issue.ts";
import { createNoteRenderer, isSameNote, noteMarkers } from "../report/notes.ts";
import { nameMappingsFile, nameReportsDir } from "../run/inputs.ts";
import { readTemplate } from "../run/publish.ts";

/**
 * What a sync on GitHub does once it has told what happened: it keeps the one issue while something needs a person,
 * and keeps the schedule alive. Never throws, and never changes how the run ends: what fails here is only told.
 */
export async function followUp(
  record: RunRecord,
  place: GithubPlace,
  options: Options,
  context: Context,
): Promise<void> {
  const surroundings = readSurroundings(context.env);
  // A person's shell may hold GitHub's token as well, but no run; and a run that is being stopped has no time.
  if (surroundings.runId === null || context.stop.aborted) return;
  const runner = await createRunner(surroundings);
  runner.mask(place.token);
  const tell = (message: string) => {
    context.tell(message);
    runner.warn(message);
  };
  await keepIssue(record, place, surroundings, options).catch((error: unknown) =>
    tell(explainIssueFailure(error)),
  );
  // Whatever else starts a run is activity by itself.
  if (surroundings.eventName !== "schedule") return;
  await keepScheduleEnabled(place).catch((error: unknown) => {
    const said = messageOf(error);
    tell(
      `the schedule could not be kept enabled: ${said}; give the workflow "permissions: actions: write", or GitHub stops it after 60 quiet days`,
    );
  });
}

async function keepIssue(
  record: RunRecord,
  place: GithubPlace,
  surroundings: Surroundings,
  options: Options,
): Promise<void> {
  await keepAttentionIssue(place, noteMarkers.attention, describeState(record, surroundings, options));
}

function describeState(record: RunRecord, surroundings: Surroundings, options: Options): IssueState {
  const { repositoryUrl, runUrl, refName, reportBranch } = surroundings;
  if (!needsAttention(record)) return { kind: "closed", lastWord: describeCalm(record, runUrl) };
  const addressOf = (branch: string | null, path: string) =>
    repositoryUrl === null || branch === null ? null : `${repositoryUrl}/blob/${branch}/${path}`;
  const mappings = addressOf(refName, nameMappingsFile(options));
  const body = createNoteRenderer(readTemplate).renderAttention({
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
