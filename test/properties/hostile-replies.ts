import assert from "node:assert/strict";
import fc from "fast-check";

/** How a reply is changed: replaced as a whole, or at one place. */
export interface Change {
  /** Which reply of the call; counted around. */
  readonly request: number;
  /** Which value of the reply; null for all of it. */
  readonly place: number | null;
  readonly value: unknown;
}

const hostileValue = fc.oneof(
  fc.constantFrom<unknown[]>(
    null,
    0,
    -1,
    1e308,
    true,
    "",
    "x",
    "\u0000",
    "2026-02-30T00:00:00Z",
    "9".repeat(5000),
    [],
    [null],
    [[]],
    {},
    { total_count: 1 },
    { message: 7, errors: "x" },
    { length: 3 },
    { toString: 1, constructor: null },
    JSON.parse('{"__proto__":{"isAdmin":true}}'),
    undefined,
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

export const changes: fc.Arbitrary<Change> = fc.record({
  request: fc.nat({ max: 11 }),
  place: fc.option(fc.nat({ max: 200 }), { freq: 6 }),
  value: hostileValue,
});

/** The reply with one value put in the place of another; undefined takes it away. */
export function changeReply(body: unknown, { place, value }: Change): unknown {
  // A reply that is no object at all is not JSON from GitHub's API, and is asked for again.
  const whole = typeof value === "object" && value !== null ? value : {};
  if (place === null || typeof body !== "object" || body === null) return whole;
  let count = 0;
  JSON.stringify(body, (_, one: unknown) => {
    count += 1;
    return one;
  });
  const chosen = 1 + (place % Math.max(1, count - 1));
  let index = -1;
  const text = JSON.stringify(body, (_, one: unknown) => {
    index += 1;
    return index === chosen ? value : one;
  });
  return JSON.parse(text);
}

/** What a reader says that has met what it did not expect. */
const crash =
  /Cannot (?:read|set|use|convert)|undefined|is not (?:a function|iterable|defined)|Invalid (?:type|key|URL|array|date|time)|\[object|in operator|circular|call stack/;

/** An error that a person can read: none of the language, and none of a validator. */
export function assertNoCrash(error: unknown): asserts error is Error {
  assert.ok(error instanceof Error, String(error));
  const { name, message, stack } = error;
  assert.doesNotMatch(name, /^(?:TypeError|RangeError|SyntaxError|ReferenceError|ValiError)$/, stack);
  assert.doesNotMatch(message, crash, stack);
  assert.ok(message.length < 3000, `${message.length} characters`);
}
