import { setTimeout as delay } from "node:timers/promises";
import { graceAfter } from "../lib/http.ts";
import { askedPauseMs } from "./client.ts";

/** How long something that must not be lost is tried; every default is what production uses. */
export interface Patience {
  /** Aborted when the run is to end: what is tried has a few seconds left then. */
  readonly stop?: AbortSignal | undefined;
  /** How many milliseconds those few seconds are. */
  readonly graceMs?: number;
  readonly sleep?: (ms: number, wake?: AbortSignal) => Promise<unknown>;
  /** A clock in milliseconds that only goes forward. */
  readonly now?: () => number;
}

/** A minute, and what it takes to ask once more when GitHub asks to wait for just a minute. */
const patienceMs = 62_000;

/** The runner kills a process ten seconds after the first signal; what is left must be told before. */
const usualGraceMs = 6000;

const longestBackOffMs = 8000;

/**
 * Repeats work for up to a minute, waiting as GitHub asks, else 1, 2, 4, 8, 8, … seconds; once the run is stopped, for
 * a few seconds more. Each attempt is given what gives up a request that hangs. At the end of the time it is tried
 * once more, whatever was asked. @throws what the last attempt threw, or at once where `isFinal`.
 */
export async function persist<T>(
  work: (signal: AbortSignal | undefined) => Promise<T>,
  isFinal: (error: unknown) => boolean,
  { stop, graceMs = usualGraceMs, sleep = defaultSleep, now = () => performance.now() }: Patience = {},
): Promise<T> {
  const grace = graceAfter(stop, graceMs);
  const startedAt = now();
  let sleptMs = 0;
  let lastAnswer: unknown = null;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(grace);
    } catch (error) {
      const leftMs = patienceMs - Math.max(sleptMs, now() - startedAt);
      // What GitHub answered before says more than that the last attempt was given up.
      if (grace?.aborted) throw lastAnswer ?? error;
      if (isFinal(error) || leftMs <= 0) throw error;
      lastAnswer = error;
      const backOffMs = Math.min(1000 * 2 ** (attempt - 1), longestBackOffMs);
      const pauseMs = Math.min(stop?.aborted ? 1000 : (askedPauseMs(error) ?? backOffMs), leftMs);
      sleptMs += pauseMs;
      await sleep(pauseMs, stop?.aborted ? grace : stop).catch(() => undefined);
    }
  }
}

function defaultSleep(ms: number, wake?: AbortSignal): Promise<unknown> {
  return delay(ms, undefined, wake ? { signal: wake } : {});
}
