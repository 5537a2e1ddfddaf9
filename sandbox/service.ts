/** How fast a service is, and how much it allows; plain data, so that it can be handed to another process. */
export interface ServiceModel {
  /** What each request takes. Default: 0. */
  readonly latencyMs?: number;
  /** With more requests than this under way, what each takes doubles, and doubles again with every further so many. */
  readonly doublesAbove?: number;
  /** A bucket of one second's worth, from a time on; above it the answer is 429 and `Retry-After`. Default: none. */
  readonly limits?: readonly { readonly fromMs: number; readonly perSecond: number }[];
}

export interface Reception {
  readonly delayMs: number;
  /** Whole seconds, as in the header; undefined for a request that is let through. */
  readonly retryAfterSeconds?: number;
}

/** A service in the sense of the model; it keeps no clock. Each arrival is followed by one departure. */
export interface Service {
  arrive(nowMs: number): Reception;
  leave(): void;
}

/** Makes a service that is idle and whose bucket is full. */
export function createService(model: ServiceModel): Service {
  const { latencyMs = 0, doublesAbove = Number.POSITIVE_INFINITY, limits = [] } = model;
  let underWay = 0;
  let startedAt: number | null = null;
  let filledAt = 0;
  let tokens = Number.POSITIVE_INFINITY;

  function retryAfter(nowMs: number): number | undefined {
    startedAt ??= nowMs;
    const sinceStart = nowMs - startedAt;
    const perSecond = limits.findLast(({ fromMs }) => fromMs <= sinceStart)?.perSecond;
    if (perSecond === undefined) return undefined;
    tokens = Math.min(perSecond, tokens + ((nowMs - filledAt) / 1000) * perSecond);
    filledAt = nowMs;
    if (tokens < 1) return Math.max(1, Math.ceil((1 - tokens) / perSecond));
    tokens -= 1;
    return undefined;
  }

  return {
    arrive(nowMs) {
      underWay += 1;
      const doublings = Math.floor((underWay - 1) / doublesAbove);
      const delayMs = latencyMs * 2 ** doublings;
      const retryAfterSeconds = retryAfter(nowMs);
      return { delayMs, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
    },
    leave() {
      underWay -= 1;
    },
  };
}
