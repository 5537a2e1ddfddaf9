import type { Listing } from "../lib/listing.ts";
import { errorMessage } from "../lib/text.ts";

/** One user of the Webex site. */
export interface SiteUser {
  /** Lower case. */
  readonly address: string;
  readonly displayName: string;
  readonly isActive: boolean;
  /** Whether the user may host meetings, as every delegate must; null when Webex does not say. */
  readonly canHost: boolean | null;
}

/** The port for reading delegates and users of the site. Every call throws when Webex does not answer it. */
export interface DelegationReader {
  /**
   * Proves that requests act on the named host and not on the token's owner; with `mayWrite`, also that the token may
   * change delegates. Must be called first.
   * @throws when either is not so, saying what to change.
   */
  proveAccess(mayWrite: boolean): Promise<void>;
  listUsers(): Promise<Listing<SiteUser>>;
  /** Null when the site has no user with that address. */
  findUser(address: string): Promise<SiteUser | null>;
  /** The host's delegates in Webex's spelling. A list that cannot be read throws; it is never returned as empty. */
  readDelegates(host: string): Promise<readonly string[]>;
}

/** The port for changing delegates. `show` and `--dry-run` never get one. */
export interface DelegationWriter {
  /** True for one that writes whole lists: it reads each list itself, right before it writes, and merges. */
  readonly readsFirst: boolean;
  /**
   * Throws when Webex does not accept the change. Returns it as it was sent. The caller must read back whether it took
   * effect. `accepted` is told of each part that Webex accepted, also of a change that fails later on.
   */
  changeDelegates(change: DelegateChange, accepted: (part: Accepted) => void): Promise<DelegateChange>;
}

/** What Webex has accepted of a change; what is put back later is added again. */
export type Accepted = Partial<Pick<DelegateChange, "add" | "remove">>;

/** The smallest change that makes a host's delegates as requested. */
export interface DelegateChange {
  readonly host: string;
  /** In Webex's spelling, in which those who stay are written back. */
  readonly before: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly after: readonly string[];
  /** Those of `remove` that must go before the additions fit. The others go last, so that no host loses everybody. */
  readonly makeRoom: readonly string[];
}

/** Webex's answer to a question, or why there is none. */
export type Answer<T> = { readonly value: T } | { readonly error: string };

/** Asks once and never throws, so that one failed request does not stop the others. */
export async function attempt<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: errorMessage(error) };
  }
}

/** A reader that asks each question once: two plans of one moment must differ by what is wanted alone. */
export function rememberAnswers(reader: DelegationReader): DelegationReader {
  const delegates = new Map<string, Promise<readonly string[]>>();
  const users = new Map<string, Promise<SiteUser | null>>();
  let access: Promise<void> | null = null;
  let everybody: Promise<Listing<SiteUser>> | null = null;
  return {
    proveAccess(mayWrite) {
      access ??= reader.proveAccess(mayWrite);
      return access;
    },
    listUsers() {
      everybody ??= reader.listUsers();
      return everybody;
    },
    findUser: (address) => remember(users, address, () => reader.findUser(address)),
    readDelegates: (host) => remember(delegates, host, () => reader.readDelegates(host)),
  };
}

function remember<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}
