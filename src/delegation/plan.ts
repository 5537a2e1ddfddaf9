import { findNearest } from "../lib/did-you-mean.ts";
import { createMatcher, foldAddress } from "../lib/email.ts";
import { quoteText } from "../lib/text.ts";
import type { DelegateChange, SiteUser } from "./backend.ts";
import type { DelegationObservation } from "./observe.ts";
import { type DelegationMode, type DelegationRequest, maxDelegates } from "./request.ts";

/** What should happen to each host, and what prevents all of it. */
export interface DelegationPlan {
  readonly hosts: readonly HostPlan[];
  /** What is wrong with the named delegates. It concerns every host, so nothing is written if there is any. */
  readonly problems: readonly string[];
}

/** Checks the hosts and delegates against the site and plans each host. Pure. */
export function planDelegation(
  request: DelegationRequest,
  observation: DelegationObservation,
): DelegationPlan {
  const hosts = request.hosts.map((host) =>
    planObserved({ host, mode: request.mode, delegates: request.delegates }, observation),
  );
  return { hosts, problems: checkDelegates(request, hosts, observation) };
}

/** Plans a host whose delegates were read, or refuses it with the reason. */
export function planList(request: HostRequest, delegates: DelegationObservation["delegates"]): HostPlan {
  const list = delegates.get(request.host);
  if (list === undefined) return refuseHost(request, null, "the host's delegates were not read");
  return "error" in list
    ? refuseHost(
        request,
        null,
        `the host's delegates could not be read, so nothing was written: ${list.error}`,
      )
    : planHost(request, list.value);
}

function planObserved(
  request: HostRequest,
  { users, delegates, directory }: DelegationObservation,
): HostPlan {
  const answer = users.get(request.host);
  if (answer === undefined || "error" in answer) {
    const why = answer?.error ?? "nobody asked";
    return refuseHost(request, null, `the site could not be asked about this host: ${why}`);
  }
  if (answer.value === null) return refuseHost(request, null, describeUnknown(request.host, directory));
  const plan = planList(request, delegates);
  if (answer.value.isActive || plan.refusal !== null) return plan;
  // Showing or removing the delegates of an inactive account is always allowed.
  if (request.mode === "add" || request.mode === "replace") {
    return refuseHost(
      request,
      plan.before,
      "this user is not active on the site; activate the account first",
    );
  }
  return { ...plan, notices: [...plan.notices, `${request.host} is not active on the site`] };
}

function checkDelegates(
  { mode, delegates }: DelegationRequest,
  hosts: readonly HostPlan[],
  { users, directory }: DelegationObservation,
): string[] {
  if (mode === "show") return [];
  const present = hosts.flatMap((plan) => plan.before ?? []);
  const isPresent = createMatcher(present);
  return delegates.flatMap((delegate) => {
    const answer = users.get(delegate);
    if (mode === "remove") {
      // People who have left the company can still be removed. An address that appears nowhere is a typing error.
      const isNowhere = answer && "value" in answer && answer.value === null && !isPresent(delegate);
      if (!isNowhere || hosts.some((plan) => plan.before === null)) return [];
      const candidates = [...new Set([...present, ...directory])];
      return `${delegate} is not a delegate of these hosts, and ${describeUnknown(delegate, candidates)}`;
    }
    if (answer === undefined || "error" in answer) {
      return `the site could not be asked about the delegate ${delegate}: ${answer?.error ?? "nobody asked"}`;
    }
    return answer.value === null ? describeUnknown(delegate, directory) : checkUser(answer.value);
  });
}

function checkUser({ address, isActive, canHost }: SiteUser): string[] {
  if (!isActive) return [`the delegate ${address} is not active on the site; activate the account first`];
  return canHost === false
    ? [
        `the delegate ${address} may not host meetings on the site, which a delegate must; give a host licence first`,
      ]
    : [];
}

function describeUnknown(address: string, candidates: readonly string[]): string {
  // Compared without the domain, because addresses with the same domain would all look similar.
  const domain = address.slice(address.lastIndexOf("@"));
  const names = candidates.filter((one) => foldAddress(one).endsWith(domain));
  const near = findNearest(
    address.slice(0, -domain.length),
    names.map((one) => one.slice(0, -domain.length)),
  ).map((name) => name + domain);
  const suggestions = near.length > 0 ? near : findNearest(address, candidates, 1);
  const hint = suggestions.length > 0 ? `; did you mean ${suggestions.map(quoteText).join(" or ")}?` : "";
  return `the site has no user ${quoteText(address)}${hint}`;
}

