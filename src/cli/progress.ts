import type { CountWork } from "../lib/progress.ts";

export interface Progress {
  readonly count: CountWork;
  /** Takes the line away, so that another one can be written. */
  clear(): void;
}

export interface ProgressOutput {
  /** Writes to a terminal as it is, also without an end of line; null where there is none. */
  readonly write: ((text: string) => void) | null;
  /** Writes a line. */
  readonly log: (text: string) => void;
  readonly now: () => number;
}

/** A terminal shows one line that counts; anywhere else there is a line at each tenth. */
export function createProgress(output: ProgressOutput): Progress {
  return output.write === null ? logTenths(output) : drawLine(output.write, output.now);
}

/** Less than ten of something has no tenths worth a line. */
const fewest = 10;

function logTenths({ log, now }: ProgressOutput): Progress {
  return {
    count(what, total) {
      const from = now();
      let done = 0;
      let tenths = 0;
      return () => {
        done += 1;
        const reached = total < fewest ? Math.floor(done / total) * 10 : Math.floor((done * 10) / total);
        if (reached === tenths) return;
        tenths = reached;
        log(describe(what, { done, total, ms: now() - from }));
      };
    },
    clear: () => undefined,
  };
}

/** Often enough to be seen to move. */
const redrawMs = 100;

function drawLine(write: (text: string) => void, now: () => number): Progress {
  let shown = false;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const clear = () => {
    if (shown) write("\r\u001b[K");
    shown = false;
  };
  return {
    count(what, total) {
      const from = now();
      let done = 0;
      return () => {
        done += 1;
        const isLast = done === total;
        if (isLast) return clear();
        if (now() - drawnAt < redrawMs) return;
        drawnAt = now();
        write(`\r\u001b[K${describe(what, { done, total, ms: drawnAt - from })}`);
        shown = true;
      };
    },
    clear,
  };
}

interface Count {
  readonly done: number;
  readonly total: number;
  /** Since it began. */
  readonly ms: number;
}

/** "Read the members of 40 of 400 groups, 360 left (about 2 min)". */
function describe(what: string, { done, total, ms }: Count): string {
  if (done >= total) return what.replace("#", format(total));
  const left = total - done;
  return `${what.replace("#", `${format(done)} of ${format(total)}`)}, ${format(left)} left${describeTime((ms / done) * left)}`;
}

/** Short waits need no estimate. */
const longMs = 10_000;

function describeTime(ms: number): string {
  if (ms < longMs) return "";
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? ` (about ${seconds} s)` : ` (about ${Math.round(seconds / 60)} min)`;
}

function format(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
