import { isDay } from "../lib/date.ts";
import { addressForm, foldAddress } from "../lib/email.ts";
import { quoteText } from "../lib/text.ts";

export const modes = ["show", "add", "remove", "replace"] as const;

/** What a run does with the delegates of its hosts. `replace` leaves exactly the named ones. */
export type DelegationMode = (typeof modes)[number];

/** A valid request. Addresses are lower case, without duplicates, in the order given. */
export interface DelegationRequest {
  readonly mode: DelegationMode;
  readonly hosts: readonly string[];
  readonly delegates: readonly string[];
  /** The last day of what is added, YYYY-MM-DD in UTC; null without an end. */
  readonly until: string | null;
}

/** A request as typed. Lists may be separated by commas, semicolons and white space. */
export interface RequestTexts {
  readonly mode: string | null;
  readonly hosts: string | null;
  readonly delegates: string | null;
  readonly until: string | null;
}

/** The word that removes all delegates. An empty list never does. */
const nobody = "none";

/**
 * Reads a request; `today` is YYYY-MM-DD in UTC. Never throws: returns null and all errors when there are any. Options
 * that make no sense together are an error, because such a run would do nothing and look successful.
 */
export function parseRequest(
  texts: RequestTexts,
  today: string,
): { readonly request: DelegationRequest | null; readonly faults: readonly string[] } {
  const mode = texts.mode === null ? "show" : modes.find((known) => known === texts.mode);
  const hosts = splitList(texts.hosts);
  const named = splitList(texts.delegates);
  const delegates = named.filter((delegate) => delegate !== nobody);
  const faults = [...describeAddresses("--host", hosts), ...describeAddresses("--delegate", delegates)];
  if (mode === undefined) {
    faults.push(`--mode ${quoteText(texts.mode ?? "")} is none of ${modes.join(", ")}`);
    return { request: null, faults };
  }
  faults.push(...describeCombination(mode, hosts, named), ...describeUntil(mode, texts.until, today));
  return { request: faults.length > 0 ? null : { mode, hosts, delegates, until: texts.until }, faults };
}

function splitList(text: string | null): readonly string[] {
  return [...new Set((text ?? "").split(/[,;\s]+/).map(foldAddress))].filter((item) => item !== "");
}

function describeAddresses(option: string, addresses: readonly string[]): string[] {
  return addresses
    .filter((address) => !addressForm.test(address))
    .map((address) => `${option} ${quoteText(address)} is not an e-mail address`);
}

function describeCombination(
  mode: DelegationMode,
  hosts: readonly string[],
  named: readonly string[],
): string[] {
  if (mode === "show") {
    return named.length > 0 ? ["--delegate needs --mode add, remove or replace; show changes nothing"] : [];
  }
  const faults = hosts.length === 0 ? [`--mode ${mode} needs the hosts: --host <email>`] : [];
  if (named.length === 0) {
    faults.push(
      mode === "replace"
        ? "--mode replace needs the delegates: --delegate <email>, or --delegate none to take all away"
        : `--mode ${mode} needs the delegates: --delegate <email>`,
    );
  }
  if (named.includes(nobody) && mode !== "replace")
    faults.push("--delegate none goes with --mode replace only");
  if (named.includes(nobody) && named.length > 1) faults.push("--delegate none goes with no other delegate");
  if (mode !== "remove" && named.length > maxDelegates) {
    faults.push(
      `${named.length} delegates are named, but Webex allows a host at most ${maxDelegates}; name fewer`,
    );
  }
  return faults;
}

function describeUntil(mode: DelegationMode, until: string | null, today: string): string[] {
  if (until === null) return [];
  if (mode !== "add") return ["--until goes with --mode add only"];
  if (!isDay(until)) return [`--until ${quoteText(until)} is not a date; write the last day as YYYY-MM-DD`];
  return until < today ? [`--until ${until} is over (today is ${today}, UTC)`] : [];
}

/** The most delegates that Webex allows a host. https://help.webex.com/en-us/y3xvmu/ */
export const maxDelegates = 20;
