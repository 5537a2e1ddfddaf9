import type { RunRecord } from "../membership/record.ts";
import { viewHeld } from "./held.ts";
import { joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { createLineLink } from "./rows.ts";
import { viewFailures, viewProblems } from "./sections.ts";
import { describeRun, nameOrganisation, statusIcons } from "./words.ts";

export interface IssueInput {
  readonly record: RunRecord;
  readonly repositoryUrl: string | null;
  readonly runUrl: string | null;
  readonly mappingsAddress: string | null;
  readonly reportAddress: string | null;
}

/** True when a run leaves something that only a person can fix. */
export function needsIssue({ status }: RunRecord): boolean {
  return status === "held" || status === "partial" || status === "failed";
}

/** Says what needs a person, worst first. What the run changed is left out, so that the same state reads the same. */
export function describeNeed(record: RunRecord): Markdown {
  return describeRun({ ...record, totals: { ...record.totals, added: 0, removed: 0 } });
}

/** The last words of the issue, once a run leaves nothing for a person to do. */
export function describeCalm(record: RunRecord, runUrl: string | null): Markdown {
  const run = runUrl === null ? md`The last run` : linkTo(md`The last run`, runUrl);
  return md`✅ ${run} left nothing for a person to do: ${describeRun(record)}`;
}

/** Builds the body of the issue. */
export function viewIssue(input: IssueInput, maxRows: number) {
  const { record, repositoryUrl, runUrl, mappingsAddress, reportAddress } = input;
  const links = [
    ...(reportAddress === null ? [] : [linkTo(md`The report`, reportAddress)]),
    ...(runUrl === null ? [] : [linkTo(md`the run that found this`, runUrl)]),
  ];
  return {
    icon: statusIcons[record.status],
    headline: md`${describeNeed(record)}${nameOrganisation(record.organisation)}`,
    held: viewHeld(record, repositoryUrl, { maxRows, place: "issue" }),
    failures: viewFailures(record, maxRows),
    problems: viewProblems(record, createLineLink(mappingsAddress), maxRows),
    links: joinMarkdown(links, " · "),
  };
}
