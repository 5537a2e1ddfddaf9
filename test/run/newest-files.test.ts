import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openNewestFiles, readFromDisk } from "../../src/run/newest-files.ts";
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