/** The request for one host. */
export interface HostRequest {
  readonly host: string;
  readonly mode: DelegationMode;
  /** Lower case, without duplicates. */
  readonly delegates: readonly string[];
}

/** The plan for one host. */
export interface HostPlan {
  readonly request: HostRequest;
  /** Null when the host's delegates are unknown. */
  readonly before: readonly string[] | null;
  /** Null when there is nothing to change, or nothing may be changed. */
  readonly change: DelegateChange | null;
  /** Why the request for this host is not carried out; null when it is. */
  readonly refusal: string | null;
  readonly notices: readonly string[];
}

/**
 * Plans one host from its current delegates. Pure and minimal: existing delegates are not added, others are not
 * removed, and addresses that differ only in case are the same.
 */
export function planHost(request: HostRequest, delegates: readonly string[]): HostPlan {
  const { host, mode } = request;
  const before = dropRepeated(delegates);
  const has = createMatcher(before);
  const others = request.delegates.filter((delegate) => delegate !== foldAddress(host));
  const namesHost = others.length < request.delegates.length && (mode === "add" || mode === "replace");
  const refuse = (refusal: string): HostPlan => ({ request, before, change: null, refusal, notices: [] });
  // Otherwise a host named as their own only delegate would lose all the others by `replace`.
  if (namesHost && others.length === 0)
    return refuse("a host is never their own delegate; name somebody else");

  const wanted = createMatcher(mode === "remove" ? request.delegates : others);
  const add = mode === "add" || mode === "replace" ? others.filter((delegate) => !has(delegate)) : [];
  const remove = before.filter((delegate) =>
    mode === "replace" ? !wanted(delegate) : mode === "remove" && wanted(delegate),
  );
  const after = [...before.filter((delegate) => !remove.includes(delegate)), ...add];
  const excess = add.length > 0 ? describeExcess(before.length, add.length, after.length) : null;
  if (excess !== null) return refuse(excess);
  const makeRoom =
    add.length > 0 ? remove.slice(0, Math.max(0, before.length + add.length - maxDelegates)) : [];
  return {
    request,
    before,
    change: add.length + remove.length > 0 ? { host, before, add, remove, after, makeRoom } : null,
    refusal: null,
    notices: namesHost ? [`${host} was left out of their own delegates`] : [],
  };
}

function describeExcess(now: number, more: number, total: number): string | null {
  if (total <= maxDelegates) return null;
  return `${total} delegates would be too many (${now} now, ${more} more): Webex allows a host at most ${maxDelegates}; remove some first`;
}

/**
 * The change as it has to be made to a list that was read later: who was added or removed by others meanwhile stays
 * so. Pure.
 * @throws when Webex would not allow so many delegates.
 */
export function mergeChange(
  { host, add, remove }: DelegateChange,
  latest: readonly string[],
): DelegateChange {
  const before = dropRepeated(latest);
  const isUnwanted = createMatcher(remove);
  const isThere = createMatcher(before);
  const missing = add.filter((delegate) => !isThere(delegate));
  const surplus = before.filter(isUnwanted);
  const after = [...before.filter((delegate) => !isUnwanted(delegate)), ...missing];
  const excess = missing.length > 0 ? describeExcess(before.length, missing.length, after.length) : null;
  if (excess !== null) throw new Error(excess);
  return { host, before, add: missing, remove: surplus, after, makeRoom: [] };
}

/** Returns a plan that changes nothing, with the reason. */
export function refuseHost(
  request: HostRequest,
  before: readonly string[] | null,
  refusal: string,
): HostPlan {
  return { request, before, change: null, refusal, notices: [] };
}

/** Webex sometimes lists an address twice in different case. The first spelling is kept. */
function dropRepeated(addresses: readonly string[]): readonly string[] {
  const seen = new Map<string, string>();
  for (const address of addresses)
    if (!seen.has(foldAddress(address))) seen.set(foldAddress(address), address);
  return [...seen.values()];
}
