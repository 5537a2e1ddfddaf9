import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const tests = fileURLToPath(new URL("../", import.meta.url));
const usage = `usage: npm run contract -- <folder>
  <folder>/contracts/webex.openapi.json  Webex's OpenAPI document
  <folder>/orgs/rust-lang.json           an organisation as the sandbox reads it
Runs again, against Webex's own contract, every test that checks requests, and the tests of a real organisation.`;

/** The tests of this folder, and all others that check requests against the contracts. */
async function findTests(): Promise<string[]> {
  const files = (await readdir(tests, { recursive: true }))
    .filter((file) => file.endsWith(".test.ts"))
    .sort();
  const texts = await Promise.all(files.map((file) => readFile(join(tests, file), "utf8")));
  const checking = files.filter((_, index) => texts[index]?.includes("support/contract.ts"));
  return ["contract/webex-sandbox.ts", "contract/real-organisation.ts", ...checking];
}

/** What is wrong with the arguments; null where nothing is. */
function findFault(folder: string | undefined, more: readonly string[]): string | null {
  if (folder === undefined || more.length > 0) return usage;
  const missing = ["contracts/webex.openapi.json", "orgs/rust-lang.json"].filter(
    (file) => !existsSync(join(folder, file)),
  );
  return missing.length > 0 ? `${folder} has no ${missing.join(" and no ")}\n${usage}` : null;
}

const [folder, ...more] = process.argv.slice(2);
const fault = findFault(folder, more);
if (folder === undefined || fault !== null) {
  console.error(fault);
  process.exitCode = 1;
} else {
  const files = (await findTests()).map((file) => join(tests, file));
  const child = spawn(process.execPath, ["--import", "tsx", "--test", ...files], {
    cwd: join(tests, ".."),
    env: { ...process.env, ROLLCALL_CONTRACT_FOLDER: resolve(folder) },
    stdio: "inherit",
  });
  child.on("close", (code) => {
    process.exitCode = code ?? 1;
  });
}
