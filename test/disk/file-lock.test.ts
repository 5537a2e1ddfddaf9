import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withFileLock } from "../../src/disk/file-lock.ts";
import { createFolder } from "../support/run-rollcall.ts";

test("two pieces of work run one after the other, and no lock remains", async () => {
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

test("the lock of a dead process, or one that is too old, does not block", async () => {
  await using folder = await createFolder();
  const lock = join(folder.path, "lock");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  await writeFile(lock, JSON.stringify({ pid, host: hostname(), nonce: "dead" }));
  assert.equal(await withFileLock(lock, async () => "done"), "done");
  await writeFile(lock, JSON.stringify({ pid: 1, host: "another", nonce: "old" }));
  await utimes(lock, 0, 0);
  assert.equal(await withFileLock(lock, async () => "done"), "done");
  await writeFile(lock, "half a");
  await utimes(lock, 0, 0);
  assert.equal(await withFileLock(lock, async () => "done"), "done");
  assert.deepEqual(await readdir(folder.path), []);
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

test("work that fails releases the lock", async () => {
  await using folder = await createFolder();
  const lock = join(folder.path, "lock");
  await assert.rejects(
    withFileLock(lock, () => Promise.reject(new Error("no"))),
    /^Error: no$/,
  );
  assert.deepEqual(await readdir(folder.path), []);
});
