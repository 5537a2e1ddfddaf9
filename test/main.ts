import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Coverage } from "./support/coverage.ts";

/** Folders whose tests start the whole command, a workflow or a long simulation. */
const slow = /^(scenarios|workflows|simulation|properties)\//;

const tests = fileURLToPath(new URL("./", import.meta.url));
const reporter = new URL("./support/notable-reporter.mjs", import.meta.url).href;

/** The test files below this folder, by their path from it; without the slow ones if `fast`. */
async function findTests(fast: boolean): Promise<string[]> {
  const files = (await readdir(tests, { recursive: true })).filter((file) => file.endsWith(".test.ts"));
  return files.filter((file) => !fast || !slow.test(file)).sort();
}

/** Runs files with `node --test` and returns its exit code. Failed and skipped tests are repeated at the end. */
async function runTests(files: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "rollcall-tests-"));
  const notable = join(folder, "notable.txt");
  const reporters = [
    ...[`--test-reporter=${process.stdout.isTTY ? "spec" : "tap"}`, "--test-reporter-destination=stdout"],
    ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${notable}`],
  ];
  const child = spawn(process.execPath, ["--import", "tsx", "--test", ...reporters, ...files], {
    env,
    stdio: "inherit",
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (ended) => resolve(ended ?? 1));
  });
  console.log(`\n${await readFile(notable, "utf8")}`);
  await rm(folder, { recursive: true });
  return code;
}

/** Runs all tests and prints what they covered. With COVERAGE_FLOORS=yes a coverage below its floors fails as well. */
async function runMeasured(files: readonly string[]): Promise<number> {
  const coverage = await Coverage.start();
  const env = { ...process.env, NODE_V8_COVERAGE: coverage.folder };
  const code = await coverage.collectDuring(runTests(files, env));
  return Math.max(code, await coverage.report(process.env.COVERAGE_FLOORS === "yes"));
}

const args = process.argv.slice(2);
const fast = args.includes("--fast");
const named = args.filter((arg) => arg !== "--fast");
const all = (await findTests(fast)).map((file) => relative(process.cwd(), join(tests, file)));
const files = named.length > 0 ? named : all;
if (named.length === 0) {
  const time = fast ? "less than a minute" : "about 12 minutes";
  console.log(`${files.length} files of tests; they take ${time} on two cores.`);
  if (!fast) console.log("npm run test:fast leaves out those that start the whole command or a workflow.");
}
process.exitCode = await (named.length > 0 || fast ? runTests(files, process.env) : runMeasured(files));
