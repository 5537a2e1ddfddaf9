import assert from "node:assert/strict";
import { test } from "node:test";
import { type Attempt, sendAll, sendByPool, startGate } from "./run-gate.ts";

/** Everything here happens by a virtual clock: the same on every machine. */

const allowed = (perSecond: number) => ({ latencyMs: 40, limits: [{ fromMs: 0, perSecond }] });

const letThrough = (attempts: readonly Attempt[], fromMs: number, toMs: number) =>
  attempts.filter(({ isRefused, sentAt }) => !isRefused && sentAt >= fromMs && sentAt < toMs).length;

test("eight requests are under way at first, and more while answers are quick, up to 64", async () => {
  const { attempts, mostUnderWay } = await sendAll({ latencyMs: 200 }, 3000);
  const first = attempts.filter(({ sentAt }) => sentAt < 200);
  assert.equal(first.length, 8);
  assert.equal(mostUnderWay, 64);
});

test("the setting bounds what is under way, however quick the answers are", async () => {
  for (const max of [1, 5, 20]) assert.equal((await sendAll({ latencyMs: 40 }, 600, max)).mostUnderWay, max);
});

for (const [latencyMs, count] of [
  [40, 2000],
  [200, 2000],
] as const) {
  test(`with answers after ${latencyMs} ms it takes no longer than 32 at once would, by a fifth`, async () => {
    const { seconds, refusedShare } = await sendAll({ latencyMs }, count);
    assert.ok(seconds <= (1.2 * count * latencyMs) / 1000 / 32, `${seconds} s`);
    assert.equal(refusedShare, 0);
  });
}

for (const [perSecond, count] of [
  [10, 465],
  [50, 1000],
  [200, 2000],
] as const) {
  test(`of ${perSecond} requests a second almost all are used, and fewer than 2 % are refused`, async () => {
    const { seconds, refusedShare } = await sendAll(allowed(perSecond), count);
    assert.ok(seconds <= (1.1 * count) / perSecond, `${seconds} s`);
    assert.ok(refusedShare < 0.02, `${refusedShare}`);
  });
}

test("a pool of ten, which is refused much more often, is not faster under a limit", async () => {
  const ratios: number[] = [];
  for (const perSecond of [10, 20, 50, 100]) {
    for (const latencyMs of [41, 61, 90]) {
      const model = { latencyMs, limits: [{ fromMs: 0, perSecond }] };
      const own = await sendAll(model, 30 * perSecond);
      const pool = await sendByPool(model, 30 * perSecond, 10);
      ratios.push(pool.seconds / own.seconds);
      assert.ok(pool.seconds / own.seconds > 0.96, `${perSecond}/s, ${latencyMs} ms: ${ratios.at(-1)}`);
      // Where ten at once come to no more than the limit, nothing is refused.
      const mayBeRefused = 10 / (latencyMs / 1000) > 2 * perSecond;
      if (mayBeRefused) assert.ok(pool.refusedShare > 2 * own.refusedShare);
    }
  }
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  assert.ok(mean > 1, `on average ${mean} times as fast`);
});

test("a service that slows down above 20 at once is held there", async () => {
  for (const latencyMs of [40, 200]) {
    const { seconds, attempts } = await sendAll({ latencyMs, doublesAbove: 20 }, 4000);
    const best = (4000 * latencyMs) / 1000 / 20;
    assert.ok(seconds <= best / 0.8, `${seconds} s, at best ${best} s`);
    const settled = attempts.slice(2000).map(({ underWay }) => underWay);
    assert.ok(Math.max(...settled) <= 30, `${Math.max(...settled)} under way`);
  }
});

test("nothing is sent while one refusal tells to wait, and what comes back then comes one by one", async () => {
  const { attempts } = await sendAll(allowed(50), 300);
  const refused = attempts.filter(({ isRefused }) => isRefused);
  assert.ok(refused.length > 0);
  for (const { answeredAt, retryAfterMs } of refused) {
    const until = answeredAt + retryAfterMs;
    const early = attempts.filter(({ sentAt }) => sentAt > answeredAt && sentAt < until);
    assert.deepEqual(early, []);
    // At most twice the rate, and no two at the same moment.
    assert.ok(letThrough(attempts, until, until + 500) <= 50);
    assert.ok(letThrough(attempts, until, until + 10) <= 1);
  }
});

test("a limit that falls to a tenth in mid-run and rises again is followed within five seconds", async () => {
  const limits = [
    { fromMs: 0, perSecond: 200 },
    { fromMs: 10_000, perSecond: 20 },
    { fromMs: 25_000, perSecond: 200 },
  ];
  const { attempts, refusedShare } = await sendAll({ latencyMs: 40, limits }, 5000);
  const perSecond = (from: number, to: number) => letThrough(attempts, from * 1000, to * 1000) / (to - from);
  assert.ok(perSecond(15, 25) >= 18, `${perSecond(15, 25)} a second of 20`);
  const refusedLate = attempts.filter(
    ({ isRefused, sentAt }) => isRefused && sentAt >= 15_000 && sentAt < 25_000,
  );
  assert.ok(refusedLate.length <= 4, `${refusedLate.length} refused once the fall was known`);
  assert.ok(perSecond(30, 35) >= 170, `${perSecond(30, 35)} a second of 200`);
  assert.ok(refusedShare < 0.03, `${refusedShare}`);
});

