import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { mergeProcessCovs, type ProcessCov } from "@bcoe/v8-coverage";
import * as v from "valibot";

const root = new URL("../../", import.meta.url);

/** What is measured: the product and the sandbox that ships with it. */
const measured = ["src/", "sandbox/"];

/** The sandbox's fault switches: each stands for a way in which a server can fail, and no run needs all. */
const left = "sandbox/faults.ts";

/** In percent; `.ci/run` holds them. */
const floors = { lines: 95, branches: 90 };

/** What one process has left: https://nodejs.org/api/cli.html#node_v8_coveragedir */
const reportSchema = v.object({
  result: v.array(
    v.object({
      scriptId: v.string(),
      url: v.string(),
      functions: v.array(
        v.object({
          functionName: v.string(),
          isBlockCoverage: v.boolean(),
          ranges: v.array(v.object({ startOffset: v.number(), endOffset: v.number(), count: v.number() })),
        }),
      ),
    }),
  ),
  "source-map-cache": v.optional(v.record(v.string(), v.unknown()), {}),
});

/** Merged at once: one by one costs more time, all at the end more memory. */
const batchSize = 40;

/** Collects what the tests' own processes and all that they start have covered. */
export class Coverage {
  readonly #sourceMaps = new Map<string, unknown>();
  #batch: ProcessCov[] = [];

  private constructor(
    /** The value of NODE_V8_COVERAGE. */
    readonly folder: string,
  ) {}

  static async start(): Promise<Coverage> {
    return new Coverage(await mkdtemp(join(tmpdir(), "rollcall-coverage-")));
  }

  /** Takes in what is there, again and again until the work ends: a whole run leaves some thousand files. */
  async collectDuring<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    work.then(end, end);
    while (!isOver) {
      // A file that was touched just now may be half written.
      const ripe = await this.#list();
      await Promise.race([delay(2_000), work.catch(() => undefined)]);
      for (const file of ripe) await this.#take(file);
    }
    for (const file of await this.#list()) await this.#take(file);
    return await work;
  }

  /** Prints the summary and writes the pages. Returns c8's exit code: 1 below a floor. */
  async report(isHeld: boolean): Promise<number> {
    this.#merge();
    const merged = {
      result: this.#batch[0]?.result ?? [],
      "source-map-cache": Object.fromEntries(this.#sourceMaps),
    };
    await writeFile(join(this.folder, "coverage-merged.json"), JSON.stringify(merged));
    const c8 = createRequire(import.meta.url).resolve("c8/bin/c8.js");
    const args = [
      ...["report", "--temp-directory", this.folder, "--reporter", "text-summary", "--reporter", "html"],
      ...["--all", ...measured.flatMap((folder) => ["--src", folder, "--include", `${folder}**/*.ts`])],
      ...["--exclude", left],
      ...(isHeld ? ["--check-coverage", "--lines", floors.lines, "--branches", floors.branches] : []),
    ].map(String);
    const child = spawn(process.execPath, [c8, ...args], { cwd: root, stdio: "inherit" });
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (ended) => resolve(ended ?? 1));
    });
    console.log("coverage/index.html shows each line.");
    await rm(this.folder, { recursive: true });
    return code;
  }

  async #list(): Promise<string[]> {
    return (await readdir(this.folder)).map((name) => join(this.folder, name));
  }

  async #take(file: string): Promise<void> {
    const text = await readFile(file, "utf8");
    await rm(file);
    const parsed = v.safeParse(reportSchema, parseJson(text));
    // A process that was killed while it wrote has nothing to say.
    if (!parsed.success) return;
    const isMeasured = (url: string) => measured.some((folder) => url.startsWith(`${root.href}${folder}`));
    const result = parsed.output.result.filter(({ url }) => isMeasured(url));
    for (const [url, map] of Object.entries(parsed.output["source-map-cache"]))
      if (isMeasured(url)) this.#sourceMaps.set(url, map);
    if (result.length > 0) this.#batch.push({ result });
    if (this.#batch.length >= batchSize) this.#merge();
  }

  #merge(): void {
    this.#batch = this.#batch.length > 0 ? [mergeProcessCovs(this.#batch)] : [];
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
