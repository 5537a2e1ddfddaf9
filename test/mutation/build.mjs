// Compiles Stryker's copy of the repository, in which it runs: each import that tsx looks at costs time, in every run.
// Usage: node build.mjs <path of the compiler>
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const [, , tsc] = process.argv;
execFileSync(process.execPath, [tsc, "-p", "test/mutation/tsconfig.compiled.json"], { stdio: "inherit" });

// What would run each test once and at once, or start a process or a server for it, does none of it here.
for (const file of readdirSync("test", { recursive: true })) {
  if (!/^(?!mutation|simulation|sweep)[\w-]+\/[^/]+\.js$/.test(file)) continue;
  const text = readFileSync(`test/${file}`, "utf8")
    .replace('"node:test"', '"../mutation/node-test.mjs"')
    .replace(/"[^"]*\/(?:run-rollcall|sandbox\/server)\.js"/g, '"../mutation/stage.js"');
  writeFileSync(`test/${file}`, text);
}
