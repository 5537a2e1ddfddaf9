import crypto from "node:crypto";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timerPromises from "node:timers/promises";
import type { Disk } from "./disk.ts";
import type { Machine } from "./machine.ts";

/** What stands for the machine, the disk and chance while a story is played. */
export interface Stage {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly random: () => number;
}

/** A timer as Node gives it out. */
class Timer {
  cancel: () => void = () => undefined;
  ref = () => this;
  unref = () => this;
  hasRef = () => true;
  close = () => this.cancel();
}

/**
 * Puts virtual time, a disk in memory and drawn numbers in the place of those of Node, for this whole process and for
 * good: what is loaded later finds nothing else. `stage` says what they are at the moment.
 */
export function replaceGlobals(stage: () => Stage, root: string): void {
  const plan = (ms: number, work: () => void) => {
    const { machine } = stage();
    return machine.plan(ms, machine.process, work);
  };
  const RealDate = Date;
  class VirtualDate extends RealDate {
    constructor(...args: readonly unknown[]) {
      if (args.length === 0) super(Math.floor(stage().machine.now));
      else super(...(args as ConstructorParameters<DateConstructor>));
    }
    static override now(): number {
      return Math.floor(stage().machine.now);
    }
  }
  globalThis.Date = VirtualDate as DateConstructor;
  performance.now = () => stage().machine.now;
  Math.random = () => stage().random();

  const setTimeout = (work: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) => {
    const timer = new Timer();
    timer.cancel = plan(ms, () => work(...args));
    return timer;
  };
  const setInterval = (work: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) => {
    const timer = new Timer();
    const beat = () => {
      timer.cancel = plan(ms, () => {
        beat();
        work(...args);
      });
    };
    beat();
    return timer;
  };
  const setImmediate = (work: (...args: unknown[]) => void, ...args: unknown[]) =>
    setTimeout(work, 0, ...args);
  const clear = (timer: unknown) => {
    if (timer instanceof Timer) timer.cancel();
  };
  const virtual = {
    setTimeout,
    setInterval,
    setImmediate,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  };
  Object.assign(globalThis, virtual);
  Object.assign(timers, virtual);
  Object.assign(timerPromises, {
    setTimeout: (ms = 1, value?: unknown, { signal }: { readonly signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        const abort = () => {
          cancel();
          reject(new DOMException("The operation was aborted", "AbortError"));
        };
        const cancel = plan(ms, () => {
          signal?.removeEventListener("abort", abort);
          resolve(value);
        });
        if (signal?.aborted) abort();
        else signal?.addEventListener("abort", abort, { once: true });
      }),
  });

  // Counted, not drawn: a token or a name that every story has in common is learnt once by what keeps secrets.
  Object.assign(crypto, { randomBytes: (size: number) => stage().disk.takeNonce(size) });

  for (const name of Object.keys(stage().disk.operations)) {
    const real: unknown = Reflect.get(files, name);
    Reflect.set(files, name, (...args: unknown[]) => {
      const [path] = args;
      const isOurs =
        typeof path === "string" &&
        (!path.startsWith("/") || path.startsWith(root) || path.startsWith("/proc/"));
      if (!isOurs && typeof real === "function") return real.apply(files, args);
      const { machine, disk, random } = stage();
      return machine.step(0.02 + 0.2 * random(), () => disk.operate(name, args));
    });
  }
  process.cwd = () => root;
  process.env.TMPDIR = `${root}/tmp`;
  syncBuiltinESMExports();
}
