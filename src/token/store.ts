/** The port by which the refresh token is kept, whatever keeps it. */
export interface TokenStore {
  /** Runs the work while no other process that uses this store on this machine can refresh. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** This run's copy of the refresh token. */
  load(): Promise<LoadedToken>;
  /** How old that copy is; null where it is read from the store itself and cannot be stale. */
  dateCopy(): Promise<TokenCopyAge | null>;
  /** Writes something worthless to the same place and takes it away again. @throws when the store would refuse. */
  prove(): Promise<void>;
  /**
   * Stores a refresh token; repeats what may be repeated, for a few seconds more once `stop` is aborted. Never throws:
   * the caller holds the only copy.
   */
  save(refreshToken: string, stop?: AbortSignal): Promise<SaveOutcome>;
}

/** A refresh token, and whether the store holds it already or it came from elsewhere, to be stored by this run. */
export interface LoadedToken {
  readonly refreshToken: string;
  readonly isStored: boolean;
}

/** Between which instants the copy was taken, and when the stored value last changed. */
export interface TokenCopyAge {
  /** What is stored, in words that fit "… was updated". */
  readonly what: string;
  /** Null when nothing is stored there yet. */
  readonly updatedAt: Date | null;
  /** The copy was taken not before this; null when that is unknown. */
  readonly takenFrom: Date | null;
  /** The copy was taken not after this; null when nothing is sure. */
  readonly takenUntil: Date | null;
  /** Why nothing is sure, in words that fit "and …". */
  readonly unsure?: string;
}

/** Whether a token is stored now; if not, why, and a text that lets a person finish it without seeing the token. */
export type SaveOutcome =
  | { readonly stored: true }
  | { readonly stored: false; readonly reason: string; readonly recovery: Recovery };

/** What is left of a token that could not be stored: nothing in it is secret. */
export interface Recovery {
  /** What has to be done, in one sentence. */
  readonly advice: string;
  /** Facts by name, e.g. the sealed value and the id of the key it is sealed for. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The shell command that finishes the job. */
  readonly command: string;
}

/** What the run did with the credential; never the credential itself. */
export interface TokenRecord {
  readonly refreshed: boolean;
  readonly rotated: boolean;
  /** When the stored refresh token expires, as the server stated it (UTC, ISO 8601); null when it did not. */
  readonly refreshTokenExpiresAt: string | null;
}
