import { suggestAddress } from "../lib/did-you-mean.ts";
import { foldAddress } from "../lib/email.ts";
import type { Problem } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";
import type { KnownPerson, Owner, PeopleLookUp } from "./directory.ts";
import type { Policy } from "./policy.ts";

export interface AddressReader {
  /** Whether anybody in the organisation has it among their addresses; null when Webex cannot be asked. */
  hasAddress(address: string): Promise<boolean | null>;
}

interface Met {
  readonly owner: Owner;
  readonly people: ReadonlyMap<string, KnownPerson>;
  /** Describes those who are about to be added, where the run has not looked them up. */
  readonly lookUpNewcomers?: () => Promise<PeopleLookUp>;
}

/** Finds the addresses of `protect.people` that nobody has; where Webex cannot be asked, it names none. */
export async function findIdleProtections(
  reader: AddressReader,
  { protect }: Policy,
  met: Met,
): Promise<readonly Problem[]> {
  const known = listAddresses(met.owner, met.people);
  const asked = protect.people.filter((address) => !known.has(address));
  const answers = await Promise.all(asked.map((address) => reader.hasAddress(address)));
  const unknown = asked.filter((_, index) => answers[index] === false);
  if (unknown.length === 0) return [];
  // Webex does not find a guest by their address, but it describes them.
  const newcomers = (await met.lookUpNewcomers?.()) ?? { people: new Map(), failure: null };
  if (newcomers.failure !== null) return [];
  const added = listAddresses(met.owner, newcomers.people);
  const idle = unknown.filter((address) => !added.has(address));
  const candidates = [...known];
  return idle.map((address) => ({ line: null, column: null, message: describeIdle(address, candidates) }));
}

function listAddresses(owner: Owner, people: ReadonlyMap<string, KnownPerson>): ReadonlySet<string> {
  const addresses = [...people.values()].flatMap(({ emails }) => emails);
  return new Set([...addresses, ...(owner.email === null ? [] : [owner.email])].map(foldAddress));
}

function describeIdle(address: string, known: readonly string[]): string {
  return `protect.people in policy.json names ${quoteText(address)}, but nobody bears this address, so it protects nobody${suggestAddress(address, known, "; correct it or remove it")}`;
}
