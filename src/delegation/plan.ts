import { nearest, quoteText } from "../lib/did-you-mean.ts";
import { foldAddress } from "../lib/email.ts";
import type { SiteUser } from "./backend.ts";
import type { DelegationObservation } from "./observe.ts";
import { createMatcher, type HostPlan, type HostRequest, planHost, refuseHost } from "./plan-host.ts";
import type { DelegationRequest } from "./request.ts";

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
  const near = nearest(
    address.slice(0, -domain.length),
    names.map((one) => one.slice(0, -domain.length)),
  ).map((name) => name + domain);
  const suggestions = near.length > 0 ? near : nearest(address, candidates, 1);
  const hint = suggestions.length > 0 ? `; did you mean ${suggestions.map(quoteText).join(" or ")}?` : "";
  return `the site has no user ${quoteText(address)}${hint}`;
}
