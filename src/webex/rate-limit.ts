export interface RateLimit {
  /** 0 when it may leave now. */
  waitMs(now: number): number;
  sent(now: number): void;
  accepted(sentAt: number, now: number): void;
  refused(sentAt: number, now: number, pauseMs: number): void;
}

const startRate = 70;
const growthPerAnswer = 4;
const [minRate, maxRate] = [1, 10_000];
/** How much a pause is thought to save up at most, and how soon that is spent: ever more slowly. */
const saving = { seconds: 1, spentInSeconds: 2.5 };
/** A try for more begins this far above the limit, and the excess doubles every so many seconds. */
const firstExcess = 0.1;
const doubling = { seconds: 0.4, answerTimes: 10 };
/** So many requests must be let through for each refusal before more is tried, so that few are refused. */
const pricePerRefusal = 220;
/** Fewer after a fall: a limit that fell far, and lately, may come back soon. */
const priceAfterFall = 15;
const fall = { share: 0.5, seconds: 60 };
/** Where being refused means a long pause, tries are so many times the pause apart. */
const hold = { minSeconds: 1, maxSeconds: 45, pauses: 3 };

const slice = { ms: 100, kept: 100 };

/** Counts what was let through before anything was refused. */
function createEarlyCount() {
  const slices = new Map<number, number>();
  return {
    add(sentAt: number): void {
      const at = Math.floor(sentAt / slice.ms);
      slices.set(at, (slices.get(at) ?? 0) + 1);
      const [oldest] = slices.keys();
      if (oldest !== undefined && slices.size > slice.kept) slices.delete(oldest);
    },
    /**
     * A bucket that nobody has emptied yet is thought to hold what a pause would bring. How long it was full nobody
     * knows: the busiest time up to the refusal tells most.
     */
    findRate(refusedAt: number, pauseMs: number): number {
      let count = 1;
      let rate = 0;
      for (const [at, accepted] of [...slices].sort(([a], [b]) => b - a)) {
        count += accepted;
        rate = Math.max(rate, (count * 1000) / Math.max(1, refusedAt - at * slice.ms + pauseMs));
      }
      return rate;
    },
  };
}

/**
 * A token bucket: the rate grows fast until a refusal shows the limit, holds there, then tries more, gently at first
 * (CUBIC, RFC 9438). The AWS SDKs' adaptive retry mode is similar:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
export function createRateLimit(): RateLimit {
  let rate = startRate;
  let isKnown = false;
  let tokens = 1;
  let filledAt: number | null = null;
  let countedFrom: number | null = null;
  let acceptedCount = 0;
  const early = createEarlyCount();
  let achieved = { from: 0, count: 0, rate: 0 };
  let refusedAt = Number.NEGATIVE_INFINITY;
  let refusedCount = 0;
  let pausedUntil = 0;
  let answerSeconds = 0;
  let pauseSeconds = 0;
  let savings = { left: 0, max: 0 };
  /** Only while the rate holds requests back is there a need for more. */
  let limitingSeconds = 0;
  let isLimiting = false;
  let best = { rate: 0, at: Number.NEGATIVE_INFINITY };

  function tryingSeconds(now: number): number {
    const hasFallen = rate < best.rate * fall.share && now - best.at < fall.seconds * 1000;
    const price = hasFallen ? priceAfterFall : pricePerRefusal * refusedCount;
    const least = Math.max(hold.minSeconds, hold.pauses * (pauseSeconds - 1));
    return limitingSeconds - Math.max(least, Math.min(hold.maxSeconds, price / rate));
  }

  function speed(now: number): number {
    if (!isKnown) return rate;
    const trying = tryingSeconds(now);
    const excess =
      trying > 0
        ? firstExcess * 2 ** (trying / Math.max(doubling.seconds, doubling.answerTimes * answerSeconds))
        : 0;
    return Math.min(maxRate, rate * (1 + excess) + Math.max(0, savings.left) / saving.spentInSeconds);
  }

  function fill(now: number): void {
    const seconds = Math.max(0, now - Math.max(filledAt ?? now, pausedUntil)) / 1000;
    filledAt = now;
    const perSecond = speed(now);
    tokens = Math.min(Math.max(1, perSecond / 50), tokens + seconds * perSecond);
    savings.left = Math.min(savings.max, savings.left + seconds * rate);
    if (isLimiting) limitingSeconds += seconds;
  }

  return {
    waitMs(now) {
      fill(now);
      if (now < pausedUntil) return pausedUntil - now;
      isLimiting = tokens < 1;
      // Timers know whole milliseconds only.
      return isLimiting ? Math.ceil(((1 - tokens) / speed(now)) * 1000) : 0;
    },
    sent(now) {
      countedFrom ??= now;
      tokens -= 1;
      savings.left -= 1;
    },
    accepted(sentAt, now) {
      if (!isKnown) rate = Math.min(maxRate, rate + growthPerAnswer);
      if (countedFrom !== null && sentAt >= countedFrom) acceptedCount += 1;
      if (!isKnown) early.add(sentAt);
      achieved.count += 1;
      answerSeconds += ((now - sentAt) / 1000 - answerSeconds) / 16;
      const seconds = (now - achieved.from) / 1000;
      if (seconds >= 0.5) achieved = { from: now, count: 0, rate: achieved.count / seconds };
    },
    refused(sentAt, now, pauseMs) {
      fill(now);
      pausedUntil = Math.max(pausedUntil, now + pauseMs);
      if (sentAt <= refusedAt) {
        refusedCount += 1;
        return;
      }
      const seconds = Math.max(1, sentAt - (countedFrom ?? sentAt)) / 1000;
      const shown = isKnown ? acceptedCount / seconds : early.findRate(sentAt, pauseMs);
      if (isKnown && rate >= best.rate * fall.share) best = { rate, at: now };
      const isRaised = isKnown && savings.left < -rate;
      const found = isRaised ? Math.max(shown, achieved.rate * 0.9) : shown;
      rate = Math.min(maxRate, Math.max(minRate, found));
      isKnown = true;
      countedFrom = sentAt;
      acceptedCount = 0;
      refusedAt = now;
      refusedCount = 1;
      tokens = 1;
      pauseSeconds = pauseMs / 1000;
      const saved = rate * Math.min(saving.seconds, pauseSeconds);
      savings = { left: saved, max: saved };
      limitingSeconds = 0;
    },
  };
}
