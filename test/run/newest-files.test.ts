import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openNewestFiles, readFromDisk } from "../../src/run/newest-files.ts";
import { answerGithub, answerRequests, onRunner } from "../support/answered-requests.ts";
import { openContext, openFolder } from "../support/open-context.ts";

describe("the files that people wrote", () => {
  test("are those of the disk on a person's machine, and on a runner that cannot ask GitHub", async () => {
    await using folder = await openFolder({ "rooms.csv": "group,room\n" });
    for (const env of [
      { GITHUB_REPOSITORY: "acme/spaces", GITHUB_TOKEN: "not-a-token" },
      { GITHUB_ACTIONS: "true" },
    ]) {
      const { context } = await openContext(env);
      const files = await openNewestFiles(context);
      assert.equal(String(await files.read(join(folder.path, "rooms.csv"))), "group,room\n");
      assert.deepEqual(files.describe(), []);
    }
  });

  test("may be missing, but not unreadable", async () => {
    await using folder = await openFolder();
    assert.equal(await readFromDisk(join(folder.path, "rooms.csv")), null);
    await assert.rejects(
      readFromDisk(folder.path),
      ({ message, cause }: Error) =>
        message.startsWith(`${folder.path} cannot be read: EISDIR`) && cause instanceof Error,
    );
  });
});

describe("the files of a runner's branch", () => {
  const read = async (files: Readonly<Record<string, string | null>>, names: readonly string[]) => {
    using _ = answerRequests(answerGithub(files));
    const { context, lines } = await openContext(onRunner);
    const newest = await openNewestFiles(context);
    const texts: (string | null)[] = [];
    for (const name of names) texts.push((await newest.read(name))?.toString() ?? null);
    return { texts, lines, notes: newest.describe() };
  };

  test("are taken from the checkout where that has the same, whatever its line ends", async () => {
    const own = await readFile("package.json", "utf8");
    assert.deepEqual(await read({ "package.json": own }, ["package.json"]), {
      texts: [own],
      lines: [],
      notes: [],
    });
    const windows = own.replaceAll("\n", "\r\n");
    assert.deepEqual((await read({ "package.json": windows }, ["package.json"])).notes, []);
    assert.deepEqual(await read({ other: "" }, ["mappings/none.csv"]), {
      texts: [null],
      lines: [],
      notes: [],
    });
  });

  test("go before those of the checkout, and the run says at once and in the end which differ", async () => {
    const one = await read({ "package.json": "{}" }, ["package.json"]);
    const note =
      /^This checkout's package\.json is not the one of main, which is at [0-9a-f]{7}; the run used the one of main\.$/;
    assert.deepEqual(one.texts, ["{}"]);
    assert.equal(one.notes.length, 1);
    assert.match(one.notes[0] ?? "", note);
    assert.deepEqual(one.lines, [`log: ${one.notes[0]}`]);
    const files = { "package.json": "{}", "mappings/new.csv": "a", "mappings/newer.csv": "b" };
    const several = await read(files, [
      "package.json",
      "mappings/newer.csv",
      "mappings/new.csv",
      "biome.json",
    ]);
    assert.deepEqual(several.texts, ["{}", "b", "a", null]);
    assert.equal(several.lines.length, 4);
    assert.equal(several.notes.length, 1);
    assert.match(
      several.notes[0] ?? "",
      /^This checkout's biome\.json and mappings\/new\.csv and mappings\/newer\.csv and package\.json are not those of main, which is at [0-9a-f]{7}; the run used those of main\.$/,
    );
  });

  test("are those of the disk where they lie outside of the repository", async () => {
    await using folder = await openFolder({ "rooms.csv": "group,room\n" });
    const { texts, notes } = await read({ "package.json": "{}" }, [join(folder.path, "rooms.csv")]);
    assert.deepEqual([texts, notes], [["group,room\n"], []]);
  });

  test("that GitHub does not show stop the run", async () => {
    const refused = (why: string) => (error: Error) =>
      error.message.startsWith("the newest files of the branch cannot be read,") &&
      error.message.endsWith(`so nothing was changed: ${why}`) &&
      error.cause instanceof Error;
    await assert.rejects(
      read({ "mappings/rooms.csv": null }, ["mappings/rooms.csv"]),
      refused("GitHub does not show mappings/rooms.csv (no-file)"),
    );
    const files = answerGithub({ "mappings/rooms.csv": "group,room\n" });
    const size = 40 * 1024 * 1024;
    using _ = answerRequests((asked) =>
      asked.path.includes("/contents/")
        ? { body: { type: "file", size, content: "", sha: "a".repeat(40) } }
        : files(asked),
    );
    const { context } = await openContext(onRunner);
    const newest = await openNewestFiles(context);
    await assert.rejects(
      newest.read("mappings/rooms.csv"),
      refused(`GitHub does not show mappings/rooms.csv (it has ${size} bytes)`),
    );
    const elsewhere = await openContext({
      ...onRunner,
      GITHUB_REF: "refs/heads/gone",
      GITHUB_REF_NAME: "gone",
    });
    await assert.rejects(
      openNewestFiles(elsewhere.context),
      refused("GitHub finds no branch gone in acme/spaces"),
    );
  });
});
