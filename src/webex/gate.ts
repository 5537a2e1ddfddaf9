import { createConcurrencyLimit } from "./concurrency-limit.ts";
import { createRateLimit } from "./rate-limit.ts";

/** One request's passage. It may be sent again within the same passage, each time after `again`. */
export interface Passage {
  /** Waits for another turn, which comes before the turn of every request that has had none. */
  again(): Promise<void>;
  /** Webex answered and let the request through. Requests of one kind are thought to take equally long. */
  answered(kind: string): void;
  /** Webex answered 429: nothing is sent for so long, and less from then on. */
  refused(pauseMs: number): void;
  /** Webex was too busy to answer. */
  overloaded(): void;
}

/** Lets through as many requests at once, and as many a second, as Webex bears at the time. */
export interface Gate {
  /** Does the work when its turn comes; turns are given in the order of asking. */
  run<T>(work: (passage: Passage) => Promise<T>): Promise<T>;
}

/** The gate's limit and its collaborators. */
export interface GateOptions {
  /** Never more requests under way than this. */
  readonly max: number;
  /** A clock in milliseconds that only goes forward. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  /** Once it is aborted nobody waits any more: whoever gets a turn then must not send anything. */
  readonly stop?: AbortSignal | undefined;
}

/** Makes a gate that knows nothing about Webex yet. One gate is shared by all requests of a run. */
export function createGate({ max, now, sleep, stop }: GateOptions): Gate {
  const concurrency = createConcurrencyLimit(max);
  const rate = createRateLimit();
  const repeating: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let underWay = 0;
  let isSleeping = false;
  /** A timer may fire early; a wait that was slept through counts as over. */
  let earliest = 0;
  const time = () => Math.max(now(), earliest);

  function admit(): void {
    while (repeating.length + waiting.length > 0) {
      if (!stop?.aborted) {
        if (underWay >= concurrency.limit || isSleeping) return;
        const pause = rate.waitMs(time());
        if (pause > 0) {
          sleepThrough(pause);
          return;
        }
        rate.sent(time());
      }
      underWay += 1;
      (repeating.shift() ?? waiting.shift())?.();
    }
  }

  function sleepThrough(pause: number): void {
    isSleeping = true;
    const until = time() + pause;
    const wake = () => {
      isSleeping = false;
      earliest = until;
      admit();
    };
    sleep(pause, stop).then(wake, wake);
  }

  const turn = (queue: (() => void)[]) =>
    new Promise<void>((resolve) => {
      queue.push(resolve);
      admit();
    });

  stop?.addEventListener("abort", admit, { once: true });

  return {
    async run(work) {
      await turn(waiting);
      let sentAt = time();
      try {
        return await work({
          async again() {
            underWay -= 1;
            await turn(repeating);
            sentAt = time();
          },
          answered(kind) {
            rate.accepted(sentAt, time());
            concurrency.answered({ kind, sentAt, now: time(), underWay });
          },
          refused(pauseMs) {
            rate.refused(sentAt, time(), pauseMs);
            concurrency.overloaded(sentAt, time());
          },
          overloaded() {
            concurrency.overloaded(sentAt, time());
          },
        });
      } finally {
        underWay -= 1;
        admit();
      }
    },
  };
}
