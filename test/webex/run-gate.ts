import { createService, type ServiceModel } from "../../sandbox/service.ts";
import { createGate, type Gate } from "../../src/webex/gate.ts";

/** A clock that stands still while anything can go on without it, then jumps to the next timer. */
export function createVirtualClock() {
  const timers: { readonly at: number; readonly ring: () => void }[] = [];
  let time = 0;
  return {
    now: () => time,
    sleep(ms: number, signal?: AbortSignal): Promise<void> {
      return new Promise((resolve, reject) => {
        const timer = { at: time + ms, ring: resolve };
        const later = timers.findIndex(({ at }) => at > timer.at);
        timers.splice(later < 0 ? timers.length : later, 0, timer);
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    },
    /** Lets time go on until the work is done. */
    async runUntil<T>(work: Promise<T>): Promise<T> {
      let isDone = false;
      const end = work.finally(() => {
        isDone = true;
      });
      end.catch(() => undefined);
      for (;;) {
        await new Promise(setImmediate);
        if (isDone) return await end;
        const next = timers.shift();
        if (next === undefined) throw new Error("everybody waits, and no timer is set");
        time = Math.max(time, next.at);
        next.ring();
      }
    },
  };
}

/** One attempt, as the service saw it. */
export interface Attempt {
  readonly name: string;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly isRefused: boolean;
  readonly retryAfterMs: number;
  /** Requests under way with this one. */
  readonly underWay: number;
}

/** A gate in front of a service, both by a virtual clock; `send` sends until it is let through. */
export function startGate(
  model: ServiceModel,
  { max = 64, stop }: { max?: number; stop?: AbortSignal } = {},
) {
  const clock = createVirtualClock();
  const service = createService(model);
  const gate: Gate = createGate({ max, now: clock.now, sleep: clock.sleep, stop });
  const attempts: Attempt[] = [];
  let underWay = 0;

  async function attempt(name: string): Promise<Attempt> {
    const sentAt = clock.now();
    underWay += 1;
    const most = underWay;
    const { delayMs, retryAfterSeconds } = service.arrive(sentAt);
    await clock.sleep(Math.max(1, delayMs));
    service.leave();
    underWay -= 1;
    const isRefused = retryAfterSeconds !== undefined;
    const retryAfterMs = (retryAfterSeconds ?? 0) * 1000;
    const made = { name, sentAt, answeredAt: clock.now(), isRefused, retryAfterMs, underWay: most };
    attempts.push(made);
    return made;
  }

  return {
    clock,
    gate,
    /** In the order of the answers. */
    attempts,
    send: (name = "") =>
      gate.run(async (passage) => {
        for (;;) {
          const { isRefused, retryAfterMs } = await attempt(name);
          if (!isRefused) return passage.answered("GET /rooms");
          passage.refused(retryAfterMs);
          await passage.again();
        }
      }),
  };
}

/** Sends so many requests as fast as the gate lets them; tells the seconds it took and every attempt. */
export async function sendAll(model: ServiceModel, count: number, max?: number) {
  const { clock, attempts, send } = startGate(model, max === undefined ? {} : { max });
  await clock.runUntil(Promise.all(Array.from({ length: count }, () => send())));
  return {
    seconds: clock.now() / 1000,
    attempts,
    refusedShare: attempts.filter(({ isRefused }) => isRefused).length / attempts.length,
    mostUnderWay: Math.max(...attempts.map(({ underWay }) => underWay)),
  };
}

/** The same by a pool: so many at once, and each that is refused waits as long as it is told. */
export async function sendByPool(model: ServiceModel, count: number, size: number) {
  const clock = createVirtualClock();
  const service = createService(model);
  let left = count;
  let sent = 0;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      for (let pauseMs = 1; pauseMs > 0; ) {
        sent += 1;
        const { delayMs, retryAfterSeconds = 0 } = service.arrive(clock.now());
        await clock.sleep(Math.max(1, delayMs));
        service.leave();
        pauseMs = retryAfterSeconds * 1000;
        if (pauseMs > 0) await clock.sleep(pauseMs);
      }
    }
  };
  await clock.runUntil(Promise.all(Array.from({ length: size }, work)));
  return { seconds: clock.now() / 1000, refusedShare: (sent - count) / sent };
}
