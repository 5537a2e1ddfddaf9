import { findNearest } from "../lib/did-you-mean.ts";
import { createMatcher, foldAddress } from "../lib/email.ts";
import { quoteText } from "../lib/text.ts";
import type { DelegateChange, SiteUser } from "./backend.ts";
import type { DelegationObservation } from "./observe.ts";
import { type DelegationMode, type DelegationRequest, maxDelegates } from "./request.ts";

/** What should happen to each host, and what keeps all of it from happening. */
export interface DelegationPlan {
  readonly hosts: readonly HostPlan[];
  /** Faults of the delegates that were named: they concern every host, so nothing at all is written then. */
  readonly problems: readonly string[];
}

/** Checks hosts and delegates against the site and plans every host. Pure. */
export function planDelegation(
  request: DelegationRequest,
  observation: DelegationObservation,
): DelegationPlan {
  const hosts = request.hosts.map((host) =>
    planObserved({ host, mode: request.mode, delegates: request.delegates }, observation),
  );
  return { hosts, problems: checkDelegates(request, hosts, observation) };
}

/** Plans a host whose delegates were read, or says why the host is left alone. */
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
  // To take rights away from, or to look at, an account that is switched off is always right.
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
      // Whoever has left the company must still be removable; a name that is nowhere is a slip of the keyboard.
      const isNowhere = answer && "value" in answer && answer.value === null && !isPresent(delegate);
      if (!isNowhere || hosts.some((plan) => plan.before === null)) return [];
      const candidates = [...new Set([...present, ...directory])];
      return `${delegate} is no delegate of these hosts, and ${describeUnknown(delegate, candidates)}`;
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
  // Addresses of one domain are alike already by that: the slip is looked for in what differs.
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

/** What is asked for one host, and for no other: every host has a request of its own. */
export interface HostRequest {
  readonly host: string;
  readonly mode: DelegationMode;
  /** In lower case, each once. */
  readonly delegates: readonly string[];
}

/** What should happen to one host. */
export interface HostPlan {
  readonly request: HostRequest;
  /** Null when the host's delegates are not known. */
  readonly before: readonly string[] | null;
  /** Null when there is nothing to change, or when it must not be. */
  readonly change: DelegateChange | null;
  /** Why the host is left alone although something was asked for; null when it is not. */
  readonly refusal: string | null;
  readonly notices: readonly string[];
}

/**
 * Plans one host from the delegates as they are now. Pure and minimal: who is a delegate already is not added, who is
 * none is not removed, and addresses that differ in case only are one.
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
  if (add.length > 0 && after.length > maxDelegates) {
    return refuse(
      `${after.length} delegates would be too many (${before.length} now, ${add.length} more): Webex allows a host at most ${maxDelegates}; remove some first`,
    );
  }
  const removeFirst = before.length + add.length > maxDelegates;
  return {
    request,
    before,
    change: add.length + remove.length > 0 ? { host, before, add, remove, after, removeFirst } : null,
    refusal: null,
    notices: namesHost ? [`${host} was left out of their own delegates`] : [],
  };
}

/** The plan of a host about whom not enough is known: nothing is written. */
export function refuseHost(
  request: HostRequest,
  before: readonly string[] | null,
  refusal: string,
): HostPlan {
  return { request, before, change: null, refusal, notices: [] };
}

/** Webex has been seen to keep an address twice in different case: the first one stands for both. */
function dropRepeated(addresses: readonly string[]): readonly string[] {
  const seen = new Map<string, string>();
  for (const address of addresses)
    if (!seen.has(foldAddress(address))) seen.set(foldAddress(address), address);
  return [...seen.values()];
}
