import { type Context, type Options, textOption } from "../cli/context.ts";
import type { Actions } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { type DelegationsFileEdit, editDelegationsFile } from "../delegation/expiring.ts";
import { countChanges, type DelegationRecord } from "../delegation/record.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { Runner } from "../github/runner.ts";
import { errorMessage } from "../lib/text.ts";
import { type DelegationInput, renderDelegationTerminal } from "../report/delegation.ts";
import {
  createDelegationRenderer,
  type DelegationRenderer,
  formatDelegationRecord,
} from "../report/renderer.ts";
import { nameDelegationsFile, nameReportsDir } from "./inputs.ts";
import {
  addressOf,
  type DraftFiles,
  maxSummaryBytes,
  nameRun,
  readTemplate,
  storeFiles,
  warnOfTokenEnd,
} from "./publish.ts";

/** What is told about a run of `delegate`. */
export interface DelegationPublication {
  readonly record: DelegationRecord;
  readonly isDryRun: boolean;
  /** Null when the run did not come as far as knowing its site. */
  readonly siteUrl: string | null;
  /** Null when the run leaves no report: it only showed something, or did not come as far as Webex. */
  readonly reportTarget: Config["reportTarget"] | null;
  /** What the run means for delegations.csv. */
  readonly edit: DelegationsFileEdit;
  readonly tokenWarningDays: number;
}

/**
 * Tells what happened, everywhere it is looked for. A report, or a last day, that cannot be stored makes the run
 * `partial`; the rest is told all the same. Returns the record as it was told.
 */
export async function publishDelegation(
  publication: DelegationPublication,
  options: Options,
  context: Context,
  actions: Actions,
  runner: Runner,
): Promise<DelegationRecord> {
  const renderer = createDelegationRenderer(readTemplate);
  const view = (record: DelegationRecord) => ({
    record,
    isDryRun: publication.isDryRun,
    siteUrl: publication.siteUrl,
    runUrl: actions.runUrl,
    tokenWarningDays: publication.tokenWarningDays,
  });
  const isCommitted = publication.reportTarget?.kind === "branch";
  const order = {
    input: view(publication.record),
    reportsDir: nameReportsDir(options, isCommitted),
    delegationsFile: nameDelegationsFile(options, isCommitted),
    edit: publication.edit,
  };
  const place = publication.reportTarget;
  const isDue = place !== null && isWorthReporting(publication);
  const { address, error } = isDue
    ? await storeDelegation(order, place, actions, renderer)
    : { address: null, error: null };
  const record = error === null ? publication.record : addProblem(publication, error);

  warnOfTokenEnd(record, publication.tokenWarningDays, runner);
  const { status } = record;
  runner.setOutputs({ status, ...countChanges(record), held: 0, digest: "", report: address ?? "" });
  const lines = renderDelegationTerminal(record, publication.isDryRun, context.paint);
  if (status === "failed") context.log(lines);
  else context.print(lines);
  if (address !== null && place?.kind === "folder") context.log(`Report: ${address}`);

  // Files come last: one that cannot be written must not keep what was done from being told.
  await runner.writeSummary(renderer.renderSummary(view(record), address, maxSummaryBytes));
  const jsonFile = textOption(options, "json");
  if (jsonFile !== null) await replaceFile(jsonFile, formatDelegationRecord(record));
  return record;
}

/** A run that found nothing to change, and nothing to complain of, leaves no page. */
function isWorthReporting({ record, edit }: DelegationPublication): boolean {
  return record.status !== "converged" || edit.set.length > 0;
}

/** Delegations whose last day could not be written down would never end: their rows are named for a person to add. */
function addProblem({ record, edit }: DelegationPublication, error: string): DelegationRecord {
  const rows = edit.set.map(({ host, delegate, until }) => `${host},${delegate},${until}`);
  const unwritten =
    rows.length > 0
      ? `. Without these rows in delegations.csv the delegations do not end, so add them through a pull request: ${rows.join(" ")}`
      : "";
  const status = record.status === "failed" ? "failed" : "partial";
  return { ...record, status, problems: [...record.problems, error + unwritten] };
}

/** A delegation run's page and record, and what it changes in delegations.csv. */
export interface DelegationOrder {
  readonly input: DelegationInput;
  readonly reportsDir: string;
  readonly delegationsFile: string;
  readonly edit: DelegationsFileEdit;
}

/** Makes the files of one run for one commit, on top of delegations.csv as it is there at that moment. */
export function draftDelegation(
  { input, reportsDir, delegationsFile, edit }: DelegationOrder,
  actions: Actions,
  renderer: DelegationRenderer,
): DraftFiles {
  const [page, record] = renderer.renderFiles(input, nameRun(input.record, actions), reportsDir);
  return async (read) => {
    // After an answer that got lost on the way, the branch may hold this very run already.
    if ((await read(record.path)) === record.text) return [];
    const isConcerned = edit.set.length + edit.takeOut.length > 0;
    const grants = isConcerned ? editDelegationsFile(await read(delegationsFile), edit) : null;
    return [page, record, ...(grants === null ? [] : [{ path: delegationsFile, text: grants }])];
  };
}

/** Stores the files of a delegation run. Never throws: the run must tell the rest all the same. */
export async function storeDelegation(
  order: DelegationOrder,
  place: Config["reportTarget"],
  actions: Actions,
  renderer: DelegationRenderer,
): Promise<{ readonly address: string | null; readonly error: string | null }> {
  const [page, record] = renderer.renderFiles(
    order.input,
    nameRun(order.input.record, actions),
    order.reportsDir,
  );
  try {
    const draft = draftDelegation(order, actions, renderer);
    await storeFiles(place, record.path, draft, describeCommit(order.input.record));
    return { address: addressOf(place, page.path), error: null };
  } catch (error) {
    return { address: null, error: errorMessage(error) };
  }
}

function describeCommit({ mode, hosts }: DelegationRecord): string {
  return `Rollcall: delegate, ${mode} for ${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`;
}
