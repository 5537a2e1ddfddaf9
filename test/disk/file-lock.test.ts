import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LockRefused, withFileLock } from "../../src/disk/file-lock.ts";
import { createFolder } from "../support/run-rollcall.ts";

test("the work of two is done one after the other, and no lock is left", async () => {
  await using folder = await createFolder();
  const lock = join(folder.path, "lock");
  const log: string[] = [];
  const work = (name: string) => () =>
    withFileLock(
      lock,
      async () => {
        log.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`${name} ends`);
      },
      { sleep: () => new Promise((resolve) => setImmediate(resolve)) },
    );
  await Promise.all(["a", "b", "c"].map((name) => work(name)()));
  assert.equal(log.length, 6);
  for (const [index, entry] of log.entries())
    assert.equal(entry.endsWith(index % 2 === 0 ? "begins" : "ends"), true, log.join());
  assert.deepEqual(await readdir(folder.path), []);
});

/** A lock as the process that runs this test would hold it. */
async function readOwnLock(lock: string): Promise<Record<string, unknown>> {
  return await withFileLock(lock, async () => JSON.parse(await readFile(lock, "utf8")));
}

test("the lock of a process that is dead, and one older than any work, does not block", async () => {
  await using folder = await createFolder();
  const lock = join(folder.path, "lock");
  const own = await readOwnLock(lock);
  const { pid } = spawnSync(process.execPath, ["--version"]);
  // The same number again, and a number that lives but belongs to another process now.
  const dead =
    own.space === null
      ? []
      : [
          { ...own, pid },
          { ...own, startTicks: "1" },
        ];
  for (const holder of dead) {
    await writeFile(lock, JSON.stringify({ ...holder, nonce: "dead" }));
    const sleep = () => assert.fail("must not wait");
    assert.equal(await withFileLock(lock, async () => "done", { sleep }), "done");
  }
  await writeFile(lock, JSON.stringify({ pid: 1, host: "another", nonce: "old" }));
  await utimes(lock, 0, 0);
  assert.equal(await withFileLock(lock, async () => "done"), "done");
  await writeFile(lock, "half a");
  await utimes(lock, 0, 0);
  assert.equal(await withFileLock(lock, async () => "done"), "done");
  assert.deepEqual(await readdir(folder.path), []);
});

for (const [fact, change] of [
  ["of another container, whatever lives under its number here", { space: "another boot pid:[1]" }],
  ["of another machine", { host: "another", space: null, startTicks: null }],
] as const) {
  test(`a lock ${fact}, is taken away once it was not touched for twenty seconds of watching`, async () => {
    await using folder = await createFolder();
    const lock = join(folder.path, "lock");
    const own = await readOwnLock(lock);
    await writeFile(lock, JSON.stringify({ ...own, nonce: "other", ...change }));
    let waitedMs = 0;
    const sleep = async (ms: number) => {
      waitedMs += ms;
    };
    assert.equal(await withFileLock(lock, async () => "done", { sleep }), "done");
    assert.equal(waitedMs, 20_000);
  });

  test(`a lock ${fact}, is waited for as long as it is touched, whatever the clocks say`, async () => {
    await using folder = await createFolder();
    const lock = join(folder.path, "lock");
    const own = await readOwnLock(lock);
    await writeFile(lock, JSON.stringify({ ...own, nonce: "other", ...change }));
    let beats = 0;
    const sleep = async () => {
      beats += 1;
      await utimes(lock, new Date(), new Date(Date.now() - 300_000 + beats));
    };
    const held = withFileLock(lock, async () => assert.fail("must not run"), { waitMs: 60_000, sleep });
    await assert.rejects(held, /is held by process/);
  });
}

test("a folder that takes no lock is told from a lock that is held", async () => {
  await using folder = await createFolder();
  await writeFile(join(folder.path, "file"), "");
  const lock = join(folder.path, "file", "lock");
  await assert.rejects(
    withFileLock(lock, async () => assert.fail("must not run")),
    LockRefused,
  );
});

test("the lock of a live process is waited for, and then the error names it", async () => {
  await using folder = await createFolder();
  const lock = join(folder.path, "lock");
  const holder = { pid: process.pid, host: hostname(), nonce: "alive" };
  await writeFile(lock, JSON.stringify(holder));
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  await assert.rejects(
    withFileLock(lock, async () => assert.fail("must not run"), { waitMs: 600, sleep }),
    new RegExp(`lock is held by process ${process.pid} on `),
  );
  assert.deepEqual(waits, [200, 200, 200]);
  assert.deepEqual(await readdir(folder.path), ["lock"]);
});

test("work that fails lets go", async () => {
  await using folder = await createFolder();
  const lock = join(folder.path, "lock");
  await assert.rejects(
    withFileLock(lock, () => Promise.reject(new Error("no"))),
    /^Error: no$/,
  );
  assert.deepEqual(await readdir(folder.path), []);
});
