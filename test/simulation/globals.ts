import crypto from "node:crypto";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import timers from "node:timers";
import timerPromises from "node:timers/promises";
import type { Disk } from "./disk.ts";
import type { Machine, Plan } from "./machine.ts";

/** What stands for the machine, the disk and chance while a story is played. */
export interface Stage {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly random: () => number;
}

/** A timer as Node gives it out. */
class Timer {
  #plan: Plan | null = null;
  #isAwaited = true;
  ref = () => this;
  unref = () => {
    this.#isAwaited = false;
    this.#plan?.setAwaited(false);
    return this;
  };
  hasRef = () => true;
  close = () => this.#plan?.cancel();

  /** Waits for that, instead of what it waited for before. */
  wait(plan: Plan): void {
    this.#plan = plan;
    plan.setAwaited(this.#isAwaited);
  }
}

/**
 * Puts virtual time, a disk in memory and drawn numbers in the place of those of Node, for this whole process, until the
 * function that is returned puts those of Node back. `stage` says what they are at the moment.
 */
export function replaceGlobals(stage: () => Stage, root: string): () => void {
  const replaced: (() => void)[] = [];
  const replace = (target: object, values: Readonly<Record<string, unknown>>) => {
    const before = Object.fromEntries(Object.keys(values).map((name) => [name, Reflect.get(target, name)]));
    replaced.push(() => Object.assign(target, before));
    Object.assign(target, values);
  };
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
  replace(globalThis, { Date: VirtualDate });
  replace(performance, { now: () => stage().machine.now });
  replace(Math, { random: () => stage().random() });

  const setTimeout = (work: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) => {
    const timer = new Timer();
    timer.wait(plan(ms, () => work(...args)));
    return timer;
  };
  const setInterval = (work: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) => {
    const timer = new Timer();
    const beat = () => {
      timer.wait(
        plan(ms, () => {
          beat();
          work(...args);
        }),
      );
    };
    beat();
    return timer;
  };
  const setImmediate = (work: (...args: unknown[]) => void, ...args: unknown[]) =>
    setTimeout(work, 0, ...args);
  const clear = (timer: unknown) => {
    if (timer instanceof Timer) timer.close();
  };
  const virtual = {
    setTimeout,
    setInterval,
    setImmediate,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  };
  replace(globalThis, virtual);
  replace(timers, virtual);
  replace(timerPromises, {
    setTimeout: (ms = 1, value?: unknown, { signal }: { readonly signal?: AbortSignal } = {}) =>
      new Promise((resolve, reject) => {
        const abort = () => {
          waiting.cancel();
          reject(new DOMException("The operation was aborted", "AbortError"));
        };
        const waiting = plan(ms, () => {
          signal?.removeEventListener("abort", abort);
          resolve(value);
        });
        if (signal?.aborted) abort();
        else signal?.addEventListener("abort", abort, { once: true });
      }),
  });

  // Counted, not drawn: a token or a name that every story has in common is learnt once by what keeps secrets.
  replace(crypto, { randomBytes: (size: number) => stage().disk.takeNonce(size) });

  for (const name of Object.keys(stage().disk.operations)) {
    const real: unknown = Reflect.get(files, name);
    const onDisk = (...args: unknown[]) => {
      const [path] = args;
      const isOurs =
        typeof path === "string" &&
        (!path.startsWith("/") || path.startsWith(root) || path.startsWith("/proc/"));
      if (!isOurs && typeof real === "function") return real.apply(files, args);
      const { machine, disk, random } = stage();
      return machine.step(0.02 + 0.2 * random(), () => disk.operate(name, args));
    };
    replace(files, { [name]: onDisk });
  }
  replace(process, { cwd: () => stage().disk.folder });
  replace(os, { tmpdir: () => `${root}/tmp` });
  syncBuiltinESMExports();
  return () => {
    for (const putBack of replaced) putBack();
    syncBuiltinESMExports();
  };
}
