import * as v from "valibot";
import { dayMs } from "../lib/date.ts";
import { createMatcher, foldAddress } from "../lib/email.ts";
import type { ReadonlyDeep } from "../lib/readonly-deep.ts";
import { compareStrings } from "../lib/text.ts";
import { findExpired, type ListedDelegation, pairOf } from "./expiring.ts";

/** What state.json keeps of delegations. */
const keptSchema = v.array(
  v.strictObject({
    file: v.string(),
    host: v.string(),
    delegate: v.string(),
    /** When it was granted again in the last 30 days, because somebody had taken it away in Webex. */
    returned: v.exactOptional(v.array(v.pipe(v.string(), v.isoTimestamp()))),
  }),
);

/** A grant that a run has kept, and the file that listed it: another file's rows say nothing about it. */
export type KeptGrant = ReadonlyDeep<v.InferOutput<typeof keptSchema>>[number];

/** Reads what earlier runs have kept; `damage` names what cannot be read, null where nothing was kept either. */
export function parseKept(stored: unknown): {
  readonly kept: readonly KeptGrant[];
  readonly damage: string | null;
} {
  if (stored === undefined) return { kept: [], damage: null };
  const parsed = v.safeParse(keptSchema, stored);
  if (parsed.success) return { kept: parsed.output, damage: null };
  return { kept: [], damage: ["delegations", v.getDotPath(parsed.issues[0]) ?? []].flat().join(".") };
}

/** What a run has to add to the memory, and to take out of it. */
export interface KeptUpdate {
  readonly listed: readonly KeptGrant[];
  readonly ended: readonly KeptGrant[];
  /** Those that this run granted again; `returned` holds the one time. */
  readonly returned: readonly KeptGrant[];
}

/** The memory after a run, sorted. Pure. */
export function updateKept(
  kept: readonly KeptGrant[],
  { listed, ended, returned }: KeptUpdate,
): readonly KeptGrant[] {
  const all = new Map([...listed, ...kept].map((grant) => [keyOf(grant), grant]));
  for (const grant of returned) {
    const [at = ""] = grant.returned ?? [];
    const times = [...listReturns(all.get(keyOf(grant)), at), at];
    all.set(keyOf(grant), { ...grant, returned: times });
  }
  for (const grant of ended) all.delete(keyOf(grant));
  return [...all].sort(([one], [other]) => compareStrings(one, other)).map(([, grant]) => grant);
}

const rememberedDays = 30;

/** When a grant came back in the 30 days before `now`. Pure. */
export function listReturns(grant: KeptGrant | undefined, now: string): readonly string[] {
  const since = Date.parse(now) - rememberedDays * dayMs;
  return (grant?.returned ?? []).filter((at) => Date.parse(at) >= since);
}

/**
 * What people are told of a grant that was kept, was gone from Webex and comes back; `now` is ISO 8601. When it has
 * come back before, somebody or something else decides, too. Pure.
 */
export function describeReturn(grant: KeptGrant, now: string): string {
  const times = listReturns(grant, now).length + 1;
  const { host, delegate } = grant;
  if (times === 1)
    return `${delegate} was no longer a delegate of ${host} in Webex, although delegations.csv keeps that; to end it, delete the row`;
  return `${delegate} keeps coming and going as a delegate of ${host}: taken away in Webex and granted again ${times} times in ${rememberedDays} days. Delete the row if it should end, or find out who takes it away; let only one of them decide`;
}

function keyOf(grant: KeptGrant): string {
  return `${grant.file} ${pairOf(grant)}`;
}

/** A right that has ended: by its row's last day, or because the row was deleted. */
export interface Ending {
  readonly host: string;
  readonly delegate: string;
  /** The row whose last day is over; null when the row was deleted. */
  readonly row: ListedDelegation | null;
}

/** What has ended of the rows of a file: what has expired, and what was kept before and is listed no longer. Pure. */
export function findEndings(
  grants: readonly ListedDelegation[],
  kept: readonly KeptGrant[],
  today: string,
): readonly Ending[] {
  const listed = new Set(grants.map(pairOf));
  const deleted = kept.filter((grant) => !listed.has(pairOf(grant)));
  return [
    ...findExpired(grants, today).map((row) => ({ host: row.host, delegate: row.delegate, row })),
    ...deleted.map(({ host, delegate }) => ({ host, delegate, row: null })),
  ];
}

/** Those of the endings that the file, as it is read a second time, still says: its row is as it was. Pure. */
export function stillEnded(
  endings: readonly Ending[],
  grants: readonly ListedDelegation[],
): readonly Ending[] {
  const rows = new Map(grants.map((grant) => [pairOf(grant), grant]));
  return endings.filter((ending) => rows.get(pairOf(ending))?.until === ending.row?.until);
}

/** How a right that is held back is named in the digest. */
export function heldKeyOf({ host, delegate }: Ending): string {
  return `${foldAddress(host)}/${foldAddress(delegate)}`;
}

/** Those of some grants that a list has, or has not. Pure. */
export function splitByPresence<G extends { readonly host: string; readonly delegate: string }>(
  grants: readonly G[],
  lists: ReadonlyMap<string, readonly string[]>,
): { readonly present: readonly G[]; readonly absent: readonly G[] } {
  const present: G[] = [];
  const absent: G[] = [];
  for (const grant of grants) {
    const list = lists.get(grant.host);
    // An unknown list is neither.
    if (list !== undefined) (createMatcher(list)(grant.delegate) ? present : absent).push(grant);
  }
  return { present, absent };
}
