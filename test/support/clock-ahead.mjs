/**
 * Loaded before the command by `NODE_OPTIONS=--import=…`: its clock is then `CLOCK_AHEAD_MS` ahead of the machine's, as
 * the sandbox's may be. Only dates follow it; timers do not.
 */
const RealDate = Date;
const aheadMs = Number(process.env.CLOCK_AHEAD_MS ?? 0);

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + aheadMs);
    else super(...given);
  }

  static now() {
    return RealDate.now() + aheadMs;
  }
};
