import assert from "node:assert/strict";
import { test } from "node:test";
import { createService } from "../../sandbox/service.ts";

test("a limit lets one second's worth through at once, then as much as the rate brings", () => {
  const service = createService({ limits: [{ fromMs: 0, perSecond: 10 }] });
  const arrive = (ms: number, count: number) =>
    Array.from({ length: count }, () => service.arrive(ms)).filter((one) => !("retryAfterSeconds" in one))
      .length;
  assert.equal(arrive(1000, 20), 10);
  assert.equal(arrive(1100, 20), 1);
  assert.equal(arrive(9000, 20), 10);
  assert.deepEqual(service.arrive(9000), { delayMs: 0, retryAfterSeconds: 1 });
});

test("a limit may change at a time counted from the first request", () => {
  const limits = [
    { fromMs: 0, perSecond: 100 },
    { fromMs: 1000, perSecond: 0.2 },
  ];
  const service = createService({ limits });
  service.arrive(5000);
  // The bucket shrinks with the limit: less than one request is left in it.
  assert.deepEqual(service.arrive(6000), { delayMs: 0, retryAfterSeconds: 4 });
});

test("what takes its time takes twice as long above a number under way, and again above twice the number", () => {
  const service = createService({ latencyMs: 100, doublesAbove: 2 });
  const delays = Array.from({ length: 5 }, () => service.arrive(0).delayMs);
  assert.deepEqual(delays, [100, 100, 200, 200, 400]);
  for (let left = 0; left < 4; left += 1) service.leave();
  assert.equal(service.arrive(0).delayMs, 100);
});
