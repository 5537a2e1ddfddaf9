/** How many requests may be under way, learned from how long Webex takes. Times are milliseconds of one clock. */
export interface ConcurrencyLimit {
  /** A whole number, at least one. */
  readonly limit: number;
  /** An answer arrived; requests of one kind are thought to take equally long. */
  answered(answer: Answered): void;
  /** A request that was sent at that time was refused, or was not answered at all. */
  overloaded(sentAt: number, now: number): void;
}

/** What an answer tells of the service's load. */
export interface Answered {
  readonly kind: string;
  readonly sentAt: number;
  readonly now: number;
  /** Requests under way with this one. */
  readonly underWay: number;
}

/** What every service is thought to bear: slow answers never lead below it, only refusals do. */
const start = 8;
/** Up to here growth is always fast, and no round is shorter: some slow answers among few may well be chance. */
const few = 16;
/** How many more for each round of answers, and at most for each second. */
const growth = {
  first: { perRound: 1.5, perSecond: 20 },
  trusting: { perRound: 4, perSecond: 100 },
  beyondKnee: { perRound: 1, perSecond: 0.25 },
};
/** After so many answers without a sign of trouble a service is trusted with faster growth. */
const answersForTrust = 420;
/** Growth beyond the knee doubles every so many seconds: what was too much once may not be for ever. */
const kneeSeconds = 1.5;
/**
 * A round is too slow when it takes so many times as long as the quickest (and some milliseconds) and brings less than
 * this share of the best throughput, or takes very much longer. One such round may be chance, two in a row are not.
 */
const tolerance = { factor: 1.5, ms: 5, share: 0.7, maxFactor: 3, rounds: 2 };
const cut = 0.7;
/** The best of a kind is forgotten after one to two of these. */
const memoryMs = 10_000;

/** The best rounds of some time: what the quickest took, and the most answers a millisecond. */
interface Best {
  readonly ms: number;
  readonly throughput: number;
}

/** What is known about one kind of request. */
interface Kind {
  /** The answers of the round that is going on. */
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
 * Additive increase, multiplicative decrease, by refusals and by the gradient of latency: the median of a round of
 * answers against that of the quickest round, as in TCP Vegas and in https://github.com/Netflix/concurrency-limits
 * (Gradient2Limit, whose tolerance this is). Slower answers are no reason to send less as long as more of them arrive.
 * Different kinds of requests are measured by their own kind only.
 */
export function createConcurrencyLimit(max: number): ConcurrencyLimit {
  let limit = Math.min(start, max);
  /** Up to here growth is fast: a bit below the level that was too much. */
  let knee = Number.POSITIVE_INFINITY;
  let kneeAt = 0;
  /** What was sent before tells of the load before a cut, or of the same moment as a round that was slow. */
  let ignoredUntil = Number.NEGATIVE_INFINITY;
  let grownAt = 0;
  /** Since the last cut. */
  let answers = 0;
  let slowRounds = 0;
  const kinds = new Map<string, Kind>();

  /** How much slower than the best a round was that this answer ends, 1 where it does not matter; null within a round. */
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
        knee = Math.max(few, limit * 0.93);
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
