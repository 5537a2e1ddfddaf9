import { formatTimestamp } from "../lib/date.ts";
import type { TokenRecord } from "../token/store.ts";
import type { HostOutcome } from "./apply.ts";
import type { SiteUser } from "./backend.ts";
import type { DelegationRequest } from "./request.ts";

/** The two interfaces of Webex that delegates can be changed by. */
export type BackendName = "rest" | "xml";

/** What a run saw and did to one host; addresses are as Webex spells them, sorted. */
export interface HostRecord {
  readonly host: string;
  /** Null when the list could not be read: unknown is never empty. */
  readonly before: readonly string[] | null;
  readonly after: readonly string[] | null;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Present when the host is not as was asked. */
  readonly error?: string;
}

/** The record of one run that looked at delegates: what `--json` writes and the report is rendered from. */
export interface DelegationRecord {
  readonly version: 1;
  /** `sync` when it revoked what had expired. */
  readonly command: "delegate" | "sync";
  readonly mode: DelegationRequest["mode"];
  readonly backend: BackendName;
  readonly status: "converged" | "changed" | "failed" | "partial";
  readonly hosts: readonly HostRecord[];
  readonly token: TokenRecord | null;
  /** Who asked, as GitHub knows them; null outside of GitHub. */
  readonly actor: string | null;
  /** UTC, ISO 8601, whole seconds. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The last day of what was added; present when it has one. */
  readonly until?: string;
  /** The site's active users; present when `show` was given no hosts. */
  readonly users?: readonly Pick<SiteUser, "address" | "displayName" | "canHost">[];
  /** What has to be put right, and concerns more than one host. */
  readonly problems: readonly string[];
  readonly notices: readonly string[];
}

/** What a record is built from, besides the outcomes. */
export interface DelegationFacts
  extends Pick<DelegationRecord, "command" | "mode" | "backend" | "actor" | "token" | "problems"> {
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly until: string | null;
  readonly users: readonly SiteUser[] | null;
  readonly notices: readonly string[];
  /** True when an error stopped the run before it wrote anything. */
  readonly hasFailed: boolean;
}

/** Builds the record and derives its status from the outcomes. */
export function buildDelegationRecord(
  facts: DelegationFacts,
  outcomes: readonly HostOutcome[],
): DelegationRecord {
  const { command, mode, backend, actor, token, until, users, problems } = facts;
  return {
    version: 1,
    command,
    mode,
    backend,
    status: decideStatus(facts, outcomes),
    hosts: outcomes.map(recordHost),
    token,
    actor,
    startedAt: formatTimestamp(facts.startedAt),
    finishedAt: formatTimestamp(facts.finishedAt),
    ...(until === null ? {} : { until }),
    ...(users === null ? {} : { users: users.map(pickUser) }),
    problems,
    notices: [
      ...facts.notices,
      ...outcomes.flatMap(({ host, notices }) =>
        notices.map((notice) => (notice.startsWith(host) ? notice : `${host}: ${notice}`)),
      ),
    ],
  };
}

/** Counts the changes for the step outputs and the headline. */
export function countChanges({ hosts }: Pick<DelegationRecord, "hosts">): {
  readonly added: number;
  readonly removed: number;
  readonly failed: number;
} {
  const sum = (count: (host: HostRecord) => number) => hosts.reduce((total, host) => total + count(host), 0);
  return {
    added: sum((host) => host.added.length),
    removed: sum((host) => host.removed.length),
    failed: hosts.filter((host) => host.error !== undefined).length,
  };
}

function decideStatus(
  { hasFailed, problems }: DelegationFacts,
  outcomes: readonly HostOutcome[],
): DelegationRecord["status"] {
  if (hasFailed) return "failed";
  if (problems.length > 0 || outcomes.some((outcome) => outcome.error !== null)) return "partial";
  return outcomes.some(({ added, removed }) => added.length + removed.length > 0) ? "changed" : "converged";
}

function recordHost({ host, before, after, added, removed, error }: HostOutcome): HostRecord {
  const sort = (addresses: readonly string[]) => [...addresses].sort();
  return {
    host,
    before: before && sort(before),
    after: after && sort(after),
    added: sort(added),
    removed: sort(removed),
    ...(error === null ? {} : { error }),
  };
}

function pickUser({
  address,
  displayName,
  canHost,
}: SiteUser): Pick<SiteUser, "address" | "displayName" | "canHost"> {
  return { address, displayName, canHost };
}
