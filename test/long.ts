/**
 * What takes minutes: `npm run test:long`. It goes on after a failure, so that one run tells everything. The stories are
 * others each day; `-- --seed 7` plays those that begin with that seed, which each run prints.
 */
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const dayMs = 24 * 60 * 60_000;
const today = Math.floor(Date.now() / dayMs);

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(today * 10_000) },
    runs: { type: "string", default: "10000" },
    cases: { type: "string", default: "1000" },
  },
});

const folder = fileURLToPath(new URL("./properties/", import.meta.url));
const properties = (await readdir(folder)).filter((name) => name.endsWith(".test.ts")).sort();

/** Each is an argument list of Node. */
const steps: readonly (readonly [name: string, args: readonly string[]])[] = [
  [`properties, ${values.cases} cases each`, ["--test", ...properties.map((name) => folder + name)]],
  ["simulation", ["test/simulation/main.ts", "--seed", values.seed, "--runs", values.runs]],
  ["sweep, every tenth combination", ["test/sweep/main.ts", "--sample", "10"]],
  ["soak", ["test/simulation/soak.ts", "--seed", values.seed, "--runs", "100"]],
];

const ended: string[] = [];
for (const [name, args] of steps) {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const child = spawn(process.execPath, ["--import", "tsx", ...args], {
    stdio: "inherit",
    env: { ...process.env, ROLLCALL_CASES: values.cases, ROLLCALL_SEED: values.seed },
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit) => resolve(exit ?? 1));
  });
  if (code !== 0) process.exitCode = 1;
  ended.push(
    `${code === 0 ? "holds" : "FAILS"}: ${name}, ${Math.round((performance.now() - startedAt) / 1000)} s`,
  );
}
console.log(`\n${ended.join("\n")}`);
