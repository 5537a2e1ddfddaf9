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
/** How many more for each round of answers, and at most for each second. */
const growth = {
  first: { perRound: 1, perSecond: 20 },
  trusting: { perRound: 4, perSecond: 100 },
  beyondKnee: { perRound: 1, perSecond: 1 },
};
/** After so many answers without a sign of trouble a service is trusted with faster growth. */
const answersForTrust = 420;
/** Answers may take this much longer than the quickest of their kind, and so many milliseconds besides. */
const tolerance = { factor: 1.5, ms: 5 };
const cut = 0.7;
/** The quickest answer of a kind is forgotten after one to two of these. */
const memoryMs = 10_000;

/**
 * Additive increase, multiplicative decrease, by refusals and by the gradient of latency: the median of a round of
 * answers against the quickest there was, as in TCP Vegas and in https://github.com/Netflix/concurrency-limits
 * (Gradient2Limit, whose tolerance this is). Different kinds of requests are measured by their own kind only.
 */
export function createConcurrencyLimit(max: number): ConcurrencyLimit {
  let limit = Math.min(start, max);
  /** Up to here growth is fast: a bit below the level that was too much. */
  let knee = Number.POSITIVE_INFINITY;
  let cutAt = Number.NEGATIVE_INFINITY;
  let grownAt = 0;
  /** Since the last cut. */
  let answers = 0;
  let round: number[] = [];
  const quickest = new Map<string, { ms: number; previousMs: number; since: number }>();

  function slowness({ kind, sentAt, now }: Answered): number {
    const ms = now - sentAt;
    const known = quickest.get(kind);
    const isOld = known === undefined || now - known.since > memoryMs;
    const memory = isOld
      ? { ms, previousMs: known?.ms ?? ms, since: now }
      : { ...known, ms: Math.min(known.ms, ms) };
    quickest.set(kind, memory);
    return (ms - tolerance.ms) / Math.max(1, Math.min(memory.ms, memory.previousMs));
  }

  function grow(now: number): void {
    const pace =
      limit >= knee ? growth.beyondKnee : answers < answersForTrust ? growth.first : growth.trusting;
    limit = Math.min(max, limit + Math.min(pace.perRound / limit, (pace.perSecond * (now - grownAt)) / 1000));
    grownAt = now;
  }

  return {
    get limit() {
      return Math.max(1, Math.floor(limit));
    },
    answered(answer) {
      const slow = slowness(answer);
      // What was sent before a cut tells of the load before it.
      if (answer.sentAt <= cutAt) return;
      answers += 1;
      round.push(slow);
      if (round.length >= limit / 2) {
        const median = round.sort((a, b) => a - b)[Math.floor(round.length / 2)] ?? 0;
        round = [];
        if (median > tolerance.factor && limit > start) {
          knee = limit * 0.9;
          limit = Math.max(start, limit * Math.max(0.5, tolerance.factor / median));
          cutAt = answer.now;
          answers = 0;
          return;
        }
      }
      if (answer.underWay >= Math.floor(limit)) grow(answer.now);
    },
    overloaded(sentAt, now) {
      if (sentAt <= cutAt) return;
      limit = Math.max(1, limit * cut);
      cutAt = now;
      answers = 0;
      round = [];
    },
  };
}
