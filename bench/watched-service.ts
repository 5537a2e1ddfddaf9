import { createService, type ServiceModel } from "../sandbox/service.ts";

/** A part of the time that the sandbox was used. */
export interface Slice {
  /** Requests under way, on average. */
  readonly underWay: number;
  readonly letThrough: number;
  readonly refused: number;
}

/** How long a slice is. */
export const sliceMs = 250;

/** A service that remembers how it was used. */
export function createWatchedService(model: ServiceModel) {
  const service = createService(model);
  let slices: { underWayMs: number; letThrough: number; refused: number }[] = [];
  let startedAt: number | null = null;
  let lastAt = 0;
  let underWay = 0;
  const sliceAt = (index: number) => {
    slices[index] ??= { underWayMs: 0, letThrough: 0, refused: 0 };
    return slices[index];
  };
  /** Adds the time since the last event to the slices that it lies in; the last of them is now's. */
  function passTime(now: number) {
    startedAt ??= now;
    const [from, to] = [Math.max(lastAt, startedAt) - startedAt, now - startedAt];
    const last = Math.floor(to / sliceMs);
    for (let index = Math.floor(from / sliceMs); index <= last; index += 1) {
      const within = Math.min(to, (index + 1) * sliceMs) - Math.max(from, index * sliceMs);
      sliceAt(index).underWayMs += Math.max(0, within) * underWay;
    }
    lastAt = now;
    return sliceAt(last);
  }
  return {
    arrive(now: number) {
      const slice = passTime(now);
      underWay += 1;
      const reception = service.arrive(now);
      slice[reception.retryAfterSeconds === undefined ? "letThrough" : "refused"] += 1;
      return reception;
    },
    leave() {
      passTime(performance.now());
      underWay -= 1;
      service.leave();
    },
    take() {
      const taken = slices.map(({ underWayMs, ...rest }) => ({ ...rest, underWay: underWayMs / sliceMs }));
      const epoch = performance.timeOrigin;
      const used = { firstAt: startedAt === null ? null : epoch + startedAt, lastAt: epoch + lastAt };
      slices = [];
      startedAt = null;
      return { slices: taken, ...used };
    },
  };
}
