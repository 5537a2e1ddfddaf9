import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { createFolder } from "../support/run-rollcall.ts";

describe("the command line", { concurrency: 2 }, () => {
  test("--help of the program and of each command it lists prints usage and exits 0", async () => {
    await using folder = await createFolder();
    const program = await folder.run(["--help"]);
    assert.deepEqual([program.code, program.stderr], [0, ""]);
    const names = [...program.stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name ?? "");
    for (const name of ["validate", "plan", "sync", "demo"]) assert.ok(names.includes(name), program.stdout);
    const helps = await Promise.all(names.map((name) => folder.run([name, "--help"])));
    for (const [index, { code, stdout, stderr }] of helps.entries()) {
      assert.deepEqual([code, stderr], [0, ""], names[index]);
      const usage = `^Usage: npm run ${names[index]} -- \\[options\\]\n +node --import tsx src/main.ts ${names[index]} `;
      assert.match(stdout, new RegExp(usage, "m"));
    }
  });

  test("--version of the program prints the version of package.json, and only the program has it", async () => {
    await using folder = await createFolder();
    const file = new URL("../../package.json", import.meta.url);
    const { version }: { version: string } = JSON.parse(await readFile(file, "utf8"));
    assert.deepEqual(await folder.run(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
    const { code, stderr } = await folder.run(["plan", "--version"]);
    assert.equal(code, 1);
    assert.match(stderr, /^plan has no option --version; /);
  });

  test("a mistake is told in one line with the nearest valid choice, and exits 1", async () => {
    await using folder = await createFolder("group,room\n");
    const mistakes: readonly (readonly [readonly string[], string])[] = [
      [["snyc"], 'there is no command "snyc"; did you mean "sync"?'],
      [["sync", "--dryrun"], 'sync has no option --dryrun; did you mean "--dry-run"?'],
      [["plan", "--json"], "plan needs a value: --json <file>"],
      [["validate", "rooms.csv"], 'validate does not take "rooms.csv"'],
    ];
    const endings = await Promise.all(mistakes.map(([args]) => folder.run(args)));
    assert.deepEqual(
      endings,
      mistakes.map(([, message]) => ({ code: 1, stdout: "", stderr: `${message}\n` })),
    );
  });

  test("an address that is neither https nor on this machine is refused before any request", async () => {
    await using folder = await createFolder("group,room\neng,NOC\n");
    const env = { WEBEX_API_URL: "http://webexapis.example/v1", WEBEX_TOKEN_FILE: "token" };
    const { code, stderr } = await folder.run(["sync"], env);
    assert.equal(code, 1);
    assert.match(stderr, /WEBEX_API_URL must be an https address/);
    assert.match(stderr, /WEBEX_CLIENT_ID is missing/);
  });
});
