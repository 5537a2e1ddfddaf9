import { setTimeout as delay } from "node:timers/promises";
import type { Context, Options } from "../cli/context.ts";
import type { Actions } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { applyPlans, type HostOutcome, preview } from "../delegation/apply.ts";
import { describeEnding, findExpired, findFinished, type ListedDelegation } from "../delegation/expiring.ts";
import { observeLists } from "../delegation/observe.ts";
import { planList } from "../delegation/plan.ts";
import { buildDelegationRecord } from "../delegation/record.ts";
import type { Runner } from "../github/runner.ts";
import { toDateString } from "../lib/date.ts";
import { errorMessage } from "../lib/text.ts";
import { openBackend, requireSite } from "./delegation-backend.ts";
import { nameDelegationsFile, nameReportsDir } from "./inputs.ts";
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

/** What a revocation takes place in. */
export interface RevocationContext {
  readonly config: Config;
  readonly session: Session;
  readonly runner: Runner;
  readonly actions: Actions;
  readonly options: Options;
  readonly context: Context;
  readonly tokenWarningDays: number;
}

/** How long Webex gets to show a change before a list is looked at a second time. */
const settleMs = 2_000;

/**
 * Revokes the delegations whose last day is over, and warns of those that end soon; with `mayWrite` false it only
 * tells. Never throws: whatever goes wrong here leaves the rooms to go on, and the rows in the file.
 */
export async function revokeExpired(
  grants: readonly ListedDelegation[],
  mayWrite: boolean,
  around: RevocationContext,
): Promise<Revocation> {
  const quiet = { problems: [], notices: [], hasChanged: false, draftFiles: null };
  if (grants.length === 0) return quiet;
  const today = toDateString(around.context.now());
  const notices = describeEnding(grants, today);
  const file = nameDelegationsFile(around.options);
  if (around.config.siteUrl === null) {
    const problem = `${file} lists delegations that end, but WEBEX_SITE_URL is not set, so none of them is revoked; set it to the Webex Meetings site, such as acme.webex.com`;
    return { ...quiet, notices, problems: [problem] };
  }
  const expired = findExpired(grants, today);
  if (expired.length === 0) return { ...quiet, notices };
  try {
    const revoked = await revoke(expired, mayWrite, around);
    return { ...revoked, notices: [...notices, ...revoked.notices] };
  } catch (error) {
    const message = errorMessage(error);
    return { ...quiet, notices, problems: [`what has expired in ${file} was not revoked: ${message}`] };
  }
}

async function revoke(
  expired: readonly ListedDelegation[],
  mayWrite: boolean,
  around: RevocationContext,
): Promise<Revocation> {
  const { config, session, runner, context } = around;
  const startedAt = context.now();
  const { reader, createWriter } = await openBackend("rest", requireSite(config), session, runner);
  await reader.proveAccess(mayWrite);
  const hosts = [...new Set(expired.map((grant) => grant.host))];
  const lists = await observeLists(reader, hosts);
  const plans = hosts.map((host) => {
    const delegates = expired.filter((grant) => grant.host === host).map((grant) => grant.delegate);
    return planList({ host, mode: "remove", delegates }, lists);
  });
  const { stop } = session;
  const waitForConsistency = () => delay(settleMs);
  const outcomes = mayWrite
    ? await applyPlans(plans, { reader, writer: createWriter(), stop, waitForConsistency })
    : plans.map(preview);
  const problems = outcomes.flatMap(({ host, error }) =>
    error === null ? [] : [`what has expired for ${host} was not revoked: ${error}`],
  );
  const notices = expired.flatMap((grant) => describeRevoked(grant, outcomes, mayWrite));
  if (!mayWrite) return { problems, notices, hasChanged: false, draftFiles: null };
  return { ...(await draftReport(expired, outcomes, startedAt, around)), problems, notices };
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

/** A page for what was changed, and the rows out of the file in the same commit. */
async function draftReport(
  expired: readonly ListedDelegation[],
  outcomes: readonly HostOutcome[],
  startedAt: Date,
  { config, session, actions, options, context, tokenWarningDays }: RevocationContext,
): Promise<Pick<Revocation, "hasChanged" | "draftFiles">> {
  const finished = findFinished(expired, outcomes);
  const hasChanged = outcomes.some(({ removed }) => removed.length > 0);
  // A report on another branch cannot change the file that is read here: without news it would be the same each time.
  const { reportTarget } = config;
  const isElsewhere = reportTarget.kind === "branch" && reportTarget.branch !== actions.refName;
  if (!hasChanged && (finished.length === 0 || isElsewhere)) return { hasChanged, draftFiles: null };
  const record = buildDelegationRecord(
    {
      command: "sync",
      mode: "remove",
      backend: "rest",
      actor: actions.actor,
      token: session.token,
      startedAt,
      finishedAt: context.now(),
      until: null,
      users: null,
      problems: [],
      notices: [],
      hasFailed: false,
    },
    outcomes,
  );
  const { runUrl } = actions;
  const input = { record, isDryRun: false, siteUrl: config.siteUrl, runUrl, tokenWarningDays };
  const isCommitted = config.reportTarget.kind === "branch";
  const delegationsFile = nameDelegationsFile(options, isCommitted);
  const order = { input, reportsDir: nameReportsDir(options, isCommitted), delegationsFile };
  const edit = { set: [], takeOut: finished };
  // Loaded only when something was revoked: the rooms wait for this.
  const [{ draftDelegation }, { createDelegationRenderer }, { readTemplate }] = await Promise.all([
    import("./publish-delegation.ts"),
    import("../report/renderer.ts"),
    import("./publish.ts"),
  ]);
  const renderer = createDelegationRenderer(readTemplate);
  return { hasChanged, draftFiles: draftDelegation({ ...order, edit }, actions, renderer) };
}
