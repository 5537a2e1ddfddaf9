/** What a missing or malformed `Retry-After` counts as; Webex has been seen to send `rand(30),add(30)`. */
const unreadableRetryAfterSeconds = 15;

/** Seconds to wait as a 429 or 423 reply asks, at least one. */
export function retryAfterSeconds(header: string | null): number {
  const text = header?.trim() ?? "";
  return /^\d+$/.test(text) ? Math.max(1, Number(text)) : unreadableRetryAfterSeconds;
}
