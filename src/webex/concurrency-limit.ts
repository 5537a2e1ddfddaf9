export interface ConcurrencyLimit {
  readonly limit: number;
  answered(answer: Answered): void;
  overloaded(sentAt: number, now: number): void;
}

export interface Answered {
  readonly kind: string;
  readonly sentAt: number;
  readonly now: number;
  readonly underWay: number;
}

/** Slow answers never lead below it, only refusals do. */
const start = 8;
/** Up to here growth is always fast: some slow answers among few may well be chance. */
const few = 16;
const growth = {
  first: { perRound: 2, perSecond: 30 },
  trusting: { perRound: 6, perSecond: 100 },
  beyondKnee: { perRound: 1, perSecond: 0.25 },
};
const answersForTrust = 300;
/** Growth beyond the knee doubles every so many seconds: what was too much once may not be for ever. */
const kneeSeconds = 1.5;
/** A slow round must also bring less throughput than this share, and be the second in a row: one may be chance. */
const tolerance = { factor: 1.5, ms: 5, share: 0.7, maxFactor: 3, rounds: 2 };
const cut = 0.7;
const memoryMs = 10_000;

interface Best {
  readonly ms: number;
  readonly throughput: number;
}

interface Kind {
  times: number[];
  best: Best;
  bestBefore: Best;
  since: number;
}

const nothing: Best = { ms: Number.POSITIVE_INFINITY, throughput: 0 };

const better = (one: Best, other: Best): Best => ({
  ms: Math.min(one.ms, other.ms),
  throughput: Math.max(one.throughput, other.throughput),
});

/**
 * Limits requests under way by refusals and by the latency of answers, each kind against its own quickest round, as
 * in TCP Vegas and https://github.com/Netflix/concurrency-limits (Gradient2Limit). Slower answers alone do not lower
 * the limit as long as more of them arrive.
 */
export function createConcurrencyLimit(max: number): ConcurrencyLimit {
  let limit = Math.min(start, max);
  let knee = Number.POSITIVE_INFINITY;
  let kneeAt = 0;
  /** What was sent before a cut tells of the load before it. */
  let ignoredUntil = Number.NEGATIVE_INFINITY;
  let grownAt = 0;
  let answers = 0;
  let slowRounds = 0;
  const kinds = new Map<string, Kind>();

  /** How much slower than the best the ended round was, 1 where it does not matter; null within a round. */
  function endRound({ kind, sentAt, now, underWay }: Answered): number | null {
    const known = kinds.get(kind) ?? { times: [], best: nothing, bestBefore: nothing, since: now };
    kinds.set(kind, known);
    known.times.push(now - sentAt);
    if (known.times.length < Math.max(few, limit / 2)) return null;
    const ms = known.times.sort((a, b) => a - b)[Math.floor(known.times.length / 2)] ?? 0;
    known.times = [];
    if (now - known.since > memoryMs) {
      known.bestBefore = known.best;
      known.best = nothing;
      known.since = now;
    }
    const throughput = underWay / Math.max(1, ms);
    known.best = better(known.best, { ms, throughput });
    const best = better(known.best, known.bestBefore);
    const slowness = (ms - tolerance.ms) / Math.max(1, best.ms);
    const pays = throughput >= best.throughput * tolerance.share && slowness < tolerance.maxFactor;
    return pays ? 1 : slowness;
  }

  function grow(now: number): void {
    const isBeyondKnee = limit >= knee;
    if (!isBeyondKnee) kneeAt = now;
    const usual = answers < answersForTrust ? growth.first : growth.trusting;
    const { perRound, perSecond } = isBeyondKnee ? growth.beyondKnee : usual;
    const doublings = isBeyondKnee ? (now - kneeAt) / 1000 / kneeSeconds : 0;
    const bySecond = (perSecond * 2 ** doublings * (now - grownAt)) / 1000;
    limit = Math.min(max, limit + Math.min(perRound / limit, bySecond));
    grownAt = now;
  }

  function beginAgain(now: number): void {
    ignoredUntil = now;
    for (const kind of kinds.values()) kind.times = [];
  }

  function lower(to: number, now: number): void {
    limit = to;
    answers = 0;
    slowRounds = 0;
    beginAgain(now);
  }

  return {
    get limit() {
      return Math.max(1, Math.floor(limit));
    },
    answered(answer) {
      if (answer.sentAt <= ignoredUntil) return;
      answers += 1;
      const slowness = endRound(answer);
      if (slowness !== null && slowness > tolerance.factor) {
        slowRounds += 1;
        beginAgain(answer.now);
        if (slowRounds < tolerance.rounds || limit <= start) return;
        knee = Math.max(few, limit * 0.85);
        lower(Math.max(start, limit * Math.max(0.5, tolerance.factor / slowness)), answer.now);
        return;
      }
      if (slowness !== null) slowRounds = 0;
      if (slowRounds === 0 && answer.underWay >= Math.floor(limit)) grow(answer.now);
    },
    overloaded(sentAt, now) {
      if (sentAt > ignoredUntil) lower(Math.max(1, limit * cut), now);
    },
  };
}
