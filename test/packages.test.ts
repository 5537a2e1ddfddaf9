import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly engines?: { readonly node?: string };
}

const root = fileURLToPath(new URL("../", import.meta.url));
const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
  await readFile(join(root, "package-lock.json"), "utf8"),
);
const own: {
  engines: { node: string };
  scripts: Record<string, string>;
  allowScripts: Record<string, boolean>;
} = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
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

type Version = readonly [major: number, minor: number, patch: number];

function parseVersion(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return [major, minor, patch];
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** True if a range of `engines` allows a version. Throws at a form that no package of the lock file has used yet. */
function allows(range: string, version: Version): boolean {
  return range.split("||").some((alternative) =>
    alternative
      .trim()
      .replace(/([<>=^]) +/g, "$1")
      .replaceAll(".*", "")
      .split(/ +/)
      .every((comparator) => {
        const [, operator, text = ""] = /^(>=|<=|\^|(?=\d+$))(\d+(?:\.\d+){0,2})$/.exec(comparator) ?? [];
        const bound = parseVersion(text);
        if (operator === ">=") return compare(version, bound) >= 0;
        if (operator === "<=") return compare(version, bound) <= 0;
        // A major version alone stands for all of it.
        if (operator === "") return version[0] === bound[0];
        if (operator === "^") return version[0] === bound[0] && compare(version, bound) >= 0;
        throw new Error(`cannot read "${comparator}" in the range "${range}"`);
      }),
  );
}

test("every package in the lock file allows each Node that package.json promises", () => {
  assert.match(own.engines.node, /^>=\d+\.\d+\.\d+$/);
  const oldest = parseVersion(own.engines.node.slice(2));
  // The oldest, and every later major version up to the newest.
  const promised = [oldest, ...[22, 24, 26].map((major): Version => [major, 99, 0])];
  const refusing = packages.flatMap(([path, { engines }]) =>
    promised.filter((version) => !allows(engines?.node ?? ">=0", version)).map((version) => [path, version]),
  );
  assert.deepEqual(refusing, []);
});

test("a range is read as npm reads it", () => {
  const read = (range: string, version: string) => allows(range, parseVersion(version));
  assert.equal(read(">=20.18.1", "20.18.0"), false);
  assert.equal(read(">= 20", "20.18.1"), true);
  assert.equal(read("18 || 20 || >=22", "20.18.1"), true);
  assert.equal(read("18 || 20 || >=22", "21.0.0"), false);
  assert.equal(read("6.* || >= 10.*", "20.18.1"), true);
  assert.equal(read("^18 || ^20.5.0 || >=22", "20.18.1"), true);
  assert.equal(read("^18 || ^20.19.0 || >=22", "20.18.1"), false);
  assert.equal(read("^18 || >=22", "21.0.0"), false);
  assert.equal(read(">=0.6.11 <=0.7.0 || >=0.7.3", "0.7.1"), false);
  assert.throws(() => read("~20", "20.18.1"), /cannot read "~20"/);
});

test("npm need not ask about any install script: package.json answers for each", () => {
  const asking = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  assert.deepEqual(
    asking.map((path) => path.replace("node_modules/", "")),
    Object.keys(own.allowScripts),
  );
  // None is needed: what esbuild's does is only a faster start of its command.
  assert.deepEqual([...new Set(Object.values(own.allowScripts))], [false]);
});

test("npm ci runs no script of ours", () => {
  // https://docs.npmjs.com/cli/using-npm/scripts#life-cycle-operation-order
  const byItself = /^(pre|post)?(install|prepare|dependencies)$|^(pre|post)(?!.*:)/;
  const names = Object.keys(own.scripts);
  assert.deepEqual(
    names.filter((name) => byItself.test(name)),
    [],
  );
});

test("no test reads anything outside of the repository", async () => {
  const files = (await readdir(join(root, "test"), { recursive: true })).filter((file) =>
    /\.m?ts$/.test(file),
  );
  const outside: string[] = [];
  for (const file of files) {
    const place = pathToFileURL(join(root, "test", file));
    const text = await readFile(place, "utf8");
    for (const [, path = ""] of text.matchAll(/["'`]((?:\.\.\/)+[^"'`$]*)["'`]/g)) {
      if (!new URL(path, place).pathname.startsWith(pathToFileURL(root).pathname))
        outside.push(`${file}: ${path}`);
    }
  }
  assert.deepEqual(outside, []);
});
