import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Why each direct dependency is there; one without a reason here has no place in production. */
const reasons: Readonly<Record<string, string>> = {
  "@actions/core": "the runner's commands, with its own escaping",
  "@octokit/rest": "GitHub's API, with its types",
  "csv-parse": "the cells of a CSV, by RFC 4180",
  "fast-xml-parser": "the answers of Webex's XML API",
  handlebars: "the templates of the reports",
  marked: "shows the report in a browser, for demo --open",
  "libsodium-wrappers": "seals secrets for GitHub, as its documentation shows",
  tsx: "runs TypeScript without a build step",
  undici: "HTTP with proxies and time limits",
  valibot: "checks what comes from outside, and types it",
};

const lockSchema = v.object({
  packages: v.record(
    v.string(),
    v.object({
      version: v.optional(v.string(), ""),
      license: v.optional(v.string(), "not stated"),
      dev: v.optional(v.boolean(), false),
      optional: v.optional(v.boolean(), false),
      os: v.optional(v.unknown()),
      dependencies: v.optional(v.record(v.string(), v.string()), {}),
    }),
  ),
});

/** A package that `npm ci --omit=dev` installs. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Only on some systems, or only where somebody wants it. */
  readonly isOptional: boolean;
  /** Why it is a direct dependency; null for one that another brings. */
  readonly reason: string | null;
  /** Bytes of its files in node_modules; null where it is not installed here. */
  readonly bytes: number | null;
}

/** What the lock file has for production, in its order; the binaries of other systems are left out. */
export async function readDependencies(): Promise<readonly Dependency[]> {
  const { packages } = v.parse(
    lockSchema,
    JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")),
  );
  const direct = packages[""]?.dependencies ?? {};
  const found = Object.entries(packages).flatMap(([path, { version, license, dev, optional, os }]) => {
    if (path === "" || dev) return [];
    const name = path.split("node_modules/").at(-1) ?? path;
    const isDirect = path === `node_modules/${name}` && name in direct;
    const reason = isDirect ? (reasons[name] ?? "") : null;
    return [
      { path, isBinary: os !== undefined, name, version, licence: license, isOptional: optional, reason },
    ];
  });
  const measured = await Promise.all(
    found.map(async ({ path, isBinary, ...one }) => {
      const bytes = await measure(join(root, path)).catch(() => null);
      return isBinary && bytes === null ? [] : [{ ...one, bytes }];
    }),
  );
  return measured.flat();
}

/** The bytes of all files below a folder, without the packages that lie inside it. */
async function measure(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const sizes = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? 0 : await measure(path);
    return entry.isFile() ? (await stat(path)).size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
