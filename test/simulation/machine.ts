/** Something that happens at a moment of the virtual time. */
interface Event {
  readonly at: number;
  /** Of two at the same moment the one that was planned first happens first. */
  readonly order: number;
  /** Whose it is: what a dead process waits for never comes. Null for what happens whether the process lives or not. */
  readonly owner: Process | null;
  readonly work: () => void;
  isCancelled: boolean;
  /** False for what is no reason to go on: when nothing else is planned, something real is under way. */
  isAwaited: boolean;
}

/** What was planned, as its planner holds it. */
export interface Plan {
  cancel(): void;
  /** Whether the process goes on for this alone; true at first. */
  setAwaited(isAwaited: boolean): void;
}

/** One run of the product: what it waits for is all that keeps it going. */
export interface Process {
  readonly number: number;
  isAlive: boolean;
  /** How often it went on after having waited. */
  steps: number;
}

/** How a process came to its end. */
export type End =
  | { readonly kind: "ended"; readonly code: number }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "killed" }
  | { readonly kind: "never ended"; readonly why: string };

export interface Ending {
  readonly end: End;
  readonly steps: number;
  /** In virtual milliseconds. */
  readonly durationMs: number;
}

/** When a process is to be killed, or told to stop, by its steps. */
export interface Interruption {
  readonly killAt: number;
  readonly stopAt: number;
  stop(): void;
}

/** A run ends by itself after 25 minutes, and has nine seconds then. */
const longestMs = 26 * 60_000;

const patienceMs = 5_000;

// What really passes time, kept before anything is put in its place.
const { setImmediate: yieldReally, setTimeout: waitReally } = globalThis;
const readRealTime = performance.now.bind(performance);

/**
 * A virtual clock and what is planned on it. Nothing else decides what happens next: between two events everything
 * that can go on without waiting has gone on, so the same plan always gives the same run.
 */
export class Machine {
  /** Milliseconds of the epoch. */
  now: number;
  process: Process | null = null;
  #processes = 0;
  #orders = 0;
  readonly #queue: Event[] = [];

  constructor(start: number) {
    this.now = start;
  }

  plan(delayMs: number, owner: Process | null, work: () => void): Plan {
    this.#orders += 1;
    const at = this.now + Math.max(0, delayMs);
    const event: Event = { at, order: this.#orders, owner, work, isCancelled: false, isAwaited: true };
    this.#insert(event);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
      setAwaited: (isAwaited) => {
        event.isAwaited = isAwaited;
      },
    };
  }

  /** Does something a moment later, as the disk does, or at once where no process runs. Never answers a dead process. */
  step<T>(delayMs: number, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.process === null) return resolve(work());
      this.plan(delayMs, this.process, () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Runs a process until it ends or is killed; then lets what is still on the way to the servers arrive. */
  async run(main: () => Promise<number>, interruption: Interruption): Promise<Ending> {
    this.#processes += 1;
    const process: Process = { number: this.#processes, isAlive: true, steps: 0 };
    const startedAt = this.now;
    this.process = process;
    let end: End | null = null;
    main().then(
      (code) => {
        end ??= { kind: "ended", code };
      },
      (error: unknown) => {
        end ??= { kind: "threw", error };
      },
    );
    await settle();
    const isEnded = () => end;
    const goesOn = () => this.#queue.some((event) => event.isAwaited && isPending(event));
    while (isEnded() === null) {
      const event = goesOn() ? this.#take() : null;
      if (event === null) {
        // Something that is not planned here goes on: a module or a library is loaded for the first time.
        if (!(await waitFor(() => isEnded() !== null || goesOn()))) {
          end = { kind: "never ended", why: "it waits for nothing that will ever come" };
        }
        continue;
      }
      if (event.owner === process) {
        process.steps += 1;
        if (process.steps === interruption.killAt) {
          end = { kind: "killed" };
          break;
        }
        if (process.steps === interruption.stopAt) {
          // The signal comes when this happens, not when the process began to wait for it.
          this.now = Math.max(this.now, event.at);
          interruption.stop();
          await settle();
        }
      }
      if (event.at - startedAt > longestMs) {
        end = { kind: "never ended", why: `it goes on after ${longestMs / 60_000} minutes` };
        break;
      }
      await this.#happen(event);
    }
    process.isAlive = false;
    this.process = null;
    const durationMs = this.now - startedAt;
    for (let event = this.#take(); event !== null; event = this.#take()) await this.#happen(event);
    return { end: end ?? { kind: "killed" }, steps: process.steps, durationMs };
  }

  async #happen(event: Event): Promise<void> {
    this.now = Math.max(this.now, event.at);
    event.work();
    await settle();
  }

  /** A heap by time and order. */
  #insert(event: Event): void {
    const queue = this.#queue;
    let index = queue.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = queue[parent];
      if (above === undefined || !isBefore(event, above)) break;
      queue[index] = above;
      index = parent;
    }
    queue[index] = event;
  }

  /** The next event that anybody still waits for; null when there is none. */
  #take(): Event | null {
    for (;;) {
      const first = this.#pop();
      if (first === null) return null;
      if (isPending(first)) return first;
    }
  }

  #pop(): Event | null {
    const queue = this.#queue;
    const first = queue[0];
    const last = queue.pop();
    if (first === undefined || last === undefined || queue.length === 0) return first ?? null;
    let index = 0;
    for (;;) {
      const [left, right] = [queue[2 * index + 1], queue[2 * index + 2]];
      const least = left && right && isBefore(right, left) ? right : left;
      if (least === undefined || !isBefore(least, last)) break;
      queue[index] = least;
      index = 2 * index + (least === left ? 1 : 2);
    }
    queue[index] = last;
    return first;
  }
}

function isPending({ isCancelled, owner }: Event): boolean {
  return !isCancelled && owner?.isAlive !== false;
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** Lets everything go on that waits for nothing: promises that are kept, and what they lead to. */
function settle(): Promise<void> {
  return new Promise((resolve) => yieldReally(resolve));
}

async function waitFor(isThere: () => boolean): Promise<boolean> {
  const until = readRealTime() + patienceMs;
  while (!isThere()) {
    if (readRealTime() > until) return false;
    await new Promise((resolve) => waitReally(resolve, 1));
  }
  return true;
}
