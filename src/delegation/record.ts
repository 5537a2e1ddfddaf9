import * as v from "valibot";
import { formatTimestamp } from "../lib/date.ts";
import type { ReadonlyDeep } from "../lib/readonly-deep.ts";
import type { HostOutcome } from "./apply.ts";
import type { SiteUser } from "./backend.ts";
import type { ListedDelegation } from "./expiring.ts";
import { modes } from "./request.ts";

const addresses = v.array(v.string());

/** The record of one run that looked at delegates, its keys in the contract's order. */
export const delegationRecordSchema = v.strictObject({
  version: v.literal(1),
  /** `sync` when it made the delegates as delegations.csv says. */
  command: v.picklist(["delegate", "sync"]),
  /** Present only where there are several: the one of this run. */
  organisation: v.exactOptional(v.string()),
  /** `keep` is what `sync` does. */
  mode: v.picklist([...modes, "keep"]),
  /** By which of the two interfaces of Webex delegates are read and changed. */
  backend: v.picklist(["rest", "xml"]),
  status: v.picklist(["converged", "changed", "failed", "partial"]),
  hosts: v.array(
    v.strictObject({
      /** Addresses are as Webex spells them, sorted. */
      host: v.string(),
      /** Null when the list could not be read: unknown is never empty. */
      before: v.nullable(addresses),
      after: v.nullable(addresses),
      added: addresses,
      removed: addresses,
      /** Present when the host is not as requested. */
      error: v.exactOptional(v.string()),
    }),
  ),
  token: v.nullable(
    v.strictObject({
      refreshed: v.boolean(),
      rotated: v.boolean(),
      refreshTokenExpiresAt: v.nullable(v.string()),
    }),
  ),
  /** Who asked, as GitHub knows them; null outside of GitHub. */
  actor: v.nullable(v.string()),
  /** UTC, ISO 8601, whole seconds. */
  startedAt: v.string(),
  finishedAt: v.string(),
  /** The last day of what was added; present when it has one. */
  until: v.exactOptional(v.string()),
  /** The site's active users; present when `show` was given no hosts. */
  users: v.exactOptional(
    v.array(
      v.strictObject({
        address: v.string(),
        displayName: v.nullable(v.string()),
        canHost: v.nullable(v.boolean()),
      }),
    ),
  ),
  /** What delegations.csv keeps of what is shown, and the line of each row; present when it keeps some of it. */
  kept: v.exactOptional(
    v.array(
      v.strictObject({
        host: v.string(),
        delegate: v.string(),
        until: v.nullable(v.string()),
        line: v.number(),
      }),
    ),
  ),
  /** What needs fixing and concerns more than one host. */
  problems: v.array(v.string()),
  notices: v.array(v.string()),
});

/** The record of one run that looked at delegates: what `--json` writes and the report is rendered from. */
export type DelegationRecord = ReadonlyDeep<v.InferOutput<typeof delegationRecordSchema>>;

/** What a run saw and did to one host. */
export type HostRecord = DelegationRecord["hosts"][number];

export type BackendName = DelegationRecord["backend"];

/** What a record is built from, besides the outcomes. */
export interface DelegationFacts
  extends Pick<DelegationRecord, "command" | "mode" | "backend" | "actor" | "token" | "problems"> {
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly until: string | null;
  readonly users: readonly SiteUser[] | null;
  readonly kept: readonly ListedDelegation[];
  readonly notices: readonly string[];
  /** True when an error stopped the run before it wrote anything. */
  readonly hasFailed: boolean;
}

/** Builds the record and derives its status from the outcomes. */
export function buildDelegationRecord(
  facts: DelegationFacts,
  outcomes: readonly HostOutcome[],
): DelegationRecord {
  const { command, mode, backend, actor, token, until, users, kept, problems } = facts;
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
    ...(users === null ? {} : { users: users.map(({ isActive: _, ...user }) => user) }),
    ...(kept.length === 0 ? {} : { kept: kept.map(({ note: _, ...row }) => row) }),
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
