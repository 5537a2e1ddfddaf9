import type { HostOutcome } from "../../src/delegation/apply.ts";
import type { ListedDelegation } from "../../src/delegation/expiring.ts";

/** The address of somebody of the company. */
export function mail(name: string): string {
  return `${name}@acme.example`;
}

/** A host and a delegate, from `ann/cat`. */
export function pair(names: string): { readonly host: string; readonly delegate: string } {
  const [host = "", delegate = ""] = names.split("/").map(mail);
  return { host, delegate };
}

/** A row of delegations.csv, from `ann/cat`; without an end unless told otherwise. */
export function row(names: string, until: string | null = null, line = 2): ListedDelegation {
  return { ...pair(names), until, note: "", line };
}

/** What happened to a host; nothing unless told otherwise. */
export function outcome(more: Partial<HostOutcome> = {}): HostOutcome {
  return { host: "ann", before: [], after: [], added: [], removed: [], notices: [], error: null, ...more };
}
