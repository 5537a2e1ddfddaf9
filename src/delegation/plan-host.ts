import { foldAddress } from "../lib/email.ts";
import type { DelegationMode } from "./request.ts";

/** What is asked for one host, and for no other: every host has a request of its own. */
export interface HostRequest {
  readonly host: string;
  readonly mode: DelegationMode;
  /** In lower case, each once. */
  readonly delegates: readonly string[];
}

/** The smallest change that makes a host's delegates what was asked for. */
export interface DelegateChange {
  readonly host: string;
  /** As Webex spells them, which is how those who stay are written back. */
  readonly before: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly after: readonly string[];
  /** True when the additions have no room beside those who go; otherwise nobody is ever left without a delegate. */
  readonly removeFirst: boolean;
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

/** Delegates that Webex allows a host. https://help.webex.com/en-us/y3xvmu/ */
export const mostDelegates = 20;

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
  if (add.length > 0 && after.length > mostDelegates) {
    return refuse(
      `${after.length} delegates would be too many (${before.length} now, ${add.length} more): Webex allows a host at most ${mostDelegates}; remove some first`,
    );
  }
  const removeFirst = before.length + add.length > mostDelegates;
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

/** True for an address that is among these, whatever its case. */
export function createMatcher(addresses: readonly string[]): (address: string) => boolean {
  const folded = new Set(addresses.map(foldAddress));
  return (address) => folded.has(foldAddress(address));
}

/** Webex has been seen to keep an address twice in different case: the first one stands for both. */
function dropRepeated(addresses: readonly string[]): readonly string[] {
  const seen = new Map<string, string>();
  for (const address of addresses)
    if (!seen.has(foldAddress(address))) seen.set(foldAddress(address), address);
  return [...seen.values()];
}