test("a long pause is kept, and is not asked for often", async () => {
  const { clock, attempts, gate } = startGate({ latencyMs: 40 });
  const pauses: number[] = [];
  // Whatever comes sooner than 100 ms after the one before it is told to wait for a minute.
  let last = Number.NEGATIVE_INFINITY;
  const send = () =>
    gate.run(async (passage) => {
      for (;;) {
        const isRefused = clock.now() - last < 100;
        last = clock.now();
        await clock.sleep(40);
        if (!isRefused) return passage.answered("GET /rooms");
        pauses.push(clock.now());
        passage.refused(60_000);
        await passage.again();
      }
    });
  await clock.runUntil(Promise.all(Array.from({ length: 500 }, send)));
  assert.equal(attempts.length, 0);
  const events = pauses.filter((at, index) => index === 0 || at - (pauses[index - 1] ?? 0) > 1000);
  for (const [index, at] of events.entries())
    assert.ok(index === 0 || at - (events[index - 1] ?? 0) > 60_000, `${events}`);
  assert.ok(events.length <= 8, `${events.length} pauses for 500 requests`);
});

test("a service too busy to answer gets fewer at once", async () => {
  const { clock, gate } = startGate({});
  let underWay = 0;
  let most = 0;
  const send = (isBusy: boolean) =>
    gate.run(async (passage) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await clock.sleep(200);
      underWay -= 1;
      if (isBusy) passage.overloaded();
      else passage.answered("GET /rooms");
    });
  await clock.runUntil(Promise.all(Array.from({ length: 8 }, () => send(true))));
  assert.equal(most, 8);
  most = 0;
  await clock.runUntil(Promise.all(Array.from({ length: 8 }, () => send(false))));
  assert.ok(most <= 6, `${most} under way`);
});

test("a kind of request that takes long is not taken for a service that slows down", async () => {
  const { clock, gate } = startGate({});
  let underWay = 0;
  let most = 0;
  const send = (kind: string, ms: number) =>
    gate.run(async (passage) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await clock.sleep(ms);
      underWay -= 1;
      passage.answered(kind);
    });
  await clock.runUntil(Promise.all(Array.from({ length: 3000 }, () => send("GET /groups", 40))));
  assert.equal(most, 64);
  await clock.runUntil(Promise.all(Array.from({ length: 1000 }, () => send("GET /memberships", 400))));
  most = 0;
  await clock.runUntil(Promise.all(Array.from({ length: 200 }, () => send("GET /memberships", 400))));
  assert.equal(most, 64);
});

test("turns are given in the order of asking: neither a big space nor many small ones starve anybody", async () => {
  const { clock, attempts, send } = startGate({ latencyMs: 40 });
  const names: string[] = [];
  const ask = (name: string) => {
    names.push(name);
    return send(name);
  };
  const big = Array.from({ length: 300 }, (_, index) => () => ask(`big ${index}`));
  const small = Array.from({ length: 300 }, (_, index) => () => ask(`small ${index}`));
  // A burst of the big one, then both in turn.
  const asked = [...big.slice(0, 100), ...small.flatMap((one, index) => [one, big[100 + index] ?? one])];
  await clock.runUntil(Promise.all(asked.slice(0, 600).map((one) => one())));
  const started = attempts.toSorted((a, b) => a.sentAt - b.sentAt).map(({ name }) => name);
  assert.deepEqual(started, names);
});

test("whoever was refused comes before those who have not had a turn", async () => {
  const { clock, attempts, send } = startGate(allowed(5));
  const names = Array.from({ length: 30 }, (_, index) => String(index));
  await clock.runUntil(Promise.all(names.map((name) => send(name))));
  const refused = attempts.filter(({ isRefused }) => isRefused);
  const [first] = refused;
  assert.ok(first);
  const [next] = attempts
    .filter(({ sentAt }) => sentAt >= first.answeredAt + first.retryAfterMs)
    .toSorted((a, b) => a.sentAt - b.sentAt);
  assert.equal(next?.name, first.name);
});

test("after a stop nobody waits any more", async () => {
  const stop = new AbortController();
  const { clock, gate } = startGate({}, { max: 1, stop: stop.signal });
  const first = gate.run(() => clock.sleep(1000));
  const others = Promise.all(Array.from({ length: 100 }, () => gate.run(async () => clock.now())));
  stop.abort();
  assert.deepEqual(new Set(await others), new Set([0]));
  await clock.runUntil(first);
});
