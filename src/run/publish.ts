import type { Context } from "../cli/context.ts";
import type { Actions } from "../config/actions.ts";
import { listFiles, mappingsFolder, sortOrganisations } from "../config/organisation.ts";
import type { Paths, ReportPaths } from "../config/paths.ts";
import type { ReportTarget } from "../config/settings.ts";
import {
  type DelegationsFileEdit,
  editDelegationsFile,
  formatRows,
  type ListedDelegation,
  parseDelegations,
} from "../delegation/expiring.ts";
import type { KeptUpdate } from "../delegation/kept.ts";
import { countChanges, type DelegationRecord } from "../delegation/record.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import type { CommitReader, ReadText } from "../github/commit.ts";
import type { Annotation } from "../github/runner.ts";
import { cleanDeep, gate } from "../lib/redact.ts";
import { errorMessage } from "../lib/text.ts";
import type { RememberedName } from "../membership/names.ts";
import type { Policy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import { maxLines, renderBrief } from "../report/brief.ts";
import { type DelegationInput, renderDelegationTerminal } from "../report/delegation.ts";
import { findFlapping, isWorthKeeping, parseHistory } from "../report/history.ts";
import type { Told } from "../report/message.ts";
import { extendOverview, formatOverview, nameOverviewFile } from "../report/overview.ts";
import { findTold, type OwedReport } from "../report/owed.ts";
import { formatRecord } from "../report/record-json.ts";
import { createRenderer, formatDelegationRecord, type ReportFile } from "../report/renderer.ts";
import type { Scheduling } from "../report/scheduling.ts";
import type { TypedRow } from "../report/sources.ts";
import { extendState, parseState } from "../report/state.ts";
import { renderTerminal } from "../report/terminal.ts";
import { describeExpiry, measureExpiry } from "../token/expiry.ts";
import { readFromDisk } from "./newest-files.ts";
import { createOwedReports, type OwedReports } from "./owed.ts";

/** Makes the files to store from what is stored there; none when there is nothing to say. May be asked again. */
export type DraftFiles = (read: ReadText) => Promise<readonly ReportFile[]>;

/** What a run leaves where reports are kept, as one commit. */
interface Report {
  readonly target: ReportTarget;
  readonly headline: string;
  /** The file that `draft` is sure to read. */
  readonly memoryPath: string;
  readonly draft: DraftFiles;
  /** Adds what belongs to the files that were drafted, and is no reason for a commit by itself; null for nothing. */
  readonly complete:
    | ((drafted: readonly ReportFile[], at: CommitReader) => Promise<readonly ReportFile[]>)
    | null;
  /** The page that people are led to when no page was stored. */
  readonly page: string;
}

/** A run's record, of either kind, in every form in which people and programs look for it. */
interface Forms {
  readonly counts: Readonly<Record<"added" | "removed" | "held" | "failed", number>>;
  readonly digest: string | null;
  /** All of it, for those who have asked for details, and for a runner's folded group. */
  readonly terminal: string;
  /** Its end in a few lines; the same as `terminal` where that is short. */
  readonly brief: string;
  readonly summary: string;
  readonly json: string;
}

/** Why the report, and files that were asked for, could not be stored. */
interface Faults {
  readonly report: string | null;
  readonly files: readonly string[];
}

/** What one kind of record has of its own: everything else about telling it is the same for both kinds. */
interface Publication<Told extends RunRecord | DelegationRecord> {
  /** Null when the run leaves no report. */
  readonly report: Report | null;
  /** Tells the record elsewhere, where there is no report; what it throws makes the run worse, as a report would. */
  readonly note: ((record: Told) => Promise<void>) | null;
  /** What keeps the report while it is not committed; null without one. */
  readonly owed: OwedReports | null;
  readonly annotations: readonly Annotation[];
  readonly tokenWarningDays: number;
  /** The record with why something could not be stored, which makes the run worse. */
  conclude(faults: Faults): Told;
  render(record: Told, reportAddress: string | null): Forms;
  /** What a later run needs to commit the report of this record; null when there is nothing worth it. */
  owe(record: Told): OwedReport | null;
}

/**
 * Tells what happened, everywhere people look for it: the step summary and the record first, as the report's commit
 * takes its time and a process may be killed meanwhile, then the report, the annotations, the outputs and the terminal.
 * What cannot be stored does not keep the rest from being told. Returns the record as it was told.
 */
async function publish<Told extends RunRecord | DelegationRecord>(
  { report, note, owed, annotations, tokenWarningDays, conclude, render, owe }: Publication<Told>,
  context: Context,
): Promise<Told> {
  const { runner, paths, print, log } = context;
  const known = conclude({ report: null, files: [] });
  const early = render(known, null);
  const rewriteSummary = await runner.writeSummary(early.summary);
  await writeFile(paths.json, early.json);
  const isKept = await owed?.keep(owe(known));

  const stored = report === null ? await writeNote(() => note?.(known)) : await storeReport(report, context);
  const { address } = stored;
  const error = stored.error === null || !isKept ? stored.error : `${stored.error}. ${keptAdvice}`;
  const stillEarly = render(conclude({ report: error, files: [] }), address);
  const files = [
    ...(await writeFile(paths.json, stillEarly.json)),
    ...(await writeFile(paths.markdown, stillEarly.summary)),
  ];

  const record = conclude({ report: error, files });
  if (error === null) await owed?.settle();
  else await owed?.keep(owe(record));
  const { status, token, finishedAt } = record;
  const { counts, digest, terminal, brief, summary } = render(record, address);
  await rewriteSummary(summary);
  runner.annotate(annotations);
  const expiry = measureExpiry(token?.refreshTokenExpiresAt ?? null, new Date(finishedAt), tokenWarningDays);
  if (expiry?.isShort) runner.warn(describeExpiry(expiry));
  runner.setOutputs({ status, ...counts, digest: digest ?? "", report: address ?? "" });
  const isShort = terminal.split("\n").length < maxLines;
  if (!isShort && !context.isVerbose && context.actions.isRunner) {
    const unfold = runner.fold("All people of this run");
    print(terminal);
    unfold();
  }
  const told = isShort || context.isVerbose ? terminal : brief;
  if (status === "failed") log(told);
  else print(told);
  // On GitHub the run's summary leads to the report; on a person's machine this line does.
  if (report?.target.kind === "folder" && address !== null) log(`Report: ${address}`);
  return record;
}

async function writeNote(write: () => Promise<void> | undefined): ReturnType<typeof storeReport> {
  try {
    await write();
    return { address: null, error: null };
  } catch (error) {
    return { address: null, error: errorMessage(error) };
  }
}

const keptAdvice = "The report is kept in this run's summary and its artifact, and the next sync commits it";

/** Returns why the file could not be written, if it could not: it was proved before, but a disk may be full now. */
async function writeFile(path: string | null, text: string): Promise<readonly string[]> {
  if (path === null) return [];
  try {
    await replaceFile(path, text);
    return [];
  } catch (error) {
    return [errorMessage(error)];
  }
}

/** What is told about a run that looked at memberships. */
export interface MembershipPublication {
  readonly record: RunRecord;
  /** Where the names in the mappings led, to be kept; null for a run that has not looked, or must not learn. */
  readonly names: readonly RememberedName[] | null;
  /** What the run kept of delegations.csv; null where it kept nothing. */
  readonly kept: KeptUpdate | null;
  readonly annotations: readonly Annotation[];
  readonly policy: Policy["report"];
  /** Where the report is kept; null when this run leaves none: a plan, or one that did not come as far as Webex. */
  readonly reportTarget: ReportTarget | null;
  /** What the policy's space is remembered to be told; undefined where that stays as it is. */
  readonly told: Told | null | undefined;
  /** The rows of rooms.csv as they were typed. */
  readonly rows: readonly TypedRow[];
  /** Who may schedule for whom; null where this run does not know it. */
  readonly scheduling: Scheduling | null;
  /** Files of another kind for the report's commit; null when there are none. */
  readonly draftOthers: DraftFiles | null;
  /** Tells a plan where it was asked for; null when nobody waits for it there. */
  readonly note: ((record: RunRecord) => Promise<void>) | null;
}

/** Tells what became of the memberships. A report that cannot be stored makes the run `partial`. */
export async function publishMembership(
  { names, kept, annotations, policy, reportTarget, draftOthers, note, ...publishing }: MembershipPublication,
  context: Context,
): Promise<RunRecord> {
  // Before anything is rendered: a secret in a name or an error could hide behind what Markdown makes of it.
  const record = cleanDeep(publishing.record, gate.clean);
  const { rows, scheduling } = publishing;
  const { actions, paths, paint } = context;
  const { repositoryUrl, runUrl } = actions;
  const renderer = createRenderer();
  // With what the memory of earlier runs adds to this one, as it was when the report was last drafted.
  let told = record;
  const place = reportTarget && { target: reportTarget, owed: createOwedReports(reportTarget, context) };
  const runId = nameRun(record, actions);

  const createReport = ({ target, owed }: NonNullable<typeof place>): Report => {
    const { reports: reportsDir, delegations: delegationsFile } = locate(paths, target);
    const memoryPath = `${reportsDir}/history.json`;
    const statePath = `${reportsDir}/state.json`;
    const page = `${reportsDir}/README.md`;
    const where = { mappingsFile: paths.mappings, reportsDir, repositoryUrl, runUrl };
    const schedulingPage = scheduling && renderer.renderScheduling(scheduling, reportsDir, delegationsFile);
    const draftPages: DraftFiles = async (read) => [
      ...(schedulingPage === null || (await read(schedulingPage.path)) === schedulingPage.text
        ? []
        : [schedulingPage]),
      ...((await draftOthers?.(read)) ?? []),
    ];
    // The repository's own README tells the state where it has a place for it; on a person's disk it is left alone.
    const draftStatus = async (
      files: readonly ReportFile[],
      read: ReadText,
    ): Promise<readonly ReportFile[]> => {
      if (target.kind !== "branch" || !files.some(({ path }) => path === page)) return [];
      const text = renderer.renderStatus((await read("README.md")) ?? "", told, reportsDir);
      return text === null ? [] : [{ path: "README.md", text }];
    };
    let drafts = 0;
    const draft: DraftFiles = async (read) => {
      const memory = parseHistory(await read(memoryPath));
      drafts += 1;
      // Asked again after an answer that got lost on the way, it may find this very run on the branch already.
      if (drafts > 1 && memory.history.checkedAt === record.startedAt) return [];
      const late: OwedReport[] = [];
      for (const report of await owed.find()) {
        // Committed after all, by a run whose answer got lost or which could not take the artifact away.
        if ((await read(renderer.nameLateRecord(report, reportsDir))) === undefined) late.push(report);
      }
      const notices = [...record.notices, ...findFlapping(memory.history, record), ...late.map(describeLate)];
      told = { ...record, notices };
      const known = { rows, hasSchedulingPage: schedulingPage !== null };
      const files = renderer.renderFiles({ record: told, policy, memory, runId, late, ...known, ...where });
      const said = publishing.told === undefined ? findTold(late) : publishing.told;
      // What is met or kept for the first time is worth a commit: what is not remembered cannot be missed.
      const state =
        names === null && kept === null && said === undefined
          ? null
          : extendState(parseState(await read(statePath)), names ?? [], kept, said);
      return [
        ...files,
        ...(state === null ? [] : [{ path: statePath, text: state }]),
        ...(await draftPages(read)),
        ...(await draftStatus(files, read)),
      ];
    };
    const headline = describeCommit(record);
    const { overview: folder, organisation: name } = paths;
    if (folder === null || name === null)
      return { target, headline, memoryPath, draft, complete: null, page };
    // Once a run: asked at each of many attempts, it would use up what GitHub allows in an hour.
    let listing: Promise<readonly string[]> | null = null;
    const complete: Report["complete"] = async (drafted, { read, list }) => {
      // Without a new index of its own the organisation has nothing new to say here.
      if (!drafted.some(({ path }) => path === page)) return drafted;
      listing ??= list(mappingsFolder).catch((error: unknown) => {
        listing = null;
        throw error;
      });
      const [text, listed] = await Promise.all([read(nameOverviewFile(folder)), listing]);
      const { tokenWarningDays } = policy;
      const { names } = sortOrganisations(listed);
      const overview = extendOverview(text, names, { record: told, name, tokenWarningDays });
      return [
        ...drafted,
        { path: `${folder}/README.md`, text: renderer.renderOverview(overview) },
        { path: nameOverviewFile(folder), text: formatOverview(overview) },
      ];
    };
    return { target, headline, memoryPath, draft, complete, page };
  };

  const publication: Publication<RunRecord> = {
    report: place && createReport(place),
    owed: place?.owed ?? null,
    note,
    annotations,
    tokenWarningDays: policy.tokenWarningDays,
    conclude(faults) {
      const known = new Set(told.problems.map(({ message }) => message));
      const messages = [faults.report ?? [], faults.files].flat().filter((message) => !known.has(message));
      if (messages.length === 0) return told;
      const found = messages.map((message) => ({ line: null, column: null, message: gate.clean(message) }));
      // A plan has nothing but what it tells.
      const status = told.status === "failed" || told.command === "plan" ? "failed" : "partial";
      return { ...told, status, problems: [...told.problems, ...found] };
    },
    render(last, reportAddress) {
      const { added, removed, held, failed } = last.totals;
      // A summary is no page of the repository: a relative link would lead nowhere.
      const where = { mappingsAddress: null, repositoryUrl, runUrl, reportAddress };
      return {
        counts: { added, removed, held, failed },
        digest: last.digest,
        terminal: renderTerminal(last, paths.mappings, paint),
        brief: renderBrief(last, paths.mappings, describeMore(reportAddress, context), paint),
        summary: renderer.renderSummary({ record: last, notices: last.notices, policy, ...where }),
        json: formatRecord(last),
      };
    },
    owe: (last) =>
      isWorthKeeping(record) || publishing.told !== undefined
        ? {
            kind: "membership",
            runId,
            runUrl,
            record: last,
            ...(publishing.told === undefined ? {} : { told: publishing.told }),
          }
        : null,
  };
  return await publish(publication, context);
}

function describeMore(reportAddress: string | null, { actions }: Context): string {
  if (actions.isRunner) return "Everybody is in the folded list above, and in the run's summary.";
  return reportAddress === null
    ? "--verbose names everybody."
    : "--verbose names everybody, and so does the report.";
}

function describeLate({ runId, record }: OwedReport): string {
  return `The report of run ${runId} (${record.startedAt.slice(0, 10)}) could not be committed then, and is committed with this one.`;
}

/** What is told about a run that looked at delegates. */
export interface DelegationPublication extends Omit<DelegationInput, "runUrl"> {
  /** Null when the run leaves no report: it only showed something, or did not come as far as Webex. */
  readonly reportTarget: ReportTarget | null;
  /** Whether the run has already added rows to delegations.csv, which is worth a report whatever Webex had. */
  readonly hasNewRows: boolean;
  /** The rows to take out of delegations.csv. */
  readonly takeOut: DelegationsFileEdit["takeOut"];
}

/** Adds rows to delegations.csv where the report will go; returns all rows then. @throws when they cannot be stored. */
export async function storeRows(
  set: DelegationsFileEdit["set"],
  target: ReportTarget,
  context: Context,
): Promise<readonly ListedDelegation[]> {
  const { delegations: path } = locate(context.paths, target);
  let stored = "";
  const headline = `Rollcall: ${set.length} ${set.length === 1 ? "row" : "rows"} in delegations.csv`;
  const draft: DraftFiles = async (read) => {
    const before = await read(path);
    const text = editDelegationsFile(before, { set, takeOut: [] });
    stored = text ?? before ?? "";
    return text === null ? [] : [{ path, text }];
  };
  const report = { target, headline, memoryPath: path, draft, complete: null, page: path };
  await storeFiles(report, context);
  return parseDelegations(Buffer.from(stored)).grants;
}

/** Tells what became of the delegates. A report that cannot be stored makes the run `partial`. */
export async function publishDelegation(
  { reportTarget, hasNewRows, takeOut, ...publishing }: DelegationPublication,
  context: Context,
): Promise<DelegationRecord> {
  const told = cleanDeep(ofOrganisation(publishing, context.paths), gate.clean);
  const { record, isDryRun, tokenWarningDays } = told;
  const input = { ...told, runUrl: context.actions.runUrl };
  // A run that found nothing to change, and nothing to complain of, leaves no page.
  const isWorthReporting = record.status !== "converged" || hasNewRows || takeOut.length > 0;
  const target = isWorthReporting ? reportTarget : null;
  const { runUrl } = context.actions;
  const runId = nameRun(record, context.actions);
  const publication: Publication<DelegationRecord> = {
    report: target && reportDelegation(input, takeOut, target, context),
    owed: target && createOwedReports(target, context),
    note: null,
    annotations: [],
    tokenWarningDays,
    conclude({ report, files }) {
      const found = [report === null ? [] : report + nameRowsLeft(takeOut), files]
        .flat()
        .map(gate.clean)
        .filter((message) => !record.problems.includes(message));
      if (found.length === 0) return record;
      const changesNothing = isDryRun || record.mode === "show";
      const status = record.status === "failed" || changesNothing ? "failed" : "partial";
      return { ...record, status, problems: [...record.problems, ...found] };
    },
    render: (last, reportAddress) => ({
      counts: { ...countChanges(last), held: 0 },
      digest: null,
      terminal: renderDelegationTerminal(last, isDryRun, context.paint),
      brief: renderDelegationTerminal(last, isDryRun, context.paint),
      summary: createRenderer().renderDelegationSummary({ ...input, record: last }, reportAddress),
      json: formatDelegationRecord(last),
    }),
    owe: (last) => {
      const { siteUrl } = told;
      return { kind: "delegation", runId, runUrl, siteUrl, tokenWarningDays, record: last };
    },
  };
  return await publish(publication, context);
}

/** The page and the record of a delegation run, and its edit of delegations.csv as it is there at that moment. */
export function reportDelegation(
  given: DelegationInput,
  takeOut: DelegationsFileEdit["takeOut"],
  target: ReportTarget,
  { actions, paths }: Context,
): Report {
  const input = cleanDeep(ofOrganisation(given, paths), gate.clean);
  const { reports, delegations } = locate(paths, target);
  const { mode, hosts } = input.record;
  const runId = nameRun(input.record, actions);
  const [page, record] = createRenderer().renderDelegationFiles(input, runId, reports);
  const draft: DraftFiles = async (read) => {
    // After an answer that got lost on the way, the branch may hold this very run already.
    if ((await read(record.path)) === record.text) return [];
    const text =
      takeOut.length > 0 ? editDelegationsFile(await read(delegations), { set: [], takeOut }) : null;
    return [page, record, ...(text === null ? [] : [{ path: delegations, text }])];
  };
  const headline = `Rollcall: delegate, ${mode} for ${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`;
  return { target, headline, memoryPath: record.path, draft, complete: null, page: page.path };
}

/** Where there are several organisations, the record says whose it is. */
function ofOrganisation<Input extends { readonly record: DelegationRecord }>(
  input: Input,
  { organisation }: Paths,
): Input {
  return organisation === null ? input : { ...input, record: { ...input.record, organisation } };
}

/** Somebody removed who is still listed would be granted again: their rows are named for a person to delete. */
function nameRowsLeft(takeOut: DelegationsFileEdit["takeOut"]): string {
  if (takeOut.length === 0) return "";
  return `. As long as these rows are in delegations.csv, sync grants them again, so delete them through a pull request: ${formatRows(takeOut)}`;
}

/** Stores a report, and says where people read it, or why they cannot. Never throws: the rest has to be told. */
async function storeReport(
  report: Report,
  context: Context,
): Promise<{ readonly address: string | null; readonly error: string | null }> {
  try {
    return {
      address: addressOf(report.target, findPage(await storeFiles(report, context)) ?? report.page),
      error: null,
    };
  } catch (error) {
    return { address: null, error: errorMessage(error) };
  }
}

/** Writes the files to disk, or commits them. Returns them as they were stored. */
async function storeFiles(
  { target, memoryPath, draft, complete, headline }: Report,
  { stop }: Context,
): Promise<readonly ReportFile[]> {
  const draftAll = async (at: CommitReader) => {
    const drafted = await draft(at.read);
    return complete === null ? drafted : await complete(drafted, at);
  };
  if (target.kind === "folder") {
    const files = await draftAll({ read: readText, list: listFiles });
    for (const { path, text } of files) await replaceFile(path, text);
    return files;
  }
  const { commitReport } = await import("../github/commit.ts");
  let stored: readonly ReportFile[] = [];
  const commit = async (memory: string | undefined, { read, list }: CommitReader) => {
    const remembering: ReadText = async (path) => (path === memoryPath ? memory : await read(path));
    const files = cleanDeep(await draftAll({ read: remembering, list }), gate.clean);
    // Asked again, it may find the files committed already, by an answer that got lost on the way.
    if (files.length > 0) stored = files;
    return files.length === 0 ? null : { files, headline };
  };
  await commitReport(target, memoryPath, commit, { stop });
  return stored;
}

/** Reads a file of this machine; undefined where there is none. What cannot be read is not taken for missing. */
async function readText(path: string): Promise<string | undefined> {
  return (await readFromDisk(path))?.toString("utf8");
}

/** The run's own page among the files, or the index. */
function findPage(files: readonly ReportFile[]): string | undefined {
  const pages = files.map((file) => file.path).filter((path) => path.endsWith(".md"));
  return pages.find((path) => path.includes("/runs/")) ?? pages[0];
}

function addressOf(target: ReportTarget, path: string): string {
  if (target.kind === "folder") return path;
  const { repository, branch } = target;
  return `${repository.serverUrl}/${repository.owner}/${repository.name}/blob/${branch}/${path}`;
}

function locate({ disk, repository }: Paths, { kind }: ReportTarget): ReportPaths {
  return kind === "branch" ? repository : disk;
}

function describeCommit({ status, totals, organisation }: RunRecord): string {
  const counts = (["added", "removed", "held", "failed"] as const).filter((name) => totals[name] > 0);
  const whose = organisation === undefined ? "" : ` (${organisation})`;
  return `Rollcall: ${counts.map((name) => `${totals[name]} ${name}`).join(", ") || status}${whose}`;
}

/** What tells this run's page from those of other runs of its day. */
function nameRun({ startedAt }: { readonly startedAt: string }, { runId, runAttempt }: Actions): string {
  if (runId !== null) return runAttempt > 1 ? `${runId}-${runAttempt}` : runId;
  return `local-${startedAt.slice(11).replace(/\D/g, "")}`;
}
