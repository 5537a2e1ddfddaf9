import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as v from "valibot";

const root = fileURLToPath(new URL("../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));
const stryker = join(here, "node_modules/@stryker-mutator/core/bin/stryker.js");
const tsc = join(root, "node_modules/typescript-compiler/bin/tsc");

const usage = `usage: npm run mutation -- [<folder or file> ...] [--survivors] [--static] [--jobs <n>] [--patience <seconds>]
  Changes the sources in small ways, one at a time, and counts how many of these mutants the tests notice: the unit tests,
  and whole runs of the commands in one process, in virtual time.
  <folder or file>  below src; default: src/token src/delegation src/membership src/run
  --survivors       list the mutants that no test has noticed
  --static          also those in what a module works out while it is loaded, each in a process of its own: slow
  --jobs <n>        how many processes; default 1
  --patience <s>    so many seconds of computing without a test that notices it, and a mutant has survived; default 3`;

/** The tests that are worth their time here: no process and no server, and less than a second each. */
const testFolders = ["token", "delegation", "membership", "run"];
const slowTests = new Set(["moving-world.test.ts"]);

/**
 * The scenarios whose runs need nothing but a disk, a clock and a network: no browser or terminal, no proxy, no process
 * or file of their own. Those that are about Webex's and GitHub's pages at great length are left out.
 */
const scenarios = [
  "approve-comment",
  "approve",
  "delegate-sample",
  "delegate-until",
  "delegate",
  "destinations",
  "discover",
  "doctor",
  "dry-run",
  "fewest-requests",
  "incomplete",
  "input",
  "keep-delegations",
  "limits",
  "lost-access",
  "names",
  "newest-files",
  "notify",
  "organisations",
  "owed",
  "people",
  "plan-delegations",
  "pull-request",
  "report",
  "restore-trust",
  "restore",
  "sample-changes",
  "sample-listings",
  "sample-mappings",
  "second-look",
  "spaces",
  "stop",
  "token-rotation",
  "token",
  "unconfigured",
  "validate",
  "why",
];

/** Single tests of theirs that need more, and what. */
const skipped = {
  "a token file is made for its owner only, replaced before the access token is used, and nothing is left beside it":
    "modes of files",
  "SIGINT between refresh and store is held back until the token is stored; then the run ends": "a process",
  "SIGTERM between refresh and store is held back until the token is stored; then the run ends": "a process",
  "the file of the token is refused as an input and as an output, by whatever path, before anything is requested":
    "symbolic links",
};

async function findTests(): Promise<string[]> {
  const found = await Promise.all(
    testFolders.map(async (folder) => {
      const files = await readdir(join(root, "test", folder));
      const tests = files.filter((file) => file.endsWith(".test.ts") && !slowTests.has(file));
      return tests.sort().map((file) => `test/${folder}/${compiled(file)}`);
    }),
  );
  return found.flat();
}

const compiled = (file: string) => file.replace(/\.ts$/, ".js");

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}`);
}

const reportSchema = v.object({
  files: v.record(
    v.string(),
    v.object({
      source: v.string(),
      mutants: v.array(
        v.object({
          status: v.string(),
          mutatorName: v.string(),
          replacement: v.optional(v.string(), ""),
          location: v.object({ start: v.object({ line: v.number(), column: v.number() }) }),
        }),
      ),
    }),
  ),
});

type MutantFile = v.InferOutput<typeof reportSchema>["files"][string];

/** As Stryker counts: a time-out is noticed; what cannot be run, or was left out, does not count. */
function countMutants(files: readonly MutantFile[]) {
  const statuses = files.flatMap(({ mutants }) => mutants.map(({ status }) => status));
  const count = (...wanted: readonly string[]) => statuses.filter((status) => wanted.includes(status)).length;
  const noticed = count("Killed", "Timeout");
  const survived = count("Survived");
  const untested = count("NoCoverage");
  const all = noticed + survived + untested;
  return { all, noticed, survived, untested, share: all === 0 ? 100 : (100 * noticed) / all };
}

function printTable(files: ReadonlyMap<string, readonly MutantFile[]>): void {
  console.log("| | mutants | noticed | survived | no test | share |\n| --- | --: | --: | --: | --: | --: |");
  for (const [name, group] of files) {
    const { all, noticed, survived, untested, share } = countMutants(group);
    console.log(`| ${name} | ${all} | ${noticed} | ${survived} | ${untested} | ${share.toFixed(1)} % |`);
  }
}

function printSurvivors(name: string, { source, mutants }: MutantFile): void {
  const lines = source.split("\n");
  for (const { status, mutatorName, replacement, location } of mutants) {
    if (status !== "Survived" && status !== "NoCoverage") continue;
    const { line, column } = location.start;
    console.log(`\n${name}:${line}:${column} ${status}, ${mutatorName}`);
    console.log(`  ${lines[line - 1]?.trim()}\n  → ${replacement.replace(/\s+/g, " ").slice(0, 160)}`);
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      survivors: { type: "boolean" },
      static: { type: "boolean" },
      jobs: { type: "string", default: "1" },
      patience: { type: "string", default: "3" },
      help: { type: "boolean" },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (!existsSync(stryker)) await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], here);
  const folder = await mkdtemp(join(tmpdir(), "rollcall-mutation-"));
  try {
    const given =
      positionals.length > 0 ? positionals : ["src/token", "src/delegation", "src/membership", "src/run"];
    const options = {
      plugins: [pathToFileURL(join(here, "runner.mjs")).href],
      testRunner: "node-test",
      nodeTest: {
        files: await findTests(),
        scenarios: scenarios.map((name) => `test/scenarios/${name}.test.js`),
        skipped: Object.keys(skipped),
        patienceMs: 1000 * Number(values.patience),
        coverageFile: join(folder, "coverage.json"),
      },
      buildCommand: `node test/mutation/build.mjs ${tsc.replaceAll(" ", "\\ ")}`,
      // A mutant may fill the memory without end.
      testRunnerNodeArgs: ["--max-old-space-size=768"],
      coverageAnalysis: "perTest",
      ignoreStatic: values.static !== true,
      mutate: given.map((path) => (path.endsWith(".ts") ? path : `${path.replace(/\/$/, "")}/**/*.ts`)),
      ignorePatterns: ["docs", "coverage", ".rollcall"],
      // Node runs the types away, and the compiler here has another name than Stryker looks for.
      tsconfigFile: "none",
      concurrency: Number(values.jobs),
      // The patience ends first, but for a loop without an end; on a busy machine all takes longer, as the first run does.
      timeoutMS: 30_000,
      timeoutFactor: 0.1,
      reporters: ["json", "progress-append-only"],
      jsonReporter: { fileName: join(folder, "report.json") },
      tempDirName: join(folder, "sandbox"),
      allowConsoleColors: false,
    };
    const config = join(folder, "stryker.config.json");
    await writeFile(config, JSON.stringify(options));
    await run(process.execPath, [stryker, "run", config], root);
    const { files } = v.parse(reportSchema, JSON.parse(await readFile(join(folder, "report.json"), "utf8")));
    if (values.survivors) for (const [name, file] of Object.entries(files)) printSurvivors(name, file);
    const groups = new Map<string, MutantFile[]>();
    for (const [name, file] of Object.entries(files)) {
      for (const key of [`\`${name}\``, `**${name.split("/").slice(0, 2).join("/")}**`])
        groups.set(key, [...(groups.get(key) ?? []), file]);
    }
    printTable(new Map([...groups].sort(([one], [other]) => one.localeCompare(other))));
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
