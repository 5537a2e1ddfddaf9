import { formatTimestamp } from "../lib/date.ts";
import type { LoadedToken, Recovery, TokenCopyAge, TokenRecord, TokenStore } from "./store.ts";

/** What Webex hands out for a refresh token. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** Null when the reply holds none: the one that was sent stays valid. */
  readonly refreshToken: string | null;
  /** Null when the reply does not say. */
  readonly refreshTokenExpiresAt: Date | null;
  /** What the access token may do; null when the reply does not say. */
  readonly scopes: readonly string[] | null;
}

/** What a refresh brought: an answer that was cut short may hold the new refresh token and no access token. */
export type RefreshedTokens = Omit<IssuedTokens, "accessToken"> & { readonly accessToken: string | null };

/** The port by which tokens are got. */
export interface TokenIssuer {
  /**
   * Must not repeat a request that may have taken effect: the second one would send a token that is spent. What hangs
   * is given up soon after `stop` is aborted. An error that says that this token is refused has `refusesToken`.
   */
  refresh(refreshToken: string, stop?: AbortSignal): Promise<RefreshedTokens>;
}

/** What a run gets from a rotation. */
export interface RotatedToken {
  readonly accessToken: string;
  readonly scopes: readonly string[] | null;
  readonly record: TokenRecord;
}

/** The two things of the run that a rotation has to do with. */
export interface RotationContext {
  /** Hides a secret in all that is printed from now on. */
  readonly mask: (secret: string) => void;
  /** Aborted when the run is to end. */
  readonly stop: AbortSignal;
}

/**
 * Exchanges the stored refresh token for an access token so that at every moment a person or the next run can go on:
 * guard, prove, refresh, mask, store, and only then hand out. Whatever fails before the refresh fails harmlessly.
 * @throws {StaleTokenError} when the copy is stale, {UnstoredTokenError} when the new token could not be stored, or
 * what the store or Webex said. Nothing that is stored is ever deleted, and nothing in Webex has been changed then.
 */
export async function rotateToken(
  store: TokenStore,
  issuer: TokenIssuer,
  { mask, stop }: RotationContext,
): Promise<RotatedToken> {
  return await store.exclusively(async () => {
    const copy = await store.load();
    mask(copy.refreshToken);
    const doubt = await guardAgainstStaleCopy(store);
    await proveStore(store);
    refuseWhenStopped(stop);
    // From here until the new token is stored a signal ends nothing but what hangs: whoever ends between the two
    // would take the only copy of the new token along.
    const refreshed = await refresh(() => issuer.refresh(copy.refreshToken, stop), doubt);
    maskIssued(refreshed, mask);
    const rotated = await storeIssued(store, copy, refreshed, stop);
    return handOut(refreshed, rotated);
  });
}

/**
 * (a) First, because a stale copy that is refreshed may end the newer token, or overwrite it. A doubt is kept for
 * later: if Webex refuses the copy, it tells more than "log in again". Returns the doubt, or null.
 */
async function guardAgainstStaleCopy(store: TokenStore): Promise<string | null> {
  const verdict = checkStaleness(await store.dateCopy());
  if (verdict.kind === "stale") {
    const advice = "Nothing was touched; a fresh run gets the new value";
    throw new StaleTokenError(`this run's copy of the refresh token is stale: ${verdict.reason}. ${advice}`);
  }
  return verdict.kind === "doubtful" ? verdict.reason : null;
}

/** (b) Before the refresh, because after it a store that refuses leaves the new token with nowhere to go. */
async function proveStore(store: TokenStore): Promise<void> {
  await store.prove();
}

/** The last moment at which a run can end without a trace. */
function refuseWhenStopped(stop: AbortSignal): void {
  if (stop.aborted) throw new Error("the run was stopped before it refreshed the token; nothing was touched");
}

/** (c) Asked for once: when the answer got lost, Webex may have spent the token, and asking again would only fail. */
async function refresh(ask: () => Promise<RefreshedTokens>, doubt: string | null): Promise<RefreshedTokens> {
  try {
    return await ask();
  } catch (error) {
    if (doubt === null || !isRefusal(error)) throw error;
    throw new StaleTokenError(
      `${error.message}. But ${doubt}: this run's copy may be stale, so start a fresh run before you log in again`,
      { cause: error },
    );
  }
}

