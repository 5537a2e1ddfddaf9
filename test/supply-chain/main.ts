import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import * as v from "valibot";
import { type Dependency, readDependencies } from "./dependencies.ts";

const run = promisify(execFile);

const releaseSchema = v.object({
  "dist-tags.latest": v.string(),
  time: v.record(v.string(), v.string()),
});

interface Release {
  readonly newest: string;
  /** When the newest version was released, as the registry says. */
  readonly date: string;
}

/** Asks the registry that npm is set up with. */
async function readRelease(name: string): Promise<Release> {
  const { stdout } = await run("npm", ["view", name, "dist-tags.latest", "time", "--json"]);
  const { time, "dist-tags.latest": newest } = v.parse(releaseSchema, JSON.parse(stdout));
  return { newest, date: (time[newest] ?? "not known").slice(0, 10) };
}

function formatSize(bytes: number | null): string {
  return bytes === null
    ? "not installed"
    : `${Math.max(1, Math.round(bytes / 1000)).toLocaleString("en")} kB`;
}

function formatRow(
  { name, version, licence, isOptional, bytes, reason }: Dependency,
  release: Release,
): string {
  const isCurrent = release.newest === version;
  const last = `${release.date}${isCurrent ? "" : ` (${release.newest})`}`;
  const cells = [`\`${name}\`${isOptional ? ", optional" : ""}`, version, formatSize(bytes), licence, last];
  return `| ${[...cells, ...(reason === null ? [] : [reason])].join(" | ")} |`;
}

const dependencies = await readDependencies();
const releases = new Map<string, Release>();
// One after the other: a registry is not to be stormed.
for (const { name } of dependencies) if (!releases.has(name)) releases.set(name, await readRelease(name));

const rowOf = (one: Dependency) =>
  formatRow(one, releases.get(one.name) ?? { newest: "", date: "not known" });
const direct = dependencies.filter(({ reason }) => reason !== null);
const others = dependencies.filter(({ reason }) => reason === null);
const total = dependencies.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
const today = new Date().toISOString().slice(0, 10);

const page = `# Dependencies

What \`npm ci --omit=dev\` installs: ${direct.length} packages that Rollcall uses and ${others.length} that those bring, ${(total / 1e6).toFixed(1)} MB in all.
\`npm run supply-chain\` writes this page from the lock file, \`node_modules\` and the registry; the last time on ${today}.
*Last release* is the date of the newest version, which is named where ours is another. A mirror of the registry may give a
later date than the publisher's, when it took the package in; it cannot give an earlier one.

## Used by Rollcall

| package | version | size | licence | last release | why |
| --- | --- | --: | --- | --- | --- |
${direct.map(rowOf).join("\n")}

## Brought by those

Of the compiler in \`esbuild\` only the binary of the own system is installed; this table shows the one of the system that
wrote it.

| package | version | size | licence | last release |
| --- | --- | --: | --- | --- |
${others.map(rowOf).join("\n")}
`;
await writeFile(new URL("../../docs/dependencies.md", import.meta.url), page);
console.log(`docs/dependencies.md: ${dependencies.length} packages`);
