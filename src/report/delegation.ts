import { countChanges, type DelegationRecord, type HostRecord } from "../delegation/record.ts";
import { foldAddress } from "../lib/email.ts";
import { compareStrings, type Paint } from "../lib/text.ts";
import {
  cleanText,
  codeSpan,
  escapeMarkdown,
  joinMarkdown,
  linkTo,
  type Markdown,
  md,
  messageLength,
} from "./markdown.ts";
import { takeRowsIfAny } from "./rows.ts";
import { describeTimestamp, viewNotices, viewToken } from "./sections.ts";
import { statusStyles } from "./terminal.ts";
import { countOf, describeProblems, formatNumber, nameOrganisation, statusIcons } from "./words.ts";

export interface DelegationInput {
  readonly record: DelegationRecord;
  /** True when only a plan was wanted, so nothing was written. */
  readonly isDryRun: boolean;
  readonly siteUrl: string | null;
  readonly runUrl: string | null;
  readonly tokenWarningDays: number;
}

/** Builds the page and the summary of a delegation run. */
export function viewDelegation(input: DelegationInput, maxRows: number) {
  const { record } = input;
  const users = record.users ?? [];
  return {
    title: md`${describeTimestamp(record.startedAt)}${nameOrganisation(record.organisation)}`,
    whose: nameOrganisation(record.organisation),
    icon: statusIcons[record.status],
    headline: describeDelegation(record, input.isDryRun),
    facts: describeFacts(input),
    failures: takeRowsIfAny(
      record.hosts.flatMap(({ host, error }) => (error === undefined ? [] : [{ host, error }])),
      maxRows,
      ({ host, error }) => ({ host: codeSpan(host), error: escapeMarkdown(error, messageLength) }),
    ),
    problems: viewNotices(record.problems, maxRows),
    notices: viewNotices(record.notices, maxRows),
    hosts: takeRowsIfAny(record.hosts, maxRows, (host) => viewHost(host, nameKept(record, host.host))),
    users: takeRowsIfAny(users, maxRows, ({ address, displayName, canHost }) => ({
      address: codeSpan(address, 254),
      name: escapeMarkdown(displayName ?? ""),
      mayHost: canHost === null ? md`not known` : canHost ? md`yes` : md`no`,
    })),
    usersLabel: countOf(users.length, "active user"),
    token: viewToken(record.token, record.finishedAt, input.tokenWarningDays),
  };
}

/** The links of a page that lies beside its record. */
export function linkDelegation(recordFile: string, runUrl: string | null) {
  return {
    recordLink: linkTo(md`record (JSON)`, recordFile),
    runLink: runUrl === null ? null : linkTo(md`workflow run`, runUrl),
  };
}

/** Says in one line what happened, worst first. */
export function describeDelegation(record: DelegationRecord, isDryRun: boolean): Markdown {
  const { added, removed, failed } = countChanges(record);
  if (record.status === "failed" && added + removed === 0) return md`The run stopped and changed nothing.`;
  const say = (count: number) => (isDryRun ? md`would be` : count === 1 ? md`was` : md`were`);
  const parts: Markdown[] = record.status === "failed" ? [md`The run stopped early.`] : [];
  if (failed > 0)
    parts.push(md`${countOf(failed, "host")} ${failed === 1 ? md`is` : md`are`} not as requested.`);
  if (record.problems.length > 0) parts.push(describeProblems(record.problems.length));
  if (added > 0) parts.push(md`${countOf(added, "delegation")} ${say(added)} added.`);
  if (removed > 0) parts.push(md`${countOf(removed, "delegation")} ${say(removed)} removed.`);
  if (parts.length > 0) return joinMarkdown(parts, " ");
  if (record.users) return md`The site has ${countOf(record.users.length, "active user")}.`;
  if (record.mode === "show") return md`The delegates of ${countOf(record.hosts.length, "host")}.`;
  return md`Every host is as requested; nothing had to be changed.`;
}

function describeFacts({ record, siteUrl, isDryRun }: DelegationInput): Markdown {
  return joinMarkdown(
    [
      record.command === "sync"
        ? md`As delegations.csv says, by sync`
        : md`Mode ${escapeMarkdown(record.mode)}`,
      ...(isDryRun ? [md`dry run: nothing was changed`] : []),
      ...(record.until === undefined ? [] : [md`until ${escapeMarkdown(record.until)} (the last day, UTC)`]),
      ...(siteUrl === null ? [] : [md`site ${codeSpan(siteUrl)}`]),
      md`backend ${escapeMarkdown(record.backend)}`,
      record.actor === null ? md`requested outside GitHub` : md`requested by ${codeSpan(record.actor)}`,
    ],
    " · ",
  );
}

