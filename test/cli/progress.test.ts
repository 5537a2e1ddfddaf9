import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgress } from "../../src/cli/progress.ts";

/** What is written while so many are done, each after so many milliseconds. */
function follow(total: number, { msEach = 0, isTerminal = false } = {}): readonly string[] {
  const lines: string[] = [];
  let time = 0;
  const write = (text: string) => lines.push(text);
  const progress = createProgress({ write: isTerminal ? write : null, log: write, now: () => time });
  const step = progress.count("Read # groups", total);
  for (let done = 0; done < total; done += 1) {
    time += msEach;
    step();
  }
  return lines;
}

test("away from a terminal there is a line at each tenth, with what is left", () => {
  const lines = follow(1000);
  assert.equal(lines.length, 10);
  assert.equal(lines[0], "Read 100 of 1,000 groups, 900 left");
  assert.equal(lines.at(-1), "Read 1,000 groups");
});

test("a few have one line, when all are done", () => {
  assert.deepEqual(follow(9), ["Read 9 groups"]);
  assert.equal(follow(10).length, 10);
});

test("no tenth is told twice, also where the total is no multiple of ten", () => {
  const lines = follow(73);
  assert.deepEqual([lines.length, new Set(lines).size], [10, 10]);
});

test("a long wait is estimated from what is done so far", () => {
  assert.match(follow(1000, { msEach: 100 })[0] ?? "", /, 900 left \(about 90 s\)$/);
  assert.match(follow(1000, { msEach: 1000 })[0] ?? "", /, 900 left \(about 15 min\)$/);
});

test("a terminal has one line that is drawn over and taken away in the end", () => {
  const drawn = follow(1000, { msEach: 10, isTerminal: true });
  assert.equal(drawn[0], "\r\u001b[KRead 1 of 1,000 groups, 999 left");
  assert.equal(drawn.at(-1), "\r\u001b[K");
  // Ten a second, however many there are.
  assert.ok(drawn.length > 90 && drawn.length < 110, String(drawn.length));
  assert.ok(drawn.every((text) => text.startsWith("\r\u001b[K") && !text.includes("\n")));
});

test("the line is out of the way before another one is written", () => {
  const lines: string[] = [];
  const progress = createProgress({ write: (text) => lines.push(text), log: assert.fail, now: () => 0 });
  progress.clear();
  assert.deepEqual(lines, []);
  progress.count("Read # groups", 3)();
  progress.clear();
  progress.clear();
  assert.deepEqual(lines, ["\r\u001b[KRead 1 of 3 groups, 2 left", "\r\u001b[K"]);
});
