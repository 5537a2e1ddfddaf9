import type { TokenRecord } from "../membership/record.ts";

/** What Webex hands out for a refresh token. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** Null when the reply holds none: the one that was sent stays valid. */
  readonly refreshToken: string | null;
  /** Null when the reply does not say. */
  readonly refreshTokenExpiresAt: Date | null;
}

/** The port by which tokens are got. */
export interface TokenIssuer {
  /** Must not repeat a request that may have taken effect: the second one would send a token that is spent. */
  refresh(refreshToken: string): Promise<IssuedTokens>;
}

/** The port by which the refresh token is kept. */
export interface TokenStore {
  /** The refresh token as it is stored now. */
  load(): Promise<string>;
  /** Fails now rather than after the refresh, if the store would not take a token. */
  prove(): Promise<void>;
  save(refreshToken: string): Promise<void>;
}

/** What a run gets from a rotation. */
export interface RotatedToken {
  readonly accessToken: string;
  readonly record: TokenRecord;
}

/**
 * Exchanges the stored refresh token for an access token without ever being the only one to know a refresh token.
 * @throws when the store or Webex refuses; nothing that is stored is ever deleted.
 */
export async function rotateToken(
  store: TokenStore,
  issuer: TokenIssuer,
  mask: (secret: string) => void,
): Promise<RotatedToken> {
  const current = await store.load();
  mask(current);
  // Before the refresh, because after it a store that refuses would leave the new token with nowhere to go.
  await store.prove();
  const issued = await issuer.refresh(current);
  // Masked before anything else is done with them, so that no later line of the log can show them.
  mask(issued.accessToken);
  if (issued.refreshToken !== null) mask(issued.refreshToken);
  // Stored before the access token is used: from here on a crash cannot lose the only valid refresh token.
  const rotated = issued.refreshToken !== null && issued.refreshToken !== current;
  if (issued.refreshToken !== null && rotated) await store.save(issued.refreshToken);
  const expiry = issued.refreshTokenExpiresAt?.toISOString().replace(/\.\d+Z$/, "Z") ?? null;
  return {
    accessToken: issued.accessToken,
    record: { refreshed: true, rotated, refreshTokenExpiresAt: expiry },
  };
}
