import { type Answer, attempt, type DelegationReader, type SiteUser } from "./backend.ts";
import type { DelegationRequest } from "./request.ts";

/** Everything that is known before anything is written. */
export interface DelegationObservation {
  /** The site's users by the address that was looked up; null when the site does not know it. */
  readonly users: ReadonlyMap<string, Answer<SiteUser | null>>;
  /** The delegates of each host that the site knows. */
  readonly delegates: ReadonlyMap<string, Answer<readonly string[]>>;
  /** Addresses of the site's active users, for suggestions; empty when everybody was found. */
  readonly directory: readonly string[];
}

/** Reads the users that a request names and the hosts' delegates. One failure does not stop the others. */
export async function observeDelegation(
  reader: DelegationReader,
  request: DelegationRequest,
): Promise<DelegationObservation> {
  const { users, directory } = await observeUsers(reader, [...request.hosts, ...request.delegates]);
  const known = request.hosts.filter((host) => {
    const answer = users.get(host);
    return answer && "value" in answer && answer.value !== null;
  });
  return { users, delegates: await observeLists(reader, known), directory };
}

/** Looks up users of the site, and for unknown ones everybody to suggest. */
export async function observeUsers(
  reader: DelegationReader,
  addresses: readonly string[],
): Promise<Pick<DelegationObservation, "users" | "directory">> {
  const users = await askEach([...new Set(addresses)], (address) => reader.findUser(address));
  const isAnyoneUnknown = [...users.values()].some((answer) => "value" in answer && answer.value === null);
  return { users, directory: isAnyoneUnknown ? await readDirectory(reader) : [] };
}

/** Reads the delegates of each host. */
export function observeLists(
  reader: Pick<DelegationReader, "readDelegates">,
  hosts: readonly string[],
): Promise<ReadonlyMap<string, Answer<readonly string[]>>> {
  return askEach(hosts, (host) => reader.readDelegates(host));
}

async function askEach<T>(
  addresses: readonly string[],
  ask: (address: string) => Promise<T>,
): Promise<ReadonlyMap<string, Answer<T>>> {
  const answers = addresses.map(
    async (address): Promise<[string, Answer<T>]> => [address, await attempt(() => ask(address))],
  );
  return new Map(await Promise.all(answers));
}

/** Never fails: only suggestions depend on the directory, and an incomplete one just suggests fewer names. */
async function readDirectory(reader: DelegationReader): Promise<readonly string[]> {
  const listing = await reader.listUsers().catch(() => null);
  return (listing?.items ?? []).filter((user) => user.isActive).map((user) => user.address);
}
