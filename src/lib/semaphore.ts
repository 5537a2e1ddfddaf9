export interface Semaphore {
  /** `size` is how much of the capacity the task takes. Default: 1. */
  run<T>(task: () => Promise<T>, size?: number): Promise<T>;
}

/**
 * Runs tasks as long as their sizes together are within the capacity; the others wait in the order in which they came.
 * One that is larger than the capacity runs alone.
 */
export function createSemaphore(capacity: number): Semaphore {
  const waiting: { readonly size: number; readonly begin: () => void }[] = [];
  let taken = 0;
  const fits = (size: number) => taken === 0 || taken + size <= capacity;
  function admit(): void {
    for (let next = waiting[0]; next && fits(next.size); next = waiting[0]) {
      waiting.shift();
      taken += next.size;
      next.begin();
    }
  }
  return {
    async run(task, size = 1) {
      if (waiting.length === 0 && fits(size)) taken += size;
      else await new Promise<void>((begin) => waiting.push({ size, begin }));
      try {
        return await task();
      } finally {
        taken -= size;
        admit();
      }
    },
  };
}
