import { dayMs, toDateString } from "../lib/date.ts";

export interface TokenExpiry {
  /** The last day for a new login, YYYY-MM-DD in UTC. */
  readonly lastDay: string;
  readonly days: number;
  readonly isShort: boolean;
}

/** Counts the days that a refresh token still lives; null when Webex did not say. Fewer than `warningDays` is short. */
export function measureExpiry(expiresAt: string | null, now: Date, warningDays: number): TokenExpiry | null {
  const endMs = expiresAt === null ? Number.NaN : Date.parse(expiresAt);
  if (expiresAt === null || Number.isNaN(endMs)) return null;
  const days = Math.floor((endMs - now.getTime()) / dayMs);
  return { lastDay: toDateString(new Date(endMs)), days, isShort: days < warningDays };
}

/** Says by which day the token that stores the login has to be replaced; null while there is time. */
export function describeSecretsTokenEnd(end: Date | null, now: Date, warningDays: number): string | null {
  const expiry = measureExpiry(end?.toISOString() ?? null, now, warningDays);
  if (!expiry?.isShort) return null;
  return `SECRETS_TOKEN expires on ${expiry.lastDay}, and then runs stop before they change anything: make a new one and store it (npm run setup does both).`;
}

/** Says by which day the login has to be repeated at the latest. */
export function describeExpiry({ lastDay, days, isShort }: TokenExpiry): string {
  if (days < 0) return `The Webex login expired on ${lastDay}: log in again (npm run login).`;
  return isShort
    ? `Webex login valid until ${lastDay}, ${days === 1 ? "1 day" : `${days} days`} from now: run npm run login before then, or runs will stop.`
    : `Webex login valid until ${lastDay} (a run normally extends it).`;
}
