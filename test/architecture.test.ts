import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../src", import.meta.url));

interface Import {
  readonly from: string;
  /** The file below src, or the package or built-in module. */
  readonly to: string;
  readonly isTypeOnly: boolean;
}

async function readImports(): Promise<Import[]> {
  const entries = await readdir(root, { recursive: true });
  const files = entries.filter((file) => file.endsWith(".ts")).map((file) => file.split(sep).join("/"));
  const imports = await Promise.all(
    files.map(async (from) => {
      const text = await readFile(join(root, from), "utf8");
      const found = text.matchAll(
        /\b(?:import|export)\s+(type\s)?[^"'`;]*?\bfrom\s+"([^"]+)"|\bimport\((?:\s*)"([^"]+)"\)|^import\s+"([^"]+)"/gm,
      );
      return [...found].map(([, type, named, dynamic, bare]) => {
        const target = named ?? dynamic ?? bare ?? "";
        const to = target.startsWith(".") ? posix.join(posix.dirname(from), target) : target;
        return { from, to, isTypeOnly: type !== undefined };
      });
    }),
  );
  return imports.flat();
}

const core = /^(membership|delegation|token|report)\//;
const edges = /^(webex|github|disk)\//;
/** What the environment says, read for the commands. */
const settings = /^(config|surroundings|github-place|login-config)\.ts$/;
/** Pure files that core and edges share. */
const shared =
  /^(address|identity|nearest|slots|csv|csv-cell|csv-records|compare-texts|instant|json|message-of)\.ts$/;
/** What core may load besides itself: nothing that touches a disk, a network, a process or a clock. */
const pureModules = new Set(["node:crypto", "node:path", "valibot", "csv-parse/sync", "handlebars"]);

const rules: readonly { readonly rule: string; readonly breaks: (one: Import) => boolean }[] = [
  {
    rule: "core and the shared files import nothing that has effects",
    breaks: ({ from, to, isTypeOnly }) =>
      (core.test(from) || shared.test(from)) &&
      !isTypeOnly &&
      !core.test(to) &&
      !shared.test(to) &&
      !pureModules.has(to),
  },
  {
    rule: "core knows no edge, not even its types",
    breaks: ({ from, to }) => core.test(from) && (edges.test(to) || /^(commands|sandbox)\/|^main/.test(to)),
  },
  {
    rule: "edges import core and the settings by type only",
    breaks: ({ from, to, isTypeOnly }) =>
      edges.test(from) && (core.test(to) || settings.test(to)) && !isTypeOnly,
  },
  {
    rule: "no edge knows another",
    breaks: ({ from, to }) => edges.test(from) && edges.test(to) && from.split("/")[0] !== to.split("/")[0],
  },
  {
    rule: "the sandbox imports nothing of ours",
    breaks: ({ from, to }) => from.startsWith("sandbox/") && to.endsWith(".ts") && !to.startsWith("sandbox/"),
  },
  {
    rule: "only the demo starts the sandbox",
    breaks: ({ from, to }) =>
      to.startsWith("sandbox/") && !from.startsWith("sandbox/") && from !== "commands/demo.ts",
  },
  {
    rule: "only main calls commands",
    breaks: ({ from, to }) =>
      to.startsWith("commands/") && !from.startsWith("commands/") && from !== "main.ts",
  },
];

for (const { rule, breaks } of rules) {
  test(rule, async () => {
    const broken = (await readImports()).filter(breaks).map(({ from, to }) => `${from} -> ${to}`);
    assert.deepEqual(broken, []);
  });
}

test("core reads no clock, no randomness and no process", async () => {
  const entries = await readdir(root, { recursive: true });
  const files = entries.filter((file) => core.test(file.split(sep).join("/")) && file.endsWith(".ts"));
  assert.ok(files.length > 10);
  const effects = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bfetch\(|\bsetTimeout\(/;
  for (const file of files) assert.doesNotMatch(await readFile(join(root, file), "utf8"), effects, file);
});

test("only main touches the environment, and hands it over", async () => {
  const entries = await readdir(root, { recursive: true });
  const readers: string[] = [];
  for (const file of entries.filter((name) => name.endsWith(".ts"))) {
    const text = await readFile(join(root, file), "utf8");
    if (text.includes("process.env")) readers.push(relative(root, join(root, file)));
  }
  assert.deepEqual(readers, ["main.ts"]);
});
