import { type Context, type Options, textOption } from "../cli/context.ts";
import { storeDelegation } from "../commands/store-delegation.ts";
import type { Surroundings } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import type { GrantEdit } from "../delegation/edit-grants.ts";
import { countChanges, type DelegationRecord } from "../delegation/record.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { Runner } from "../github/runner.ts";
import { createDelegationRenderer, formatDelegationRecord } from "../report/delegation-render.ts";
import { renderDelegationTerminal } from "../report/delegation-terminal.ts";
import { nameGrantsFile, nameReportsDir } from "./inputs.ts";
import { mostSummaryBytes, readTemplate, warnOfTokenEnd } from "./publish.ts";

/** What is told about a run of `delegate`. */
export interface DelegationDelivery {
  readonly record: DelegationRecord;
  readonly isDryRun: boolean;
  /** Null when the run did not come as far as knowing its site. */
  readonly siteUrl: string | null;
  /** Null when the run leaves no report: it only showed something, or did not come as far as Webex. */
  readonly reportPlace: Config["reportPlace"] | null;
  /** What the run means for delegations.csv. */
  readonly edit: GrantEdit;
  readonly tokenWarningDays: number;
}

/**
 * Tells what happened, everywhere it is looked for. A report, or a last day, that cannot be stored makes the run
 * `partial`; the rest is told all the same. Returns the record as it was told.
 */
export async function deliverDelegation(
  delivery: DelegationDelivery,
  options: Options,
  context: Context,
  surroundings: Surroundings,
  runner: Runner,
): Promise<DelegationRecord> {
  const renderer = createDelegationRenderer(readTemplate);
  const view = (record: DelegationRecord) => ({
    record,
    isDryRun: delivery.isDryRun,
    siteUrl: delivery.siteUrl,
    runUrl: surroundings.runUrl,
    tokenWarningDays: delivery.tokenWarningDays,
  });
  const isCommitted = delivery.reportPlace?.kind === "branch";
  const order = {
    input: view(delivery.record),
    reportsDir: nameReportsDir(options, isCommitted),
    grantsFile: nameGrantsFile(options, isCommitted),
    edit: delivery.edit,
  };
  const place = delivery.reportPlace;
  const isDue = place !== null && isWorthReporting(delivery);
  const { address, error } = isDue
    ? await storeDelegation(order, place, surroundings, renderer)
    : { address: null, error: null };
  const record = error === null ? delivery.record : addProblem(delivery, error);

  warnOfTokenEnd(record, delivery.tokenWarningDays, runner);
  const { status } = record;
  runner.setOutputs({ status, ...countChanges(record), held: 0, digest: "", report: address ?? "" });
  const lines = renderDelegationTerminal(record, delivery.isDryRun, context.paint);
  if (status === "failed") context.tell(lines);
  else context.print(lines);
  if (address !== null && place?.kind === "folder") context.tell(`Report: ${address}`);

  // Files come last: one that cannot be written must not keep what was done from being told.
  await runner.writeSummary(renderer.renderSummary(view(record), address, mostSummaryBytes));
  const jsonFile = textOption(options, "json");
  if (jsonFile !== null) await replaceFile(jsonFile, formatDelegationRecord(record));
  return record;
}

/** A run that found nothing to change, and nothing to complain of, leaves no page. */
function isWorthReporting({ record, edit }: DelegationDelivery): boolean {
  return record.status !== "converged" || edit.set.length > 0;
}

/** Delegations whose last day could not be written down would never end: their rows are named for a person to add. */
function addProblem({ record, edit }: DelegationDelivery, error: string): DelegationRecord {
  const rows = edit.set.map(({ host, delegate, until }) => `${host},${delegate},${until}`);
  const unwritten =
    rows.length > 0
      ? `. Without these rows in delegations.csv the delegations do not end, so add them through a pull request: ${rows.join(" ")}`
      : "";
  const status = record.status === "failed" ? "failed" : "partial";
  return { ...record, status, problems: [...record.problems, error + unwritten] };
}
