import type { Listing } from "../lib/listing.ts";
import { errorMessage } from "../lib/text.ts";

/** One user of the Webex site. */
export interface SiteUser {
  /** In lower case. */
  readonly address: string;
  readonly displayName: string;
  readonly isActive: boolean;
  /** Whether the user may host meetings, which a delegate must; null where Webex does not say. */
  readonly canHost: boolean | null;
}

/** The port by which delegates and users of the site are read. Each call throws when Webex does not answer it. */
export interface DelegationReader {
  /**
   * Proves that this token acts for the hosts that are named, and not for its own owner; with `mayWrite` also that it
   * may change them. Nothing else may be called before.
   * @throws when it does not, with what to change.
   */
  proveAccess(mayWrite: boolean): Promise<void>;
  listUsers(): Promise<Listing<SiteUser>>;
  /** Null when the site has no user with that address. */
  findUser(address: string): Promise<SiteUser | null>;
  /** The host's delegates as Webex spells them. A failed reading throws; it is never an empty list. */
  readDelegates(host: string): Promise<readonly string[]>;
}

/** The port by which delegates are changed; `show` and `--dry-run` are never given one. */
export interface DelegationWriter {
  /** Throws when Webex did not accept the change; whether it took effect is for the caller to read. */
  changeDelegates(change: DelegateChange): Promise<void>;
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

/** Something that was asked of Webex: the answer, or why there is none. */
export type Answer<T> = { readonly value: T } | { readonly error: string };

/** Asks once. Never throws: one request that fails stops no other. */
export async function attempt<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: errorMessage(error) };
  }
}
