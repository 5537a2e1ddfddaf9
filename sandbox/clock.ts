/** The servers' time: real time plus an offset, behind by default so that `tick` dates nothing in anybody's future. */
export class Clock {
  #offsetMs: number;
  #last = 0;
  #lastSecond = 0;
  #lastStamp = 0;

  constructor(offsetMs = -120_000) {
    this.#offsetMs = offsetMs;
  }

  /** Milliseconds of the epoch; never earlier than anything that was dated before. */
  now(): number {
    this.#last = Math.max(this.#last, Date.now() + this.#offsetMs);
    return this.#last;
  }

  second(): string {
    return formatSecond(Math.floor(this.now() / 1000));
  }

  /** As `second`, but later than the ticks before: what came after what can be told from whole seconds. */
  tick(): string {
    this.#lastSecond = Math.max(this.#lastSecond + 1, Math.floor(this.now() / 1000));
    this.#last = Math.max(this.#last, this.#lastSecond * 1000);
    return formatSecond(this.#lastSecond);
  }

  /** The time in milliseconds, as Webex writes it, and never the same twice. */
  stamp(): string {
    this.#lastStamp = Math.max(this.#lastStamp + 1, this.now());
    return new Date(this.#lastStamp).toISOString();
  }

  shift(ms: number): void {
    this.#offsetMs += ms;
    if (ms < 0) this.#last = this.#lastSecond = this.#lastStamp = 0;
  }
}

function formatSecond(second: number): string {
  return new Date(second * 1000).toISOString().replace(".000Z", "Z");
}
