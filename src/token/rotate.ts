import { formatTimestamp } from "../lib/date.ts";
import { withoutFullStop } from "../lib/text.ts";
import type { LoadedToken, Recovery, TokenCopyAge, TokenRecord, TokenStore } from "./store.ts";

export interface IssuedTokens {
  readonly accessToken: string;
  /** Null when the reply has none: the one that was sent stays valid. */
  readonly refreshToken: string | null;
  readonly refreshTokenExpiresAt: Date | null;
  readonly scopes: readonly string[] | null;
}

/** An answer that was cut short may have the new refresh token and no access token. */
export type RefreshedTokens = Omit<IssuedTokens, "accessToken"> & { readonly accessToken: string | null };

export interface TokenIssuer {
  /** Never repeats a request that may have taken effect: it would send a spent token. A refusal has `refusesToken`. */
  refresh(refreshToken: string, stop?: AbortSignal): Promise<RefreshedTokens>;
}

export interface RotatedToken {
  readonly accessToken: string;
  readonly scopes: readonly string[] | null;
  readonly record: TokenRecord;
}

export interface RotationContext {
  readonly mask: (secret: string) => void;
  readonly stop: AbortSignal;
}

/**
 * Exchanges the stored refresh token so that a person or the next run can always go on: guard, prove, refresh, mask,
 * store, hand out. @throws {StaleTokenError}, {UnstoredTokenError}, or what the store or Webex said.
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
    // From here until the new token is stored, a signal ends only what hangs: the run has the only copy.
    const refreshed = await refresh(() => issuer.refresh(copy.refreshToken, stop), doubt);
    maskIssued(refreshed, mask);
    const rotated = await storeIssued(store, copy, refreshed, stop);
    return handOut(refreshed, rotated);
  });
}

/** (a) First: refreshing a stale copy may end or overwrite the newer token. A doubt explains a later refusal. */
async function guardAgainstStaleCopy(store: TokenStore): Promise<string | null> {
  const verdict = checkStaleness(await store.dateCopy());
  if (verdict.kind === "stale") {
    const advice = "Nothing was touched; a fresh run gets the new value";
    throw new StaleTokenError(`this run's copy of the refresh token is stale: ${verdict.reason}. ${advice}`);
  }
  return verdict.kind === "doubtful" ? verdict.reason : null;
}

/** (b) Before the refresh: after it, a store that refuses leaves the new token with nowhere to go. */
async function proveStore(store: TokenStore): Promise<void> {
  await store.prove();
}

function refuseWhenStopped(stop: AbortSignal): void {
  if (stop.aborted) throw new Error("the run was stopped before it refreshed the token; nothing was touched");
}

/** (c) Once only: if the answer got lost, Webex may have spent the token, and asking again would fail. */
async function refresh(ask: () => Promise<RefreshedTokens>, doubt: string | null): Promise<RefreshedTokens> {
  try {
    return await ask();
  } catch (error) {
    if (doubt === null || !isRefusal(error)) throw error;
    throw new StaleTokenError(
      `${withoutFullStop(error.message)}. But ${doubt}: this run's copy may be stale, so start a fresh run before you log in again`,
      { cause: error },
    );
  }
}

/** (d) Before anything else, so that no later line of a log can show them. */
function maskIssued({ accessToken, refreshToken }: RefreshedTokens, mask: (secret: string) => void): void {
  if (accessToken !== null) mask(accessToken);
  if (refreshToken !== null) mask(refreshToken);
}

/** (e) Before the access token is used, so that no crash can lose the refresh token; an unchanged one stays. */
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
  if (!rotated)
    throw new Error(
      `${withoutFullStop(outcome.reason)}. The refresh token is still the one this run was given`,
    );
  throw new UnstoredTokenError(
    `${withoutFullStop(outcome.reason)}. Nothing was changed in Webex. ${outcome.recovery.advice}`,
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

function isRefusal(error: unknown): error is Error {
  return error instanceof Error && "refusesToken" in error && error.refusesToken === true;
}

export type Staleness =
  | { readonly kind: "current" }
  | { readonly kind: "doubtful"; readonly reason: string }
  | { readonly kind: "stale"; readonly reason: string };

/** Judges whether a copy may be older than what is stored; in the same second (GitHub's precision) it is not. */
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

/** Webex spent the refresh token, and its successor could not be stored; `recovery` says what to do by hand. */
export class UnstoredTokenError extends Error {
  override readonly name = "UnstoredTokenError";

  constructor(
    message: string,
    readonly recovery: Recovery,
  ) {
    super(message);
  }
}
