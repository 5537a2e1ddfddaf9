import type { HostOutcome } from "./apply.ts";
import type { GrantEdit } from "./edit-grants.ts";
import { type Grant, type ListedGrant, pairOf } from "./expiring.ts";
import { createMatcher } from "./plan-host.ts";
import type { DelegationRequest } from "./request.ts";

/**
 * What a run means for delegations.csv: a grant with an end is written down where Webex shows it, or took it without
 * anybody being able to look; one that was taken away is taken out. Pure.
 */
export function settleGrants(
  request: DelegationRequest,
  outcomes: readonly HostOutcome[],
  listed: readonly ListedGrant[],
  note: string,
): { readonly edit: GrantEdit; readonly notices: readonly string[] } {
  const listedUntil = new Map(listed.map((grant) => [pairOf(grant), grant.until]));
  const set: Grant[] = [];
  const takeOut: Pick<Grant, "host" | "delegate">[] = [];
  const notices: string[] = [];
  for (const { host, before, after, added, removed } of outcomes) {
    const wasDelegate = createMatcher(before ?? []);
    const isDelegate = createMatcher(after ?? added);
    takeOut.push(...removed.map((delegate) => ({ host, delegate })));
    if (request.mode !== "add") continue;
    for (const delegate of request.delegates.filter(isDelegate)) {
      const until = listedUntil.get(pairOf({ host, delegate }));
      if (request.until !== null) {
        if (until !== request.until) set.push({ host, delegate, until: request.until, note });
        if (wasDelegate(delegate) && until === undefined) {
          notices.push(
            `${host}: ${delegate} was a delegate without an end; from now on it ends after ${request.until}`,
          );
        }
      } else if (until !== undefined) {
        notices.push(
          `${host}: ${delegate} is still listed in delegations.csv and will be revoked after ${until}; take that row out to keep the delegate`,
        );
      }
    }
  }
  return { edit: { set, takeOut }, notices };
}

/** The listed grants of which nothing is left in Webex: their rows have done their work. */
export function findSettled(
  grants: readonly ListedGrant[],
  outcomes: readonly HostOutcome[],
): readonly ListedGrant[] {
  const lists = new Map(outcomes.map((outcome) => [outcome.host, outcome.after]));
  return grants.filter((grant) => {
    const after = lists.get(grant.host);
    return after !== undefined && after !== null && !createMatcher(after)(grant.delegate);
  });
}
