import assert from "node:assert/strict";
import { test } from "node:test";
import { describeExpiry, describeSecretsTokenEnd, measureExpiry } from "../../src/token/expiry.ts";

const now = new Date("2026-11-22T05:00:00Z");
const measure = (expiresAt: string | null) => measureExpiry(expiresAt, now, 14);

test("a life that the server did not state, or not as a date, is unknown", () => {
  assert.deepEqual([measure(null), measure("soon")], [null, null]);
});

test("fourteen whole days are enough, a second less is short", () => {
  assert.deepEqual(measure("2026-12-06T05:00:00Z"), { lastDay: "2026-12-06", days: 14, isShort: false });
  assert.deepEqual(measure("2026-12-06T04:59:59Z"), { lastDay: "2026-12-06", days: 13, isShort: true });
});

test("it is said by which day to log in again at the latest", () => {
  const describe = (days: number, isShort: boolean) =>
    describeExpiry({ lastDay: "2026-12-06", days, isShort });
  assert.equal(describe(89, false), "Webex login valid until 2026-12-06 (a run normally extends it).");
  assert.match(describe(1, true), /until 2026-12-06, 1 day from now: run npm run login before then/);
  assert.match(describe(0, true), /0 days from now/);
  assert.match(describe(-1, true), /expired on 2026-12-06/);
});

test("the end of SECRETS_TOKEN is told only when it is near, with the day and what to do", () => {
  const describe = (end: string | null) =>
    describeSecretsTokenEnd(end === null ? null : new Date(end), now, 14);
  assert.deepEqual([describe(null), describe("2026-12-06T05:00:00Z")], [null, null]);
  assert.match(
    describe("2026-12-06T04:59:59Z") ?? "",
    /^SECRETS_TOKEN expires on 2026-12-06, and then runs stop .*npm run setup/,
  );
});
