import assert from "node:assert/strict";
import { test } from "node:test";
import { createSemaphore } from "../../src/lib/semaphore.ts";

/** A task that runs until it is told to end. */
function createTask(log: string[], name: string) {
  let end = () => {};
  let fail = () => {};
  const result = new Promise<string>((resolve, reject) => {
    end = () => resolve(name);
    fail = () => reject(new Error(name));
  });
  const run = () => {
    log.push(name);
    return result;
  };
  return { run, end, fail };
}

const turn = () => new Promise(setImmediate);

test("no more tasks run than there are slots, and the others wait in order of arrival", async () => {
  const log: string[] = [];
  const semaphore = createSemaphore(2);
  const tasks = ["a", "b", "c", "d"].map((name) => createTask(log, name));
  const results = tasks.map((task) => semaphore.run(task.run));
  await turn();
  assert.deepEqual(log, ["a", "b"]);
  tasks[1]?.end();
  await turn();
  assert.deepEqual(log, ["a", "b", "c"]);
  for (const task of tasks) task.end();
  assert.deepEqual(await Promise.all(results), ["a", "b", "c", "d"]);
});

test("a task that fails releases its slot and passes its error to the caller", async () => {
  const log: string[] = [];
  const semaphore = createSemaphore(1);
  const [first, second] = [createTask(log, "first"), createTask(log, "second")];
  const failed = assert.rejects(semaphore.run(first.run), /^Error: first$/);
  const next = semaphore.run(second.run);
  first.fail();
  second.end();
  await failed;
  assert.equal(await next, "second");
});

test("a task that throws synchronously releases its slot", async () => {
  const semaphore = createSemaphore(1);
  await assert.rejects(
    semaphore.run(() => {
      throw new Error("at once");
    }),
    /at once/,
  );
  assert.equal(await semaphore.run(async () => "next"), "next");
});

test("all slots are free after all tasks have ended", async () => {
  const log: string[] = [];
  const semaphore = createSemaphore(1);
  for (const name of ["a", "b"]) await semaphore.run(async () => log.push(name));
  assert.deepEqual(log, ["a", "b"]);
});

test("big tasks leave no room for others, and one that is larger than the capacity runs alone", async () => {
  const log: string[] = [];
  const semaphore = createSemaphore(10);
  const sizes = { a: 4, b: 6, c: 1, huge: 50, d: 1 };
  const tasks = Object.entries(sizes).map(([name, size]) => ({ size, ...createTask(log, name) }));
  const results = tasks.map(({ run, size }) => semaphore.run(run, size));
  await turn();
  assert.deepEqual(log, ["a", "b"]);
  tasks[1]?.end();
  await turn();
  assert.deepEqual(log, ["a", "b", "c"]);
  tasks[0]?.end();
  await turn();
  assert.deepEqual(log, ["a", "b", "c"]);
  tasks[2]?.end();
  await turn();
  assert.deepEqual(log, ["a", "b", "c", "huge"]);
  tasks[3]?.end();
  tasks[4]?.end();
  assert.deepEqual(await Promise.all(results), ["a", "b", "c", "huge", "d"]);
});
