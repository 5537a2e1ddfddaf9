import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { replaceFile, replaceSecretFile } from "../../src/disk/write-atomic.ts";

async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), "rollcall-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test("a missing file is created with its folders, and nothing else remains", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "a", "b", "page.md");
  await replaceFile(path, "text é\n");
  assert.equal(await readFile(path, "utf8"), "text é\n");
  assert.deepEqual(await readdir(join(folder.path, "a", "b")), ["page.md"]);
});

test("a program that has the old file open still reads the old text, because the file is replaced", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "page.md");
  await writeFile(path, "old and longer");
  await using reader = await open(path);
  await replaceFile(path, "new");
  assert.equal(await readFile(path, "utf8"), "new");
  assert.equal(await reader.readFile("utf8"), "old and longer");
});

test("the new file has the requested mode, whatever the old one had", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "token");
  await writeFile(path, "old");
  await chmod(path, 0o666);
  await replaceSecretFile(path, "new");
  assert.equal(await modeOf(path), "600");
});

test("a failure leaves neither a new file nor a temporary one", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "page.md");
  await mkdir(join(path, "inside"), { recursive: true });
  await assert.rejects(replaceFile(path, "new"));
  assert.deepEqual(await readdir(folder.path), ["page.md"]);
});
