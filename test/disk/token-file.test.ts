import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
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
    async [Symbol.asyncDispose]() {
      await chmod(folder, 0o700);
      await rm(folder, { recursive: true, force: true });
    },
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

/** What a neighbour and the file are, and how old: the first one is the older. */
async function leave(place: { readonly path: string }, ages: readonly [name: string, second: number][]) {
  for (const [name, second] of ages) await utimes(place.path + name, second, second);
}

test("a neighbour that a crash left is the token if it is younger, and what it replaces is kept", async () => {
  await using place = await start("older");
  await writeFile(`${place.path}.next`, "newer\n");
  await leave(place, [
    ["", 1000],
    [".next", 1001],
  ]);
  assert.deepEqual(await place.load(), { refreshToken: "newer", isStored: true });
  assert.equal(await readFile(`${place.path}.previous`, "utf8"), "older");
  assert.deepEqual((await readdir(place.folder)).sort(), ["token", "token.previous"]);
  assert.equal(((await stat(`${place.path}.previous`)).mode & 0o777).toString(8), "600");
});

for (const second of [999, 1000]) {
  test(`a neighbour that is not younger does not replace the token, and is kept all the same (${second})`, async () => {
    await using place = await start("current");
    await writeFile(`${place.path}.next`, "older\n");
    await leave(place, [
      ["", 1000],
      [".next", second],
    ]);
    assert.deepEqual(await place.load(), { refreshToken: "current", isStored: true });
    assert.equal(await readFile(`${place.path}.previous`, "utf8"), "older\n");
    assert.deepEqual((await readdir(place.folder)).sort(), ["token", "token.previous"]);
  });
}

test("proving alone, as a login does that is given up, adopts what a crash left before it reserves its place", async () => {
  await using place = await start("older");
  await writeFile(`${place.path}.next`, "newer\n");
  await leave(place, [["", 1000]]);
  await place.prove();
  assert.equal((await place.load()).refreshToken, "newer");
});

test("a neighbour without a whole token is no token", async () => {
  for (const text of ["", " ".repeat(4096), "half a"]) {
    await using place = await start("current");
    await writeFile(`${place.path}.next`, text);
    await leave(place, [["", 1000]]);
    assert.equal((await place.load()).refreshToken, "current");
    assert.deepEqual(await readdir(place.folder), ["token"]);
  }
});

test("proving leaves the file as old as it was, so that what a crash leaves after it is younger", async () => {
  await using place = await start("old-token");
  await leave(place, [["", 1000]]);
  await place.prove();
  assert.equal((await stat(place.path)).mtimeMs, 1_000_000);
});

test("proving where there is no file yet leaves none", async () => {
  await using place = await start(null, "seed");
  await place.prove();
  assert.deepEqual(await readdir(place.folder), []);
});

/**
 * Proves, saves a token where one is given, and tells what became of it, in a process that may not make files in the
 * folder, or (`mounted`) may not replace this one. Undefined where this system does not let a test arrange that.
 */
async function rotateElsewhere(
  folder: string,
  kind: "another owner" | "mounted",
  token = "",
): Promise<string | undefined> {
  const module = new URL("../../src/disk/token-file.ts", import.meta.url).href;
  const code = `import { createTokenFile } from ${JSON.stringify(module)};
    const store = createTokenFile(${JSON.stringify(join(folder, "token"))}, null);
    const told = await store.exclusively(async () => {
      await store.prove();
      return process.env.TOKEN ? await store.save(process.env.TOKEN) : "proved";
    }).catch((error) => error.message);
    console.log(JSON.stringify(told));`;
  const node = [
    process.execPath,
    "--import",
    import.meta.resolve("tsx"),
    "--input-type=module",
    "--eval",
    code,
  ];
  const script =
    kind === "mounted"
      ? ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" "$0" && exec "$@"', join(folder, "token"), ...node]
      : node;
  const [command = "", ...args] = script;
  const isRoot = process.getuid?.() === 0;
  const env = { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, TOKEN: token };
  const child = spawnSync(command, args, {
    encoding: "utf8",
    env,
    ...(isRoot && kind === "another owner" && { uid: 65_534, gid: 65_534 }),
  });
  return child.status === 0 ? child.stdout.trim() : undefined;
}

for (const kind of ["another owner", "mounted"] as const) {
  test(`a file that cannot be replaced is written in place, and proved by just that (${kind})`, async (t) => {
    await using place = await start("old-token\n");
    await chmod(place.path, 0o666);
    await chmod(place.folder, kind === "mounted" ? 0o755 : 0o555);
    const { ino } = await stat(place.path);
    const proved = await rotateElsewhere(place.folder, kind);
    if (proved === undefined) return t.skip("this system does not let a test arrange that");
    assert.equal(proved, '"proved"');
    assert.equal(await place.read(), "old-token\n");
    assert.equal(await rotateElsewhere(place.folder, kind, "new-token-that-is-longer"), '{"stored":true}');
    assert.equal(await place.read(), "new-token-that-is-longer\n");
    assert.equal((await stat(place.path)).ino, ino);
    assert.deepEqual(await readdir(place.folder), ["token"]);
  });
}

test("a file that can neither be replaced nor written is refused before any refresh, with both causes", async (t) => {
  await using place = await start("old-token");
  await chmod(place.path, 0o444);
  await chmod(place.folder, 0o555);
  const told = await rotateElsewhere(place.folder, "another owner");
  if (told === undefined) return t.skip("this system does not let a test arrange that");
  assert.match(
    told,
    /token can neither be replaced \(E.+\) nor written in place \(E.+\)\. Nothing was refreshed"$/,
  );
  assert.equal(await place.read(), "old-token");
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