function viewHost({ host, before, after, added, removed, error }: HostRecord, kept: Kept) {
  const changes = [
    ...added.map((one) => md`➕ ${codeSpan(one)}`),
    ...removed.map((one) => md`➖ ${codeSpan(one)}`),
  ];
  return {
    icon: error !== undefined ? statusIcons.failed : changes.length > 0 ? statusIcons.changed : md`—`,
    host: codeSpan(host),
    before: listAddresses(before, kept),
    after: listAddresses(after, kept),
    changes: changes.length > 0 ? joinMarkdown(changes, " ") : md`none`,
  };
}

type Kept = ReadonlyMap<string, string>;

function nameKept({ kept = [] }: DelegationRecord, host: string): Kept {
  const rows = kept.filter((row) => foldAddress(row.host) === foldAddress(host));
  return new Map(
    rows.map(({ delegate, until, line }) => {
      const end = until === null ? "without end" : `until ${until}`;
      return [foldAddress(delegate), `kept by delegations.csv, line ${line}, ${end}`];
    }),
  );
}

/** An unknown list reads "not known", which is not the same as nobody. */
function listAddresses(addresses: readonly string[] | null, kept: Kept): Markdown {
  if (addresses === null) return md`not known`;
  if (addresses.length === 0) return md`nobody`;
  const sorted = [...addresses].sort((a, b) => compareStrings(foldAddress(a), foldAddress(b)));
  const shown = joinMarkdown(
    sorted.map((address) => {
      const mark = kept.get(foldAddress(address));
      return mark === undefined ? codeSpan(address) : md`${codeSpan(address)} (${escapeMarkdown(mark)})`;
    }),
    " ",
  );
  return addresses.length > 3 ? md`${formatNumber(addresses.length)}: ${shown}` : shown;
}

/** Writes a delegation run in plain lines: each host with its delegates, changes marked. */
export function renderDelegationTerminal(record: DelegationRecord, isDryRun: boolean, paint: Paint): string {
  const lines = record.hosts.flatMap((host) => [...renderHost(host, nameKept(record, host.host), paint), ""]);
  if (record.users) lines.push(...renderUsers(record.users, paint), "");
  for (const problem of record.problems) lines.push(paint("yellow", `! ${cleanText(problem)}`), "");
  for (const notice of record.notices) lines.push(`i ${cleanText(notice)}`, "");
  lines.push(`${paint(statusStyles[record.status], record.status)}: ${describeDelegation(record, isDryRun)}`);
  return lines.join("\n");
}

/** A table of the site's users, its columns under headers. */
function renderUsers(users: NonNullable<DelegationRecord["users"]>, paint: Paint): string[] {
  const rows = users.map(({ address, displayName, canHost }) => [
    cleanText(address),
    canHost === null ? "not known" : canHost ? "yes" : "no",
    cleanText(displayName ?? ""),
  ]);
  const head = ["Address", "May host", "Name"];
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => (row[index] ?? "").length)),
  );
  const format = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd();
  return [paint("bold", format(head)), ...rows.map(format)];
}

function renderHost(
  { host, before, after, added, removed, error }: HostRecord,
  kept: Kept,
  paint: Paint,
): string[] {
  const count = (list: readonly string[] | null) => list?.length ?? "?";
  const stay = (after ?? before ?? []).filter((delegate) => !added.includes(delegate));
  const note = (delegate: string) => {
    const mark = kept.get(foldAddress(delegate));
    return mark === undefined ? "" : paint("dim", `  ${cleanText(mark)}`);
  };
  return [
    `${paint("bold", cleanText(host))}  ${paint("dim", `${count(before)} → ${count(after)} delegates`)}`,
    ...added.map((delegate) => `  ${paint("green", "+")} ${cleanText(delegate)}${note(delegate)}`),
    ...removed.map((delegate) => `  ${paint("red", "−")} ${cleanText(delegate)}`),
    ...stay.map((delegate) => `  ${paint("dim", "=")} ${cleanText(delegate)}${note(delegate)}`),
    ...(error === undefined ? [] : [`  ${paint("red", "×")} ${cleanText(error)}`]),
  ];
}
