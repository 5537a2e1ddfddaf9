import { createConcurrencyLimit } from "./concurrency-limit.ts";
import { createRateLimit } from "./rate-limit.ts";

export interface Passage {
  again(): Promise<void>;
  answered(kind: string): void;
  refused(pauseMs: number): void;
  overloaded(): void;
}

export interface Gate {
  run<T>(work: (passage: Passage) => Promise<T>): Promise<T>;
}

export interface GateOptions {
  readonly max: number;
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  /** Once it is aborted nobody waits any more: a request that gets a turn then must not be sent. */
  readonly stop?: AbortSignal | undefined;
}

/** Makes the one gate for all requests of a run, which learns how many at once and a second Webex bears. */
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
