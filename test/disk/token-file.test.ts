import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createTokenFile } from "../../src/disk/token-file.ts";

/** A folder with a token file of this text, or without one. */
async function start(text: string | null = null, seed: string | null = null) {
  const folder = await mkdtemp(join(tmpdir(), "rollcall-"));
  const path = join(folder, "token");
  if (text !== null) await writeFile(path, text, { mode: 0o644 });
  const store = createTokenFile(path, seed);
  return {
    folder,
    path,
    load: () => store.exclusively(() => store.load()),
    prove: () => store.exclusively(() => store.prove()),
    save: (token: string) =>
      store.exclusively(async () => {
        await store.prove();
        return await store.save(token);
      }),
    read: () => readFile(path, "utf8"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

test("the token is the content of the file without surrounding white space", async () => {
  await using place = await start("  stored-token \r\n");
  assert.deepEqual(await place.load(), { refreshToken: "stored-token", isStored: true });
});

test("the seed is used only while the file does not exist", async () => {
  await using place = await start(null, "seed-token");
  assert.deepEqual(await place.load(), { refreshToken: "seed-token", isStored: false });
  await place.save("new-token");
  assert.deepEqual(await place.load(), { refreshToken: "new-token", isStored: true });
});

test("without a file and a seed the error says what to do", async () => {
  await using place = await start();
  await assert.rejects(place.load(), /holds no refresh token; npm run login gets the first one$/);
});

for (const text of ["one two", "one\ntwo\n", "WEBEX_REFRESH_TOKEN= one"]) {
  test(`a file that holds more than a token is refused without quoting it: ${JSON.stringify(text)}`, async () => {
    await using place = await start(text);
    await assert.rejects(place.load(), (error: Error) => {
      assert.match(error.message, /must hold the refresh token and nothing else$/);
      assert.doesNotMatch(error.message, /one/);
      return true;
    });
  });
}

test("only the owner can read the stored token, and nothing else remains in the folder", async () => {
  await using place = await start("old-token");
  assert.deepEqual(await place.save("new-token"), { stored: true });
  assert.equal(await place.read(), "new-token\n");
  assert.equal(((await stat(place.path)).mode & 0o777).toString(8), "600");
  assert.deepEqual(await readdir(place.folder), ["token"]);
});

test("proving the store does not change the token and leaves nothing behind", async () => {
  await using place = await start("old-token");
  await place.prove();
  assert.equal(await place.read(), "old-token");
  assert.deepEqual(await readdir(place.folder), ["token"]);
});

test("a file that cannot be read is reported with its path", async () => {
  await using place = await start();
  await mkdir(place.path);
  await assert.rejects(place.load(), /^Error: the token file .+token cannot be read: /);
});

const cannotBeRefused = process.getuid?.() === 0 ? "root may write everywhere" : false;
test("a folder that cannot be written is refused before any refresh", { skip: cannotBeRefused }, async () => {
  await using place = await start("old-token");
  await chmod(place.folder, 0o500);
  await assert.rejects(place.prove(), /make .*folder writable/);
  await chmod(place.folder, 0o700);
});

test("a path where a folder cannot be created is refused before any refresh", async () => {
  await using place = await start("a file, no folder");
  const store = createTokenFile(join(place.path, "token"), "seed-token");
  let isReached = false;
  await assert.rejects(
    store.exclusively(async () => {
      await store.prove();
      isReached = true;
    }),
  );
  assert.equal(isReached, false);
});
