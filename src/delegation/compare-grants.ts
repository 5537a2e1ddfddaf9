import { foldAddress } from "../lib/email.ts";
import { compareStrings } from "../lib/text.ts";
import { type ListedDelegation, pairOf } from "./expiring.ts";

/** What a run would do about one delegate. */
export type GrantVerdict = "grant" | "revoke" | "hold";

/** One plan: the rows of delegations.csv, and what a run would do because of them. */
export interface GrantPlan {
  readonly rows: readonly ListedDelegation[];
  readonly hosts: readonly {
    readonly host: string;
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly held: readonly { readonly delegate: string }[];
    readonly error?: string;
  }[];
}

/** One delegate of one host in two plans: without a proposal, and with it. */
export interface GrantEffect {
  readonly host: string;
  readonly delegate: string;
  /** What would happen; null for nothing. */
  readonly without: GrantVerdict | null;
  readonly with: GrantVerdict | null;
  /** The row; null where none lists the two. */
  readonly before: ListedDelegation | null;
  readonly after: ListedDelegation | null;
  /** True where the proposal's plan has an error for this host, which its problems tell. */
  readonly isRefused: boolean;
}

/** What a proposal changes, and what would happen in any case; by host and delegate. */
export interface GrantEffects {
  readonly changes: readonly GrantEffect[];
  readonly drift: readonly GrantEffect[];
}

/** Separates what a proposal changes from what would happen in any case. Pure. */
export function compareGrants(proposed: GrantPlan, present: GrantPlan): GrantEffects {
  const [after, before] = [indexRows(proposed), indexRows(present)];
  const [later, without] = [listVerdicts(proposed), listVerdicts(present)];
  const refused = new Set(
    proposed.hosts.filter(({ error }) => error !== undefined).map(({ host }) => foldAddress(host)),
  );
  const pairs = new Set([after, before, later, without].flatMap((of) => [...of.keys()]));
  const effects = [...pairs].sort(compareStrings).map((pair): GrantEffect => {
    const [host = "", delegate = ""] = pair.split(" ");
    return {
      host,
      delegate,
      without: without.get(pair) ?? null,
      with: later.get(pair) ?? null,
      before: before.get(pair) ?? null,
      after: after.get(pair) ?? null,
      isRefused: refused.has(host),
    };
  });
  return {
    changes: effects.filter(isChange),
    drift: effects.filter((effect) => !isChange(effect) && effect.with !== null),
  };
}

function isChange(effect: GrantEffect): boolean {
  // A row without an end has null, and no row undefined.
  return effect.with !== effect.without || effect.before?.until !== effect.after?.until;
}

function indexRows({ rows }: GrantPlan): ReadonlyMap<string, ListedDelegation> {
  return new Map(rows.map((row) => [pairOf(row), row]));
}

function listVerdicts({ hosts }: GrantPlan): ReadonlyMap<string, GrantVerdict> {
  return new Map(
    hosts.flatMap(({ host, added, removed, held }) => [
      ...added.map((delegate) => [pairOf({ host, delegate }), "grant"] as const),
      ...removed.map((delegate) => [pairOf({ host, delegate }), "revoke"] as const),
      ...held.map(({ delegate }) => [pairOf({ host, delegate }), "hold"] as const),
    ]),
  );
}
