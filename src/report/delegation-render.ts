import type { DelegationRecord } from "../delegation/record.ts";
import { createCompiler } from "./compile-templates.ts";
import { type DelegationInput, linkDelegation, viewDelegation } from "./delegation.ts";
import { linkTo, md } from "./markdown.ts";
import { nameRunFiles } from "./paths.ts";
import type { ReportFile } from "./renderer.ts";
import { fitRows } from "./rows.ts";

/** The name of a template of the delegation report. */
export type DelegationTemplateName = "delegation" | "delegation-body" | "delegation-summary";

/** Renders what people read about delegations. */
export interface DelegationRenderer {
  /** The page and the record, below the reports folder; `runId` tells two runs of a day apart. */
  renderFiles(input: DelegationInput, runId: string, reportsDir: string): readonly [ReportFile, ReportFile];
  /** The text for the step summary, cut between rows to fit `maxBytes`; `reportAddress` is null without a report. */
  renderSummary(input: DelegationInput, reportAddress: string | null, maxBytes: number): string;
}

/** GitHub shows no more than 500 KiB of a Markdown file. */
const maxPageBytes = 500 * 1024;

/** Compiles the templates of the delegation report. */
export function createDelegationRenderer(
  readTemplate: (name: DelegationTemplateName) => string,
): DelegationRenderer {
  const compile = createCompiler(readTemplate, ["delegation-body"]);
  const page = compile("delegation");
  const summary = compile("delegation-summary");
  return {
    renderFiles(input, runId, reportsDir) {
      const paths = nameRunFiles(input.record.startedAt, runId, "delegations");
      const recordFile = paths.record.slice("delegations/".length);
      const links = linkDelegation(recordFile, input.runUrl);
      const text = fitRows(maxPageBytes, (rows) => page({ ...viewDelegation(input, rows), ...links }));
      return [
        { path: `${reportsDir}/${paths.page}`, text },
        { path: `${reportsDir}/${paths.record}`, text: formatDelegationRecord(input.record) },
      ];
    },
    renderSummary(input, reportAddress, maxBytes) {
      const reportLink = reportAddress === null ? null : linkTo(md`The whole report`, reportAddress);
      return fitRows(maxBytes, (rows) => summary({ ...viewDelegation(input, rows), reportLink }));
    },
  };
}

/** Writes the record: the contract's keys first, two spaces, a final newline. */
export function formatDelegationRecord(record: DelegationRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
