export interface TokenStore {
  /** Runs the work while no other process on this machine can refresh. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  load(): Promise<LoadedToken>;
  /** Null where the copy is read from the store itself and cannot be stale. */
  dateCopy(): Promise<TokenCopyAge | null>;
  /** Writes something worthless to the same place and deletes it. @throws when the store would refuse. */
  prove(): Promise<void>;
  /** When what opens the store ends, as the store said when it was proved; null where it does not end. */
  credentialEnd(): Date | null;
  /** Never throws, because the caller has the only copy; repeats what may be repeated, only briefly after `stop`. */
  save(refreshToken: string, stop?: AbortSignal): Promise<SaveOutcome>;
}

export interface LoadedToken {
  readonly refreshToken: string;
  readonly isStored: boolean;
}

export interface TokenCopyAge {
  readonly what: string;
  readonly updatedAt: Date | null;
  readonly takenFrom: Date | null;
  readonly takenUntil: Date | null;
  readonly unsure?: string;
}

export type SaveOutcome =
  | { readonly stored: true }
  | { readonly stored: false; readonly reason: string; readonly recovery: Recovery };

/** How a person stores the token after all; nothing in it is secret. */
export interface Recovery {
  readonly advice: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly command: string;
}

export interface TokenRecord {
  readonly refreshed: boolean;
  readonly rotated: boolean;
  readonly refreshTokenExpiresAt: string | null;
}
