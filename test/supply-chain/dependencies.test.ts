import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { readDependencies } from "./dependencies.ts";

const dependencies = await readDependencies();

test("docs/dependencies.md has every production package with its version and licence", async () => {
  const page = await readFile(new URL("../../docs/dependencies.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([^`]+)`[^|]*\| ([^|]+) \|[^|]+\| ([^|]+) \|/gm)].map(
    ([, name, version, licence]) => `${name} ${version} ${licence}`,
  );
  const isBinary = (row: string) => /^(@esbuild\/|fsevents )/.test(row);
  const locked = dependencies.map(({ name, version, licence }) => `${name} ${version} ${licence}`);
  // Each system installs a binary of its own.
  assert.deepEqual(
    rows.filter((row) => !isBinary(row)).sort(),
    locked.filter((row) => !isBinary(row)).sort(),
    "run npm run supply-chain",
  );
});

test("every direct production dependency has its reason, and every package a permissive licence", () => {
  for (const { name, licence, reason } of dependencies) {
    assert.notEqual(reason, "", name);
    assert.match(licence, /^(MIT|ISC|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|0BSD)$/, name);
  }
});
