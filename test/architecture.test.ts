import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { posix, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

interface Import {
  readonly from: string;
  /** A file of the repository, seen from its root, or the package or built-in module. */
  readonly to: string;
  readonly isTypeOnly: boolean;
}

async function listFiles(): Promise<string[]> {
  const folders = ["src", "sandbox", "bench", "test"];
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(`${root}${folder}`, { recursive: true });
      return entries.map((entry) => `${folder}/${entry.split(sep).join("/")}`);
    }),
  );
  return found.flat().filter((file) => file.endsWith(".ts"));
}

async function readImports(): Promise<Import[]> {
  const imports = (await listFiles()).map(async (from) => {
    const text = await readFile(`${root}${from}`, "utf8");
    const found = text.matchAll(
      /^(?:import|export)\s+(type\s)?[^"'`;]*?\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*,?\s*\)|^import\s+"([^"]+)"/gm,
    );
    return [...found].map(([, type, named, dynamic, bare]) => {
      const target = named ?? dynamic ?? bare ?? "";
      const to = target.startsWith(".") ? posix.join(posix.dirname(from), target) : target;
      return { from, to, isTypeOnly: type !== undefined };
    });
  });
  return (await Promise.all(imports)).flat();
}

/** The room of a file: its folder below src, or its top-level folder. */
function roomOf(file: string): string {
  const [top = "", room = ""] = file.split("/");
  if (top !== "src") return top;
  return room.endsWith(".ts") ? "main" : room;
}

const edges = ["webex", "github", "disk"];
/** What each room may import, besides itself. A room after "type" may be imported for its types only. */
const arrows: Readonly<
  Record<string, { readonly any: readonly string[]; readonly type?: readonly string[] }>
> = {
  main: { any: ["cli", "commands", "lib"] },
  // The context is made there: of what the environment says, and of GitHub's runner.
  cli: { any: ["config", "github", "lib"] },
  commands: {
    any: ["run", "membership", "delegation", "token", "report", ...edges, "config", "cli", "lib"],
  },
  run: { any: ["membership", "delegation", "token", "report", ...edges, "config", "cli", "lib"] },
  webex: { any: ["lib"], type: ["membership", "delegation", "token", "config"] },
  github: { any: ["lib"], type: ["membership", "delegation", "token", "config"] },
  disk: { any: ["lib"], type: ["membership", "delegation", "token", "config"] },
  report: { any: ["membership", "delegation", "token", "lib"] },
  delegation: { any: ["lib"], type: ["token"] },
  membership: { any: ["lib"], type: ["token"] },
  token: { any: ["lib"] },
  config: { any: ["lib"] },
  lib: { any: [] },
  sandbox: { any: [] },
};

const imports = await readImports();
const isOurs = (file: string) => file.endsWith(".ts");

test("every room imports only from where its arrows lead", () => {
  const broken = imports.filter(({ from, to, isTypeOnly }) => {
    const [here, there] = [roomOf(from), roomOf(to)];
    const allowed = arrows[here];
    if (!isOurs(to) || here === there || allowed === undefined) return false;
    // Started by the demo alone.
    if (there === "sandbox") return from !== "src/commands/demo.ts";
    return !allowed.any.includes(there) && !(isTypeOnly && allowed.type?.includes(there));
  });
  assert.deepEqual(
    broken.map(({ from, to }) => `${from} -> ${to}`),
    [],
  );
  for (const room of Object.keys(arrows)) {
    assert.ok(
      imports.some(({ from }) => roomOf(from) === room),
      `no file of ${room} was read`,
    );
  }
});

test("no import leads in a circle, types counted", () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) if (isOurs(to)) next.set(from, [...(next.get(from) ?? []), to]);
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file].join(" -> "));
    if (start >= 0 || done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  assert.deepEqual(circles, []);
});

/** What core may load besides itself: nothing that touches a disk, a network, a process or a clock. */
const pureModules = new Set([
  "node:crypto",
  "node:path",
  "node:util",
  "valibot",
  "csv-parse/browser/esm/sync",
  "handlebars",
  "marked",
  "node:zlib",
]);
const core = /^src\/(membership|delegation|token|report|lib)\//;
/** The one way out of the process: both edges use it, and neither may import the other. */
const wayOut = "src/lib/http.ts";
const isPure = (file: string) => core.test(file) && file !== wayOut;
/** The renderer reads its own templates: they are a part of the program, as its code is. */
const readsTemplates = ({ from, to }: Import) => from === "src/report/renderer.ts" && to === "node:fs";

test("undici is loaded in one place, and nothing else reaches the network", async () => {
  const loaders = imports.filter(({ from, to }) => from.startsWith("src/") && to === "undici");
  assert.deepEqual([...new Set(loaders.map(({ from }) => from))], [wayOut]);
  const importers = imports.filter(({ to }) => to === wayOut).map(({ from }) => roomOf(from));
  assert.deepEqual(
    [...new Set(importers)].filter((room) => core.test(`src/${room}/`)),
    [],
  );
  for (const file of (await listFiles()).filter((name) => name.startsWith("src/"))) {
    assert.doesNotMatch(await readFile(`${root}${file}`, "utf8"), /(?<![.\w])fetch\(/, file);
  }
});

test("core and lib load no package that has effects", () => {
  const broken = imports.filter(
    (one) =>
      isPure(one.from) &&
      !isOurs(one.to) &&
      !one.isTypeOnly &&
      !pureModules.has(one.to) &&
      !readsTemplates(one),
  );
  assert.deepEqual(
    broken.map(({ from, to }) => `${from} -> ${to}`),
    [],
  );
});

test("core reads no clock, no randomness and no process", async () => {
  const files = (await listFiles()).filter(isPure);
  assert.ok(files.length > 10);
  const effects = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bfetch\(|\bsetTimeout\(/;
  for (const file of files) assert.doesNotMatch(await readFile(`${root}${file}`, "utf8"), effects, file);
});

test("main is the only loose file, and the only one to read the environment and the arguments", async () => {
  const files = (await listFiles()).filter((file) => file.startsWith("src/"));
  assert.deepEqual(
    files.filter((file) => file.split("/").length === 2),
    ["src/main.ts"],
  );
  const readers: string[] = [];
  for (const file of files) {
    if (/\bprocess\.(env|argv)\b/.test(await readFile(`${root}${file}`, "utf8"))) readers.push(file);
  }
  assert.deepEqual(readers, ["src/main.ts"]);
});
