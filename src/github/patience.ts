import { setTimeout as delay } from "node:timers/promises";
import { graceAfter } from "../lib/http.ts";
import { askedPauseMs } from "./client.ts";

export interface Retry {
  readonly pauseMs: number;
  /** Of all attempts together. */
  readonly patienceMs: number;
}

export interface Patience {
  readonly stop?: AbortSignal | undefined;
  readonly graceMs?: number;
  /** How to go on after this error, where GitHub asks for nothing; null for the usual. */
  readonly retryAfter?: (error: unknown) => Retry | null;
  readonly sleep?: (ms: number, wake?: AbortSignal) => Promise<unknown>;
  readonly now?: () => number;
}

/** A minute, and what it takes to ask once more when GitHub asks to wait for just a minute. */
const usualPatienceMs = 62_000;

/** The runner kills a process ten seconds after the first signal; what is left must be told before. */
const usualGraceMs = 6000;

const longestBackOffMs = 8000;

/** Repeats work for up to a minute, or as `retryAfter` says, or seconds after a stop. @throws the last error, at once where `isFinal`. */
export async function persist<T>(
  work: (signal: AbortSignal | undefined) => Promise<T>,
  isFinal: (error: unknown) => boolean,
  patience: Patience = {},
): Promise<T> {
  const { stop, graceMs = usualGraceMs, retryAfter } = patience;
  const { sleep = defaultSleep, now = () => performance.now() } = patience;
  const grace = graceAfter(stop, graceMs);
  const startedAt = now();
  let sleptMs = 0;
  let lastAnswer: unknown = null;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(grace);
    } catch (error) {
      const retry = retryAfter?.(error) ?? null;
      const leftMs = (retry?.patienceMs ?? usualPatienceMs) - Math.max(sleptMs, now() - startedAt);
      // What GitHub answered before says more than that the last attempt was given up.
      if (grace?.aborted) throw lastAnswer ?? error;
      if (isFinal(error) || leftMs <= 0) throw error;
      lastAnswer = error;
      const backOffMs = Math.min(1000 * 2 ** (attempt - 1), longestBackOffMs);
      const wantedMs = askedPauseMs(error) ?? retry?.pauseMs ?? backOffMs;
      const pauseMs = Math.min(wantedMs, stop?.aborted ? 1000 : leftMs, leftMs);
      sleptMs += pauseMs;
      await sleep(pauseMs, stop?.aborted ? grace : stop).catch(() => undefined);
    }
  }
}

function defaultSleep(ms: number, wake?: AbortSignal): Promise<unknown> {
  return delay(ms, undefined, wake ? { signal: wake } : {});
}
