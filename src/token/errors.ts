import type { Recovery } from "./store.ts";

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
