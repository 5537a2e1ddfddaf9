import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const lock: { packages: Record<string, { dev?: boolean; optional?: boolean; resolved?: string }> } =
  JSON.parse(await readFile(new URL("../package-lock.json", import.meta.url), "utf8"));
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

test("production does without the compiler: valibot's optional peer finds none under its name", () => {
  assert.ok(packages.some(([path, { dev }]) => path === "node_modules/typescript-compiler" && dev === true));
  assert.deepEqual(
    packages.filter(([path]) => path.endsWith("node_modules/typescript")),
    [],
  );
});

test("what production installs stands in the lock file once", () => {
  const names = packages
    .filter(([, { dev, optional }]) => !dev && !optional)
    .map(([path]) => path.split("node_modules/").at(-1));
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

test("the lock file names no place to download from", () => {
  assert.deepEqual(
    packages.filter(([, { resolved }]) => resolved !== undefined),
    [],
  );
});