/** (d) Before anything else is done with them, so that no later line of a log can show them. */
function maskIssued({ accessToken, refreshToken }: RefreshedTokens, mask: (secret: string) => void): void {
  if (accessToken !== null) mask(accessToken);
  if (refreshToken !== null) mask(refreshToken);
}

/**
 * (e) Before the access token is used, because from here on no crash can lose the only valid refresh token. An
 * unchanged token is not written again: each writing is a chance to fail. Returns whether the token is a new one.
 */
async function storeIssued(
  store: TokenStore,
  copy: LoadedToken,
  issued: RefreshedTokens,
  stop: AbortSignal,
): Promise<boolean> {
  const next = issued.refreshToken ?? copy.refreshToken;
  const rotated = next !== copy.refreshToken;
  if (!rotated && copy.isStored) return false;
  const outcome = await store.save(next, stop);
  if (outcome.stored) return rotated;
  // A token that stays the same is not lost: whoever gave it to this run can give it to the next one.
  if (!rotated) throw new Error(`${outcome.reason}. The refresh token is still the one this run was given`);
  throw new UnstoredTokenError(
    `${outcome.reason}. Nothing was changed in Webex. ${outcome.recovery.advice}`,
    outcome.recovery,
  );
}

/** (f) Only now the rest of the run gets the access token. */
function handOut(issued: RefreshedTokens, rotated: boolean): RotatedToken {
  const { accessToken, scopes, refreshTokenExpiresAt: expiry } = issued;
  if (accessToken === null) {
    throw new Error(
      "Webex's answer to the refresh was cut short: the new refresh token in it is stored, but the access token " +
        "is lost. Nothing was changed in Webex; run again",
    );
  }
  const refreshTokenExpiresAt = expiry === null ? null : formatTimestamp(expiry);
  return { accessToken, scopes, record: { refreshed: true, rotated, refreshTokenExpiresAt } };
}

/** Whether Webex answered that it takes this token no longer. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && "refusesToken" in error && error.refusesToken === true;
}

/** What a copy's age means: use it, use it and say why if it is refused, or do not touch anything. */
export type Staleness =
  | { readonly kind: "current" }
  | { readonly kind: "doubtful"; readonly reason: string }
  | { readonly kind: "stale"; readonly reason: string };

/**
 * Judges whether a copy may be older than what is stored. GitHub gives whole seconds: a change in the very second
 * of the copy counts as older than it.
 */
export function checkStaleness(age: TokenCopyAge | null): Staleness {
  if (age === null || age.updatedAt === null) return { kind: "current" };
  const { what, updatedAt, takenFrom, takenUntil } = age;
  const changed = `${what} was updated at ${formatTimestamp(updatedAt)}`;
  if (takenUntil === null) {
    return {
      kind: "stale",
      reason: `${changed}, and ${age.unsure ?? "when this run took its copy is unknown"}`,
    };
  }
  if (updatedAt > takenUntil) {
    return {
      kind: "stale",
      reason: `${changed}, after this run took its copy (${formatTimestamp(takenUntil)})`,
    };
  }
  if (takenFrom === null)
    return { kind: "doubtful", reason: `${changed}, and when this run was queued is unknown` };
  if (updatedAt > takenFrom) {
    return {
      kind: "doubtful",
      reason: `${changed}, after this run was queued (${formatTimestamp(takenFrom)})`,
    };
  }
  return { kind: "current" };
}

/** This run's copy of the refresh token is, or may be, older than the stored one; nothing was touched. */
export class StaleTokenError extends Error {
  override readonly name = "StaleTokenError";
}

/** Webex spent the refresh token, and its successor could not be stored: what is left to finish by hand. */
export class UnstoredTokenError extends Error {
  override readonly name = "UnstoredTokenError";

  constructor(
    message: string,
    readonly recovery: Recovery,
  ) {
    super(message);
  }
}
