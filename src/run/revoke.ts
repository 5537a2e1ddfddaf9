import type { Context } from "../cli/context.ts";
import type { Config, SiteConfig } from "../config/settings.ts";
import { applyPlans, type HostOutcome, preview } from "../delegation/apply.ts";
import { describeEnding, findExpired, findFinished, type ListedDelegation } from "../delegation/expiring.ts";
import { observeLists } from "../delegation/observe.ts";
import { planList } from "../delegation/plan.ts";
import { buildDelegationRecord } from "../delegation/record.ts";
import { toDateString } from "../lib/date.ts";
import { errorMessage } from "../lib/text.ts";
import { createChangeLog } from "./change-log.ts";
import { openBackend } from "./delegation-backend.ts";
import type { DraftFiles } from "./publish.ts";
import type { Session } from "./session.ts";

/** What `sync` found out about the delegations that end. */
export interface Revocation {
  readonly problems: readonly string[];
  readonly notices: readonly string[];
  readonly hasChanged: boolean;
  /** The page, the record and the shortened delegations.csv, for the report's commit; null when there is none. */
  readonly draftFiles: DraftFiles | null;
}

/** The run that a revocation is part of. */
export interface RevocationContext {
  readonly config: Config;
  readonly session: Session;
  readonly tokenWarningDays: number;
}

/**
 * Revokes the delegations whose last day is over, and warns of those that end soon; with `mayWrite` false it only
 * tells. Never throws: whatever goes wrong here leaves the rooms to go on, and the rows in the file.
 */
export async function revokeExpired(
  grants: readonly ListedDelegation[],
  mayWrite: boolean,
  around: RevocationContext,
  context: Context,
): Promise<Revocation> {
  const today = toDateString(context.now());
  const notices = describeEnding(grants, today);
  const quiet = { problems: [], notices, hasChanged: false, draftFiles: null };
  const { delegations: file } = context.paths.disk;
  const { siteUrl } = around.config;
  if (siteUrl === null) {
    const problem = `${file} lists delegations that end, but WEBEX_SITE_URL is not set, so none of them is revoked; set it to the Webex Meetings site, such as acme.webex.com`;
    return { ...quiet, problems: [problem] };
  }
  const expired = findExpired(grants, today);
  if (expired.length === 0) return quiet;
  try {
    const site = { ...around, config: { ...around.config, siteUrl } };
    const revoked = await revoke(expired, mayWrite, site, context);
    return { ...revoked, notices: [...notices, ...revoked.notices] };
  } catch (error) {
    return { ...quiet, problems: [`what has expired in ${file} was not revoked: ${errorMessage(error)}`] };
  }
}

const facts = {
  command: "sync",
  mode: "remove",
  backend: "rest",
  until: null,
  users: null,
  kept: [],
  problems: [],
  notices: [],
  hasFailed: false,
} as const;

async function revoke(
  expired: readonly ListedDelegation[],
  mayWrite: boolean,
  { config, session, tokenWarningDays }: RevocationContext & { readonly config: SiteConfig },
  context: Context,
): Promise<Revocation> {
  const startedAt = context.now();
  const { actor, refName, runUrl } = context.actions;
  const { stop, waitForConsistency } = session;
  const { reader, createWriter } = await openBackend("rest", config, session, context.runner.mask);
  await reader.proveAccess(mayWrite);
  const hosts = [...new Set(expired.map((grant) => grant.host))];
  const lists = await observeLists(reader, hosts);
  const plans = hosts.map((host) => {
    const delegates = expired.filter((grant) => grant.host === host).map((grant) => grant.delegate);
    return planList({ host, mode: "remove", delegates }, lists);
  });
  const changeLog = createChangeLog(context);
  const outcomes = mayWrite
    ? await applyPlans(plans, {
        reader,
        writer: changeLog.watchDelegates(createWriter()),
        stop,
        waitForConsistency,
      }).finally(changeLog.end)
    : plans.map(preview);
  const problems = outcomes.flatMap(({ host, error }) =>
    error === null ? [] : [`what has expired for ${host} was not revoked: ${error}`],
  );
  const notices = expired.flatMap((grant) => describeRevoked(grant, outcomes, mayWrite));
  const hasChanged = mayWrite && outcomes.some(({ removed }) => removed.length > 0);
  const finished = findFinished(expired, outcomes);
  // A report on another branch cannot change the file that is read here: without news it would be the same each time.
  const { siteUrl, reportTarget } = config;
  const isElsewhere = reportTarget.kind === "branch" && reportTarget.branch !== refName;
  const isDue = hasChanged || (mayWrite && finished.length > 0 && !isElsewhere);
  if (!isDue) return { problems, notices, hasChanged, draftFiles: null };

  const times = { startedAt, finishedAt: context.now() };
  const record = buildDelegationRecord({ ...facts, actor, token: session.token, ...times }, outcomes);
  // Loaded only when there is something to report: the rooms wait for this.
  const { reportDelegation } = await import("./publish.ts");
  const input = { record, isDryRun: false, siteUrl, runUrl, tokenWarningDays };
  const { draft } = reportDelegation(input, finished, reportTarget, context);
  return { problems, notices, hasChanged, draftFiles: draft };
}

function describeRevoked(
  { host, delegate, until }: ListedDelegation,
  outcomes: readonly HostOutcome[],
  mayWrite: boolean,
): string[] {
  const removed = outcomes.find((outcome) => outcome.host === host)?.removed ?? [];
  if (!removed.some((address) => address.toLowerCase() === delegate)) return [];
  return [
    `${delegate} ${mayWrite ? "may no longer" : "would no longer"} schedule meetings for ${host}: ended ${until}`,
  ];
}
